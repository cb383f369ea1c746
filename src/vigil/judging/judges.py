"""Checkpoints in, judgements out: the one way in which a trained model looks at a video, stored or live.

A judge is fed one stored frame after the other and says what it makes of them:

    judge = opened(loaded, step)
    state = judge.start()
    state, judgements = judge.update(state, item)       # at every stored frame
    judgements = judge.finish(state)                    # when the source has ended
    judgements = list(judge.whole(items))               # the same of a whole video, in batches

What an item is depends on the model's input: planes (3, H, W) int8 of flow; a Picture of a frame; of segments, those
that the frame completes. judgements.py turns judgements into the score of each frame, which knows of no later one.

A window is judged every `step` of its length. What is left when a source ends is judged as one more window that ends
with it, and a video shorter than a window is one short window: that it has ended is known by then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vigil.clips.feature_samples import LEVELS
from vigil.clips.places import span, taken
from vigil.core.errors import VigilError
from vigil.features.pictures import normalised, square
from vigil.judging.judgements import Judgement
from vigil.models.blocks.layers import Clip, Judged
from vigil.models.checkpoint import Loaded

BATCH_BYTES = 1 << 24  # of samples that are judged together
BATCH = 64  # samples, at most


class Picture:
    """A stored frame as JPEG, decoded once for every size that a model wants."""

    def __init__(self, jpeg: bytes) -> None:
        self._jpeg, self._squares = jpeg, dict[int, np.ndarray]()

    def square(self, size: int) -> np.ndarray:
        """(size, size, 3) uint8 RGB."""
        if size not in self._squares:
            self._squares[size] = square(self._jpeg, size)
        return self._squares[size]


@dataclass(frozen=True, eq=False)
class Segment:
    """What one person did in the stored frames from `start` to `stop`, which is the frame after the current one."""

    person: int
    start: int
    stop: int
    x: np.ndarray  # (T, F) float32


class Judge(Protocol):
    """One model and its way of looking. Holds nothing of a stream: what is remembered is in the state."""

    @property
    def hold_s(self) -> float | None:
        """Seconds for which a judgement of somebody stands without a newer one; None: until the next."""

    @property
    def ready(self) -> int:
        """Frames of a source before which it has nothing to say."""

    def start(self) -> Any:
        """The state before the first frame."""

    def update(self, state: Any, item: Any) -> tuple[Any, list[Judgement]]:
        """One stored frame more."""

    def finish(self, state: Any) -> list[Judgement]:
        """What is left when the source has ended."""

    def whole(self, items: Iterable[Any]) -> Iterator[Judgement]:
        """All judgements of one video, as `update` and `finish` would make them one by one."""


def opened(loaded: Loaded, step: float, gate: Loaded | None = None) -> Judge:
    """The judge of a model. `step` is the share of a window from one that is judged to the next.

    The model that names the crime sees what `gate` attends to, at the gate's own step.
    """
    card, model = loaded.card, loaded.model
    if card.input == "segments":
        made = card.features["segments"]
        return People(model, card.model, max(made["gap_s"], made["stride"] / card.features["frames"]["fps"]))
    if card.input == "attended":
        if gate is None or gate.sha256 != card.features["attended"]["gate"]:
            raise VigilError(
                f"{card.model}: it looks at what the crime_gate it was trained behind attends to: give it."
            )
        step = card.features["attended"]["step"]
        return Windows(gate.model, card.model, "frames", _fps(card.features), step, model)
    if hasattr(getattr(model, "members", [model])[0], "step"):
        return Steps(model, card.model)
    return Windows(model, card.model, card.input, _fps(card.features), step)


class Steps:
    """A model that carries its memory from frame to frame; it is heard after as many frames as it was trained on."""

    hold_s = None

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name, self.ready = model, name, model.clip.frames

    def start(self) -> tuple[int, Any, Judgement | None]:
        return 0, None, None

    def update(self, state: Any, item: np.ndarray) -> tuple[Any, list[Judgement]]:
        """`item` (3, H, W) int8."""
        place, memory, _ = state
        with torch.inference_mode():
            judged, memory = self.model.step(_flow(item[None]).to(_device(self.model)), memory)
        found = _each(self.name, judged, [((place, place + 1), (place,))])[0]
        ready = place + 1 >= self.ready
        return (place + 1, memory, None if ready else found), [found] if ready else []

    def finish(self, state: Any) -> list[Judgement]:
        """Of a video shorter than the warm-up, its last frame."""
        return [] if state[2] is None else [state[2]]

    def whole(self, items: Iterable[np.ndarray]) -> Iterator[Judgement]:
        state = self.start()
        for item in items:
            state, found = self.update(state, item)
            yield from found
        yield from self.finish(state)


@dataclass(frozen=True, eq=False)
class _Window:
    place: tuple[int, int]
    shown: tuple[int, ...]
    parts: tuple[np.ndarray, ...]  # one for each that is shown


class Windows:
    """A model that sees a window at a time; with `names`, what it sees is shown to that model too, for the classes."""

    hold_s = None

    def __init__(self, model: Any, name: str, kind: str, fps: float, step: float, names: Any = None) -> None:
        self.model, self.name, self.kind, self.names = model, name, kind, names
        self.clip: Clip = model.clip
        self.length = self.ready = span(self.clip, fps)
        self.stride = max(1, round(step * self.length))
        if names is not None and (names.clip.frames, names.clip.size) != (self.clip.frames, self.clip.size):
            raise VigilError(f"{name}: its clips are not those of its gate: give both the same frames and size.")

    def start(self) -> tuple[int, tuple[np.ndarray, ...]]:
        return 0, ()

    def update(self, state: Any, item: Any) -> tuple[Any, list[Judgement]]:
        state, due = self._longer(state, item)
        return state, self._judged(due)

    def finish(self, state: Any) -> list[Judgement]:
        return self._judged(self._left(state))

    def whole(self, items: Iterable[Any]) -> Iterator[Judgement]:
        state, pending = self.start(), list[_Window]()
        for item in items:
            state, due = self._longer(state, item)
            pending += due
            if pending and len(pending) >= self._together(pending[0]):
                yield from self._judged(pending)
                pending = []
        yield from self._judged(pending)
        yield from self.finish(state)

    def _longer(self, state: tuple[int, tuple[np.ndarray, ...]], item: Any) -> tuple[Any, list[_Window]]:
        count, kept = state
        part = item if self.kind == "flow" else item.square(self.clip.size)
        count, kept = count + 1, (*kept, part)[-self.length :]
        due = count >= self.length and (count - self.length) % self.stride == 0
        return (count, kept), [self._window(count, kept)] if due else []

    def _left(self, state: tuple[int, tuple[np.ndarray, ...]]) -> list[_Window]:
        count, kept = state
        judged = count >= self.length and (count - self.length) % self.stride == 0
        return [] if judged or not count else [self._window(count, kept)]

    def _window(self, count: int, kept: tuple[np.ndarray, ...]) -> _Window:
        start = count - len(kept)
        shown = tuple(taken((start, count), self.clip.frames))
        return _Window((start, count), shown, tuple(kept[place - start] for place in shown))

    def _together(self, window: _Window) -> int:
        return max(1, min(BATCH, BATCH_BYTES // (4 * sum(part.size for part in window.parts))))

    def _judged(self, windows: Sequence[_Window]) -> list[Judgement]:
        if not windows:
            return []
        x = torch.stack([self._tensor(np.stack(window.parts)) for window in windows]).to(_device(self.model))
        with torch.inference_mode():
            judged = self.model.judge(self.model(x), x)
            if self.names is not None:
                judged = judged | {"classes": self.names.judge(self.names(x), x)["classes"]}
        return _each(self.name, judged, [(window.place, window.shown) for window in windows])

    def _tensor(self, parts: np.ndarray) -> Tensor:
        return _flow(parts) if self.kind == "flow" else normalised(parts, self.clip.layout)


class People:
    """A model that sees one person at a time; an item is the Segments that the frame completes."""

    def __init__(self, model: Any, name: str, hold_s: float) -> None:
        self.model, self.name, self.hold_s, self.ready = model, name, hold_s, model.clip.frames

    def start(self) -> None:
        return None

    def update(self, state: None, item: Sequence[Segment]) -> tuple[None, list[Judgement]]:
        return state, self._judged(item)

    def finish(self, state: None) -> list[Judgement]:  # noqa: ARG002  as every judge
        return []

    def whole(self, items: Iterable[Sequence[Segment]]) -> Iterator[Judgement]:
        pending: list[Segment] = []
        for item in items:
            pending += item
            if len(pending) >= BATCH:
                yield from self._judged(pending)
                pending = []
        yield from self._judged(pending)

    def _judged(self, found: Sequence[Segment]) -> list[Judgement]:
        if not found:
            return []
        x = torch.from_numpy(np.stack([one.x for one in found])).to(_device(self.model))
        with torch.inference_mode():
            judged = self.model.judge(self.model(x), x)
        places = [((one.start, one.stop), ()) for one in found]
        made = _each(self.name, judged, places)
        return [replace(each, person=one.person) for each, one in zip(made, found, strict=True)]


def _each(name: str, judged: Judged, windows: Sequence[tuple[tuple[int, int], tuple[int, ...]]]) -> list[Judgement]:
    """The judgements of a batch, one per window."""
    arrays = {key: value.float().cpu().numpy() for key, value in judged.items()}
    found = []
    for row, ((start, stop), shown) in enumerate(windows):
        own = {key: array[row] for key, array in arrays.items()}
        if not all(np.isfinite(array).all() for array in own.values()):
            raise VigilError(f"{name}: its score of frames {start} to {stop} is not a number: train it again.")
        frames = own.get("frames")
        said = next(own[key] for key in ("window", "frames", "cells", "classes") if key in own)
        score = float(frames[-1]) if "window" not in own and frames is not None else float(said.mean())
        newest = score if frames is None else float(frames[-1])
        if frames is not None:
            frames = frames[np.searchsorted(shown, np.arange(start, stop), side="right") - 1]
        found.append(
            Judgement(
                start, stop, score, newest, frames, own.get("classes"), own.get("cells"), shown, own.get("attention")
            )
        )
    return found


def _flow(planes: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(planes)).to(torch.float32).div_(LEVELS)


def _device(model: Any) -> torch.device:
    return next(model.parameters()).device


def _fps(features: Mapping[str, Any]) -> float:
    return float(features["frames"]["fps"])
