"""An alarm at a stored frame: whether its alert is raised, goes on or ends, and what the alert is about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from vigil.detect.alerts import AlertChange, Score
from vigil.detect.frame_features import StoredFrame
from vigil.detect.frame_scores import ModelState
from vigil.detect.model_choice import FUSED
from vigil.detect.peaks import explain_peak
from vigil.detect.states import NOTHING_FOUND, AlarmState
from vigil.detect.trained import Alarm, Trained
from vigil.statistics import alerts


def update_alarm(
    name: str,
    alarm: Alarm,
    before: AlarmState,
    models: Sequence[Trained],
    states: Mapping[str, ModelState],
    stored: StoredFrame,
    score: Score,
    members: Mapping[str, float],
) -> tuple[AlarmState, list[AlertChange]]:
    """Returns what is remembered of a detector's alerts after a frame, and what has changed with it.

    `states` are those of the models after the frame, `members` what each has added to the fused score.
    """
    after, changes = alerts.update_alert(before.alert, stored.position, float(stored.time_s), score.raw, alarm.rule)
    ended = [describe_change(name, alarm, "ended", alert, before) for change, alert in changes if change == "ended"]
    state = replace(before, alert=after)
    raised = any(change == "raised" for change, _ in changes)
    if raised or (after.alert is not None and after.alert.peak_index == stored.position):
        finding = explain_peak(models, name, states, stored.size, members, NOTHING_FOUND if raised else before.finding)
        if not raised and (finding.label, finding.person) != (before.finding.label, before.finding.person):
            finding = before.finding  # an alert stays about what it was raised for
        p = score.p if raised or before.p is None or score.p is None else max(score.p, before.p)
        state = replace(
            state, number=before.number + raised, p=p, finding=finding, members=members if name == FUSED else {}
        )
    return state, ended + [
        describe_change(name, alarm, "raised", alert, state) for change, alert in changes if change == "raised"
    ]


def finish_alarm(name: str, alarm: Alarm, state: AlarmState) -> list[AlertChange]:
    """The end of the alert that is on when the source ends."""
    return [describe_change(name, alarm, change, alert, state) for change, alert in alerts.finish_alert(state.alert)]


def describe_change(
    name: str, alarm: Alarm, change: Literal["raised", "ended"], alert: alerts.Alert, state: AlarmState
) -> AlertChange:
    """An alert that has just been raised or has just ended, with all that is known of it."""
    return AlertChange(change, name, state.number, alert, state.p, state.finding, alarm.provenance, state.members)
