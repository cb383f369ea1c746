"""What a model says of some stored frames, and what follows for each frame: as it happens, and in hindsight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NOBODY = -1


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a model makes of some stored frames in a row, known at the end of the last of them."""

    start: int  # stored frames, half-open
    stop: int
    score: float  # raw, higher is more abnormal; NaN where the model has none
    newest: float  # the same of the newest frame alone, where the model tells frames apart; else as `score`
    frames: np.ndarray | None = None  # (stop - start,) raw, of each frame, later ones of the window in view
    classes: np.ndarray | None = None  # (C,) logits
    cells: np.ndarray | None = None  # (h, w) raw, of the last frame shown
    shown: tuple[int, ...] = ()  # places of the frames that it was shown
    attention: np.ndarray | None = None  # on each of those, sums to 1
    person: int = NOBODY


Known = Mapping[int, tuple[float, float]]  # of each person (or NOBODY): the last score, and when it was made, seconds
UNKNOWN: Known = {}


def known(state: Known, time_s: float, judgements: Sequence[Judgement], hold_s: float | None) -> tuple[Known, float]:
    """The score of the frame at `time_s`, given what was judged at its end: the highest of the last ones that stand.

    NaN while nothing is known, and where nobody is there.
    """
    kept = {who: was for who, was in state.items() if hold_s is None or time_s - was[1] <= hold_s + 1e-9}
    kept |= {one.person: (one.newest, time_s) for one in judgements}
    return kept, max((score for score, _ in kept.values()), default=float("nan"))


def causal(judgements: Sequence[Judgement], times: Sequence[float] | np.ndarray, hold_s: float | None) -> np.ndarray:
    """(T,) what was known by the end of each frame, by `known`."""
    ended: dict[int, list[Judgement]] = {}
    for one in judgements:
        ended.setdefault(one.stop - 1, []).append(one)
    scores, state = np.full(len(times), np.nan), UNKNOWN
    for place, time_s in enumerate(times):
        state, scores[place] = known(state, float(time_s), ended.get(place, ()), hold_s)
    return scores


def in_hindsight(judgements: Sequence[Judgement], frames: int) -> np.ndarray:
    """(frames,) the mean of all that was judged of a frame, in windows that end after it too; the highest of people."""
    scores = np.full(frames, np.nan)
    for person in sorted({one.person for one in judgements}):
        own = [one for one in judgements if one.person == person]
        places = np.concatenate([np.arange(one.start, one.stop) for one in own])
        values = np.concatenate(
            [np.full(one.stop - one.start, one.score) if one.frames is None else one.frames for one in own]
        )
        count = np.bincount(places, minlength=frames)
        total = np.bincount(places, values, minlength=frames)
        scores = np.fmax(scores, np.divide(total, count, out=np.full(frames, np.nan), where=count > 0))
    return scores
