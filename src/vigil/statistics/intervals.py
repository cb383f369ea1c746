"""How far a number may be off: 95 % intervals by drawing whole sources anew, for videos of one source are alike.

A statistic is a function of how often each source was drawn, so that a million frames are sorted once and not once per
draw. The value itself is that of the data as they are. Few sources make percentiles too narrow, so these are taken as
far out as Student's t asks for ("expanded percentiles", Hesterberg 2015). Sources in which nothing was counted all
agree, and so do their draws: the interval of a rate is at least as wide as what was counted in that time allows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri, stdtr, stdtrit  # type: ignore[import-untyped]

LEVEL = 0.95
ROUNDS = 1000
LEAST_SOURCES = 6  # with fewer an interval is given, and said to mean little
DRAWS_SUFFICE = 10  # sources; with fewer, draws alone call what does not differ different in up to 7.4 % instead of 5
DIGITS = 6

Weigh = Callable[[np.ndarray], np.ndarray]
Source = TypeVar("Source")


@dataclass(frozen=True)
class Interval:
    """`value` is None where there is nothing to measure, and `reason` says why; `n` sources took part."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    alarms: int | None = None  # of a rate: how many were counted
    minutes: float | None = None  # of a rate: in how much time

    @property
    def few(self) -> bool:
        """Whether there are too few sources for the interval to mean much."""
        return self.value is not None and self.n < LEAST_SOURCES

    def to_json(self) -> dict[str, Any]:
        """Rounded, and with the reason, or with what a rate rests on, only where there is such."""
        values: dict[str, Any] = {name: rounded(getattr(self, name)) for name in ("value", "low", "high")}
        basis = {"alarms": self.alarms, "minutes": rounded(self.minutes)} if self.alarms is not None else {}
        return values | {"n": self.n} | basis | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, eq=False)
class Statistic:
    """A number that can be had of any draw of the sources."""

    value: float | None  # of the data as they are
    weigh: Weigh  # (R, S) how often each source was drawn -> (R,), NaN where that draw has nothing to measure
    measured_sources: np.ndarray  # (S,) bool, of the sources
    reason: str | None = None  # why there is no value
    alarms: int | None = None  # of a rate: how many were counted
    minutes: float | None = None  # of a rate: in how much time


@dataclass(frozen=True)
class Difference:
    """Says by how much one statistic is above another on the same sources; `p` of seeing that where nothing differs."""

    interval: Interval
    p: float | None

    @property
    def clear(self) -> int:
        """1: above, -1: below, 0: not told apart."""
        low, high = self.interval.low, self.interval.high
        if low is None or high is None:
            return 0
        return int(low > 0) - int(high < 0)


def no_statistic(reason: str, sources: int) -> Statistic:
    """A statistic without a value."""
    return Statistic(None, lambda weights: np.full(len(weights), np.nan), np.zeros(sources, bool), reason)


def ratio(top: np.ndarray, bottom: np.ndarray, reason: str) -> Statistic:
    """Sum over sum of what the sources bring, (S,) each; `reason` for when `bottom` is 0 everywhere."""

    def weigh(weights: np.ndarray) -> np.ndarray:
        return quotient(weights @ top, weights @ bottom)

    if not bottom.sum():
        return no_statistic(reason, len(bottom))
    return Statistic(float(top.sum() / bottom.sum()), weigh, bottom > 0)


def rate_per_hour(alarms: np.ndarray, hours: np.ndarray, reason: str) -> Statistic:
    """Returns the rate of `alarms` (S,) in the `hours` (S,) of each source; `reason` is for when there are no hours."""
    statistic = ratio(alarms, hours, reason)
    return replace(statistic, alarms=int(alarms.sum()), minutes=60 * float(hours.sum()))


def poisson_limits(count: int, hours: float) -> tuple[float, float]:
    """The exact interval of the rate per hour (Garwood 1936), when so many independent ones were counted in `hours`."""
    tail = (1 - LEVEL) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low / hours, float(gammaincinv(count + 1, 1 - tail)) / hours


def mean_of_shares(top: np.ndarray, bottom: np.ndarray, reason: str) -> Statistic:
    """Mean over the kinds that a draw has of the share that is right: `top` right of `bottom`, (S, kinds) each."""

    def weigh(weights: np.ndarray) -> np.ndarray:
        shares, has_cases = quotient(weights @ top, weights @ bottom), weights @ bottom > 0
        return quotient(np.where(has_cases, shares, 0.0).sum(1), has_cases.sum(1))

    if (bottom.sum(0) > 0).sum() < 2:
        return no_statistic(reason, len(bottom))
    return Statistic(float(weigh(np.ones((1, len(top))))[0]), weigh, bottom.sum(1) > 0)


def draws(sources: int, rounds: int = ROUNDS, seed: int = 7) -> np.ndarray:
    """(rounds, sources) float64: how often each source is in a draw of as many as there are."""
    if not sources:
        return np.zeros((rounds, 0))
    return np.random.default_rng(seed).multinomial(sources, np.full(sources, 1 / sources), rounds).astype(np.float64)


def bootstrap(statistic: Statistic, weights: np.ndarray) -> Interval:
    """The statistic with its interval over `draws`. Draws in which it has no value say nothing; most must have one."""
    sources = int(statistic.measured_sources.sum())
    if statistic.value is None:
        return Interval(None, None, None, sources, statistic.reason)
    low, high = _limits(statistic.weigh(weights), sources)
    if statistic.alarms is not None and statistic.minutes:
        least, most = poisson_limits(statistic.alarms, statistic.minutes / 60)
        low, high = least if low is None else min(low, least), most if high is None else max(high, most)
    return Interval(statistic.value, low, high, sources, None, statistic.alarms, statistic.minutes)


def interval_over_sources(sources: Sequence[Source], measure: Callable[[Sequence[Source]], float | None]) -> Interval:
    """Returns the interval of a number that is measured anew in every draw.

    `measure` is given the sources of a draw in their order, some more than once, some not at all. It returns None where
    there is nothing to measure; a source of which it does so by itself is not counted.
    """

    def weigh(weights: np.ndarray) -> np.ndarray:
        counts = weights.astype(np.int64).tolist()
        drawn_sources = (
            [source for source, count in zip(sources, row, strict=True) for _ in range(count)] for row in counts
        )
        values = [measure(drawn) for drawn in drawn_sources]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    measured = np.array([measure([source]) is not None for source in sources], bool)
    statistic = Statistic(measure(sources) if measured.any() else None, weigh, measured, "nothing to measure")
    return bootstrap(statistic, draws(len(sources)))


def difference(statistic: Statistic, other: Statistic, weights: np.ndarray) -> Difference:
    """The first - the other, both of the same sources in the same order, under the same draws."""
    sources = int((statistic.measured_sources | other.measured_sources).sum())
    if statistic.value is None or other.value is None:
        return Difference(Interval(None, None, None, sources, statistic.reason or other.reason), None)
    differences = statistic.weigh(weights) - other.weigh(weights)
    value = statistic.value - other.value
    low, high = _limits(differences, sources)
    if low is None or high is None:
        return Difference(Interval(value, None, None, sources), None)
    finite = differences[np.isfinite(differences)]
    spread = float(finite.std()) * np.sqrt(sources / (sources - 1))
    if sources < DRAWS_SUFFICE:
        reach = -float(stdtrit(sources - 1, (1 - LEVEL) / 2)) * spread
        low, high = min(low, value - reach), max(high, value + reach)
    return Difference(Interval(value, low, high, sources), _level_at_zero(finite, value, spread, sources))


def quotient(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """NaN where `bottom` is 0."""
    return np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=bottom > 0)


def rounded(value: float | None) -> float | None:
    """Rounds a number as it is written to a file; -0.0 becomes 0.0."""
    return None if value is None else round(float(value), DIGITS) + 0.0


def _limits(values: np.ndarray, sources: int) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    if sources < 2 or 2 * len(finite) < len(values) or not len(finite):
        return None, None
    tail = _tail(1 - LEVEL, sources)
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)


def _tail(error: float, sources: int) -> float:
    """The share of draws outside each end of an interval that misses the truth in a share `error` of cases."""
    return float(ndtr(np.sqrt(sources / (sources - 1)) * stdtrit(sources - 1, error / 2)))


def _error_at(tail: float, sources: int) -> float:
    """The inverse of `_tail`."""
    return min(1.0, 2 * float(stdtr(sources - 1, ndtri(min(tail, 0.5)) * np.sqrt((sources - 1) / sources))))


def _level_at_zero(finite: np.ndarray, value: float, spread: float, sources: int) -> float:
    """The largest `error` with which the interval of a difference just holds 0: p, by inverting that interval.

    With few sources the interval is no narrower than Student's t makes it, so p is no smaller either; nor is it further
    out than the draws go.
    """
    ordered, last = np.sort(finite), len(finite) - 1
    tails = [_share_up_to_zero(ordered, last), _share_up_to_zero(-ordered[::-1], last)]
    p = _error_at(min(tails), sources)
    by_student = 2 * float(stdtr(sources - 1, -abs(value) / spread)) if spread > 0 else float(value == 0)
    if sources < DRAWS_SUFFICE:
        p = max(p, by_student)
    elif min(tails) < 1 / len(finite):
        p = min(_error_at(1 / len(finite), sources), max(p, by_student))
    return max(p, 1 / (1 + len(finite)))


def _share_up_to_zero(ordered: np.ndarray, last: int) -> float:
    """The largest share q whose quantile is at most 0, as NumPy interpolates; 0 where all values are above."""
    below = int(np.searchsorted(ordered, 0.0, side="right")) - 1
    if below < 0 or not last:
        return 0.0
    if below == last:
        return 1.0
    return float((below - ordered[below] / (ordered[below + 1] - ordered[below])) / last)
