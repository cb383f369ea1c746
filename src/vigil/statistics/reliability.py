"""Scores as probabilities: how far they can be taken at their word, and the few numbers that mend them.

Scores that separate without an error would be fitted as certain. So truths are a little less than sure, by as much as
the number of videos leaves open (Platt 1999), not of frames, which repeat each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logit, logsumexp  # type: ignore[import-untyped]

BINS = 15
SHARPEST = 4.0  # |log temperature| is at most this: 1/55 to 55
STEPS = 40  # of the golden section, each of which leaves 0.618 of the range
DIGITS = 6  # of what is fitted: a loss is flat at its lowest, and beyond them it is the machine that decides
TINY = 1e-12

__all__ = ["Bin", "ece", "expit", "logistic", "logit", "multiclass_temperature", "smooth", "temperature"]


@dataclass(frozen=True)
class Bin:
    """What was told with a probability between `low` and `high`, and how often it was so."""

    low: float
    high: float
    told: float | None  # mean probability; None: nothing was
    true: float | None  # share that was abnormal
    share: float  # of all

    def told_as(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: None if value is None else round(float(value), 6)
            for name, value in (("low", self.low), ("high", self.high), ("told", self.told), ("true", self.true))
        } | {"share": round(self.share, 6)}


def ece(p: np.ndarray, true: np.ndarray, bins: int = BINS) -> tuple[float | None, list[Bin]]:
    """Expected calibration error over bins of equal width, and the bins; None where nothing has a probability."""
    known = np.isfinite(p)
    p, true = p[known], true[known].astype(np.float64)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    many = np.bincount(place, minlength=bins)
    told, right = np.bincount(place, p, minlength=bins), np.bincount(place, true, minlength=bins)
    table = [
        Bin(
            number / bins,
            (number + 1) / bins,
            float(told[number] / many[number]) if many[number] else None,
            float(right[number] / many[number]) if many[number] else None,
            float(many[number] / max(len(p), 1)),
        )
        for number in range(bins)
    ]
    return (float(np.abs(told - right).sum() / len(p)) if len(p) else None), table


def smooth(true: np.ndarray, positives: float, negatives: float) -> np.ndarray:
    """Truths for a fit: as sure as so many independent cases of each kind allow."""
    return np.where(true, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def temperature(raw: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """T such that sigmoid(raw / T) fits best; `target` in 0..1."""

    def loss(sharpness: float) -> float:
        x = raw * np.exp(sharpness)
        return float(-(weight * (target * log_expit(x) + (1 - target) * log_expit(-x))).sum())

    return float(np.exp(-round(_golden(loss, -SHARPEST, SHARPEST), DIGITS)))


def multiclass_temperature(logits: np.ndarray, klass: np.ndarray) -> float:
    """T such that softmax(logits / T) fits best; (V, C) and the true class (V,)."""
    videos, classes = logits.shape
    target = np.full((videos, classes), 1 / (videos + classes))
    target[np.arange(videos), klass] = 1 - (classes - 1) / (videos + classes)

    def loss(sharpness: float) -> float:
        x = logits * np.exp(sharpness)
        return float(-(target * (x - logsumexp(x, axis=1, keepdims=True))).sum())

    return float(np.exp(-round(_golden(loss, -SHARPEST, SHARPEST), DIGITS)))


def logistic(x: np.ndarray, target: np.ndarray, weight: np.ndarray, ridge: float | np.ndarray = 1e-6) -> np.ndarray:
    """(F + 1,) the factors of x (N, F), then the constant, of the logistic regression; `ridge` on each factor."""
    table = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.broadcast_to(ridge, x.shape[1]), TINY)

    def loss(factors: np.ndarray) -> float:
        z = table @ factors
        fit = -(weight * (target * log_expit(z) + (1 - target) * log_expit(-z))).sum()
        return float(fit + (penalty * factors**2).sum() / 2)

    factors = np.zeros(table.shape[1])
    now = loss(factors)
    for _ in range(100):
        p = expit(table @ factors)
        slope = table.T @ (weight * (p - target)) + penalty * factors
        bend = (table * (weight * p * (1 - p))[:, None]).T @ table + np.diag(penalty)
        step = np.linalg.lstsq(bend, slope, rcond=None)[0]
        size = 1.0
        while size > 1e-6 and loss(factors - size * step) > now:
            size /= 2
        before, factors = now, factors - size * step
        now = loss(factors)
        if before - now <= 1e-12 * max(1.0, abs(now)):
            break
    return np.array([float(f"{factor:.{DIGITS}g}") for factor in factors])


def _golden(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(right)
    return (low + high) / 2
