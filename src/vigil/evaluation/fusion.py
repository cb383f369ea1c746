"""One detector out of several: a logistic regression over their calibrated probabilities, fitted on validation.

Each says what it says as log odds, and nothing where it has no score; what its silence means is learnt too. No model
can lower the alarm by being more alarmed: such a factor is what few videos would make of chance, and is left out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.evaluation.aligned_tables import AlignedTables, align_tables
from vigil.judging.calibration import Calibration, CalibrationParams
from vigil.judging.calibration_fit import fit_calibration
from vigil.statistics.reliability import cross_fit_folds, expit, fit_logistic, logit, soften
from vigil.statistics.scores import Scores

FUSED = "fused"  # the name of this detector among those of models
SUREST = 8.0  # log odds, at most
RIDGE = 1.0  # against the total weight of the videos, one each
NOT_HELD_OUT = "{} one source of validation alone, so nothing could be held out of the fit of the fused detector"
ONE_KIND = "one kind only, so all models count alike"


class CrossFit(NamedTuple):
    """What detectors say of videos that they were not fitted on."""

    scores: Scores
    reason: str | None = None  # why nothing could be held out, and `scores` are those of the fit
    left_out: int = 0  # videos of which `scores` has nothing: without their sources, one kind only is known


class Factors(Frozen):
    """Holds the factors of the log odds of each model and of its silence, and the constant."""

    slopes: tuple[float, ...]
    silences: tuple[float, ...]
    constant: float


class Fusion(Frozen):
    models: tuple[str, ...]
    calibrations: tuple[str, ...]  # sha256 of each model's calibration, by which its probabilities were made
    frame: Factors
    video: Factors
    notes: tuple[str, ...] = ()

    def odds(self, p: Mapping[str, np.ndarray], of: Literal["frame", "video"] = "frame") -> np.ndarray:
        """Log odds of probabilities by model, NaN (or no model) where there are none; NaN where no model has one."""
        if unknown := sorted(set(p) - set(self.models)):
            raise VigilError(
                f"fusion: fitted without '{unknown[0]}'. Known: {', '.join(self.models)}."
                f"{near_miss(unknown[0], self.models)} Run `dvc repro compare`."
            )
        shape = next(iter(p.values())).shape if p else (0,)
        table = np.array([p.get(model, np.full(shape, np.nan)) for model in self.models])
        factors = self.frame if of == "frame" else self.video
        x = _regressors(table)
        odds = (x @ np.array([*factors.slopes, *factors.silences]) + factors.constant).astype(np.float32)
        return np.where(np.isfinite(table).any(axis=0), odds, np.nan)

    def probability(self, p: Mapping[str, np.ndarray], of: Literal["frame", "video"] = "frame") -> np.ndarray:
        return expit(self.odds(p, of))

    def table(
        self, scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
    ) -> Scores:
        """What the fused detector says; its raw score is log odds. Arguments as of `fit_fusion`."""
        tables = align_tables(scores, frames, videos)
        odds = {"score": self.odds(tables.frames), "video_score": self.odds(tables.videos, "video")}
        return Scores.of(tables.columns | odds)


def fit_fusion(
    scores: Mapping[str, Scores],
    frames: Mapping[str, np.ndarray],
    videos: Mapping[str, np.ndarray],
    calibrations: Mapping[str, str],
) -> Fusion:
    """Fitted on validation. By model: scores, their probabilities by frame (N,) and by video (V,), its calibration."""
    return _fit_on(align_tables(scores, frames, videos), calibrations)


def cross_fit(
    scores: Mapping[str, Scores],
    frames: Mapping[str, np.ndarray],
    videos: Mapping[str, np.ndarray],
    calibrations: Mapping[str, str],
) -> CrossFit:
    """What fused detectors say of sources that they were not fitted on.

    Thresholds and promises come from this: a detector of several models finds on the very videos that it was fitted on
    what it will not find again. A fold without which only one kind of video is known is left out: the others would give
    a mean of odds, and scores of two scales would be in one table. Arguments as of `fit_fusion`.
    """
    tables = align_tables(scores, frames, videos)
    columns = tables.columns
    whole = _fit_on(tables, calibrations)
    fold = cross_fit_folds(columns["source"], columns["class_index"] > 0)
    score, video_score = np.full(len(columns["truth"]), np.nan), np.full(len(fold), np.nan)
    owner = np.repeat(np.arange(len(fold)), np.diff(columns["offsets"]))
    is_judged = np.zeros(len(fold), bool)
    for number in np.unique(fold) if fold.any() else ():
        held_out = fold == number
        detector = _fit_on(tables, calibrations, ~held_out)
        if detector.notes != whole.notes:
            continue
        chosen = held_out[owner]
        score[chosen] = detector.odds({model: p[chosen] for model, p in tables.frames.items()})
        video_score[held_out] = detector.odds({model: p[held_out] for model, p in tables.videos.items()}, "video")
        is_judged |= held_out
    if not (is_judged & (columns["class_index"] == 0)).any():
        kinds = "there is" if not fold.any() else "videos of a kind are of"
        return CrossFit(whole.table(scores, frames, videos), NOT_HELD_OUT.format(kinds))
    held_out_scores = Scores.of(columns | {"score": score, "video_score": video_score})
    return CrossFit(held_out_scores.select(is_judged), None, int((~is_judged).sum()))


def validation_probabilities(
    calibrations: Mapping[str, Calibration], tables: Mapping[str, Scores]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Returns probabilities of frames and videos by model, at the base rate of validation: another moves no alarm."""
    frames = {
        model: calibration.validation_probability(tables[model].score) for model, calibration in calibrations.items()
    }
    videos = {
        model: calibration.validation_probability(tables[model].video_score, "video")
        for model, calibration in calibrations.items()
    }
    return frames, videos


def hold_out(calibrations: Mapping[str, Calibration], val: Mapping[str, Scores]) -> CrossFit:
    """`cross_fit` on the scores of validation of calibrated models."""
    hashes = {model: calibration.sha256 for model, calibration in calibrations.items()}
    return cross_fit(val, *validation_probabilities(calibrations, val), hashes)


def calibrate_fusion(
    held_out: CrossFit, calibrations: Mapping[str, Calibration], params: CalibrationParams
) -> Calibration:
    """Makes the calibration of the fused detector, of what `hold_out` says."""
    choices = math.prod(calibration.promise.choices for calibration in calibrations.values() if calibration.promise)
    return fit_calibration(held_out.scores, "logits", params, withheld=held_out.reason, choices=choices)


def _fit_on(
    tables: AlignedTables,
    calibrations: Mapping[str, str],
    chosen: np.ndarray | None = None,
) -> Fusion:
    """Fitted on the videos where `chosen` (V,) is true; None: on all."""
    columns, p_frames, p_videos = tables
    models = tuple(sorted(p_frames))
    is_named = columns["class_index"] >= 0
    is_named = is_named if chosen is None else is_named & chosen
    owner = np.repeat(np.arange(len(columns["video"])), np.diff(columns["offsets"]))
    has_truth = (columns["truth"] >= 0) & is_named[owner]
    of_frame = _fit_factors(
        [p_frames[model][has_truth] for model in models], columns["truth"][has_truth] == 1, owner[has_truth]
    )
    of_video = _fit_factors(
        [p_videos[model][is_named] for model in models], columns["class_index"][is_named] > 0, np.flatnonzero(is_named)
    )
    return Fusion(
        models=models,
        calibrations=tuple(calibrations[model] for model in models),
        frame=of_frame or _equal_factors(len(models)),
        video=of_video or _equal_factors(len(models)),
        notes=tuple(
            f"{unit}: {ONE_KIND}" for unit, factors in (("frames", of_frame), ("videos", of_video)) if not factors
        ),
    )


def _regressors(p: np.ndarray) -> np.ndarray:
    """(N, 2 M) of probabilities (M, N): log odds, 0 where a model is silent, and whether it is."""
    silent = ~np.isfinite(p)
    odds = np.clip(logit(np.where(silent, 0.5, p)), -SUREST, SUREST)
    return np.vstack([odds, silent]).T.astype(np.float64)


def _equal_factors(models: int) -> Factors:
    """The mean of what the models say."""
    return Factors(slopes=(1 / models,) * models, silences=(0.0,) * models, constant=0.0)


def _fit_factors(p: Sequence[np.ndarray], true: np.ndarray, owner: np.ndarray) -> Factors | None:
    """The factors of a logistic regression in which each video weighs 1; None where only one kind is known."""
    models = len(p)
    if not true.any() or true.all():
        return None
    x = _regressors(np.array(p))
    weight = 1 / np.bincount(owner)[owner]
    positives, negatives = (float(len(np.unique(owner[chosen]))) for chosen in (true, ~true))
    target = soften(true, positives, negatives)
    active = np.ptp(x, axis=0) > 0
    while True:
        factors = np.zeros(2 * models + 1)
        if not active.any():  # no model has anything to say
            factors[-1] = float(logit(np.average(target, weights=weight)))
            break
        factors[np.append(active, True)] = fit_logistic(x[:, active], target, weight, RIDGE)
        negative = factors[:models] < 0
        if not negative.any():
            break
        active[:models] &= ~negative
    slopes, silences = factors[:models].tolist(), factors[models:-1].tolist()
    return Factors(slopes=tuple(slopes), silences=tuple(silences), constant=float(factors[-1]))
