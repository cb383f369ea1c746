"""A flicker is one alert, a lull does not end it, and the stream raises what the file does."""

import numpy as np
import pytest
import tables
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.judging import alerts
from vigil.judging.alerts import START, Alert, Rule
from vigil.statistics import events

PLAIN = Rule(high=1.0, low=1.0, hold_s=0.0, cooldown_s=0.0)


def found(scores: list[float], rule: Rule, fps: float = 1.0) -> list[tuple[float, float]]:
    times = np.arange(len(scores)) / fps
    return [(one.start_s, one.stop_s) for one in alerts.alerts(scores, times, rule)]


def streamed(scores: np.ndarray, times: np.ndarray, rule: Rule) -> list[Alert]:
    state, ended = START, []
    for place, (time_s, score) in enumerate(zip(times.tolist(), scores.tolist(), strict=True)):
        state, changes = alerts.update(state, place, time_s, score, rule)
        ended += [alert for what, alert in changes if what == "ended"]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return ended + [alert for _, alert in alerts.finish(state, float(times[-1]) + step)]


def test_a_run_is_an_alert_to_the_end_of_its_last_frame() -> None:
    assert found([0, 1, 1, 0, 0], PLAIN) == [(1, 3)]
    assert found([0, 0, 1], PLAIN) == [(2, 3)]
    assert found([], PLAIN) == [] == found([0, 0], PLAIN)


def test_a_flicker_is_one_alert_not_two() -> None:
    held = PLAIN.model_copy(update={"hold_s": 1.0})
    assert found([1, 0, 1, 0, 0, 1], held) == [(0, 3), (5, 6)]


def test_it_goes_on_at_a_lower_threshold_than_it_begins() -> None:
    eased = PLAIN.model_copy(update={"low": 0.5})
    assert found([0.6, 1, 0.6, 0.4, 0.6, 1], eased) == [(1, 3), (5, 6)]


def test_after_one_there_is_none_for_a_while() -> None:
    cooled = PLAIN.model_copy(update={"cooldown_s": 3.0})
    assert found([1, 0, 1, 0, 1, 1, 1], cooled) == [(0, 1), (4, 7)]


def test_a_frame_without_a_score_is_below_all() -> None:
    nan = float("nan")
    assert found([1, nan, 1], PLAIN) == [(0, 1), (2, 3)]
    assert found([nan, nan], PLAIN) == []


def test_the_peak_is_the_first_frame_with_the_highest_score() -> None:
    (one,) = alerts.alerts([1, 3, 2, 3], [0, 1, 2, 3], PLAIN)
    assert (one.peak, one.peak_place, one.start, one.stop) == (3, 1, 0, 4)


def test_an_alert_is_raised_at_once_and_ended_when_the_hold_is_over() -> None:
    held, state, said = PLAIN.model_copy(update={"hold_s": 2.0}), START, []
    for place, score in enumerate([1, 0, 0, 0, 0]):
        state, changes = alerts.update(state, place, float(place), score, held)
        said += [(place, what, one.stop_s) for what, one in changes]
    assert said == [(0, "raised", 0), (4, "ended", 1)]


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(VigilError, match=r"low = 2\.0: expected at most high = 1\.0"):
        Rule.read({"high": 1.0, "low": 2.0}, "rule")


@given(
    st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0, 2.0, float("nan")]), min_size=1, max_size=60),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 0.7, 2.0]),
    st.integers(0, 3),
)
def test_the_stream_raises_what_the_file_does(
    scores: list[float], low: float, hold_s: float, cooldown_s: float, seed: int
) -> None:
    rule = Rule(high=1.0, low=low, hold_s=hold_s, cooldown_s=cooldown_s)
    times = np.cumsum(np.random.default_rng(seed).uniform(0.05, 0.5, len(scores)))
    given_ = np.array(scores)
    assert alerts.alerts(given_, times, rule) == streamed(given_, times, rule)


@given(st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=2, max_size=40), st.sampled_from([0.0, 1.0, 2.5]))
def test_without_easing_and_cooling_it_is_the_plain_rule_of_the_metrics(scores: list[float], hold_s: float) -> None:

    table = tables.scores([tables.video("one", [0] * len(scores), scores)])
    plain = events.alerts(table, 1.0, hold_s)
    rule = Rule(high=1.0, low=1.0, hold_s=hold_s, cooldown_s=0.0)
    ours = alerts.alerts(scores, table.time_s, rule)
    assert [one.start_s for one in ours] == plain.start_s.tolist()
    assert [one.stop_s for one in ours] == plain.stop_s.tolist()
