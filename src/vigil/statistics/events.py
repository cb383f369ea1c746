"""Alerts against what happened: which events are found and how late, and how often it alarms for nothing.

There is one arithmetic, for calibration and for evaluation:

- An event is a run of frames that are abnormal by the full truth, whether or not the model can have a score by then.
  One that goes on over a pause in the recording is two: nobody saw what was in between, and an alert that is on before
  a pause ends there, so that it tells nobody of what comes after.
- An alert is credited with an event if it is raised from BEFORE_S before the event's start to AFTER_S after its end, in
  the same piece of the recording: what is raised after a pause is raised for what was seen after it.
  An alert that was on long before an event told nobody of it: only another that is raised in time finds it.
- An alert that is credited with no event is false if it covers time that is known to be normal. It is charged once for
  every started minute of such time, so that an alarm that never ends is not one false alarm.
- Normal time is what is known to be normal, in normal and in abnormal videos, once the model can have a score.
"""

from dataclasses import dataclass

import numpy as np

from vigil.statistics.alerts import Rule, locate_alerts
from vigil.statistics.scores import Scores

CHARGED_S = 60.0  # s; a false alert counts once in every started minute of normal time
BEFORE_S = 1.0  # s before an event: people who mark the same event differ by about as much
AFTER_S = 5.0  # s after it: whoever looks at an alert sees the seconds before it, and models judge windows of seconds
ROUNDING_S = 1e-6  # s; times are sums of fractions
UNBROKEN = Rule(threshold=1.0, release=1.0, hold_s=0.0)  # by which the truth (1 abnormal) becomes events


@dataclass(frozen=True, eq=False)
class Spans:
    """Parts of videos, in the order of the videos and of their starts."""

    video: np.ndarray  # (E,) int, index of the video
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
    delay_s: np.ndarray  # (E,) from the event's start to the first alert credited with it, at least 0; NaN: missed
    alerts: Spans
    false_alarms: np.ndarray  # (A,) int: started minutes of normal time of an alert that is credited with no event
    normal_s: np.ndarray  # (V,) s of each video that are known to be normal
    alarmed_s: np.ndarray  # (V,) s of those under an alert, be it right or false

    @property
    def false(self) -> np.ndarray:
        """(A,) bool: the alerts that are charged."""
        return self.false_alarms > 0

    @property
    def false_alarms_by_video(self) -> np.ndarray:
        """(V,) what the alerts of each video are charged."""
        return np.bincount(self.alerts.video, self.false_alarms, minlength=len(self.normal_s))


@dataclass(frozen=True)
class OperatingPoint:
    """Says where the alarm sounds; frozen before anything is judged by it."""

    rule: Rule  # how the scores of frames become alerts
    video_threshold: float | None = None  # raw score of a video; None: as of a frame
    cell_threshold: float = 0.0  # raw score of a cell of a map

    @property
    def threshold(self) -> float:
        """Raw score of a frame at which the alarm sounds."""
        return self.rule.threshold

    @property
    def of_video(self) -> float:
        """Raw score of a video from which it is flagged."""
        return self.rule.threshold if self.video_threshold is None else self.video_threshold

    def outcome(self, scores: Scores) -> Outcome:
        """The alerts that the rule raises, against the truth."""
        return compare_with_truth(scores, raise_alerts(scores, self.rule))


def find_events(scores: Scores) -> Spans:
    """The events: runs of frames that are known to be abnormal, in one piece; the same for every model."""
    return _span_frames(scores, scores.event_truth == 1, UNBROKEN)


def raise_alerts(scores: Scores, rule: Rule) -> Spans:
    """The alerts that the rule raises on the causal scores."""
    return _span_frames(scores, scores.score, rule)


def measure_normal_time(scores: Scores) -> np.ndarray:
    """(V,) seconds of each video that are known to be normal, from when the model can have a score."""
    durations = (scores.until_s - scores.time_s) * (scores.truth == 0)
    return np.bincount(scores.owner, durations, minlength=len(scores.video))


def compare_with_truth(scores: Scores, alerts: Spans) -> Outcome:
    """Alerts against the truth, by the arithmetic above. An alert in unknown time alone is neither right nor false."""
    events = find_events(scores)
    line = _Timeline.of(scores)
    raised, ended = line.position(alerts.video, alerts.start_s), line.position(alerts.video, alerts.stop_s)
    early = line.position(events.video, events.start_s) - BEFORE_S - ROUNDING_S
    late = line.within_piece(
        line.position(events.video, events.start_s), line.position(events.video, events.stop_s) + AFTER_S
    )
    first = np.searchsorted(raised, early)  # of each event, the first alert that is not too early
    is_found = np.append(raised, np.inf)[first] <= late
    delay = np.append(alerts.start_s, np.nan)[first] - events.start_s
    event = np.searchsorted(late, raised)  # of each alert, the first event that it is not too late for
    credited = raised >= np.append(early, np.inf)[event]
    minutes = np.ceil((line.normal_s(raised, ended) - ROUNDING_S) / CHARGED_S).astype(np.int64)
    reached = np.maximum.accumulate(ended)
    since = np.minimum(np.maximum(raised, np.append(-np.inf, reached)[:-1]), reached)  # two alerts may overlap
    return Outcome(
        events,
        np.where(is_found, np.maximum(delay, 0.0), np.nan),
        alerts,
        np.where(credited, 0, np.maximum(minutes, 0)),
        measure_normal_time(scores),
        np.bincount(alerts.video, line.normal_s(since, reached), minlength=len(scores.video)),
    )


@dataclass(frozen=True, eq=False)
class _Timeline:
    """All videos one after the other, far enough apart that nothing of one is near another, and their normal time."""

    length_s: float  # of the part of the line that a video has
    edges: np.ndarray  # (1 + 2 N,) where each frame begins and ends
    normal_until_s: np.ndarray  # (1 + 2 N,) s of normal time before each; linear in between
    piece_starts: np.ndarray  # (P,) where the first frame of each piece begins

    @classmethod
    def of(cls, scores: Scores) -> "_Timeline":
        latest = float(np.abs(scores.until_s).max(initial=0.0) + np.abs(scores.time_s).max(initial=0.0))
        length_s = latest + 2 * (BEFORE_S + AFTER_S)
        edges = np.column_stack([scores.time_s, scores.until_s]) + length_s * scores.owner[:, None]
        normal = (scores.until_s - scores.time_s) * (scores.truth == 0)
        until = np.cumsum(normal)
        normal_until_s = np.column_stack([until - normal, until])
        begins = np.diff(scores.piece, prepend=-1) != 0
        return cls(length_s, np.append(-length_s, edges), np.append(0.0, normal_until_s), edges[begins, 0])

    def position(self, video: np.ndarray, time_s: np.ndarray) -> np.ndarray:
        """Returns where a time of a video is on the line."""
        return time_s + self.length_s * video

    def within_piece(self, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """`stop`, or just before the piece that follows that of `start`; with what times are rounded by."""
        following = np.searchsorted(self.piece_starts, start, side="right")
        return np.minimum(stop, np.append(self.piece_starts, np.inf)[following] - 2 * ROUNDING_S) + ROUNDING_S

    def normal_s(self, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Seconds between two places of a video that are known to be normal."""
        until = np.interp([start, stop], self.edges, self.normal_until_s)
        return until[1] - until[0]


def _span_frames(scores: Scores, values: np.ndarray, rule: Rule) -> Spans:
    """The time from the start of the first frame to the end of the last one of what the rule raises on `values`."""
    firsts, lasts = locate_alerts(values, scores.time_s, scores.until_s, scores.owner, scores.piece, rule)
    return Spans(scores.owner[firsts], scores.time_s[firsts], scores.until_s[lasts])
