"""Alerts against what happened: found or missed, how late, and for nothing."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import arrays, calibrated, point_at, scores, video

from vigil.evaluation.metrics import evaluate, statistics
from vigil.judging.truth import mask_warm_up
from vigil.statistics.events import (
    AFTER_S,
    BEFORE_S,
    OperatingPoint,
    Outcome,
    Spans,
    compare_with_truth,
    find_events,
    raise_alerts,
)
from vigil.statistics.scores import Scores


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
    #               0123456789012345678901234567
    table = marked("..xxx...........xxx.........", "...x.......xx............x..")
    outcome = point_at(0.5, hold_s=0).outcome(table)
    assert outcome.delay_s[0] == 1 and np.isnan(outcome.delay_s[1])
    assert outcome.false_alarms.tolist() == [0, 1, 1] and outcome.false.tolist() == [False, True, True]
    assert outcome.normal_s.tolist() == [22] and outcome.alarmed_s.tolist() == [3]
    result = evaluate(table, point_at(0.5, hold_s=0))
    assert result.metrics["event_recall"].value == 0.5
    rate = result.metrics["false_alarms_per_hour"]
    assert rate.value == pytest.approx(2 / (22 / 3600))
    assert (rate.alarms, rate.minutes) == (2, pytest.approx(22 / 60))
    assert (result.counts["false_alerts"], result.counts["false_alarms"]) == (2, 2)


def test_what_is_never_found_counts_as_late_too() -> None:
    table = scores(
        [
            video("a", marks("xxxxxxxx"), marks("x.......")),
            video("b", marks("xxxxxxxx"), marks("..x.....")),
            video("c", marks("xxxxxxxx"), marks(".......x")),
            video("d", marks("xxxxxxxx"), marks("........")),
        ]
    )
    by_name = statistics(table, point_at(0.5))
    assert [by_name[f"event_recall_{seconds}s"].value for seconds in (1, 3, 10)] == [0.25, 0.5, 0.75]
    assert by_name["event_recall"].value == 0.75 and "delay_s" not in by_name


def test_an_event_that_ends_during_the_warm_up_is_missed() -> None:
    # the model can speak from frame 6 on: one event is over by then, and the other has begun five seconds before
    early = arrays([video("a", [1, 1, 1, 0, 0, 1], [np.nan] * 5 + [0]), video("b", [1] * 6, [np.nan] * 5 + [9])])
    ranked = np.array([-1] * 5 + [1] + [-1] * 5 + [1], np.int8)
    table = Scores.of(early | {"truth": ranked, "event_truth": early["truth"]})
    outcome = point_at(0.5).outcome(table)
    assert pairs(outcome.events) == [(0, 0, 3), (0, 5, 6), (1, 0, 6)]
    assert np.isnan(outcome.delay_s[:2]).all() and outcome.delay_s[2] == 5
    assert outcome.normal_s.tolist() == [0, 0], "nobody was watching in the warm-up"
    by_name = statistics(table, point_at(0.5))
    assert by_name["event_recall"].value == pytest.approx(1 / 3) and by_name["event_recall_3s"].value == 0
    assert by_name["tiou"].value == pytest.approx((0 / 4 + 1 / 6) / 2), "what came too late overlaps less"


@given(st.integers(1, 12), st.lists(st.text("x.", min_size=1, max_size=20), min_size=1, max_size=4))
def test_every_model_is_judged_on_the_same_events(ready: int, texts: list[str]) -> None:
    columns = arrays([video(str(k), marks(text), [0.0] * len(text)) for k, text in enumerate(texts)])
    times = [[Fraction(second) for second in range(len(text))] for text in texts]
    films = zip(texts, times, strict=True)
    masked = np.concatenate([mask_warm_up(np.array(marks(text)), at, ready, Fraction(1)) for text, at in films])
    slow = Scores.of(columns | {"truth": masked, "event_truth": columns["truth"]})
    assert pairs(find_events(slow)) == pairs(find_events(Scores.of(columns)))
    assert pairs(find_events(slow.select(slow.class_index > 0))) == pairs(
        find_events(Scores.of(columns).select(slow.class_index > 0))
    )


def quarters(event: tuple[float, float], *alerts: tuple[float, float], length_s: float = 60.0) -> Outcome:
    """Alerts in a video of four frames a second with one event."""
    times = np.arange(0, length_s, 0.25)
    table = scores([video("v", (times >= event[0]) & (times < event[1]), np.zeros(len(times)), fps=4.0)])
    return compare_with_truth(table, Spans(np.zeros(len(alerts), int), *np.array(alerts, float).reshape(-1, 2).T))


@pytest.mark.parametrize(
    ("raised_s", "delay_s"),
    [
        (1, None),  # 29 s before the event, and on until its end
        (28.75, None),
        (29, 0),  # BEFORE_S before
        (29.75, 0),
        (30, 0),
        (33, 3),
        (34.75, 4.75),
        (35.25, 5.25),  # 0.25 s after its end: late, and not false
        (40, 10),  # AFTER_S after
        (40.25, None),
    ],
)
def test_an_alert_is_right_only_if_it_is_raised_in_time(raised_s: float, delay_s: float | None) -> None:
    assert (BEFORE_S, AFTER_S) == (1, 5)
    outcome = quarters((30, 35), (raised_s, 45))
    assert outcome.false.tolist() == [delay_s is None]
    assert outcome.delay_s.tolist() == [delay_s] if delay_s is not None else np.isnan(outcome.delay_s).all()


def test_an_alarm_that_was_on_long_before_finds_an_event_only_if_it_is_raised_again() -> None:
    once, again = quarters((30, 35), (1, 40)), quarters((30, 35), (1, 20), (32, 40))
    assert np.isnan(once.delay_s).all() and once.false_alarms.tolist() == [1]
    assert again.delay_s.tolist() == [2] and again.false_alarms.tolist() == [1, 0]


def test_no_alert_is_for_the_event_of_another_video() -> None:
    table = scores(
        [video("a", marks("xx"), [0, 0]), video("b", marks("......"), [0] * 6), video("c", marks("xx"), [0, 0])]
    )
    outcome = compare_with_truth(table, Spans(np.array([1, 1]), np.array([0.0, 5.0]), np.array([1.0, 6.0])))
    assert np.isnan(outcome.delay_s).all() and outcome.false_alarms.tolist() == [1, 1]


def test_an_alarm_that_never_ends_is_charged_by_the_minute() -> None:
    # 2 min of normal video, then an event of 10 s, then 50 s: 170 s of normal time, three started minutes
    outcome = quarters((120, 130), (0, 180), length_s=180)
    assert outcome.false_alarms.tolist() == [3] and np.isnan(outcome.delay_s).all()
    assert outcome.alarmed_s.tolist() == outcome.normal_s.tolist() == [170]
    metrics = evaluate(marked("...xx...", "xxxxxxxx"), point_at(0.5)).metrics
    assert metrics["alarmed_share"].value == 1 and metrics["false_alarms_per_hour"].value == pytest.approx(600)


@pytest.mark.parametrize(("seconds", "charge"), [(1, 1), (60, 1), (61, 2), (3600, 60)])
def test_every_started_minute_counts(seconds: int, charge: int) -> None:
    table = scores([video("a", [0] * 3605, [1] * seconds + [0] * (3605 - seconds)), video("b", [0] * 3, [0, 1, 0])])
    assert point_at(0.5).outcome(table).false_alarms_by_video.tolist() == [charge, 1]


def test_calibration_counts_as_evaluation_does() -> None:
    # an abnormal video with an alarm long before its event: it is counted in both, against the time of both videos
    table = scores([video("n", [0] * 1800, [0] * 1799 + [2]), video("a", [0] * 1790 + [1] * 10, [1] + [0] * 1799)])
    calibration = calibrated(table, budget=2.0)
    assert calibration.promise is not None and calibration.promise.normal_hours == pytest.approx(3590 / 3600)
    assert calibration.threshold == 2.0, "two alarms are more than the budget lets through in 0.997 h"
    assert calibration.operating_point is not None
    assert calibration.operating_point.outcome(table).false_alarms_by_video.tolist() == [1, 0]
    point = OperatingPoint(calibration.operating_point.rule.model_copy(update={"threshold": 1.0, "release": 1.0}))
    assert point.outcome(table).false_alarms_by_video.tolist() == [1, 1]


def test_alerts_in_unknown_time_are_neither_right_nor_wrong() -> None:
    outcome = point_at(0.5, hold_s=0).outcome(marked("..????..", "...xx.x."))
    assert outcome.false.tolist() == [False, True]  # the second reaches into normal time: frames 6, and 7 is not on
    assert outcome.normal_s.tolist() == [4]


def test_a_video_with_labels_only_for_the_whole_has_no_events() -> None:
    result = evaluate(scores([video("a", [-1, -1], [1, 1], class_index=1), video("b", [0, 0], [0, 0])]), point_at(0.5))
    assert result.metrics["event_recall"].reason == "no event is known"
    assert result.metrics["event_recall_3s"].reason == "no event is known"
    assert result.metrics["false_alarms_per_hour"].value == 0


def test_hours_without_normal_time_are_no_rate() -> None:
    result = evaluate(scores([video("a", [1, 1], [1, 1]), video("b", [1, 1], [0, 0])]), point_at(0.5))
    assert result.metrics["false_alarms_per_hour"].value is None
    assert result.metrics["false_alarms_per_hour"].reason == "no normal time is known"


def test_alerts_may_overlap_as_those_of_two_people_do() -> None:
    table = scores([video("v", marks("..xx.........."), range(14))])
    alerts = Spans(np.zeros(4, int), np.array([2, 2.5, 10, 11]), np.array([3, 4, 12.5, 11.5]))
    outcome = compare_with_truth(table, alerts)
    assert outcome.delay_s.tolist() == [0] and outcome.false.tolist() == [False, False, True, True]
    assert outcome.alarmed_s.tolist() == [2.5]  # from 10 to 12.5, and not what is in it once more


def two_pieces(truth: object, on: object, second_s: float = 3600.0) -> Scores:
    """Two pieces of 5 s, the second from `second_s`, of 8 frames a second; the values are of each."""
    times = np.append(np.arange(40) / 8, second_s + np.arange(40) / 8)
    return scores([video("v", np.repeat(truth, 40), np.repeat(on, 40), time_s=times)])


def test_nobody_watches_in_a_pause() -> None:
    table = two_pieces([0, 0], [1, 1])
    outcome = point_at(0.5, hold_s=7200).outcome(table)
    assert outcome.normal_s.tolist() == [10] and outcome.alarmed_s.tolist() == [10]
    assert pairs(outcome.alerts) == [(0, 0, 5), (0, 3600, 3605)]
    assert outcome.false_alarms.tolist() == [1, 1], "and not 61 for an alert of an hour"
    rate = evaluate(table, point_at(0.5)).metrics["false_alarms_per_hour"]
    assert rate.minutes == pytest.approx(10 / 60)


def test_an_event_does_not_go_on_over_a_pause() -> None:
    outcome = point_at(0.5, hold_s=7200).outcome(two_pieces([1, 1], [0, 1]))
    assert pairs(outcome.events) == [(0, 0, 5), (0, 3600, 3605)]
    assert np.isnan(outcome.delay_s[0]) and outcome.delay_s[1] == 0, "in the first piece nobody was told"
    assert point_at(0.5).outcome(two_pieces([1, 1], [1, 0])).normal_s.tolist() == [0]


def test_an_alert_after_a_short_pause_finds_nothing_of_before_it() -> None:
    outcome = point_at(0.5).outcome(two_pieces([1, 0], [0, 1], second_s=7.0))
    assert np.isnan(outcome.delay_s).all() and outcome.false_alarms.tolist() == [1]
    unbroken = scores([video("v", np.repeat([1, 0, 0], 8), np.repeat([0, 0, 1], 8), fps=4.0)])
    assert point_at(0.5).outcome(unbroken).delay_s.tolist() == [4], "2 s after the end, where nothing pauses"


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
