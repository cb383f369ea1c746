"""Scores as probabilities: how far they can be taken at their word, and the few numbers that mend them.

Scores that separate without an error would be fitted as certain. So truths are a little less than sure, by as much as
the number of videos leaves open (Platt 1999), not of frames, which repeat each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logit, logsumexp  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

BINS = 15
SHARPEST = 4.0  # |log temperature| is at most this: 1/55 to 55
STEPS = 40  # of the golden section, each of which leaves 0.618 of the range
DIGITS = 6  # of what is fitted: a loss is flat at its lowest, and beyond them it is the machine that decides

__all__ = ["Bin", "ece", "expit", "fit_class_temperature", "fit_logistic", "fit_temperature", "logit", "soften"]


@dataclass(frozen=True)
class Bin:
    """What was given a probability between `low` and `high`, and how often it was abnormal."""

    low: float
    high: float
    predicted: float | None  # mean probability; None: nothing was given one of these
    observed: float | None  # share that was abnormal
    share: float  # of all

    def to_json(self) -> dict[str, Any]:
        """Rounded, under the names that files have."""
        values = {"low": self.low, "high": self.high, "told": self.predicted, "true": self.observed}
        row = {name: None if value is None else round(float(value), 6) for name, value in values.items()}
        return row | {"share": round(self.share, 6)}


def ece(p: np.ndarray, true: np.ndarray, bins: int = BINS) -> tuple[float | None, list[Bin]]:
    """Expected calibration error over bins of equal width, and the bins; None where nothing has a probability."""
    has_probability = np.isfinite(p)
    p, true = p[has_probability], true[has_probability].astype(np.float64)
    number = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(number, minlength=bins)
    predicted, observed = np.bincount(number, p, minlength=bins), np.bincount(number, true, minlength=bins)
    table = [
        Bin(
            row / bins,
            (row + 1) / bins,
            float(predicted[row] / count[row]) if count[row] else None,
            float(observed[row] / count[row]) if count[row] else None,
            float(count[row] / max(len(p), 1)),
        )
        for row in range(bins)
    ]
    return (float(np.abs(predicted - observed).sum() / len(p)) if len(p) else None), table


def soften(true: np.ndarray, positives: float, negatives: float) -> np.ndarray:
    """Truths for a fit: as sure as so many independent cases of each kind allow."""
    return np.where(true, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def fit_temperature(raw: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """T such that sigmoid(raw / T) fits best; `target` in 0..1."""

    def loss(sharpness: float) -> float:
        x = raw * np.exp(sharpness)
        return float(-(weight * (target * log_expit(x) + (1 - target) * log_expit(-x))).sum())

    return float(np.exp(-round(_lowest_at(loss, -SHARPEST, SHARPEST), DIGITS)))


def fit_class_temperature(logits: np.ndarray, class_index: np.ndarray) -> float:
    """T such that softmax(logits / T) fits best; (V, C) and the true class (V,)."""
    videos, classes = logits.shape
    target = np.full((videos, classes), 1 / (videos + classes))
    target[np.arange(videos), class_index] = 1 - (classes - 1) / (videos + classes)

    def loss(sharpness: float) -> float:
        x = logits * np.exp(sharpness)
        return float(-(target * (x - logsumexp(x, axis=1, keepdims=True))).sum())

    return float(np.exp(-round(_lowest_at(loss, -SHARPEST, SHARPEST), DIGITS)))


def fit_logistic(x: np.ndarray, target: np.ndarray, weight: np.ndarray, ridge: float = 1e-6) -> np.ndarray:
    """(F + 1,) the factors of x (N, F), then the constant, of the logistic regression; `ridge` on each factor.

    `target` in 0..1: a case counts as an abnormal and as a normal one, each for its share of the weight.
    """
    regression = LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    kinds = np.repeat([1, 0], len(x))
    regression.fit(np.vstack([x, x]), kinds, sample_weight=np.append(weight * target, weight * (1 - target)))
    return np.array([float(f"{factor:.{DIGITS}g}") for factor in (*regression.coef_[0], *regression.intercept_)])


def _lowest_at(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest, by golden section.

    SciPy's `minimize_scalar` and `brentq` end up to 1e-6 from it, which is one in the last digit that is kept.
    """
    ratio = (5**0.5 - 1) / 2
    low_probe, high_probe = high - ratio * (high - low), low + ratio * (high - low)
    low_loss, high_loss = loss(low_probe), loss(high_probe)
    for _ in range(STEPS):
        if low_loss <= high_loss:
            high, high_probe, high_loss = high_probe, low_probe, low_loss
            low_probe = high - ratio * (high - low)
            low_loss = loss(low_probe)
        else:
            low, low_probe, low_loss = low_probe, high_probe, high_loss
            high_probe = low + ratio * (high - low)
            high_loss = loss(high_probe)
    return (low + high) / 2
