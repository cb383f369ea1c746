"""Scores to alerts: raised at one threshold, kept at a lower one, held over short gaps, and not raised again at once.

A flicker is one alert and not two. The same for a stream, frame by frame, and for stored scores:

    state, changes = update(state, place, time_s, score, rule)
    changes = finish(state, end_s)

A frame without a score (NaN: nothing known, nobody there) is one below all thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from vigil.core.params import Frozen


class Rule(Frozen):
    """When an alert begins and ends."""

    high: float  # raw score, from which an alert is raised
    low: float  # raw score, from which it goes on
    hold_s: Annotated[float, Field(ge=0)] = 2.0  # s below `low` that do not end it
    cooldown_s: Annotated[float, Field(ge=0)] = 0.0  # s after its end in which no other is raised

    @model_validator(mode="after")
    def _in_order(self) -> "Rule":
        if self.low > self.high:
            raise ValueError(f"low = {self.low}: expected at most high = {self.high}")
        return self


@dataclass(frozen=True)
class Alert:
    """From the frame that raised it to the end of the last one that kept it."""

    start: int  # place of the frame that raised it
    stop: int  # place after the last frame that kept it
    start_s: float
    stop_s: float
    peak: float  # highest raw score
    peak_place: int  # of the frame that has it, the first


@dataclass(frozen=True)
class State:
    """What is remembered from frame to frame."""

    alert: Alert | None = None  # the one that is on
    on: bool = False  # whether the last frame kept it; then it lasts until the next frame
    ended_s: float = -np.inf  # when the last one was over


Change = tuple[Literal["raised", "ended"], Alert]
START = State()


def update(state: State, place: int, time_s: float, score: float, rule: Rule) -> tuple[State, list[Change]]:
    """One frame more; what it begins and what it ends."""
    changes: list[Change] = []
    alert = state.alert
    if alert is not None and state.on:
        alert = replace(alert, stop_s=time_s)
    keeps = score >= rule.low
    if alert is not None and time_s - alert.stop_s > rule.hold_s:  # also when this frame would have kept it
        changes.append(("ended", alert))
        state, alert = State(ended_s=alert.stop_s), None
    if alert is not None:
        if keeps:
            alert = replace(alert, stop=place + 1)
            alert = replace(alert, peak=score, peak_place=place) if score > alert.peak else alert
        return replace(state, alert=alert, on=bool(keeps)), changes
    if score >= rule.high and time_s - state.ended_s >= rule.cooldown_s:
        alert = Alert(place, place + 1, time_s, time_s, score, place)
        changes.append(("raised", alert))
        return replace(state, alert=alert, on=True), changes
    return replace(state, alert=None, on=False), changes


def finish(state: State, end_s: float) -> list[Change]:
    """The source has ended at `end_s`, and with it what was on."""
    if state.alert is None:
        return []
    return [("ended", replace(state.alert, stop_s=end_s) if state.on else state.alert)]


def alerts(scores: Sequence[float] | np.ndarray, times: Sequence[float] | np.ndarray, rule: Rule) -> list[Alert]:
    """All of one video, as `update` would find them. The last frame lasts as long as most of the others."""
    scores, times = np.asarray(scores, np.float64), np.asarray(times, np.float64)
    keeps = np.flatnonzero(scores >= rule.low)
    if not len(keeps):
        return []
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    until = np.append(times[1:], times[-1] + step)
    apart = times[keeps[1:]] - until[keeps[:-1]] > rule.hold_s
    first, last = keeps[np.append(True, apart)], keeps[np.append(apart, True)]
    found, ended_s = list[Alert](), -np.inf
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        inside = scores[begin : end + 1]
        raising = np.flatnonzero((inside >= rule.high) & (times[begin : end + 1] - ended_s >= rule.cooldown_s))
        if len(raising):
            start = begin + int(raising[0])
            peak = start + int(np.nanargmax(scores[start : end + 1]))
            ended_s = float(until[end])
            found.append(Alert(start, end + 1, float(times[start]), ended_s, float(scores[peak]), peak))
    return found
