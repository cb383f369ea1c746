"""Scores to alerts: raised at a threshold, kept above a lower one, held over short gaps, and not raised again at once.

A flicker is one alert and not two. The rule is the same for a stream, frame by frame, and for stored scores:

    state, changes = update_alert(state, frame_index, time_s, score, rule)
    changes = finish_alert(state)
    alerts = find_alerts(scores, times, rule)

A frame without a score (NaN, or -inf: nothing is known, or nobody is there) is below all thresholds. An alert that is
on when a recording pauses (core/clock.py) ends with the frame before the pause, however long it would be held. The
cooldown goes on in a pause: it is for whoever is alerted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from vigil.core.clock import START as NO_FRAME
from vigil.core.clock import Pace, frame_ends, piece_starts, update_pace
from vigil.core.params import Frozen

LONE_S = (
    1.0  # s that a frame lasts of which nothing else is known: the only one of its source, or before its first pause
)


class Rule(Frozen):
    """When an alert begins and ends."""

    threshold: float  # raw score from which an alert is raised
    release: float  # raw score from which it goes on; below that it is let go
    hold_s: Annotated[float, Field(ge=0)] = 2.0  # s below `release` that do not end it
    cooldown_s: Annotated[float, Field(ge=0)] = 0.0  # s after its end in which no other is raised

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.release > self.threshold:
            raise ValueError(f"release = {self.release}: expected at most threshold = {self.threshold}")
        return self


@dataclass(frozen=True)
class Alert:
    """An alert lasts from the frame that raised it to the end of the last frame that kept it."""

    start: int  # index of the frame that raised it
    stop: int  # index after the last frame that kept it
    start_s: float
    stop_s: float
    peak: float  # highest raw score
    peak_index: int  # of the first frame that has it


@dataclass(frozen=True)
class State:
    """What is remembered from frame to frame."""

    alert: Alert | None = None  # the alert that is on
    was_kept: bool = False  # by the last frame; then it lasts until that frame ends
    ended_s: float = -np.inf  # when the last alert was over
    pace: Pace = NO_FRAME
    lone_s: float = LONE_S

    @property
    def frame_end_s(self) -> float:
        """When the newest frame ends if no other follows, or one after a pause."""
        return (self.pace.time_s or 0.0) + (self.lone_s if self.pace.usual_s is None else self.pace.usual_s)


Change = tuple[Literal["raised", "ended"], Alert]
START = State()


def update_alert(state: State, frame_index: int, time_s: float, score: float, rule: Rule) -> tuple[State, list[Change]]:
    """The state after one more frame, and the alerts that this frame begins and ends."""
    changes: list[Change] = []
    pace, after_pause = update_pace(state.pace, time_s)
    alert = state.alert
    if alert is not None and state.was_kept:
        alert = replace(alert, stop_s=min(state.frame_end_s, time_s) if after_pause else time_s)
    state = replace(state, pace=pace)
    keeps = score >= rule.release
    if alert is not None and (after_pause or time_s - alert.stop_s > rule.hold_s):  # even if this frame would keep it
        changes.append(("ended", alert))
        state, alert = replace(state, ended_s=alert.stop_s), None
    if alert is not None:
        if keeps:
            alert = replace(alert, stop=frame_index + 1)
            alert = replace(alert, peak=score, peak_index=frame_index) if score > alert.peak else alert
        return replace(state, alert=alert, was_kept=bool(keeps)), changes
    if score >= rule.threshold and time_s - state.ended_s >= rule.cooldown_s:
        alert = Alert(frame_index, frame_index + 1, time_s, time_s, score, frame_index)
        changes.append(("raised", alert))
        return replace(state, alert=alert, was_kept=True), changes
    return replace(state, alert=None, was_kept=False), changes


def finish_alert(state: State) -> list[Change]:
    """The end of the alert that is on when its source ends; empty when none is on."""
    if state.alert is None:
        return []
    return [("ended", replace(state.alert, stop_s=state.frame_end_s) if state.was_kept else state.alert)]


def find_alerts(scores: Sequence[float] | np.ndarray, times: Sequence[float] | np.ndarray, rule: Rule) -> list[Alert]:
    """All alerts of one video, as `update_alert` raises them."""
    scores, times = np.asarray(scores, np.float64), np.asarray(times, np.float64)
    until, pieces = frame_ends(times, LONE_S), np.zeros(len(times), np.int64)
    pieces[piece_starts(times)] = 1
    firsts, lasts = locate_alerts(scores, times, until, np.zeros_like(pieces), np.cumsum(pieces), rule)
    alerts = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        peak = first + int(np.nanargmax(scores[first : last + 1]))
        alerts.append(
            Alert(first, last + 1, float(times[first]), float(until[last]), float(scores[peak]), peak),
        )
    return alerts


def locate_alerts(
    scores: np.ndarray, times: np.ndarray, until: np.ndarray, videos: np.ndarray, pieces: np.ndarray, rule: Rule
) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last frame (A,) of every alert in the frames (N,) of several videos, which lie in a row.

    Frame n lasts from `times[n]` to `until[n]` and belongs to the video number `videos[n]`, and in it to the piece
    `pieces[n]`, a number that no other piece of any video has. No alert spans two pieces.
    """
    keeping = np.flatnonzero(scores >= rule.release)
    breaks = (times[keeping[1:]] - until[keeping[:-1]] > rule.hold_s) | (pieces[keeping[1:]] != pieces[keeping[:-1]])
    edge = np.ones(min(len(keeping), 1), bool)
    run_firsts, run_lasts = keeping[np.append(edge, breaks)], keeping[np.append(breaks, edge)]
    raising = np.flatnonzero(scores >= rule.threshold)
    runs, places = np.unique(np.searchsorted(run_firsts, raising, side="right") - 1, return_index=True)
    if rule.cooldown_s == 0:
        return raising[places], run_lasts[runs]
    firsts, lasts = list[int](), list[int]()
    ends = np.append(places, len(raising))[1:]
    for run, begin, end in zip(runs.tolist(), places.tolist(), ends.tolist(), strict=True):
        frames = raising[begin:end]
        if lasts and videos[lasts[-1]] == videos[frames[0]]:
            frames = frames[times[frames] - until[lasts[-1]] >= rule.cooldown_s]
        if len(frames):
            firsts.append(int(frames[0]))
            lasts.append(int(run_lasts[run]))
    return np.array(firsts, np.int64), np.array(lasts, np.int64)
