"""Alerts against what happened: which events are found and how late, and how often it alarms for nothing.

An alert is a run of frames with a score at or above the threshold, joined over short gaps. Any other rule will do: a
function of the scores and times of one video that gives the alerts as half-open spans of seconds, each from the moment
at which it is raised.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vigil.statistics.scores import Scores

GAP_S = 2.0  # s; runs that are closer are one alert
LASTING_S = 60.0  # s; for a budget an alert that lasts counts once in every started minute

Alerting = Callable[[np.ndarray, np.ndarray], Sequence[tuple[float, float]]]


@dataclass(frozen=True, eq=False)
class Spans:
    """Parts of videos, in order; a video's own may overlap if alerts of several kinds do."""

    video: np.ndarray  # (E,) int
    start_s: np.ndarray  # (E,)
    stop_s: np.ndarray  # (E,)

    def of(self, video: int) -> tuple[np.ndarray, np.ndarray]:
        """Starts and stops of those in one video."""
        low, high = np.searchsorted(self.video, [video, video + 1])
        return self.start_s[low:high], self.stop_s[low:high]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the alerts were worth, event by event and alert by alert."""

    events: Spans
    delay_s: np.ndarray  # (E,) from the event's start to the first alert within it, 0 when it was on; NaN: missed
    alerts: Spans
    false: np.ndarray  # (A,) bool: touches no event, and touches time that is known to be normal
    normal_s: np.ndarray  # (V,) s of each video that are known to be normal
    alarmed_s: np.ndarray  # (V,) s of those under an alert: shows an alarm that never ends, which counts as one


@dataclass(frozen=True)
class Operating:
    """Where the alarm sounds; frozen before anything is judged by it."""

    threshold: float  # raw score of a frame
    video_threshold: float | None = None  # raw score of a video; None: as of a frame
    cell_threshold: float = 0.0  # raw score of a cell of a map
    gap_s: float = GAP_S
    alerting: Alerting | None = None  # another rule than runs above the threshold

    @property
    def of_video(self) -> float:
        return self.threshold if self.video_threshold is None else self.video_threshold

    def outcome(self, scores: Scores) -> Outcome:
        """The alerts that this gives, against the truth."""
        if self.alerting is None:
            return judge(scores, alerts(scores, self.threshold, self.gap_s))
        return judge(scores, raised(scores, self.alerting))


def runs(on: np.ndarray, scores: Scores, gap_s: float = 0.0) -> Spans:
    """Where `on` (N,) holds without a break longer than `gap_s`, never across videos."""
    first, last = on.copy(), on.copy()
    first[1:] &= ~on[:-1] | (scores.owner[1:] != scores.owner[:-1])
    last[:-1] &= ~on[1:] | (scores.owner[1:] != scores.owner[:-1])
    starts, stops = np.flatnonzero(first), np.flatnonzero(last)
    video, start_s, stop_s = scores.owner[starts], scores.time_s[starts], scores.until_s[stops]
    if gap_s and len(video):
        apart = (video[1:] != video[:-1]) | (start_s[1:] - stop_s[:-1] > gap_s)
        begins, ends = np.append(True, apart), np.append(apart, True)
        video, start_s, stop_s = video[begins], start_s[begins], stop_s[ends]
    return Spans(video, start_s, stop_s)


def happened(scores: Scores) -> Spans:
    """The events: runs of frames that are known to be abnormal."""
    return runs(scores.truth == 1, scores)


def alerts(scores: Scores, threshold: float, gap_s: float = GAP_S) -> Spans:
    """By the plain rule, on the causal scores."""
    return runs(scores.score >= threshold, scores, gap_s)


def raised(scores: Scores, alerting: Alerting) -> Spans:
    """By a rule of one's own. Scores that are not there are NaN to it."""
    found = [
        (video, start, stop)
        for video in range(len(scores.video))
        for start, stop in sorted(alerting(_given(scores.score[scores.part(video)]), scores.time_s[scores.part(video)]))
    ]
    video, start, stop = zip(*found, strict=True) if found else ((), (), ())
    return Spans(np.array(video, np.int64), np.array(start, np.float64), np.array(stop, np.float64))


def judge(scores: Scores, found: Spans) -> Outcome:
    """Alerts against the truth. One that is partly within an event is not false; one in unknown time is neither."""
    events = happened(scores)
    delay = np.full(len(events.video), np.nan)
    false = np.zeros(len(found.video), bool)
    normal_s, alarmed_s = np.zeros((2, len(scores.video)))
    lasts = (scores.until_s - scores.time_s) * (scores.truth == 0)
    busy = np.unique(np.append(found.video, events.video))
    np.add.at(normal_s, scores.owner, lasts)
    for video in busy.tolist():
        low, high = np.searchsorted(events.video, [video, video + 1])
        first, end = np.searchsorted(found.video, [video, video + 1])
        starts, stops = found.of(video)
        for event in range(low, high):
            touch = (starts < events.stop_s[event]) & (stops > events.start_s[event])
            if touch.any():
                delay[event] = max(0.0, float(starts[touch].min() - events.start_s[event]))
        frames = scores.part(video)
        times, until = scores.time_s[frames], scores.until_s[frames]
        seconds = np.append(0.0, np.cumsum(lasts[frames]))
        covered = np.zeros(len(times) + 1)
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), first):
            hit = ((events.start_s[low:high] < stop) & (events.stop_s[low:high] > start)).any()
            one, other = np.searchsorted(until, start, side="right"), np.searchsorted(times, stop, side="left")
            false[number] = not hit and seconds[max(one, other)] > seconds[one]
            covered[one] += 1
            covered[max(one, other)] -= 1
        assert len(starts) == end - first
        alarmed_s[video] = lasts[frames][np.cumsum(covered)[:-1] > 0].sum()
    return Outcome(events, delay, found, false, normal_s, alarmed_s)


def charged(found: Spans, videos: int) -> np.ndarray:
    """(V,) alerts of each video as a budget counts them: once in every started LASTING_S.

    Else a threshold so low that the alarm never ends would look like one that is almost never reached.
    """
    times = np.maximum(np.ceil((found.stop_s - found.start_s) / LASTING_S - 1e-9), 1.0)
    return np.bincount(found.video, times, minlength=videos)


def _given(score: np.ndarray) -> np.ndarray:
    return np.where(score == -np.inf, np.nan, score)
