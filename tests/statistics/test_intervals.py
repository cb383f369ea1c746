"""Intervals over sources: as wide as they should be, the same for the same seed, none where there is nothing."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from sklearn.metrics import balanced_accuracy_score
from tables import city

from vigil.evaluation.metrics import statistics
from vigil.statistics.intervals import (
    LEAST_SOURCES,
    bootstrap,
    difference,
    draws,
    interval_over_sources,
    mean_of_shares,
    no_statistic,
    rate_per_hour,
    ratio,
)


def test_draws_are_as_many_sources_as_there_are_and_the_same_again() -> None:
    weights = draws(7, 50, seed=3)
    assert weights.shape == (50, 7) and (weights.sum(1) == 7).all()
    assert np.array_equal(weights, draws(7, 50, seed=3)) and not np.array_equal(weights, draws(7, 50, seed=4))


def test_a_ratio_is_of_sums_and_not_of_means() -> None:
    # 1 of 1 and 1 of 9: 2 of 10, not the mean of 1 and 1/9
    statistic = ratio(np.array([1.0, 1.0]), np.array([1.0, 9.0]), "none")
    assert statistic.value == 0.2
    assert statistic.weigh(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))[:3].tolist() == [0.2, 1, 1 / 9]
    assert np.isnan(statistic.weigh(np.zeros((1, 2))))


@pytest.mark.parametrize("sources", [1, 2, 5, 12])
def test_a_number_of_drawn_sources_has_the_interval_of_one_of_weighed_sources(sources: int) -> None:
    """The last source has nothing to count, and so is none."""
    random = np.random.default_rng(sources)
    top, bottom = random.integers(0, 9, sources).astype(float), random.integers(9, 30, sources).astype(float)
    top[-1] = bottom[-1] = 0 if sources > 1 else 9

    def share(drawn: Sequence[tuple[float, float]]) -> float | None:
        whole = sum(counted for _, counted in drawn)
        return sum(right for right, _ in drawn) / whole if whole else None

    expected = bootstrap(ratio(top, bottom, "nothing"), draws(sources))
    interval = interval_over_sources(list(zip(top, bottom, strict=True)), share)
    assert (interval.low is None) == (sources < 3) and interval.n == max(1, sources - 1)
    assert (interval.value, interval.low, interval.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert interval_over_sources([], share).value is None


def test_a_mean_of_shares_weighs_each_class_alike() -> None:
    # class 0: 9 of 10, class 1: 1 of 2
    statistic = mean_of_shares(np.array([[9.0, 1.0]]), np.array([[10.0, 2.0]]), "none")
    assert statistic.value == pytest.approx(0.7)
    assert mean_of_shares(np.array([[9.0, 0.0]]), np.array([[10.0, 0.0]]), "one class").reason == "one class"


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("seed", range(20))
def test_scikit_learn_agrees_on_balanced_accuracy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted, group = rng.integers(0, 4, (3, 40))
    right, total = np.zeros((2, 4, 4))
    np.add.at(right, (group, truth), truth == predicted)
    np.add.at(total, (group, truth), 1)
    weights = draws(4, 30, seed)
    for weight, accuracy in zip(weights, mean_of_shares(right, total, "").weigh(weights), strict=True):
        rows = np.repeat(np.arange(40), weight[group].astype(int))
        assert accuracy == pytest.approx(balanced_accuracy_score(truth[rows], predicted[rows]))


def test_no_alarm_in_eight_hours_is_not_a_rate_of_nothing_for_sure() -> None:
    # exact Poisson: none in 8 hours is seen 2.5 % of the time at -ln(0.025) / 8 = 0.4611 an hour
    interval = bootstrap(rate_per_hour(np.zeros(8), np.ones(8), "no hours"), draws(8))
    assert (interval.value, interval.low) == (0, 0) and interval.high == pytest.approx(0.4611, abs=1e-4)
    assert interval.to_json() == {
        "value": 0.0, "low": 0.0, "high": 0.461110, "n": 8, "alarms": 0, "minutes": 480.0,
    }  # fmt: skip


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_a_rate_is_never_surer_than_what_was_counted_allows(alarms: list[int]) -> None:
    hours, total = np.full(len(alarms), 0.5), sum(alarms)
    interval = bootstrap(rate_per_hour(np.array(alarms, float), hours, ""), draws(len(alarms)))
    most = chi2.ppf(0.975, 2 * total + 2) / 2 / hours.sum()
    least = chi2.ppf(0.025, 2 * total) / 2 / hours.sum() if total else 0.0
    assert interval.high >= most * (1 - 1e-9) and interval.low <= least * (1 + 1e-9)
    assert (interval.alarms, interval.minutes) == (total, 30 * len(alarms))


def test_without_hours_there_is_no_rate() -> None:
    interval = bootstrap(rate_per_hour(np.zeros(2), np.zeros(2), "no hours"), draws(2))
    assert interval.to_json() == {"value": None, "low": None, "high": None, "n": 0, "reason": "no hours"}


def test_what_has_no_value_has_no_interval_but_a_reason() -> None:
    interval = bootstrap(no_statistic("no cat", 5), draws(5))
    assert (interval.value, interval.low, interval.high, interval.n, interval.reason) == (None, None, None, 0, "no cat")
    assert interval.to_json() == {"value": None, "low": None, "high": None, "n": 0, "reason": "no cat"}


def test_one_source_has_no_interval_and_few_are_flagged() -> None:
    alone = bootstrap(ratio(np.ones(1), np.ones(1), ""), draws(1))
    assert (alone.value, alone.low, alone.n, alone.few) == (1, None, 1, True)
    some = LEAST_SOURCES
    assert not bootstrap(ratio(np.ones(some), np.ones(some), ""), draws(some)).few


def test_few_sources_make_a_wider_interval_than_percentiles_would() -> None:
    top, bottom = np.array([0.0, 1, 2, 3, 4, 5]), np.full(6, 10.0)
    statistic, weights = ratio(top, bottom, ""), draws(6, 4000)
    plain = np.quantile(statistic.weigh(weights), [0.025, 0.975])
    interval = bootstrap(statistic, weights)
    assert interval.low is not None and interval.low < plain[0]
    assert interval.high is not None and interval.high > plain[1]
    assert interval.value == 0.25 and 0 <= interval.low <= interval.high <= 0.5


def test_a_difference_is_paired() -> None:
    # the sources differ by far more than the two models do, which is always by 0.1
    base = np.linspace(0, 0.8, 12)
    first, other = ratio(base + 0.1, np.ones(12), ""), ratio(base, np.ones(12), "")
    weights = draws(12)
    change = difference(first, other, weights)
    assert change.interval.value == pytest.approx(0.1) and change.interval.low == pytest.approx(0.1)
    assert change.clear == 1 and difference(other, first, weights).clear == -1
    assert change.p is not None and change.p < 0.01
    same = difference(first, first, weights)
    assert same.clear == 0 and same.p == 1
    wide = bootstrap(first, weights)
    assert wide.low is not None and wide.high is not None and wide.high - wide.low > 0.2


def null_share(trials: int, sources: int, seed: int = 0) -> float:
    """How often p < 0.05 where two models are equally good."""
    rng, weights, clear = np.random.default_rng(seed), draws(sources), 0
    for _ in range(trials):
        first, other = (ratio(rng.normal(size=sources), np.ones(sources), "") for _ in range(2))
        change = difference(first, other, weights)
        assert change.p is not None and (change.p < 0.05) == (change.clear != 0)  # one and the same test
        clear += change.p < 0.05
    return clear / trials


@pytest.mark.parametrize("sources", [3, 8])
def test_where_nothing_differs_p_is_seldom_small_and_says_what_the_interval_says(sources: int) -> None:
    assert null_share(400, sources) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.slow
@pytest.mark.parametrize("sources", [2, 3, 4, 6, 7, 8, 12, 30])
def test_where_nothing_differs_p_is_as_seldom_small_as_the_document_says(sources: int) -> None:
    most = 0.06  # docs/judging.md, "p"
    assert null_share(3000, sources, seed=1) <= most + 3 * np.sqrt(most * (1 - most) / 3000)


def truth_of(name: str, skill: float, camera: float) -> float:
    """What the number is in a city without end: scores differ by `skill`, with the spread of cameras and of frames."""
    return NormalDist().cdf(skill / np.sqrt(2 * (1 + camera**2)))


def coverage(trials: int, rounds: int, sources: int) -> tuple[float, float]:
    """Share of cities whose interval holds the true area, and the share of those whose difference holds 0."""
    area = truth_of("frame_auc_micro", 1.0, 0.5)
    weights = draws(sources, rounds)
    held = even = 0
    for seed in range(trials):
        first, other = (city(2 * seed + twin, sources, each=2, frames=30, skill=1.0) for twin in (0, 1))
        statistic = statistics(first)["frame_auc_micro"]
        interval = bootstrap(statistic, weights)
        assert interval.low is not None and interval.high is not None
        held += interval.low <= area <= interval.high
        even += difference(statistic, statistics(other)["frame_auc_micro"], weights).clear == 0
    return held / trials, even / trials


def test_an_interval_holds_the_truth_about_19_times_of_20() -> None:
    held, even = coverage(trials=120, rounds=300, sources=16)
    assert 0.88 <= held <= 0.99  # 0.95, give or take 3 standard errors of 0.02
    assert even >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("sources", [6, 12, 30])
def test_an_interval_holds_the_truth_about_19_times_of_20_at_length(sources: int) -> None:
    held, even = coverage(trials=500, rounds=400, sources=sources)
    assert 0.915 <= held <= 0.985
    assert even >= 0.92
