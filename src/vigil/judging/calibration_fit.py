"""Makes a calibration: of a model from its validation scores, or of one camera from its own normal video."""

import math
from typing import Literal

import numpy as np

from vigil.core.errors import NoExamples, VigilError
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
from vigil.statistics.events import compare_with_truth, measure_normal_time, raise_alerts
from vigil.statistics.scores import Scores

QUANTILES = (0.9, 0.95, 0.98)  # of the scores of normal frames, that are noted
BUNCHES = 0.98  # quantile of normal frames; at this threshold it is seen whether alerts come in bunches
VIDEOS = 0.1  # share of normal videos that may be flagged, where no abnormal one shows where to cut


def calibrate_model(arrays: Arrays, checkpoint: Checkpoint, params: CalibrationParams) -> Calibration:
    """The calibration of a model from the score table of the validation videos."""
    scores = Scores.of(arrays, bool(arrays["has_normal"]), checkpoint.card.model)
    score_type, settings = score_type_of(checkpoint), settings_sha256(checkpoint, params)
    choices = math.prod(checkpoint.card.epochs)
    return fit_calibration(scores, score_type, params, checkpoint.sha256, settings, choices=choices)


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
    withheld: str | None = None,
    choices: int = 1,
) -> Calibration:
    """The calibration of validation scores, for the rule of alerting that `params` ask for.

    `withheld` is a reason, if there is one, why these scores can promise nothing. `choices` is among how many models
    (epochs) this one was chosen by these very videos: each of them must keep the promise, so that the best does.
    """
    normal_median, scores = _normal_median(scores), scores.select_judged()
    if not len(scores.video):
        raise NoExamples("calibrate: no validation video has a label that the model knows. Check its classes.")
    thresholds, promise, notes = None, None, []
    frame, video, reliable, validation_rate = None, None, None, None
    fitted_on: Literal["frames", "videos"] = "frames"
    if score_type != "classes":
        thresholds, promise = _fit_thresholds(scores, params, normal_median, withheld, choices)
        if promise.per_hour is None:
            notes.append(promise.sentence())
        supervised = score_type == "logits"
        threshold = thresholds.budget if thresholds.promise is None else thresholds.promise
        video_threshold = threshold if thresholds.video is None else thresholds.video
        frame, fitted_on, frame_note = curves.fit_frame_curve(scores, supervised, threshold, params.base_rate)
        video, video_note = curves.fit_video_curve(scores, supervised, video_threshold, params.base_rate)
        notes += list(dict.fromkeys(note for note in (frame_note, video_note) if note))
        reliable = _measure_reliability(scores, supervised, threshold, params.base_rate, frame, fitted_on)
        validation_rate = curves.measure_base_rate(scores)
    scaling, class_reliability = _fit_classes(scores)
    return Calibration(
        score_type=score_type,
        thresholds=thresholds,
        promise=promise,
        frame=frame,
        video=video,
        temperature=None if scaling is None else scaling.temperature,
        class_offsets=() if scaling is None else scaling.offsets,
        class_reliability=class_reliability,
        fitted_on=fitted_on,
        validation_rate=validation_rate,
        base_rate=_assumed_rate(validation_rate, params),
        reliability=reliable,
        normal_video="validation",
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

    Where the alarm sounds is as probable as before; how fast probability rises, and all about classes, stays. Scores
    of this camera are as much higher or lower as its threshold is, so the threshold of videos moves by as much.
    """
    if calibration.threshold is None or calibration.thresholds is None or calibration.frame is None:
        raise VigilError(f"a calibration of kind {calibration.score_type} has no thresholds to set anew.")
    normal_median = _normal_median(scores)
    thresholds, promise = _fit_thresholds(scores.select_judged(), params, normal_median)
    old = calibration.thresholds
    threshold = thresholds.budget if thresholds.promise is None else thresholds.promise
    video, video_curve = old.video, calibration.video
    if video is not None and video_curve is not None:
        moved = curves.move_score(video, calibration.threshold, threshold, video_curve.transform)
        video_curve = video_curve.moved(video, moved)
        video = moved
    thresholds = thresholds.model_copy(update={"video": video, "cell": old.cell})
    frame_curve = calibration.frame.moved(calibration.threshold, threshold)
    if params.base_rate != calibration.params.base_rate:
        shift = {"prior_shift": _shift_of_rate(calibration.validation_rate, params)}
        frame_curve = frame_curve.model_copy(update=shift)
        video_curve = None if video_curve is None else video_curve.model_copy(update=shift)
    return calibration.model_copy(
        update={
            "thresholds": thresholds,
            "promise": promise,
            "frame": frame_curve,
            "video": video_curve,
            "base_rate": _assumed_rate(calibration.validation_rate, params),
            "reliability": None,
            "normal_video": "camera",
            "notes": (promise.sentence(),) if promise.per_hour is None else (),
            "settings_sha256": settings_sha256,
            "params": params,
            "normal_median": normal_median,
        }
    )


def _assumed_rate(validation_rate: float | None, params: CalibrationParams) -> float | None:
    """The share of abnormal cases that probabilities assume; None where validation has one kind alone."""
    return validation_rate if validation_rate is None or params.base_rate is None else params.base_rate


def _shift_of_rate(validation_rate: float | None, params: CalibrationParams) -> float:
    """What log odds gain where the base rate is the one that `params` ask for."""
    if validation_rate is None or params.base_rate is None:
        return 0.0
    return float(reliability.logit(params.base_rate) - reliability.logit(validation_rate))


def _normal_median(scores: Scores) -> float | None:
    """Median score of the frames of normal videos; None without such a frame, or where no class is normal."""
    normal = scores.score[(scores.truth == 0) & ~scores.abnormal[scores.owner] & np.isfinite(scores.score)]
    return float(np.median(normal)) if len(normal) and scores.has_normal else None


def _fit_thresholds(
    scores: Scores,
    params: CalibrationParams,
    normal_median: float | None,
    withheld: str | None = None,
    choices: int = 1,
) -> tuple[Thresholds, Promise]:
    """The thresholds, and what they promise.

    False alarms are counted as in evaluation: in all time that is known to be normal, of abnormal videos too.
    """
    budget, confidence = params.false_alarms_per_hour, params.confidence
    normal_frames = scores.truth == 0
    normal_scores = scores.score[normal_frames & np.isfinite(scores.score)]
    if not len(normal_scores):
        shortage = "no score in any normal frame" if normal_frames.any() else "no normal video"
        raise NoExamples(f"calibrate: {shortage} in validation, so nothing says when to alarm. Add some normal video.")

    def count_alarms(threshold: float) -> np.ndarray:
        alerts = raise_alerts(scores, params.alert.rule_at(threshold, normal_median))
        return compare_with_truth(scores, alerts).false_alarms_by_video

    p90, p95, p98, loose = (float(np.quantile(normal_scores, q, method="higher")) for q in (*QUANTILES, BUNCHES))
    hours = measure_normal_time(scores) / 3600
    total_hours = float(hours.sum())
    sources = np.searchsorted(scores.names, scores.source)
    source_hours = np.bincount(sources, hours)
    variation = conformal.variation(np.bincount(sources, count_alarms(loose)), source_hours)
    dispersion = conformal.dispersion(variation, budget, source_hours)
    sureness = conformal.confidence_of_each(confidence, choices)
    allowed = conformal.allowed(source_hours, budget, sureness, dispersion) if withheld is None else None
    missing_hours = conformal.hours_to_promise(budget, sureness, variation, source_hours)

    def lowest_threshold(limit: float) -> float:
        return conformal.lowest_threshold(normal_scores, lambda threshold: float(count_alarms(threshold).sum()), limit)

    promise = Promise(
        budget=float(budget),
        confidence=confidence,
        normal_hours=total_hours,
        sources=len(np.unique(sources[hours > 0])),
        variation=variation,
        dispersion=dispersion,
        alerts=allowed,
        per_hour=None if allowed is None else conformal.upper_rate(allowed, total_hours, sureness, dispersion),
        attainable=conformal.attainable_budget(sureness, variation, source_hours),
        minutes_needed=None if missing_hours is None else 60 * missing_hours,
        withheld=withheld,
        choices=choices,
    )
    thresholds = Thresholds(
        p90=p90,
        p95=p95,
        p98=p98,
        budget=lowest_threshold(budget * total_hours),
        promise=None if allowed is None else lowest_threshold(allowed),
        video=curves.fit_video_threshold(scores, VIDEOS),
        cell=curves.fit_cell_threshold(scores),
    )
    return thresholds, promise


def _fit_classes(scores: Scores) -> tuple[reliability.ClassScaling | None, Reliability | None]:
    """The scaling of the class logits and how far it holds; None where fewer than two classes are named."""
    named = np.isfinite(scores.classes).all(axis=1)
    if scores.classes.shape[1] < 2 or not named.any():
        return None, None
    logits, class_index, source = scores.classes[named], scores.class_index[named], scores.source[named]
    scaling = reliability.fit_class_scaling(logits, class_index)
    fold = reliability.cross_fit_folds(source, class_index)
    held_out = np.full(logits.shape, np.nan)
    for number in np.unique(fold) if fold.any() else ():
        fitted = reliability.fit_class_scaling(logits[fold != number], class_index[fold != number])
        held_out[fold == number] = fitted(logits[fold == number])
    raw = reliability.ClassScaling(1.0, (0.0,) * logits.shape[1])(logits)
    errors = [reliability.ece(p.max(axis=1), p.argmax(axis=1) == class_index) for p in (raw, held_out, scaling(logits))]
    bins = tuple(row.to_json() for row in errors[1][1])
    return scaling, Reliability(
        before=errors[0][0], after=errors[1][0], in_sample=errors[2][0], unit="videos", bins=bins
    )


def _measure_reliability(
    scores: Scores,
    supervised: bool,
    threshold: float,
    base_rate: float | None,
    curve: curves.Curve,
    unit: Literal["frames", "videos"],
) -> Reliability:
    """How far probabilities hold: of each source by a curve that was fitted on the others."""

    def cases(table: Scores) -> tuple[np.ndarray, np.ndarray]:
        if unit == "frames":
            return table.score, table.truth
        return table.video_score, table.abnormal.astype(np.int8)

    raw, truth = cases(scores)
    owner = scores.owner if unit == "frames" else np.arange(len(scores.video))
    held_out = np.full(len(raw), np.nan)
    fold = reliability.cross_fit_folds(scores.source, scores.abnormal)
    for number in np.unique(fold) if fold.any() else ():
        others = scores.select(fold != number)
        values, kinds = cases(others)
        if len(np.unique(kinds[(kinds >= 0) & np.isfinite(values)])) == 2:
            chosen = fold[owner] == number
            held_out[chosen] = curves.fit_frame_curve(others, supervised, threshold, base_rate)[0](raw[chosen])
    usable = (truth >= 0) & np.isfinite(raw)
    true = truth[usable] == 1
    weight = reliability.prior_weights(true, base_rate)
    after, bins = reliability.ece(held_out[usable], true, weight=weight)
    before = reliability.ece(reliability.expit(raw[usable]), true, weight=weight)[0] if supervised else None
    in_sample = reliability.ece(curve(raw[usable]), true, weight=weight)[0]
    rows = tuple(row.to_json() for row in bins)
    return Reliability(before=before, after=after, in_sample=in_sample, unit=unit, bins=rows)
