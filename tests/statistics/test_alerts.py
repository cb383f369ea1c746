"""A flicker is one alert, a lull does not end it, and the stream raises what the file does."""

import numpy as np
import pytest
import tables
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.statistics.alerts import LONE_S, START, Alert, Rule, find_alerts, finish_alert, update_alert
from vigil.statistics.events import raise_alerts

PLAIN = Rule(threshold=1.0, release=1.0, hold_s=0.0, cooldown_s=0.0)


def spans(scores: list[float], rule: Rule) -> list[tuple[float, float]]:
    """The seconds under an alert of scores that come once a second."""
    return [(alert.start_s, alert.stop_s) for alert in find_alerts(scores, np.arange(len(scores)), rule)]


def stream_alerts(scores: np.ndarray, times: np.ndarray, rule: Rule) -> list[Alert]:
    state, ended = START, []
    for index, (time_s, score) in enumerate(zip(times.tolist(), scores.tolist(), strict=True)):
        state, changes = update_alert(state, index, time_s, score, rule)
        ended += [alert for change, alert in changes if change == "ended"]
    return ended + [alert for _, alert in finish_alert(state)]


def test_a_run_is_an_alert_to_the_end_of_its_last_frame() -> None:
    assert spans([0, 1, 1, 0, 0], PLAIN) == [(1, 3)]
    assert spans([0, 0, 1], PLAIN) == [(2, 3)]
    assert spans([], PLAIN) == [] == spans([0, 0], PLAIN)


def test_a_flicker_is_one_alert_not_two() -> None:
    held = PLAIN.model_copy(update={"hold_s": 1.0})
    assert spans([1, 0, 1, 0, 0, 1], held) == [(0, 3), (5, 6)]


def test_it_goes_on_at_a_lower_threshold_than_it_begins() -> None:
    eased = PLAIN.model_copy(update={"release": 0.5})
    assert spans([0.6, 1, 0.6, 0.4, 0.6, 1], eased) == [(1, 3), (5, 6)]


def test_after_one_there_is_none_for_a_while() -> None:
    cooled = PLAIN.model_copy(update={"cooldown_s": 3.0})
    assert spans([1, 0, 1, 0, 1, 1, 1], cooled) == [(0, 1), (4, 7)]


def test_a_frame_without_a_score_is_below_all() -> None:
    nan = float("nan")
    assert spans([1, nan, 1], PLAIN) == [(0, 1), (2, 3)]
    assert spans([nan, nan], PLAIN) == []


def test_the_peak_is_the_first_frame_with_the_highest_score() -> None:
    (alert,) = find_alerts([1, 3, 2, 3], [0, 1, 2, 3], PLAIN)
    assert (alert.peak, alert.peak_index, alert.start, alert.stop) == (3, 1, 0, 4)


def test_an_alert_is_raised_at_once_and_ended_when_the_hold_is_over() -> None:
    held, state, log = PLAIN.model_copy(update={"hold_s": 2.0}), START, []
    for index, score in enumerate([1, 0, 0, 0, 0]):
        state, changes = update_alert(state, index, float(index), score, held)
        log += [(index, change, alert.stop_s) for change, alert in changes]
    assert log == [(0, "raised", 0), (4, "ended", 1)]


def test_an_alert_ends_with_the_frame_before_a_pause_however_long_it_is_held() -> None:
    times = np.append(np.arange(40) / 8, 3600 + np.arange(40) / 8)
    for hold_s in (0.0, 2.0, 7200.0):
        held = PLAIN.model_copy(update={"hold_s": hold_s})
        alerts = find_alerts(np.ones(80), times, held)
        assert [(alert.start_s, alert.stop_s) for alert in alerts] == [(0, 5), (3600, 3605)]
        assert [(alert.start, alert.stop) for alert in alerts] == [(0, 40), (40, 80)]
        before = find_alerts(np.arange(80) == 39, times, held)
        assert [(alert.start_s, alert.stop_s) for alert in before] == [(4.875, 5)]
        assert stream_alerts(np.ones(80), times, held) == alerts


def test_a_pause_ends_an_alert_in_the_stream_as_soon_as_it_is_noticed() -> None:
    state, log = START, []
    for index, time_s in enumerate([0.0, 0.5, 1.0, 4.0]):
        state, changes = update_alert(state, index, time_s, 1.0, PLAIN)
        log += [(index, change, alert.start_s, alert.stop_s) for change, alert in changes]
    assert log == [(0, "raised", 0, 0), (3, "ended", 0, 1.5), (3, "raised", 4, 4)]


def test_the_cooldown_goes_on_in_a_pause() -> None:
    cooled = PLAIN.model_copy(update={"cooldown_s": 60.0})
    times = np.array([0, 0.5, 30, 30.5, 70, 70.5])
    assert [alert.start_s for alert in find_alerts(np.ones(6), times, cooled)] == [0, 70]


def test_a_frame_that_is_alone_lasts_a_second() -> None:
    (alert,) = find_alerts([1.0], [7.0], PLAIN)
    assert (alert.start_s, alert.stop_s) == (7, 7 + LONE_S)


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(VigilError, match=r"release = 2\.0: expected at most threshold = 1\.0"):
        Rule.read({"threshold": 1.0, "release": 2.0}, "rule")


@given(
    st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0, 2.0, float("nan")]), min_size=1, max_size=60),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 0.7, 2.0]),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.1, 0.6]),
)
def test_the_stream_raises_what_the_file_does(
    scores: list[float], release: float, hold_s: float, cooldown_s: float, seed: int, paused: float
) -> None:
    rule = Rule(threshold=1.0, release=release, hold_s=hold_s, cooldown_s=cooldown_s)
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.05, 0.5, len(scores))
    pauses = rng.uniform(0.5, 9, len(scores)) * (rng.random(len(scores)) < paused)  # some of them too short for one
    times = np.cumsum(steps + pauses)
    assert find_alerts(scores, times, rule) == stream_alerts(np.array(scores), times, rule)


levels = st.sampled_from([0.0, 0.4, 0.6, 1.0, 2.0, float("nan")])


@given(
    st.lists(st.lists(levels, min_size=2, max_size=30), min_size=1, max_size=4),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from([0.0, 1.0, 2.5]),
    st.sampled_from([0.0, 3.0]),
    st.integers(0, 29),
)
def test_a_table_of_videos_has_the_alerts_of_each_and_none_across_them(
    videos: list[list[float]], release: float, hold_s: float, cooldown_s: float, pause: int
) -> None:
    rule = Rule(threshold=1.0, release=release, hold_s=hold_s, cooldown_s=cooldown_s)
    times = [np.arange(len(scores)) + 100 * (np.arange(len(scores)) >= pause) for scores in videos]
    films = zip(videos, times, strict=True)
    table = tables.scores(
        [tables.video(str(k), [0] * len(scores), scores, time_s=time_s) for k, (scores, time_s) in enumerate(films)]
    )
    alerts = raise_alerts(table, rule)
    for number, scores in enumerate(videos):
        alone = find_alerts(scores, times[number], rule)
        starts, stops = alerts.of(number)
        assert [(alert.start_s, alert.stop_s) for alert in alone] == list(zip(starts, stops, strict=True))
