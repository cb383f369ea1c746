"""Checkpoints in, judgements out: the one way in which a trained model looks at a video, stored or live.

A judge is fed one frame of a steady rate after the other and says what it makes of them; pieces.py feeds it frames of
any rate, with pauses, as all do who judge recordings:

    judge = make_judge(checkpoint, step)
    state = judge.start()
    state, judgements = judge.update(state, item)       # at every frame
    judgements = judge.finish(state)                    # when the source has ended
    judgements = list(judge.judge_all(items))           # the same of a whole video, in batches
    judgements = list(judge_stream(judge, items))       # the same, frame by frame

What an item is depends on the model's input; see items.py. What judges say becomes the score of each frame, which knows
of no later one, in judgements.py.

A window is judged every `step` of its length. What is left when a source ends is judged as one more window that ends
with it, and a video shorter than a window is one short window: that it has ended is known by then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vigil.clips.ticks import clip_length, spread_frames
from vigil.core.errors import VigilError
from vigil.features.flow.dense import LEVELS
from vigil.features.pictures import normalise_squares
from vigil.judging.clocks import clock_rate, segment_settings
from vigil.judging.items import ARRAYS, Segment, StoredClip
from vigil.judging.judgements import Judgement
from vigil.models.blocks.layers import Clip, Predictions
from vigil.models.checkpoint import Checkpoint

BATCH_BYTES = 1 << 24  # of samples that are judged together
BATCH = 64  # samples, at most


class Judge(Protocol):
    """One model and its way of looking. Holds nothing of a stream: what is remembered is in the state."""

    @property
    def hold_s(self) -> float | None:
        """Seconds for which a judgement of somebody stands without a newer one; None: until the next."""

    @property
    def ready(self) -> int:
        """Frames of a video before which it has nothing to say, and as many as a judgement spans at most."""

    def start(self) -> Any:
        """The state before the first frame."""

    def update(self, state: Any, item: Any) -> tuple[Any, list[Judgement]]:
        """One frame more."""

    def finish(self, state: Any) -> list[Judgement]:
        """What is left when the source has ended."""

    def judge_all(self, items: Iterable[Any]) -> Iterator[Judgement]:
        """All judgements of one video, as `update` and `finish` would make them one by one."""


def make_judge(checkpoint: Checkpoint, step: float, gate: Checkpoint | None = None) -> Judge:
    """The judge of a model. `step` is the share of a window from one that is judged to the next.

    The model that names the crime sees what `gate` attends to, at the gate's own step; without a gate it is fed the
    clips that one has attended to before.
    """
    card, model = checkpoint.card, checkpoint.model
    if card.input == "segments":
        segments = segment_settings(card)
        return SegmentJudge(model, card.model, max(segments.gap_s, float(segments.stride / segments.rate)))
    if card.input == "attended":
        if gate is None:
            return ClipJudge(model)
        if gate.sha256 != card.features["attended"]["gate"]:
            raise VigilError(
                f"{card.model}: it looks at what the crime_gate it was trained behind attends to: give it."
            )
        step = card.features["attended"]["step"]
        return WindowJudge(gate.model, card.model, "frames", float(clock_rate(card)), step, model)
    if hasattr(getattr(model, "members", [model])[0], "step"):
        return StepJudge(model, card.model)
    return WindowJudge(model, card.model, card.input, float(clock_rate(card)), step)


def judge_stream(judge: Judge, items: Iterable[Any]) -> Iterator[Judgement]:
    """The judgements of a source that is fed frame by frame, to its end."""
    state = judge.start()
    for item in items:
        state, judgements = judge.update(state, item)
        yield from judgements
    yield from judge.finish(state)


class StepJudge:
    """A model that carries its memory from frame to frame; it is heard after as many frames as it was trained on."""

    hold_s = None

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name, self.ready = model, name, model.clip.frames

    def start(self) -> tuple[int, Any, Judgement | None]:
        return 0, None, None

    def update(self, state: Any, item: np.ndarray) -> tuple[Any, list[Judgement]]:
        """`item` (3, H, W) int8."""
        index, memory, _ = state
        with torch.inference_mode():
            predictions, memory = self.model.step(_flow(item[None]).to(_device(self.model)), memory)
        judgement = _make_judgements(self.name, predictions, [((index, index + 1), (index,))])[0]
        ready = index + 1 >= self.ready
        return (index + 1, memory, None if ready else judgement), [judgement] if ready else []

    def finish(self, state: Any) -> list[Judgement]:
        """The judgement of the last frame of a video shorter than the warm-up."""
        return [] if state[2] is None else [state[2]]

    def judge_all(self, items: Iterable[np.ndarray]) -> Iterator[Judgement]:
        return judge_stream(self, items)


@dataclass(frozen=True, eq=False)
class _Window:
    span: tuple[int, int]
    shown: tuple[int, ...]  # indices of the frames that the model sees
    inputs: tuple[np.ndarray, ...]  # flow, change or picture of each of those


class WindowJudge:
    """A model that sees a window at a time; a `namer` is a second model that sees the same, for the classes."""

    hold_s = None

    def __init__(self, model: Any, name: str, features: str, fps: float, step: float, namer: Any = None) -> None:
        self.model, self.name, self.features, self.namer = model, name, features, namer
        self.clip: Clip = model.clip
        self.length = self.ready = clip_length(self.clip, fps)
        self.stride = max(1, round(step * self.length))
        if namer is not None and (namer.clip.frames, namer.clip.size) != (self.clip.frames, self.clip.size):
            raise VigilError(f"{name}: its clips are not those of its gate: give both the same frames and size.")

    def start(self) -> tuple[int, tuple[np.ndarray, ...]]:
        return 0, ()

    def update(self, state: Any, item: Any) -> tuple[Any, list[Judgement]]:
        state, due = self._extend(state, item)
        return state, self._judge(due)

    def finish(self, state: Any) -> list[Judgement]:
        return self._judge(self._remainder(state))

    def judge_all(self, items: Iterable[Any]) -> Iterator[Judgement]:
        state, pending = self.start(), list[_Window]()
        for item in items:
            state, due = self._extend(state, item)
            pending += due
            if pending and len(pending) >= self._batch_size(pending[0]):
                yield from self._judge(pending)
                pending = []
        yield from self._judge(pending)
        yield from self.finish(state)

    def _extend(self, state: tuple[int, tuple[np.ndarray, ...]], item: Any) -> tuple[Any, list[_Window]]:
        """The state with one more frame, and the window that it completes, if it does."""
        count, recent = state
        newest = item if self.features in ARRAYS else item.square(self.clip.size)
        count, recent = count + 1, (*recent, newest)[-self.length :]
        return (count, recent), [self._window(count, recent)] if self._is_due(count) else []

    def _is_due(self, count: int) -> bool:
        """Whether a window ends with the frame that makes so many."""
        return count >= self.length and (count - self.length) % self.stride == 0

    def _remainder(self, state: tuple[int, tuple[np.ndarray, ...]]) -> list[_Window]:
        """The last window of a source that has ended, unless it was due already."""
        count, recent = state
        return [] if not count or self._is_due(count) else [self._window(count, recent)]

    def _window(self, count: int, recent: tuple[np.ndarray, ...]) -> _Window:
        start = count - len(recent)
        shown = tuple(spread_frames((start, count), self.clip.frames))
        return _Window((start, count), shown, tuple(recent[index - start] for index in shown))

    def _batch_size(self, window: _Window) -> int:
        return max(1, min(BATCH, BATCH_BYTES // (4 * sum(array.size for array in window.inputs))))

    def _judge(self, windows: Sequence[_Window]) -> list[Judgement]:
        if not windows:
            return []
        x = torch.stack([self._tensor(np.stack(window.inputs)) for window in windows]).to(_device(self.model))
        with torch.inference_mode():
            predictions = self.model.judge(self.model(x), x)
            if self.namer is not None:
                predictions = predictions | {"classes": self.namer.judge(self.namer(x), x)["classes"]}
        return _make_judgements(self.name, predictions, [(window.span, window.shown) for window in windows])

    def _tensor(self, inputs: np.ndarray) -> Tensor:
        if self.features == "trunk":
            return torch.from_numpy(inputs.astype(np.float32)).flatten(1)
        return _flow(inputs) if self.features == "flow" else normalise_squares(inputs, self.clip.layout)


class SegmentJudge:
    """A model that sees one person at a time; an item is the Segments that the frame completes."""

    def __init__(self, model: Any, name: str, hold_s: float) -> None:
        self.model, self.name, self.hold_s, self.ready = model, name, hold_s, model.clip.frames

    def start(self) -> None:
        return None

    def update(self, state: None, item: Sequence[Segment]) -> tuple[None, list[Judgement]]:
        return state, self._judge(item)

    def finish(self, state: None) -> list[Judgement]:  # noqa: ARG002  as every judge
        return []

    def judge_all(self, items: Iterable[Sequence[Segment]]) -> Iterator[Judgement]:
        pending: list[Segment] = []
        for item in items:
            pending += item
            while len(pending) >= BATCH:  # an item may be all segments of a stored video
                yield from self._judge(pending[:BATCH])
                del pending[:BATCH]
        yield from self._judge(pending)

    def _judge(self, segments: Sequence[Segment]) -> list[Judgement]:
        if not segments:
            return []
        x = torch.from_numpy(np.stack([segment.x for segment in segments])).to(_device(self.model))
        with torch.inference_mode():
            predictions = self.model.judge(self.model(x), x)
        windows = [((segment.start, segment.stop), ()) for segment in segments]
        judgements = _make_judgements(self.name, predictions, windows)
        pairs = zip(judgements, segments, strict=True)
        return [replace(judgement, person=segment.person) for judgement, segment in pairs]


class ClipJudge:
    """The model that names the crime, in the clips that its gate has attended to before."""

    hold_s, ready = None, 1

    def __init__(self, model: Any) -> None:
        self.model = model

    def start(self) -> None:
        return None

    def update(self, state: None, item: StoredClip) -> tuple[None, list[Judgement]]:
        x = normalise_squares(item.pixels, self.model.clip.layout)[None].to(_device(self.model))
        with torch.inference_mode():
            logits = self.model.judge(self.model(x), x)["classes"][0].cpu().numpy()
        judgement = Judgement(
            item.start, item.stop, item.odds, item.odds, None, logits, None, item.shown, item.attention
        )
        return state, [judgement]

    def finish(self, state: None) -> list[Judgement]:  # noqa: ARG002  as every judge
        return []

    def judge_all(self, items: Iterable[StoredClip]) -> Iterator[Judgement]:
        return judge_stream(self, items)


def _make_judgements(
    name: str, predictions: Predictions, windows: Sequence[tuple[tuple[int, int], tuple[int, ...]]]
) -> list[Judgement]:
    """The judgements of a batch, one for each window: the span that it covers, and the frames shown of it."""
    arrays = {key: value.float().cpu().numpy() for key, value in predictions.items()}
    judgements = []
    for row, ((start, stop), shown) in enumerate(windows):
        values = {key: array[row] for key, array in arrays.items()}
        if not all(np.isfinite(array).all() for array in values.values()):
            raise VigilError(f"{name}: its score of frames {start} to {stop} is not a number: train it again.")
        frames = values.get("frames")
        scored = next(values[key] for key in ("window", "frames", "cells", "classes") if key in values)
        score = float(frames[-1]) if "window" not in values and frames is not None else float(scored.mean())
        newest = score if frames is None else float(frames[-1])
        if frames is not None:
            frames = frames[np.searchsorted(shown, np.arange(start, stop), side="right") - 1]
        classes, cells, attention = (values.get(key) for key in ("classes", "cells", "attention"))
        judgements.append(Judgement(start, stop, score, newest, frames, classes, cells, shown, attention))
    return judgements


def _flow(planes: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(planes)).to(torch.float32).div_(LEVELS)


def _device(model: Any) -> torch.device:
    return next(model.parameters()).device
