"""From a raw score to a probability, always rising; and the scores at which videos and cells are cut in two."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.statistics import conformal
from vigil.statistics.ranking import Ranking
from vigil.statistics.reliability import expit, fit_logistic, logit, shift_odds
from vigil.statistics.scores import Scores

AT_MEDIAN = 0.05  # p of an ordinary normal score, where no abnormal one is known; p at the threshold is then a half
TINY = 1e-12  # errors below it are one in their logarithm, and so are scores that differ by less
LEAST_SLOPE = 1e-3
RIDGE = 0.1  # on the slope, against the weight of the videos, one each: so that few of them cannot make certain


class Curve(Frozen):
    """p = sigmoid(slope * x + offset + prior_shift), x being the raw score or its logarithm."""

    transform: Literal["identity", "log"]
    slope: Annotated[float, Field(gt=0)]
    offset: float
    prior_shift: float = 0.0  # log odds that `calibrate.base_rate` adds; without it, p is that of validation

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """NaN where there is no score (NaN, or -inf)."""
        raw = np.asarray(raw, np.float64)
        scored = np.isfinite(raw) | (raw == np.inf)
        x = transform_scores(np.where(scored, raw, 0.0), self.transform)
        return np.where(scored, expit(self.slope * x + self.offset + self.prior_shift), np.nan)

    @property
    def at_validation_rate(self) -> "Curve":
        """The curve of where abnormal cases are as common as in validation."""
        return self.model_copy(update={"prior_shift": 0.0})

    def moved(self, old: float, new: float) -> "Curve":
        """The curve that gives `new` the probability which this one gives `old`."""
        before, after = transform_scores(np.array([old, new]), self.transform)
        return self.model_copy(update={"offset": float(self.offset + self.slope * (before - after))})


def transform_scores(raw: np.ndarray, transform: str) -> np.ndarray:
    """The raw scores, or their logarithm."""
    return np.log(np.maximum(raw, TINY)) if transform == "log" else raw


def move_score(score: float, old: float, new: float, transform: str) -> float:
    """The score that is as far from `new` as `score` is from `old`, in what a curve of this transform rises with."""
    x, before, after = transform_scores(np.array([score, old, new]), transform)
    return float(np.exp(x + after - before) if transform == "log" else x + after - before)


def fit_frame_curve(
    scores: Scores, supervised: bool, threshold: float, base_rate: float | None = None
) -> tuple[Curve, Literal["frames", "videos"], str | None]:
    """The curve of frame scores, what it was fitted on, and a note for the reader.

    It is fitted on frames, each weighing the same, so that it is right on average over the time that was watched; on
    videos, where both kinds are known of these alone. `base_rate` is the share of abnormal time where it will be used;
    None: that of `scores`.
    """
    usable = (scores.truth >= 0) & np.isfinite(scores.score)
    true = scores.truth[usable] == 1
    videos = scores.abnormal[np.isfinite(scores.video_score)]
    if len(true) and (len(np.unique(true)) == 2 or len(np.unique(videos)) < 2):
        videos_seen = len(np.unique(scores.owner[usable]))
        curve, note = _fit_curve(scores.score[usable], true, supervised, threshold, videos_seen)
        return _assume(base_rate, curve, true), "frames", note
    curve, note = fit_video_curve(scores, supervised, threshold)
    return _assume(base_rate, curve, videos), "videos", note


def fit_video_curve(
    scores: Scores, supervised: bool, threshold: float, base_rate: float | None = None
) -> tuple[Curve, str | None]:
    """The curve of video scores, and a note for the reader.

    The odds that a video is abnormal are taken to change as those of a frame do: with rarer events, by the same factor.
    """
    usable = np.isfinite(scores.video_score)
    raw, true = scores.video_score[usable], scores.abnormal[usable]
    curve, note = _fit_curve(raw, true, supervised, threshold, len(raw))
    return _assume(base_rate, curve, _known_kinds(scores)), note


def measure_base_rate(scores: Scores) -> float | None:
    """The share of time that is abnormal, or of videos, where frames are of one kind alone; None: so are videos."""
    true = _known_kinds(scores)
    return float(true.mean()) if true.any() and not true.all() else None


def _known_kinds(scores: Scores) -> np.ndarray:
    """Whether frames are abnormal, where that is known; whether videos are, where frames are of one kind alone."""
    frames = scores.truth[scores.truth >= 0] == 1
    return frames if frames.any() and not frames.all() else scores.abnormal


def _assume(base_rate: float | None, curve: Curve, true: np.ndarray) -> Curve:
    """The curve of where `base_rate` is abnormal, from one that was fitted on `true`; as it is, with one kind alone."""
    if base_rate is None or not true.any() or true.all():
        return curve
    return curve.model_copy(update={"prior_shift": shift_odds(base_rate, true)})


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
    supervised: bool,
    threshold: float,
    videos: int,
) -> tuple[Curve, str | None]:
    """A logistic regression with an intercept; from normal scores alone, a curve that is anchored at the threshold."""
    transform: Literal["identity", "log"] = "log" if not supervised and len(raw) and raw.min() >= 0 else "identity"
    x = transform_scores(raw, transform)
    if not true.any() or true.all():
        anchored = _anchor_curve(x[~true], transform, threshold)
        return anchored, "one kind only is known: probabilities follow from the threshold, and assume no base rate"
    middle, spread = float(np.median(x)), float(x.std())
    if spread <= TINY * max(abs(middle), 1.0):
        level = Curve(transform=transform, slope=LEAST_SLOPE, offset=float(logit(true.mean()) - LEAST_SLOPE * middle))
        return level, "all scores are the same: every score is about as probable as any other"
    weight = np.full(len(x), videos / len(x))
    factor, constant = fit_logistic(((x - middle) / spread)[:, None], true.astype(np.float64), weight, RIDGE)
    note: str | None = None
    if factor <= LEAST_SLOPE:
        factor, constant = LEAST_SLOPE, float(logit(true.mean()))
        note = "abnormal scores are no higher than normal ones: every score is about as probable as any other"
    slope = float(factor / spread)
    return Curve(transform=transform, slope=slope, offset=float(constant - slope * middle)), note


def _anchor_curve(normal: np.ndarray, transform: Literal["identity", "log"], threshold: float) -> Curve:
    """The curve that is a half at the threshold, and AT_MEDIAN at the median of the transformed normal scores."""
    at = float(transform_scores(np.array([threshold]), transform)[0])
    away = at - float(np.median(normal)) if len(normal) else 0.0
    level = max(abs(at), 1.0)
    if away <= TINY * level:
        away = float(normal.std()) if len(normal) and normal.std() > TINY * level else level
    slope = float(-logit(AT_MEDIAN) / away)
    return Curve(transform=transform, slope=slope, offset=-slope * at)
