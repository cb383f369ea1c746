"""How well scores put the abnormal above the normal: areas, precision, equal errors. Ties count half, in any order.

The draws of the bootstrap see at most LEVELS levels of score, which moves them by less than 0.001; the values
themselves are exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigil.statistics.intervals import Statistic, no_statistic, quotient

LEVELS = 2048
POINTS = 400  # of a curve that is drawn

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Ranking:
    """What was scored, by level of score from the lowest to the highest."""

    score: np.ndarray  # (L,) the distinct scores
    positive: np.ndarray  # (L,) how many abnormal ones have it
    negative: np.ndarray  # (L,)
    by_source: tuple[np.ndarray, np.ndarray]  # (S, levels) abnormal and normal ones of each source, on coarser levels

    @classmethod
    def of(cls, score: np.ndarray, positive: np.ndarray, group: np.ndarray, sources: int) -> "Ranking":
        """Ranks things by `score` (N,); `positive` (N,) ones are abnormal, and `group` (N,) is the source of each."""
        distinct, code = np.unique(score, return_inverse=True)
        positives = np.bincount(code[positive], minlength=len(distinct))
        negatives = np.bincount(code[~positive], minlength=len(distinct))
        level, levels = code, len(distinct)
        if levels > LEVELS:
            share = positives / max(positives.sum(), 1) + negatives / max(negatives.sum(), 1)
            before = np.cumsum(share) - share
            level, levels = np.minimum((before * LEVELS / 2).astype(np.int64), LEVELS - 1)[code], LEVELS
        cell = group * levels + level
        tables = [
            np.bincount(cell[chosen], minlength=sources * levels).reshape(sources, levels).astype(np.float64)
            for chosen in (positive, ~positive)
        ]
        return cls(distinct, positives.astype(np.float64), negatives.astype(np.float64), (tables[0], tables[1]))

    @classmethod
    def pooled(cls, score: np.ndarray, positive: np.ndarray) -> "Ranking":
        """Ranks things whose sources do not matter."""
        return cls.of(score, positive, np.zeros(len(score), np.int64), 1)

    @property
    def reason(self) -> str | None:
        """Why nothing can be ranked."""
        if not self.positive.sum():
            return "nothing abnormal here" if self.negative.sum() else "nothing with a known truth here"
        return None if self.negative.sum() else "nothing normal here"

    def statistic(self, measure: Measure) -> Statistic:
        """One of the measures below, for any draw of the sources; none where one kind is absent."""
        positives, negatives = self.by_source

        def weigh(weights: np.ndarray) -> np.ndarray:
            return measure(weights @ positives, weights @ negatives)

        if self.reason:
            return no_statistic(self.reason, len(positives))
        value = float(measure(self.positive[None], self.negative[None])[0])
        return Statistic(value, weigh, (positives.sum(1) + negatives.sum(1)) > 0)

    def roc(self) -> tuple[np.ndarray, np.ndarray]:
        """False and true alarm rates, from threshold infinity down, thinned for a picture."""
        false, true = _above(self.negative[None])[0, ::-1], _above(self.positive[None])[0, ::-1]
        false, true = np.append(0.0, false / max(false[-1], 1)), np.append(0.0, true / max(true[-1], 1))
        keep = _thin(false + true)
        return false[keep], true[keep]

    def pr(self) -> tuple[np.ndarray, np.ndarray]:
        """Recall and precision, from the highest threshold down, thinned for a picture."""
        false, true = _above(self.negative[None])[0, ::-1], _above(self.positive[None])[0, ::-1]
        recall = true / max(true[-1], 1)
        keep = _thin(recall + false / max(false[-1], 1))
        return recall[keep], (true / np.maximum(true + false, 1e-12))[keep]


def auc(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """(R,) area under the ROC curve of counts by level (R, L): how often an abnormal one is above a normal one."""
    below = np.cumsum(negative, axis=1) - negative / 2
    return quotient((positive * below).sum(1), positive.sum(1) * negative.sum(1))


def ap(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """(R,) average precision: precision at each level that adds recall, times what it adds. No interpolation."""
    true, false = _above(positive), _above(negative)
    precision = np.divide(true, true + false, out=np.zeros_like(true), where=true > 0)
    area = quotient((positive * precision).sum(1), positive.sum(1))
    return np.where(negative.sum(1) > 0, area, np.nan)


def eer(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """(R,) the error at which as many normal ones alarm as abnormal ones are missed, between thresholds linearly."""
    total, others = positive.sum(1), negative.sum(1)
    start = np.zeros((len(positive), 1))
    false = np.hstack([start, quotient(_above(negative)[:, ::-1], np.broadcast_to(others[:, None], negative.shape))])
    missed = np.hstack(
        [start + 1, 1 - quotient(_above(positive)[:, ::-1], np.broadcast_to(total[:, None], positive.shape))]
    )
    apart = false - missed  # rises from -1 to 1
    row, after = np.arange(len(apart)), np.maximum((apart >= 0).argmax(1), 1)
    left, right = apart[row, after - 1], apart[row, after]
    share = np.divide(-left, right - left, out=np.zeros(len(apart)), where=right > left)
    value = false[row, after - 1] + share * (false[row, after] - false[row, after - 1])
    return np.where((total > 0) & (others > 0), value, np.nan)


def precision_at_k(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """(R,) share of abnormal ones among the K highest, K being how many abnormal ones there are (so it is recall too).

    Of a tie that K cuts through, the share that is expected.
    """
    k = positive.sum(1)
    return np.where(negative.sum(1) > 0, _precision_among_highest(positive, negative, k), np.nan)


def precision_at(count: int) -> Measure:
    """Returns the measure (R,) of the share of abnormal ones among the `count` highest; NaN for a draw of fewer.

    It is no higher than the number of abnormal ones allows. Of a tie that `count` cuts through, the share that is
    expected.
    """

    def measure(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
        enough = (positive + negative).sum(1) >= count
        k = np.full(len(positive), float(count))
        return np.where(enough, _precision_among_highest(positive, negative, k), np.nan)

    return measure


def _precision_among_highest(positive: np.ndarray, negative: np.ndarray, k: np.ndarray) -> np.ndarray:
    """(R,) share of abnormal ones among the `k` (R,) highest; NaN where `k` is 0."""
    true, all_ = _above(positive), _above(positive + negative)
    row = np.arange(len(positive))
    cut = positive.shape[1] - 1 - (all_ >= k[:, None])[:, ::-1].argmax(1)  # highest level with K at or above it
    right, tied = positive[row, cut], (positive + negative)[row, cut]  # on the level that K cuts through
    right_above, above = true[row, cut] - right, all_[row, cut] - tied
    expected = right_above + quotient((k - above) * right, tied)
    return quotient(expected, k)


def area(score: np.ndarray, positive: np.ndarray) -> float | None:
    """The AUC alone; None where one kind is absent."""
    return Ranking.pooled(score, positive).statistic(auc).value


def _above(counts: np.ndarray) -> np.ndarray:
    """(R, L): how many have this level or a higher one."""
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def _thin(way: np.ndarray) -> np.ndarray:
    """Which points to keep: about POINTS, evenly along the curve, and the ends."""
    if len(way) <= POINTS:
        return np.arange(len(way))
    return np.unique(np.append(np.searchsorted(way, np.linspace(way[0], way[-1], POINTS)), [0, len(way) - 1]))
