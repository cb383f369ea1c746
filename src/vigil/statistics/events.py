"""Alerts against what happened: which events are found and how late, and how often it alarms for nothing."""

from dataclasses import dataclass

import numpy as np

from vigil.statistics.alerts import Rule, locate_alerts
from vigil.statistics.scores import Scores

LASTING_S = 60.0  # s; for a budget an alert that lasts counts once in every started minute
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
    delay_s: np.ndarray  # (E,) from the event's start to the first alert within it, 0 when it was on; NaN: missed
    alerts: Spans
    false: np.ndarray  # (A,) bool: touches no event, and touches time that is known to be normal
    normal_s: np.ndarray  # (V,) s of each video that are known to be normal
    alarmed_s: np.ndarray  # (V,) s of those under an alert: shows an alarm that never ends, which counts as one


@dataclass(frozen=True)
class OperatingPoint:
    """Where the alarm sounds; frozen before anything is judged by it."""

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
    """The events: runs of frames that are known to be abnormal, never across videos."""
    frames = locate_alerts(scores.truth == 1, scores.time_s, scores.until_s, scores.owner, UNBROKEN)
    return _span_frames(scores, *frames)


def raise_alerts(scores: Scores, rule: Rule) -> Spans:
    """The alerts that the rule raises on the causal scores."""
    return _span_frames(scores, *locate_alerts(scores.score, scores.time_s, scores.until_s, scores.owner, rule))


def compare_with_truth(scores: Scores, alerts: Spans) -> Outcome:
    """Alerts against the truth. One that is partly within an event is not false; one in unknown time is neither."""
    events = find_events(scores)
    delay = np.full(len(events.video), np.nan)
    false = np.zeros(len(alerts.video), bool)
    normal_s, alarmed_s = np.zeros((2, len(scores.video)))
    durations = (scores.until_s - scores.time_s) * (scores.truth == 0)
    np.add.at(normal_s, scores.owner, durations)
    for video in np.unique(np.append(alerts.video, events.video)).tolist():
        low, high = np.searchsorted(events.video, [video, video + 1])
        starts, stops = alerts.of(video)
        for event in range(low, high):
            touches = (starts < events.stop_s[event]) & (stops > events.start_s[event])
            if touches.any():
                delay[event] = max(0.0, float(starts[touches].min() - events.start_s[event]))
        frames = scores.frames_of(video)
        times, until = scores.time_s[frames], scores.until_s[frames]
        normal_until_s = np.append(0.0, np.cumsum(durations[frames]))
        covered = np.zeros(len(times) + 1)
        first_alert = int(np.searchsorted(alerts.video, video))
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), first_alert):
            in_event = ((events.start_s[low:high] < stop) & (events.stop_s[low:high] > start)).any()
            first, end = np.searchsorted(until, start, side="right"), np.searchsorted(times, stop, side="left")
            end = max(first, end)
            false[number] = not in_event and normal_until_s[end] > normal_until_s[first]
            covered[first] += 1
            covered[end] -= 1
        alarmed_s[video] = durations[frames][np.cumsum(covered)[:-1] > 0].sum()
    return Outcome(events, delay, alerts, false, normal_s, alarmed_s)


def alarm_minutes(alerts: Spans, video_count: int) -> np.ndarray:
    """(V,) the alerts of each video as a budget counts them: once in every started minute.

    Without this a threshold so low that the alarm never ends would look like one that is almost never reached.
    """
    minutes = np.maximum(np.ceil((alerts.stop_s - alerts.start_s) / LASTING_S - 1e-9), 1.0)
    return np.bincount(alerts.video, minutes, minlength=video_count)


def _span_frames(scores: Scores, firsts: np.ndarray, lasts: np.ndarray) -> Spans:
    """The time from the start of each first frame to the end of its last one."""
    return Spans(scores.owner[firsts], scores.time_s[firsts], scores.until_s[lasts])
