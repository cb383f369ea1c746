"""When frames are: where a recording pauses, how long a frame lasts, and the clock by which models are fed.

Cameras have rates of their own, drop frames, and record in pieces. Time is seconds everywhere:

- A pause in the recording parts it into pieces. Nothing is remembered across a pause, and nobody watched during it.
- A frame lasts until the next one; before a pause, and at the end, as long as frames last usually.
- Models are fed by a clock of `fps` ticks a second. A frame stands for all ticks since the one before, so that what a
  slower camera shows lasts as long for a model as it did in the street.

Nothing here looks at a later frame, so that a live source has the same pieces and ticks as a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low

import numpy as np

PAUSE_S = 1.0  # s; a step between frames that is not longer is no pause
PAUSE_STEPS = 4.0  # usual steps; a step that is not longer than so many is no pause either
# A longer step is always a pause and says nothing of the pace: pieces of few frames that lie hours apart would pass for
# a very slow camera.
WATCHED_S = 10.0  # s
RECENT = 9  # steps that say what is usual: when a camera becomes slower for good, its steps are soon no pauses
SLACK_S = Fraction(1, 1000)  # a frame this little before its tick is on it: containers round to milliseconds


@dataclass(frozen=True)
class Pace:
    """The steps from frame to frame of a source, as far as it has come."""

    time_s: float | None = None  # of the newest frame
    recent: tuple[float, ...] = ()  # s, the newest steps of at most WATCHED_S

    @property
    def usual_s(self) -> float | None:
        """Seconds that a frame lasts usually; None before the second frame."""
        return median_low(self.recent) if self.recent else None

    @property
    def longest_s(self) -> float:
        """Seconds from the newest frame, after which a further one comes after a pause."""
        return min(max(PAUSE_S, PAUSE_STEPS * (self.usual_s or 0.0)), WATCHED_S)


START = Pace()


def update_pace(pace: Pace, time_s: float) -> tuple[Pace, bool]:
    """Returns the pace after one more frame, and whether that frame comes after a pause."""
    if pace.time_s is None:
        return Pace(time_s), False
    step = time_s - pace.time_s
    recent = (*pace.recent, step)[-RECENT:] if step <= WATCHED_S else pace.recent
    return Pace(time_s, recent), step > pace.longest_s


def piece_starts(times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Returns (P,) int: the frames with which a piece begins; 0 first. `times` (T,) s, rising."""
    return np.flatnonzero([begins for _, begins in _follow_pace(times)])


def pieces(times: Sequence[float] | np.ndarray) -> list[tuple[int, int]]:
    """Returns the pieces of a recording as half-open spans of its frames."""
    return list(pairwise([*piece_starts(times).tolist(), len(times)]))


def frame_ends(times: Sequence[float] | np.ndarray, usual_s: float) -> np.ndarray:
    """Returns (T,) s, when each frame ends. `usual_s` is what a frame lasts where nothing else is known."""
    times = np.asarray(times, np.float64)
    ends = np.append(times[1:], np.inf)[: len(times)]
    paces = _follow_pace(times)
    for index, (pace, _) in enumerate(paces):
        if index + 1 == len(paces) or paces[index + 1][1]:  # the last of its piece
            ends[index] = min(times[index] + (pace.usual_s or usual_s), ends[index])  # which may be more than the pause
    return ends


def exact_fraction(number: float) -> Fraction:
    """Returns 29.97 as it is written, not as the nearest binary number."""
    return Fraction(repr(number))


def reached_tick(time_s: Fraction, fps: Fraction) -> int:
    """Returns the newest tick of a clock of `fps` ticks a second that a frame at `time_s` is on or after."""
    stamp = (
        time_s.numerator * SLACK_S.denominator + SLACK_S.numerator * time_s.denominator
    )  # time_s + SLACK_S; whole numbers are fast
    return stamp * fps.numerator // (time_s.denominator * SLACK_S.denominator * fps.denominator)


def tick_counts(times: Sequence[Fraction], fps: Fraction) -> np.ndarray:
    """Returns (T,) int: for how many ticks each frame stands, those since the frame before.

    The first frame of a piece stands for one. A frame of a source that is faster than the clock may stand for none.
    """
    counts = np.diff([reached_tick(time, fps) for time in times], prepend=0)
    counts[piece_starts([float(time) for time in times])] = 1
    return np.maximum(counts, 0)


def arrival_frames(counts: np.ndarray) -> np.ndarray:
    """Returns (K,) int: with which frame each tick is fed, by the `tick_counts` (T,); its flow is the tick's."""
    return np.repeat(np.arange(len(counts)), counts)


def held_frames(counts: np.ndarray) -> np.ndarray:
    """Returns (K,) int: the frame that is seen at each tick: the one before until the newest tick of its successor."""
    arrivals = arrival_frames(counts)
    newest = np.append(arrivals[1:] != arrivals[:-1], [True] * (len(arrivals) > 0))
    return np.where(newest, arrivals, np.maximum(arrivals - 1, 0))


def _follow_pace(times: Sequence[float] | np.ndarray) -> list[tuple[Pace, bool]]:
    """Returns, of each frame, the pace with it and whether a piece begins with it."""
    paces: list[tuple[Pace, bool]] = []
    pace = START
    for time_s in np.asarray(times, np.float64).tolist():
        pace, after_pause = update_pace(pace, time_s)
        paces.append((pace, after_pause or not paces))
    return paces
