"""From a raw score to a probability, always rising; and the scores at which videos and cells are cut in two."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.statistics import conformal
from vigil.statistics.ranking import Ranking
from vigil.statistics.reliability import expit, fit_logistic, fit_temperature, logit, soften
from vigil.statistics.scores import Scores

AT_MEDIAN = 0.05  # p of an ordinary normal score, where no abnormal one is known; p at the threshold is then a half
TINY = 1e-12  # of errors, below which their logarithm says no more
LEAST_SLOPE = 1e-3


class Curve(Frozen):
    """p = sigmoid(slope * x + offset), x being the raw score or its logarithm."""

    transform: Literal["identity", "log"]
    slope: Annotated[float, Field(gt=0)]
    offset: float

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """NaN where there is no score (NaN, or -inf)."""
        raw = np.asarray(raw, np.float64)
        scored = np.isfinite(raw) | (raw == np.inf)
        x = transform_scores(np.where(scored, raw, 0.0), self.transform)
        return np.where(scored, expit(self.slope * x + self.offset), np.nan)

    def moved(self, old: float, new: float) -> "Curve":
        """The curve that gives `new` the probability which this one gives `old`."""
        before, after = transform_scores(np.array([old, new]), self.transform)
        return self.model_copy(update={"offset": float(self.offset + self.slope * (before - after))})


def transform_scores(raw: np.ndarray, transform: str) -> np.ndarray:
    """The raw scores, or their logarithm."""
    return np.log(np.maximum(raw, TINY)) if transform == "log" else raw


def fit_frame_curve(
    scores: Scores, supervised: bool, threshold: float
) -> tuple[Curve, Literal["frames", "videos"], str | None]:
    """The curve of frame scores, what it was fitted on, and a note for the reader.

    It is fitted on frames, each video weighing the same; on videos, where both kinds are known of these alone.
    """
    usable = (scores.truth >= 0) & np.isfinite(scores.score)
    true = scores.truth[usable] == 1
    videos = scores.abnormal[np.isfinite(scores.video_score)]
    if len(true) and (len(np.unique(true)) == 2 or len(np.unique(videos)) < 2):
        owner = scores.owner[usable]
        weight = 1 / np.bincount(owner, minlength=len(scores.video))[owner]
        positives, negatives = (float(len(np.unique(owner[chosen]))) for chosen in (true, ~true))
        curve, note = _fit_curve(scores.score[usable], true, weight, supervised, threshold, (positives, negatives))
        return curve, "frames", note
    curve, note = fit_video_curve(scores, supervised, threshold)
    return curve, "videos", note


def fit_video_curve(scores: Scores, supervised: bool, threshold: float) -> tuple[Curve, str | None]:
    """The curve of video scores, and a note for the reader."""
    usable = np.isfinite(scores.video_score)
    raw, true = scores.video_score[usable], scores.abnormal[usable]
    return _fit_curve(raw, true, np.ones(len(raw)), supervised, threshold, (float(true.sum()), float((~true).sum())))


def fit_video_threshold(scores: Scores, share: float) -> float | None:
    """The video score that tells the two kinds best apart; of normal ones alone, one that few of them reach."""
    usable = np.isfinite(scores.video_score)
    raw, true = scores.video_score[usable], scores.abnormal[usable]
    if not len(raw):
        return None
    if not true.any():
        promised = conformal.video_threshold(raw, share)
        return float(np.nextafter(raw.max(), np.inf)) if promised is None else promised
    if true.all():
        return None
    ranking = Ranking.pooled(raw, true)
    caught = np.cumsum(ranking.positive[::-1])[::-1] / ranking.positive.sum()
    quiet = np.cumsum(ranking.negative) - ranking.negative
    best = int(np.argmax(caught + quiet / ranking.negative.sum()))
    below = ranking.score[best - 1] if best else ranking.score[best]
    return float((ranking.score[best] + below) / 2)  # half-way to what is below: others will not hit the same scores


def fit_cell_threshold(scores: Scores) -> float | None:
    """The raw score at which cells above it and abnormal cells overlap most; None without maps that have some."""
    usable = (scores.cells_truth >= 0) & np.isfinite(scores.cells)
    raw, true = scores.cells[usable], scores.cells_truth[usable] == 1
    if not true.any() or true.all():
        return None
    ranking = Ranking.pooled(raw, true)
    both, extra = (np.cumsum(counts[::-1])[::-1] for counts in (ranking.positive, ranking.negative))
    return float(ranking.score[int(np.argmax(both / (ranking.positive.sum() + extra)))])


def _fit_curve(
    raw: np.ndarray,
    true: np.ndarray,
    weight: np.ndarray,
    supervised: bool,
    threshold: float,
    counts: tuple[float, float],  # independent cases of each kind: positives, negatives
) -> tuple[Curve, str | None]:
    if supervised:
        if not true.any() or true.all():
            return Curve(transform="identity", slope=1.0, offset=0.0), "one kind only: the temperature is left at 1"
        temperature = fit_temperature(raw, soften(true, *counts), weight)
        return Curve(transform="identity", slope=1 / temperature, offset=0.0), None
    transform: Literal["identity", "log"] = "log" if len(raw) and raw.min() >= 0 else "identity"
    x = transform_scores(raw, transform)
    if true.any() and not true.all():
        middle, scale = float(np.median(x)), float(x.std()) or 1.0
        factor, constant = fit_logistic(((x - middle) / scale)[:, None], soften(true, *counts), weight)
        if factor > LEAST_SLOPE:
            slope = float(factor / scale)
            return Curve(transform=transform, slope=slope, offset=float(constant - slope * middle)), None
        note = "abnormal scores are no higher than normal ones: probabilities follow from normal ones alone"
    else:
        note = "no abnormal frame is known: probabilities follow from normal ones alone"
    return _anchor_curve(x[~true], transform, threshold), note


def _anchor_curve(normal: np.ndarray, transform: Literal["identity", "log"], threshold: float) -> Curve:
    """The curve that is a half at the threshold, and AT_MEDIAN at the median of the transformed normal scores."""
    at = float(transform_scores(np.array([threshold]), transform)[0])
    away = at - float(np.median(normal)) if len(normal) else 0.0
    if away <= 0:
        away = float(normal.std()) if len(normal) and normal.std() > 0 else max(abs(at), 1.0)
    slope = float(-logit(AT_MEDIAN) / away)
    return Curve(transform=transform, slope=slope, offset=-slope * at)
