"""What normal video promises: on paper, and kept over a thousand draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from vigil.statistics.conformal import (
    allowed,
    dispersion,
    hours_needed,
    lowest_threshold,
    upper_rate,
    video_threshold,
)


def test_three_quiet_hours_promise_one_per_hour() -> None:
    # no event in H hours has probability exp(-rate H) = 0.05 at rate 3.0 / H
    assert hours_needed(1.0, 0.95) == pytest.approx(2.9957, abs=1e-4)
    assert upper_rate(0, hours_needed(1.0, 0.95), 0.95) == pytest.approx(1.0)
    assert allowed(2.99, 1.0, 0.95) is None and allowed(3.0, 1.0, 0.95) == 0
    assert hours_needed(60, 0.95) * 60 == pytest.approx(2.9957, abs=1e-4)  # minutes
    assert hours_needed(1.0, 0.95, dispersion=4) == pytest.approx(4 * 2.9957, abs=1e-3)


@given(st.integers(0, 200), st.floats(0.1, 100), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_upper_limit_is_the_rate_at_which_so_few_are_just_unlikely(k: int, hours: float, confidence: float) -> None:
    rate = upper_rate(k, hours, confidence)
    assert poisson.cdf(k, rate * hours) == pytest.approx(1 - confidence)


@given(st.floats(0.01, 50), st.floats(0.1, 200), st.floats(1, 6))
def test_allowed_is_the_most_that_keeps_the_budget(hours: float, budget: float, spread: float) -> None:
    most = allowed(hours, budget, 0.95, spread)
    if most is None:
        assert hours < hours_needed(budget, 0.95, spread) * (1 + 1e-9)
    else:
        assert upper_rate(most, hours, 0.95, spread) <= budget < upper_rate(most + 1, hours, 0.95, spread)


def test_bunches_are_seen_and_independent_alerts_are_not_called_so() -> None:
    rng = np.random.default_rng(0)
    hours = np.full(200, 0.5)
    assert dispersion(rng.poisson(4, 200).astype(float), hours) == pytest.approx(1, abs=0.25)
    assert dispersion(5.0 * rng.poisson(2, 200), hours) == pytest.approx(5, abs=1.5)  # five at a time
    assert dispersion(np.array([3.0] * 10), np.full(10, 1.0)) == 1  # more even than chance is no credit
    assert dispersion(np.array([1.0, 0, 0, 2, 1, 0]), np.ones(6)) is None  # 4 alerts tell nothing
    assert dispersion(np.array([30.0, 1.0]), np.ones(2)) is None


def test_the_lowest_threshold_keeps_to_the_limit_and_is_nearly_the_lowest() -> None:
    scores = np.arange(100.0)

    def alerts(threshold: float) -> float:
        return float((scores >= threshold).sum())

    assert lowest_threshold(scores, alerts, 3) == 97
    assert lowest_threshold(scores, alerts, 0) > 99
    assert lowest_threshold(scores, alerts, 40) == 60
    assert lowest_threshold(scores, alerts, 1000) >= 50  # never below what half of the normal frames have


def test_a_threshold_over_equal_scores_is_above_them() -> None:
    assert lowest_threshold(np.zeros(50), lambda threshold: 50.0 * (threshold <= 0), 3) > 0


def test_a_video_threshold_is_reached_by_no_larger_share() -> None:
    rng = np.random.default_rng(2)
    maxima = rng.normal(size=(4000, 30))
    flagged = [row[0] >= (video_threshold(row[1:], 0.1) or np.inf) for row in maxima]
    assert np.mean(flagged) == pytest.approx(0.1, abs=0.015)
    assert video_threshold(np.arange(5.0), 0.1) is None  # one of ten cannot be seen in five


def peaks(rng: np.random.Generator, hours: float, rate: float, bunch: int = 1) -> np.ndarray:
    """Heights of peaks that come at `rate` per hour, each an exponential height, `bunch` alike at a time."""
    return np.repeat(rng.exponential(size=rng.poisson(hours * rate / bunch)), bunch)


@pytest.mark.parametrize(("hours", "budget"), [(4.0, 1.0), (20.0, 1.0), (0.3, 60.0)])
def test_the_promise_is_kept_in_19_of_20_of_a_thousand_draws(hours: float, budget: float) -> None:
    rng = np.random.default_rng(3)
    rate, promises_kept, close = 400.0, 0, []
    most = allowed(hours, budget, 0.95)
    assert most is not None
    for _ in range(1000):
        heights = peaks(rng, hours, rate)
        threshold = lowest_threshold(heights, lambda at, all_=heights: float((all_ >= at).sum()), most)
        true = rate * np.exp(-threshold)  # the rate of peaks that are higher, which only the drawer knows
        promises_kept += true <= budget
        close.append(true / budget)
    assert promises_kept / 1000 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 1000)
    assert np.median(close) > 0.15  # and not by asking for far too much
