"""Makes a calibration: of a model from its validation scores, or of one camera from its own normal video."""

from typing import Literal

import numpy as np

from vigil.core.errors import VigilError
from vigil.judging import curves
from vigil.judging.calibration import (
    Calibration,
    CalibrationParams,
    Promise,
    Reliability,
    ScoreType,
    Thresholds,
    settings_sha256,
)
from vigil.judging.scoring import score_type_of
from vigil.judging.stored import Arrays
from vigil.models.checkpoint import Checkpoint
from vigil.statistics import conformal, reliability
from vigil.statistics.events import alarm_minutes, raise_alerts
from vigil.statistics.scores import Scores

QUANTILES = (0.9, 0.95, 0.98)  # of the scores of normal frames, that are noted
BUNCHES = 0.98  # quantile of normal frames; at this threshold it is seen whether alerts come in bunches
VIDEOS = 0.1  # share of normal videos that may be flagged, where no abnormal one shows where to cut


def calibrate_model(arrays: Arrays, checkpoint: Checkpoint, params: CalibrationParams) -> Calibration:
    """The calibration of a model from the score table of the validation videos."""
    scores = Scores.of(arrays, bool(arrays["has_normal"]), checkpoint.card.model)
    score_type, settings = score_type_of(checkpoint), settings_sha256(checkpoint, params)
    return fit_calibration(scores, score_type, params, checkpoint.sha256, settings)


def recalibrate_model(
    calibration: Calibration, arrays: Arrays, checkpoint: Checkpoint, params: CalibrationParams
) -> Calibration:
    """The calibration of a model for one camera, from the score table of some normal videos of it."""
    scores = Scores.of(arrays, bool(arrays["has_normal"]), checkpoint.card.model)
    return refit_calibration(calibration, scores, params, settings_sha256(checkpoint, params))


def fit_calibration(
    scores: Scores,
    score_type: ScoreType,
    params: CalibrationParams,
    model_sha256: str = "",
    settings_sha256: str = "",
) -> Calibration:
    """The calibration of validation scores, for the rule of alerting that `params` ask for."""
    normal_median, scores = _normal_median(scores), scores.select_judged()
    if not len(scores.video):
        raise VigilError("calibrate: no validation video has a label that the model knows. Check its classes.")
    thresholds, promise, notes = None, None, []
    maxima: tuple[float, ...] = ()
    frame, video, reliable = None, None, None
    if score_type != "classes":
        thresholds, promise, maxima = _fit_thresholds(scores, params, normal_median)
        if promise.per_hour is None:
            notes.append(promise.sentence())
        supervised = score_type == "logits"
        threshold = thresholds.budget if thresholds.promise is None else thresholds.promise
        video_threshold = threshold if thresholds.video is None else thresholds.video
        frame, unit, frame_note = curves.fit_frame_curve(scores, supervised, threshold)
        video, video_note = curves.fit_video_curve(scores, supervised, video_threshold)
        notes += [note for note in (frame_note, video_note) if note]
        reliable = _measure_reliability(scores, score_type, frame, unit)
    return Calibration(
        score_type=score_type,
        thresholds=thresholds,
        promise=promise,
        frame=frame,
        video=video,
        temperature=_fit_class_temperature(scores),
        reliability=reliable,
        normal_maxima=maxima,
        notes=tuple(notes),
        model_sha256=model_sha256,
        settings_sha256=settings_sha256,
        params=params,
        normal_median=normal_median,
    )


def refit_calibration(
    calibration: Calibration, scores: Scores, params: CalibrationParams, settings_sha256: str = ""
) -> Calibration:
    """Other thresholds and another promise for one camera, from its own normal video, which move the probabilities.

    Where the alarm sounds is as probable as before; how fast probability rises, and all about classes, stays.
    """
    if calibration.threshold is None or calibration.thresholds is None or calibration.frame is None:
        raise VigilError(f"a calibration of kind {calibration.score_type} has no thresholds to set anew.")
    normal_median = _normal_median(scores)
    thresholds, promise, maxima = _fit_thresholds(scores.select_judged(), params, normal_median)
    old = calibration.thresholds
    thresholds = thresholds.model_copy(update={"video": old.video, "cell": old.cell})
    threshold = thresholds.budget if thresholds.promise is None else thresholds.promise
    return calibration.model_copy(
        update={
            "thresholds": thresholds,
            "promise": promise,
            "frame": calibration.frame.moved(calibration.threshold, threshold),
            "reliability": None,
            "normal_maxima": maxima,
            "notes": (promise.sentence(),) if promise.per_hour is None else (),
            "settings_sha256": settings_sha256,
            "params": params,
            "normal_median": normal_median,
        }
    )


def _normal_median(scores: Scores) -> float | None:
    """Median score of the frames of normal videos; None without such a frame, or where no class is normal."""
    normal = scores.score[(scores.truth == 0) & ~scores.abnormal[scores.owner] & np.isfinite(scores.score)]
    return float(np.median(normal)) if len(normal) and scores.has_normal else None


def _fit_thresholds(
    scores: Scores, params: CalibrationParams, normal_median: float | None
) -> tuple[Thresholds, Promise, tuple[float, ...]]:
    """The thresholds, what they promise, and the sorted highest scores of the normal videos."""
    budget, confidence = params.false_alarms_per_hour, params.confidence
    normal = scores.select(~scores.abnormal)
    normal_scores = normal.score[(normal.truth == 0) & np.isfinite(normal.score)]
    if not len(normal_scores):
        shortage = "no normal video" if not len(normal.video) else "no score in any frame of the normal videos"
        raise VigilError(f"calibrate: {shortage} in validation, so nothing says when to alarm. Add some normal video.")

    def count_alarms(threshold: float) -> np.ndarray:
        alerts = raise_alerts(normal, params.alert.rule_at(threshold, normal_median))
        return alarm_minutes(alerts, len(normal.video))

    p90, p95, p98, loose = (float(np.quantile(normal_scores, q, method="higher")) for q in (*QUANTILES, BUNCHES))
    durations = (normal.until_s - normal.time_s) * (normal.truth == 0)
    hours = np.bincount(normal.owner, durations, minlength=len(normal.video)) / 3600
    total_hours = float(hours.sum())
    sources = np.searchsorted(normal.names, normal.source)
    dispersion = conformal.dispersion(np.bincount(sources, count_alarms(loose)), np.bincount(sources, hours))
    spread = 1.0 if dispersion is None else dispersion
    allowed = conformal.allowed(total_hours, budget, confidence, spread)

    def lowest_threshold(limit: float) -> float:
        return conformal.lowest_threshold(normal_scores, lambda threshold: float(count_alarms(threshold).sum()), limit)

    promise = Promise(
        budget=float(budget),
        confidence=confidence,
        normal_hours=total_hours,
        sources=len(normal.names),
        dispersion=dispersion,
        alerts=allowed,
        per_hour=None if allowed is None else conformal.upper_rate(allowed, total_hours, confidence, spread),
        attainable=conformal.upper_rate(0, total_hours, confidence, spread) if total_hours else 0.0,
        minutes_needed=max(0.0, 60 * (conformal.hours_needed(budget, confidence, spread) - total_hours)),
    )
    maxima = np.full(len(normal.video), -np.inf)
    np.maximum.at(maxima, normal.owner, normal.score)
    thresholds = Thresholds(
        p90=p90,
        p95=p95,
        p98=p98,
        budget=lowest_threshold(budget * total_hours),
        promise=None if allowed is None else lowest_threshold(allowed),
        video=curves.fit_video_threshold(scores, VIDEOS),
        cell=curves.fit_cell_threshold(scores),
    )
    return thresholds, promise, tuple(np.sort(maxima[np.isfinite(maxima)]).tolist())


def _fit_class_temperature(scores: Scores) -> float | None:
    """The temperature of the class logits; None where fewer than two classes are named."""
    named = np.isfinite(scores.classes).all(axis=1)
    if scores.classes.shape[1] < 2 or not named.any():
        return None
    return reliability.fit_class_temperature(scores.classes[named], scores.klass[named])


def _measure_reliability(
    scores: Scores, score_type: ScoreType, curve: curves.Curve, unit: Literal["frames", "videos"]
) -> Reliability:
    if unit == "frames":
        has_truth = scores.truth >= 0
        raw, true = scores.score[has_truth], scores.truth[has_truth] == 1
    else:
        raw, true = scores.video_score, scores.abnormal
    raw, true = raw[np.isfinite(raw)], true[np.isfinite(raw)]
    after, bins = reliability.ece(curve(raw), true)
    before = reliability.ece(reliability.expit(raw), true)[0] if score_type == "logits" else None
    return Reliability(before=before, after=after, unit=unit, bins=tuple(row.to_json() for row in bins))
