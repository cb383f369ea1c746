"""What a model says of some stored frames, and what follows for each frame: as it happens, and in hindsight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vigil.core.clock import START, Pace, update_pace

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
    shown: tuple[int, ...] = ()  # indices of the frames that it was shown
    attention: np.ndarray | None = None  # on each of those, sums to 1
    person: int = NOBODY

    @property
    def span(self) -> tuple[int, int]:
        """The stored frames that it is about, half-open."""
        return self.start, self.stop


@dataclass(frozen=True)
class Standing:
    """What is known after some stored frames."""

    scores: Mapping[int, tuple[float, float]] = field(default_factory=dict)  # by person: the last, and when it was made
    frames: int = 0
    pace: Pace = START


NOTHING = Standing()


def update_score(
    standing: Standing, time_s: float, judgements: Sequence[Judgement], hold_s: float | None
) -> tuple[Standing, float]:
    """The score of one more frame, with which `judgements` came: the highest of the last that stand.

    NaN while nothing is known, and where nobody is there. Nothing stands across a pause, and what is said then of the
    piece before is not said of this frame. Of judgements of the same person the later counts.
    """
    pace, after_pause = update_pace(standing.pace, time_s)
    before = {} if after_pause else standing.scores
    scores = {person: last for person, last in before.items() if hold_s is None or time_s - last[1] <= hold_s + 1e-9}
    of_frame = [judgement for judgement in judgements if judgement.stop > standing.frames]
    scores |= {judgement.person: (judgement.newest, time_s) for judgement in of_frame}
    highest = max((score for score, _ in scores.values()), default=float("nan"))
    return Standing(scores, standing.frames + 1, pace), highest


def causal_scores(
    judgements: Sequence[Judgement], times: Sequence[float] | np.ndarray, hold_s: float | None
) -> np.ndarray:
    """(T,) what was known by the end of each frame, by `update_score`."""
    by_last_frame: dict[int, list[Judgement]] = {}
    for judgement in judgements:
        by_last_frame.setdefault(judgement.stop - 1, []).append(judgement)
    scores, standing = np.full(len(times), np.nan), NOTHING
    for index, time_s in enumerate(times):
        standing, scores[index] = update_score(standing, float(time_s), by_last_frame.get(index, ()), hold_s)
    return scores


def hindsight_scores(judgements: Sequence[Judgement], frames: int) -> np.ndarray:
    """(frames,) the mean of all judgements of a frame, also of windows that end after it; the highest of the people."""
    scores = np.full(frames, np.nan)
    for person in sorted({judgement.person for judgement in judgements}):
        of_person = [judgement for judgement in judgements if judgement.person == person]
        indices = np.concatenate([np.arange(judgement.start, judgement.stop) for judgement in of_person])
        values = np.concatenate(
            [
                np.full(judgement.stop - judgement.start, judgement.score)
                if judgement.frames is None
                else judgement.frames
                for judgement in of_person
            ]
        )
        count = np.bincount(indices, minlength=frames)
        total = np.bincount(indices, values, minlength=frames)
        scores = np.fmax(scores, np.divide(total, count, out=np.full(frames, np.nan), where=count > 0))
    return scores
