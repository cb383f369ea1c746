"""Scores as probabilities: how far they can be taken at their word, and the few numbers that mend them.

Scores that separate without an error would be fitted as certain. So slopes are held by a ridge, or truths are a little
less than sure, by as much as the number of videos leaves open (Platt 1999), not of frames, which repeat each other.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import expit, logit, softmax  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

BINS = 15
LEAST_SHARPNESS = 1e-3  # 1 / temperature of classes is at least this
FOLDS = 10  # of a cross-fit, or as many as there are sources
RIDGE = 1.0  # on what is added to the logit of each class, against the weight of the videos, one each
DIGITS = 6  # of what is fitted: a loss is flat at its lowest, and beyond them it is the machine that decides

__all__ = [
    "Bin",
    "ClassScaling",
    "cross_fit_folds",
    "ece",
    "expit",
    "fit_class_scaling",
    "fit_logistic",
    "logit",
    "prior_weights",
    "shift_odds",
    "soften",
]


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
        values = {"low": self.low, "high": self.high, "predicted": self.predicted, "observed": self.observed}
        row = {name: None if value is None else round(float(value), 6) for name, value in values.items()}
        return row | {"share": round(self.share, 6)}


def ece(
    p: np.ndarray, true: np.ndarray, bins: int = BINS, weight: np.ndarray | None = None
) -> tuple[float | None, list[Bin]]:
    """Expected calibration error over bins of equal width, and the bins; None where nothing has a probability."""
    has_probability = np.isfinite(p)
    weight = np.ones(len(p)) if weight is None else weight
    p, true, weight = p[has_probability], true[has_probability].astype(np.float64), weight[has_probability]
    number = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(number, weight, minlength=bins)
    predicted = np.bincount(number, weight * p, minlength=bins)
    observed = np.bincount(number, weight * true, minlength=bins)
    total = float(count.sum())
    table = [
        Bin(
            row / bins,
            (row + 1) / bins,
            float(predicted[row] / count[row]) if count[row] else None,
            float(observed[row] / count[row]) if count[row] else None,
            float(count[row] / total) if total else 0.0,
        )
        for row in range(bins)
    ]
    return (float(np.abs(predicted - observed).sum() / total) if total else None), table


def shift_odds(base_rate: float, true: np.ndarray) -> float:
    """What log odds gain where the share of abnormal cases is `base_rate` and not that of `true`, which has both."""
    share = float(np.mean(true))
    return float(logit(base_rate) - logit(share))


def prior_weights(true: np.ndarray, base_rate: float | None) -> np.ndarray:
    """Weights with which `base_rate` of the cases are abnormal; all 1 where it is None or only one kind is known."""
    if base_rate is None or not true.any() or true.all():
        return np.ones(len(true))
    share = float(np.mean(true))
    return np.where(true, base_rate / share, (1 - base_rate) / (1 - share))


def cross_fit_folds(source: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """(V,) the fold of each video: a source is in one fold, and kinds are spread over folds as far as that allows.

    All 0 where there is only one source, so that nothing can be held out.
    """
    folds = min(FOLDS, len(np.unique(source)))
    fold = np.zeros(len(source), np.int64)
    if folds < 2:
        return fold
    _, kinds = np.unique(kind, return_inverse=True)
    splitter = StratifiedGroupKFold(folds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a kind of fewer videos than folds is in some folds only
        try:
            parts = list(splitter.split(kinds, kinds, source))
        except ValueError:  # every kind has fewer videos than there are folds: the sources alone decide
            parts = list(splitter.split(kinds, np.repeat(0, len(kinds)), source))
    for number, (_, held_out) in enumerate(parts):
        fold[held_out] = number
    return fold


def soften(true: np.ndarray, positives: float, negatives: float) -> np.ndarray:
    """Truths for a fit: as sure as so many independent cases of each kind allow."""
    return np.where(true, (positives + 1) / (positives + 2), 1 / (negatives + 2))


@dataclass(frozen=True)
class ClassScaling:
    """Probabilities of classes: softmax(logits / temperature + offsets)."""

    temperature: float
    offsets: tuple[float, ...]  # of each class, of mean 0

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities (V, C) of logits (V, C)."""
        return np.asarray(softmax(logits / self.temperature + np.array(self.offsets), axis=1))


def fit_class_scaling(logits: np.ndarray, class_index: np.ndarray) -> ClassScaling:
    """The scaling that fits logits (V, C) and true classes (V,) best: vector scaling with one slope for all classes.

    A slope for each class would need more videos of each than most sets have.
    """
    videos, classes = logits.shape
    target = np.full((videos, classes), 1 / (videos + classes))
    target[np.arange(videos), class_index] = 1 - (classes - 1) / (videos + classes)
    spread = float(logits.std()) or 1.0
    features = np.concatenate(
        [(logits / spread)[:, :, None], np.broadcast_to(np.eye(classes), (videos, classes, classes))], axis=2
    )
    ridge = np.append(0.0, np.full(classes, RIDGE))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        p = softmax(features @ parameters, axis=1)
        gradient = np.einsum("vc,vcf->f", p - target, features) + ridge * parameters
        value = -(target * np.log(np.maximum(p, 1e-300))).sum() + (ridge * parameters**2).sum() / 2
        return float(value), gradient

    def curvature(parameters: np.ndarray) -> np.ndarray:
        p = softmax(features @ parameters, axis=1)
        mean = np.einsum("vc,vcf->vf", p, features)
        return np.einsum("vc,vcf,vcg->fg", p, features, features) - mean.T @ mean + np.diag(ridge + 1e-9)

    start = np.append(1.0, np.zeros(classes))
    fit = minimize(loss, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9}).x
    sharpness = max(float(fit[0]) / spread, LEAST_SHARPNESS)
    offsets = fit[1:] - fit[1:].mean()
    return ClassScaling(
        float(f"{1 / sharpness:.{DIGITS}g}"), tuple(round(float(offset), DIGITS) + 0.0 for offset in offsets)
    )


def fit_logistic(x: np.ndarray, target: np.ndarray, weight: np.ndarray, ridge: float = 1e-6) -> np.ndarray:
    """(F + 1,) the factors of x (N, F), then the constant, of the logistic regression; `ridge` on each factor.

    `target` in 0..1: a case counts as an abnormal and as a normal one, each for its share of the weight.
    """
    regression = LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    kinds = np.repeat([1, 0], len(x))
    regression.fit(np.vstack([x, x]), kinds, sample_weight=np.append(weight * target, weight * (1 - target)))
    return np.array([float(f"{factor:.{DIGITS}g}") for factor in (*regression.coef_[0], *regression.intercept_)])
