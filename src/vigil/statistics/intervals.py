"""How far a number may be off: 95 % intervals by drawing whole sources anew, for videos of one source are alike.

A statistic is a function of how often each source was drawn, so that a million frames are sorted once and not once per
draw. The value itself is that of the data as they are. Few sources make percentiles too narrow, so these are taken as
far out as Student's t asks for ("expanded percentiles", Hesterberg 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtrit  # type: ignore[import-untyped]

LEVEL = 0.95
ROUNDS = 1000
LEAST_SOURCES = 6  # with fewer an interval is given, and said to mean little
DIGITS = 6

Weigh = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Interval:
    """`value` is None where there is nothing to measure, and `reason` says why; `n` sources took part."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    @property
    def few(self) -> bool:
        """Whether there are too few sources for the interval to mean much."""
        return self.value is not None and self.n < LEAST_SOURCES

    def to_json(self) -> dict[str, Any]:
        """Rounded, and with the reason only where there is one."""
        values: dict[str, Any] = {name: rounded(getattr(self, name)) for name in ("value", "low", "high")}
        return values | {"n": self.n} | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, eq=False)
class Statistic:
    """A number that can be had of any draw of the sources."""

    value: float | None  # of the data as they are
    weigh: Weigh  # (R, S) how often each source was drawn -> (R,), NaN where that draw has nothing to measure
    measured_sources: np.ndarray  # (S,) bool, of the sources
    reason: str | None = None  # why there is no value


@dataclass(frozen=True)
class Difference:
    """By how much one statistic is above another on the same sources; `p` of seeing that where nothing differs."""

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


def mean_of_shares(top: np.ndarray, bottom: np.ndarray, reason: str) -> Statistic:
    """Mean over the kinds that a draw has of the share that is right: `top` right of `bottom`, (S, kinds) each."""

    def weigh(weights: np.ndarray) -> np.ndarray:
        shares, has_cases = quotient(weights @ top, weights @ bottom), weights @ bottom > 0
        return quotient(np.where(has_cases, shares, 0.0).sum(1), has_cases.sum(1))

    if (bottom.sum(0) > 0).sum() < 2:
        return no_statistic(reason, len(bottom))
    return Statistic(float(weigh(np.ones((1, len(top))))[0]), weigh, bottom.sum(1) > 0)


def median(values: np.ndarray, group: np.ndarray, sources: int, reason: str) -> Statistic:
    """Of `values` (E,), each brought by the source `group` (E,)."""
    order = np.argsort(values, kind="stable")
    ordered, owner = values[order], group[order]

    def weigh(weights: np.ndarray) -> np.ndarray:
        count = np.cumsum(weights[:, owner], axis=1)
        total = count[:, -1:]
        lower = (count > np.floor((total - 1) / 2)).argmax(1)
        upper = (count > np.floor(total / 2)).argmax(1)
        return np.where(total[:, 0] > 0, (ordered[lower] + ordered[upper]) / 2, np.nan)

    if not len(values):
        return no_statistic(reason, sources)
    return Statistic(float(np.median(values)), weigh, np.bincount(group, minlength=sources) > 0)


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
    return Interval(statistic.value, low, high, sources)


def difference(statistic: Statistic, other: Statistic, weights: np.ndarray) -> Difference:
    """The first - the other, both of the same sources in the same order, under the same draws."""
    sources = int((statistic.measured_sources | other.measured_sources).sum())
    if statistic.value is None or other.value is None:
        return Difference(Interval(None, None, None, sources, statistic.reason or other.reason), None)
    differences = statistic.weigh(weights) - other.weigh(weights)
    low, high = _limits(differences, sources)
    finite = differences[np.isfinite(differences)]
    p = None
    if low is not None:
        p = min(1.0, 2 * (1 + min((finite <= 0).sum(), (finite >= 0).sum())) / (1 + len(finite)))
    return Difference(Interval(statistic.value - other.value, low, high, sources), None if p is None else float(p))


def quotient(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """NaN where `bottom` is 0."""
    return np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=bottom > 0)


def rounded(value: float | None) -> float | None:
    """As it is written to a file; no -0.0."""
    return None if value is None else round(float(value), DIGITS) + 0.0


def _limits(values: np.ndarray, sources: int) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    if sources < 2 or 2 * len(finite) < len(values) or not len(finite):
        return None, None
    tail = float(ndtr(np.sqrt(sources / (sources - 1)) * stdtrit(sources - 1, (1 - LEVEL) / 2)))
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)
