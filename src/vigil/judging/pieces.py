"""A judge of recordings: each piece is judged as a video of its own, by ticks, whatever the camera's rate.

    judge = make_piece_judge(checkpoint, step)
    state = judge.start()
    state, judgements = judge.update(state, item, time_s)       # at every stored frame
    judgements = judge.finish(state)                            # when the source has ended
    judgements = list(judge.judge_all(items, times))            # the same of a whole recording, in batches
    judgements = list(judge_recording(judge, items, times))     # the same, frame by frame

Models are fed by a clock; see core/clock.py. A stored frame stands for the ticks since the frame before it: of pictures
the frame before is fed for the earlier of them and the new one for the last, of flow and changes the new one's for all.
Segments are on that clock already, and come with the frame that completes them.

What a judge says of ticks is said of stored frames here. A judgement spans from the frame that is seen at its first
tick to the frame with which its last tick is fed; several may end with one frame, and then the later counts. What is
left when a recording pauses is judged as when it ends, and comes with the first frame after the pause; so `stop` tells
what was said of the frame that has just come, and what of the piece before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Any, Literal

import numpy as np

from vigil.core.clock import START as NO_FRAME
from vigil.core.clock import (
    Pace,
    arrival_frames,
    held_frames,
    pieces,
    reached_tick,
    tick_counts,
    update_pace,
)
from vigil.judging.clocks import clock_rate
from vigil.judging.judgements import Judgement
from vigil.judging.judges import Judge, make_judge
from vigil.models.checkpoint import Checkpoint

Feed = Literal["held", "newest", "once"]  # the ticks since the frame before: that one until the last, the new, or none
FEEDS: Mapping[str, Feed] = {
    "frames": "held",
    "masked": "held",
    "attended": "held",
    "flow": "newest",
    "trunk": "newest",
    "segments": "once",
}  # by input


def make_piece_judge(checkpoint: Checkpoint, step: float, gate: Checkpoint | None = None) -> "PieceJudge":
    """The judge of a model, for recordings; see `make_judge`."""
    card = checkpoint.card
    return PieceJudge(make_judge(checkpoint, step, gate), FEEDS[card.input], clock_rate(card))


def judge_recording(judge: "PieceJudge", items: Iterable[Any], times: Sequence[Fraction]) -> Iterator[Judgement]:
    """The judgements of a recording that is fed frame by frame, to its end."""
    state = judge.start()
    for item, time_s in zip(items, times, strict=True):
        state, judgements = judge.update(state, item, time_s)
        yield from judgements
    yield from judge.finish(state)


@dataclass(frozen=True, eq=False)
class FedTicks:
    """Ticks of a piece in a row, and the stored frames that they come of."""

    first: int  # number of the first of them in the piece
    arrivals: Sequence[int] | np.ndarray  # stored frame with which each is fed
    shown: Sequence[int] | np.ndarray  # stored frame that is seen at it

    def append(self, arrival: int, shown: int, keep: int) -> "FedTicks":
        """One more, and the newest `keep` remain."""
        arrivals = (*self.arrivals, arrival)[-keep:]
        last = self.first + len(self.arrivals)
        return FedTicks(last + 1 - len(arrivals), arrivals, (*self.shown, shown)[-keep:])

    def in_stored_frames(self, judgement: Judgement) -> Judgement:
        """A judgement of ticks as one of stored frames."""
        low, high = judgement.start - self.first, judgement.stop - self.first
        arrivals = self.arrivals[low:high]
        start, stop = int(self.shown[low]), int(arrivals[-1]) + 1
        frames = judgement.frames
        if frames is not None:  # of each stored frame what is said at its newest tick
            newest = np.searchsorted(arrivals, np.arange(start, stop), side="right") - 1
            frames = frames[np.maximum(newest, 0)]
        shown = tuple(int(self.shown[tick - self.first]) for tick in judgement.shown)
        return replace(judgement, start=start, stop=stop, frames=frames, shown=shown)


NO_TICKS = FedTicks(0, (), ())


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered of a recording from frame to frame."""

    judged: Any  # the judge's own state of the piece
    frames: int = 0  # stored frames so far
    pace: Pace = NO_FRAME
    tick: int = 0  # newest of the clock
    ticks: FedTicks = NO_TICKS  # newest of the piece, as many as a judgement spans
    item: Any = None  # of the newest frame


class PieceJudge:
    """Feeds a judge the ticks of a recording, anew in each piece. Holds nothing of a stream."""

    def __init__(self, judge: Judge, feed: Feed, fps: Fraction) -> None:
        self.judge, self.feed, self.fps = judge, feed, fps

    def start(self) -> State:
        """The state before the first frame."""
        return State(self.judge.start())

    def update(self, state: State, item: Any, time_s: Fraction) -> tuple[State, list[Judgement]]:
        """One stored frame more."""
        pace, after_pause = update_pace(state.pace, float(time_s))
        begins = after_pause or not state.frames
        judgements = self.finish(state) if after_pause else []
        judged, ticks = (self.judge.start(), NO_TICKS) if begins else (state.judged, state.ticks)
        tick = reached_tick(time_s, self.fps)
        count = 1 if begins or self.feed == "once" else max(0, tick - state.tick)
        for number in range(count):
            is_held = self.feed == "held" and number < count - 1
            judged, of_tick = self.judge.update(judged, state.item if is_held else item)
            ticks = ticks.append(state.frames, state.frames - is_held, self.judge.ready)
            judgements += self._in_stored_frames(ticks, of_tick)
        return State(judged, state.frames + 1, pace, tick, ticks, item), judgements

    def finish(self, state: State) -> list[Judgement]:
        """What is left when the source has ended, or pauses."""
        return self._in_stored_frames(state.ticks, self.judge.finish(state.judged))

    def judge_all(self, items: Iterable[Any], times: Sequence[Fraction]) -> Iterator[Judgement]:
        """All judgements of one recording, as `update` and `finish` would make them one by one."""
        items, counts = iter(items), tick_counts(times, self.fps)
        for start, stop in pieces([float(time_s) for time_s in times]):
            of_piece = counts[start:stop] if self.feed != "once" else np.ones(stop - start, np.int64)
            arrivals = start + arrival_frames(of_piece)
            ticks = FedTicks(0, arrivals, start + held_frames(of_piece) if self.feed == "held" else arrivals)
            fed = self._feed_ticks(islice(items, stop - start), of_piece)
            for judgement in self.judge.judge_all(fed):
                yield from self._in_stored_frames(ticks, [judgement])

    def _feed_ticks(self, items: Iterable[Any], counts: np.ndarray) -> Iterator[Any]:
        before = None
        for item, count in zip(items, counts.tolist(), strict=True):
            for number in range(count):
                yield before if self.feed == "held" and number < count - 1 else item
            before = item

    def _in_stored_frames(self, ticks: FedTicks, judgements: Sequence[Judgement]) -> list[Judgement]:
        """Judgements of people say themselves which stored frames they are of."""
        return (
            list(judgements) if self.feed == "once" else [ticks.in_stored_frames(judgement) for judgement in judgements]
        )
