"""What normal video promises: on paper, and kept over a thousand draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from vigil.statistics.conformal import (
    allowed,
    attainable_budget,
    confidence_of_each,
    dispersion,
    hours_to_promise,
    lowest_threshold,
    upper_rate,
    variation,
    video_threshold,
)


def test_three_quiet_hours_promise_one_per_hour() -> None:
    # no event in H hours has probability exp(-rate H) = 0.05 at rate 3.0 / H
    alike = 0.0  # variation of the rates of cameras
    hour = np.full(2, 0.5)
    assert attainable_budget(0.95, alike, hour) == pytest.approx(2.9957, abs=1e-4)
    assert hours_to_promise(1.0, 0.95, alike, hour) == pytest.approx(1.9957, abs=1e-4)
    assert hours_to_promise(60.0, 0.95, alike, hour) == 0
    assert allowed(2.99 * hour, 1.0, 0.95) is None and allowed(3.0 * hour, 1.0, 0.95) == 0


def test_two_cameras_promise_nothing_and_six_something() -> None:
    # rates that vary like an exponential's: 1 + 1 * budget * hours of each; with two, growth is 2.9957 / 2 > 1
    assert attainable_budget(0.95, 1.0, np.ones(2)) is None and hours_to_promise(1.0, 0.95, 1.0, np.ones(2)) is None
    budget = attainable_budget(0.95, 1.0, np.ones(6))
    assert budget == pytest.approx(2.9957 / 6 / (1 - 2.9957 / 6), abs=1e-4)
    assert upper_rate(0, 6.0, 0.95, dispersion(1.0, budget, np.ones(6))) == pytest.approx(budget)
    more = hours_to_promise(budget / 2, 0.95, 1.0, np.ones(6))
    assert more == pytest.approx(6)
    assert upper_rate(0, 12.0, 0.95, dispersion(1.0, budget / 2, np.full(6, 2.0))) == pytest.approx(budget / 2)
    # one camera that is most of the hours is hardly more than one
    assert attainable_budget(0.95, 1.0, np.array([100.0, 1, 1, 1, 1, 1])) is None


@given(st.integers(0, 200), st.floats(0.1, 100), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_upper_limit_is_the_rate_at_which_so_few_are_just_unlikely(k: int, hours: float, confidence: float) -> None:
    rate = upper_rate(k, hours, confidence)
    assert poisson.cdf(k, rate * hours) == pytest.approx(1 - confidence)


@given(st.floats(0.01, 50), st.floats(0.1, 200), st.floats(1, 6))
def test_allowed_is_the_most_that_keeps_the_budget(hours: float, budget: float, spread: float) -> None:
    most = allowed(np.full(2, hours / 2), budget, 0.95, spread)
    if most is None:
        assert upper_rate(0, hours, 0.95, spread) > budget
    else:
        assert upper_rate(most, hours, 0.95, spread) <= budget < upper_rate(most + 1, hours, 0.95, spread)


def test_how_far_cameras_differ_is_measured_and_a_stated_amount_is_assumed() -> None:
    rng = np.random.default_rng(0)
    hours = np.full(2000, 2.0)
    # measured on many cameras: 0.5 of an exponential's spread, and next to nothing where all are alike
    assert variation(rng.poisson(20 * rng.gamma(2, 0.5, 2000)).astype(float), hours) == pytest.approx(0.5, abs=0.06)
    assert variation(rng.poisson(20, 2000).astype(float), hours) < 0.01
    assert variation(np.array([3.0] * 10), np.ones(10)) == pytest.approx(
        5 / (5 + 9)
    )  # more even than chance: no credit
    assert variation(np.array([1.0, 0, 0, 2, 1, 0]), np.ones(6)) == 1  # 4 alerts tell nothing
    assert variation(np.array([30.0]), np.ones(1)) == 1  # neither does one camera
    # 60 alerts by one of six: (50^2 + 5 * 10^2) / 10 / 5 = 60 times chance, so 59 / 10 of a squared mean; not less
    assert variation(np.array([60.0, 0, 0, 0, 0, 0]), np.ones(6)) == pytest.approx(5.9)


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
    most = allowed(np.full(2, hours / 2), budget, 0.95)
    assert most is not None
    for _ in range(1000):
        heights = peaks(rng, hours, rate)
        threshold = lowest_threshold(heights, lambda at, all_=heights: float((all_ >= at).sum()), most)
        true = rate * np.exp(-threshold)  # the rate of peaks that are higher, which only the drawer knows
        promises_kept += true <= budget
        close.append(true / budget)
    assert promises_kept / 1000 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 1000)
    assert np.median(close) > 0.15  # and not by asking for far too much


def share_broken(
    trials: int, cameras: int, shape: float, hours: float = 1.0, seed: int = 0, confidence: float = 0.9
) -> tuple[float, int]:
    """Share of promises of 20 an hour that cameras with rates of a gamma distribution break, and how many there are."""
    rng, budget, loud = np.random.default_rng(seed), 20.0, 5.0
    broken = promised = 0
    watched = np.full(cameras, hours)
    for _ in range(trials):
        rates = budget * loud * rng.gamma(shape, 1 / shape, cameras)
        counts = rng.poisson(rates * hours)
        spread = dispersion(variation(counts.astype(float), watched), budget, watched)
        most = allowed(watched, budget, confidence, spread)
        if most is None:
            continue
        heights = np.sort(rng.random(counts.sum()))  # the share of all alerts, of all cameras, that are higher
        share = heights[most] if most < len(heights) else 1.0
        promised += 1
        broken += loud * share > 1
    return broken / max(promised, 1), promised


def test_the_promise_of_few_cameras_is_kept_and_of_two_not_made() -> None:
    broken, promised = share_broken(300, cameras=4, shape=1.0)
    assert promised > 200 and broken <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / promised)
    assert share_broken(50, cameras=1, shape=1.0)[1] == share_broken(50, cameras=2, shape=1.0, hours=0.2)[1] == 0


@pytest.mark.parametrize("confidence", [0.51, 0.6, 0.63, 0.9])
def test_one_camera_promises_nothing_at_any_confidence(confidence: float) -> None:
    for hours in (0.1, 1.0, 1000.0):
        assert allowed(np.array([hours]), 60.0, confidence) is None
        assert allowed(np.array([hours, 0.0]), 60.0, confidence) is None, "the other was never watched"
        assert attainable_budget(confidence, 1.0, np.array([hours])) is None
        assert hours_to_promise(60.0, confidence, 1.0, np.array([hours])) is None


def test_one_quiet_camera_of_a_town_where_few_are_loud_would_break_what_the_assumption_promises() -> None:
    # one camera of ten has ten times the budget, so on average the budget is just reached; nine of ten are quiet
    rng, budget, hours, confidence = np.random.default_rng(0), 20.0, np.array([1.0]), 0.6
    assert upper_rate(0, 1.0, confidence, dispersion(1.0, budget, hours)) < budget, "by the assumption of v = 1 alone"
    counts = rng.poisson(np.where(rng.random(1000) < 0.1, 10.1 * budget, 0.0) * hours)
    assert np.mean(counts == 0) > 1 - confidence + 0.4, "so often it would be promised, and 1.01 budgets come"


@pytest.mark.parametrize("cameras", [2, 3, 6])
def test_a_promise_of_little_confidence_is_kept_too(cameras: int) -> None:
    broken, promised = share_broken(400, cameras, shape=1.0, confidence=0.6)
    assert promised > 300 and broken <= 0.4 + 3 * np.sqrt(0.4 * 0.6 / promised)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [1.0, 2.0, 1e9])
@pytest.mark.parametrize("cameras", [3, 4, 5, 6, 8, 12, 30])
def test_the_promise_of_any_number_of_cameras_is_kept(cameras: int, shape: float) -> None:
    for hours in (0.2, 1.0, 5.0):
        broken, promised = share_broken(1000, cameras, shape, hours, seed=cameras)
        assert broken <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / max(promised, 1))


def share_broken_by_choice(trials: int, epochs: int, choices: int, cameras: int = 12, seed: int = 0) -> float:
    """Share of 90 % promises that are broken when the epoch with the best area under the curve promises.

    Epochs know nothing, and cameras drift anew in each; `choices` is how many of them the promise allows for.
    """
    rng, budget, drift, frames = np.random.default_rng(seed), 60.0, 0.5, 600
    watched = np.full(cameras, frames / 3600)
    broken = promised = 0
    for _ in range(trials):
        normal, abnormal = (
            rng.normal(size=(epochs, cameras, count)) + drift * rng.normal(size=(epochs, cameras, 1))
            for count in (frames, frames // 3)
        )
        below = [
            np.searchsorted(np.sort(quiet.ravel()), loud.ravel()).mean()
            for quiet, loud in zip(normal, abnormal, strict=True)
        ]
        chosen = normal[int(np.argmax(below))]
        loose = (chosen >= np.quantile(chosen, 0.98)).sum(1).astype(float)
        spread = dispersion(variation(loose, watched), budget, watched)
        most = allowed(watched, budget, confidence_of_each(0.9, choices), spread)
        if most is None:
            continue
        threshold = np.sort(chosen.ravel())[::-1][most]
        promised += 1
        broken += 3600 * norm.sf(threshold / np.sqrt(1 + drift**2)) > budget
    assert promised
    return broken / promised


def test_a_promise_allows_for_the_choice_of_the_epoch() -> None:
    assert confidence_of_each(0.9, 12) == pytest.approx(1 - 0.1 / 12) and confidence_of_each(0.9, 1) == 0.9
    assert share_broken_by_choice(60, epochs=12, choices=1) > 0.25  # what it costs, where it is not allowed for
    assert share_broken_by_choice(60, epochs=12, choices=12) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 60)


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [4, 12, 40])
def test_the_promise_of_the_chosen_epoch_is_kept(epochs: int) -> None:
    assert share_broken_by_choice(500, epochs, epochs, seed=3) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 500)
