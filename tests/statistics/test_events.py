"""Alerts against what happened: found or missed, how late, and for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import point_at, scores, video

from vigil.evaluation.metrics import evaluate, statistics
from vigil.statistics.events import (
    LASTING_S,
    Spans,
    alarm_minutes,
    compare_with_truth,
    find_events,
    raise_alerts,
)


def marks(text: str) -> list[int]:
    return [int(letter == "x") for letter in text]


def marked(truth: str, on: str, **more: object):
    """A video in marks, one second each, and its alerts."""
    return scores([video("v", [-1 if t == "?" else int(t == "x") for t in truth], marks(on), **more)])


def pairs(spans) -> list[tuple[int, float, float]]:
    return list(zip(spans.video.tolist(), spans.start_s.tolist(), spans.stop_s.tolist(), strict=True))


def test_events_end_with_their_video() -> None:
    table = scores([video("a", [0, 1, 1], [0, 1, 1]), video("b", [1, 0, 1], [1, 0, 1])])
    assert pairs(find_events(table)) == [(0, 1, 3), (1, 0, 1), (1, 2, 3)]


def test_a_flicker_is_one_alert_and_a_pause_makes_two() -> None:
    table = marked("............", "xx.xx....xx.")
    assert pairs(raise_alerts(table, point_at(0.5, hold_s=1).rule)) == [(0, 0, 5), (0, 9, 11)]
    assert pairs(raise_alerts(table, point_at(0.5, hold_s=4).rule)) == [(0, 0, 11)]
    assert len(raise_alerts(table, point_at(0.5, hold_s=0).rule).video) == 3


def test_alerts_are_found_missed_and_false() -> None:
    #            0123456789012345
    table = marked("..xxx....xxx....", "...x...xx.....x.")
    outcome = point_at(0.5, hold_s=0).outcome(table)
    assert outcome.delay_s[0] == 1 and np.isnan(outcome.delay_s[1])
    assert outcome.false.tolist() == [False, True, True]
    assert outcome.normal_s.tolist() == [10] and outcome.alarmed_s.tolist() == [3]
    result = evaluate(table, point_at(0.5, hold_s=0))
    assert result.metrics["event_recall"].value == 0.5
    assert result.metrics["delay_s"].value == 1
    assert result.metrics["false_alarms_per_hour"].value == pytest.approx(2 / (10 / 3600))
    assert result.counts["missed_events"] == 1  # beside the delay, which is of those found


def test_the_delay_is_the_median_of_those_found() -> None:
    table = scores(
        [
            video("a", marks("xxxxxxxx"), marks("x.......")),
            video("b", marks("xxxxxxxx"), marks("..x.....")),
            video("c", marks("xxxxxxxx"), marks(".......x")),
            video("d", marks("xxxxxxxx"), marks("........")),
        ]
    )
    assert statistics(table, point_at(0.5))["delay_s"].value == 2
    assert statistics(table, point_at(0.5))["event_recall"].value == 0.75


def test_an_alarm_that_was_on_already_is_no_wait_and_no_false_alarm() -> None:
    outcome = point_at(0.5).outcome(marked("...xx...", "..xxxx.."))
    assert outcome.delay_s.tolist() == [0] and outcome.false.tolist() == [False]


def test_an_alarm_that_never_ends_is_shown_up() -> None:
    metrics = evaluate(marked("...xx...", "xxxxxxxx"), point_at(0.5)).metrics
    assert metrics["event_recall"].value == 1 and metrics["false_alarms_per_hour"].value == 0
    assert metrics["alarmed_share"].value == 1


def test_alerts_in_unknown_time_are_neither_right_nor_wrong() -> None:
    outcome = point_at(0.5, hold_s=0).outcome(marked("..????..", "...xx.x."))
    assert outcome.false.tolist() == [False, True]  # the second reaches into normal time: frames 6, and 7 is not on
    assert outcome.normal_s.tolist() == [4]


def test_a_video_with_labels_only_for_the_whole_has_no_events() -> None:
    result = evaluate(scores([video("a", [-1, -1], [1, 1], klass=1), video("b", [0, 0], [0, 0])]), point_at(0.5))
    assert result.metrics["event_recall"].reason == "no event is known"
    assert result.metrics["delay_s"].reason == "no event is known"
    assert result.metrics["false_alarms_per_hour"].value == 0


def test_hours_without_normal_time_are_no_rate() -> None:
    result = evaluate(scores([video("a", [1, 1], [1, 1]), video("b", [1, 1], [0, 0])]), point_at(0.5))
    assert result.metrics["false_alarms_per_hour"].value is None
    assert result.metrics["false_alarms_per_hour"].reason == "no normal time is known"


def test_alerts_may_overlap_as_those_of_two_people_do() -> None:
    table = scores([video("v", marks("..xx....."), range(9))])
    alerts = Spans(np.zeros(3, int), np.array([2, 2.5, 6]), np.array([3, 4, 7.5]))
    outcome = compare_with_truth(table, alerts)
    assert outcome.delay_s.tolist() == [0] and outcome.false.tolist() == [False, False, True]
    assert outcome.alarmed_s.tolist() == [2]  # frames 6 and 7


def test_for_a_budget_a_lasting_alarm_counts_in_every_minute() -> None:
    lasting = int(2 * LASTING_S) + 1
    table = scores([video("a", [0] * (lasting + 5), [1] * lasting + [0] * 5), video("b", [0] * 3, [0, 1, 0])])
    assert alarm_minutes(raise_alerts(table, point_at(0.5).rule), 2).tolist() == [3, 1]


def test_the_last_frame_lasts_as_long_as_the_others() -> None:
    table = scores([video("a", [0] * 10, [0] * 9 + [1], fps=4.0)])
    assert pairs(raise_alerts(table, point_at(0.5).rule)) == [(0, 2.25, 2.5)]
    assert point_at(0.5).outcome(table).normal_s.tolist() == [2.5]


@given(st.lists(st.text("x.", min_size=1, max_size=20), min_size=1, max_size=4), st.integers(0, 3))
def test_alerts_cover_what_is_on_and_are_apart(texts: list[str], gap: int) -> None:
    table = scores([video(str(k), [0] * len(text), marks(text)) for k, text in enumerate(texts)])
    spans = raise_alerts(table, point_at(0.5, hold_s=gap).rule)
    for number, text in enumerate(texts):
        starts, stops = spans.of(number)
        assert all(any(s <= k < e for s, e in zip(starts, stops, strict=True)) for k, m in enumerate(text) if m == "x")
        assert (starts[1:] - stops[:-1] > gap).all()
        assert all(text[int(s)] == "x" and text[int(e) - 1] == "x" for s, e in zip(starts, stops, strict=True))
