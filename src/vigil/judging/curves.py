"""From a raw score to a probability, always rising; and the scores at which videos and cells are cut in two."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.statistics import conformal
from vigil.statistics.ranking import Ranking
from vigil.statistics.reliability import expit, logistic, logit, smooth, temperature
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
        there = np.isfinite(raw) | (raw == np.inf)
        x = transformed(np.where(there, raw, 0.0), self.transform)
        return np.where(there, expit(self.slope * x + self.offset), np.nan)

    def moved(self, old: float, new: float) -> "Curve":
        """That gives `new` the probability which this gives `old`."""
        before, after = transformed(np.array([old, new]), self.transform)
        return self.model_copy(update={"offset": float(self.offset + self.slope * (before - after))})


def transformed(raw: np.ndarray, transform: str) -> np.ndarray:
    return np.log(np.maximum(raw, TINY)) if transform == "log" else raw


def of_frames(
    scores: Scores, supervised: bool, threshold: float
) -> tuple[Curve, Literal["frames", "videos"], str | None]:
    """From frames, each video weighing the same; from videos, where both kinds are known of these alone. And a note."""
    known = (scores.truth >= 0) & np.isfinite(scores.score)
    true = scores.truth[known] == 1
    videos = scores.abnormal[np.isfinite(scores.video_score)]
    if len(true) and (len(np.unique(true)) == 2 or len(np.unique(videos)) < 2):
        owner = scores.owner[known]
        weight = 1 / np.bincount(owner, minlength=len(scores.video))[owner]
        kinds = [float(len(np.unique(owner[one]))) for one in (true, ~true)]
        curve, note = _fitted(scores.score[known], true, weight, supervised, threshold, (kinds[0], kinds[1]))
        return curve, "frames", note
    curve, note = of_videos(scores, supervised, threshold)
    return curve, "videos", note


def of_videos(scores: Scores, supervised: bool, threshold: float) -> tuple[Curve, str | None]:
    known = np.isfinite(scores.video_score)
    raw, true = scores.video_score[known], scores.abnormal[known]
    return _fitted(raw, true, np.ones(len(raw)), supervised, threshold, (float(true.sum()), float((~true).sum())))


def video_cut(scores: Scores, share: float) -> float | None:
    """The video score that tells the two kinds best apart; of normal ones alone, one that few of them reach."""
    known = np.isfinite(scores.video_score)
    raw, true = scores.video_score[known], scores.abnormal[known]
    if not len(raw):
        return None
    if not true.any():
        cut = conformal.video_threshold(raw, share)
        return float(np.nextafter(raw.max(), np.inf)) if cut is None else cut
    if true.all():
        return None
    ranking = Ranking.of(raw, true, np.zeros(len(raw), np.int64), 1)
    found = np.cumsum(ranking.positive[::-1])[::-1] / ranking.positive.sum()
    quiet = np.cumsum(ranking.negative) - ranking.negative
    best = int(np.argmax(found + quiet / ranking.negative.sum()))
    below = ranking.score[best - 1] if best else ranking.score[best]
    return float((ranking.score[best] + below) / 2)  # half-way to what is below: others will not hit the same scores


def cell_cut(scores: Scores) -> float | None:
    """The raw score at which cells above it and abnormal cells overlap most; None without maps that have some."""
    known = (scores.cells_truth >= 0) & np.isfinite(scores.cells)
    raw, true = scores.cells[known], scores.cells_truth[known] == 1
    if not true.any() or true.all():
        return None
    ranking = Ranking.of(raw, true, np.zeros(len(raw), np.int64), 1)
    both, extra = (np.cumsum(counts[::-1])[::-1] for counts in (ranking.positive, ranking.negative))
    return float(ranking.score[int(np.argmax(both / (ranking.positive.sum() + extra)))])


def _fitted(
    raw: np.ndarray,
    true: np.ndarray,
    weight: np.ndarray,
    supervised: bool,
    threshold: float,
    kinds: tuple[float, float],
) -> tuple[Curve, str | None]:
    if supervised:
        if not true.any() or true.all():
            return Curve(transform="identity", slope=1.0, offset=0.0), "one kind only: the temperature is left at 1"
        found = temperature(raw, smooth(true, *kinds), weight)
        return Curve(transform="identity", slope=1 / found, offset=0.0), None
    transform: Literal["identity", "log"] = "log" if len(raw) and raw.min() >= 0 else "identity"
    x = transformed(raw, transform)
    if true.any() and not true.all():
        middle, scale = float(np.median(x)), float(x.std()) or 1.0
        factor, constant = logistic(((x - middle) / scale)[:, None], smooth(true, *kinds), weight)
        if factor > LEAST_SLOPE:
            slope = float(factor / scale)
            return Curve(transform=transform, slope=slope, offset=float(constant - slope * middle)), None
        note = "abnormal scores are no higher than normal ones: probabilities follow from normal ones alone"
    else:
        note = "no abnormal frame is known: probabilities follow from normal ones alone"
    return _anchored(x[~true], transform, threshold), note


def _anchored(normal: np.ndarray, transform: Literal["identity", "log"], threshold: float) -> Curve:
    at = float(transformed(np.array([threshold]), transform)[0])
    away = at - float(np.median(normal)) if len(normal) else 0.0
    if away <= 0:
        away = float(normal.std()) if len(normal) and normal.std() > 0 else max(abs(at), 1.0)
    slope = float(-logit(AT_MEDIAN) / away)
    return Curve(transform=transform, slope=slope, offset=-slope * at)
