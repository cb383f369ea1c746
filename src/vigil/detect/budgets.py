"""The threshold for a budget of false alarms: from the scores of normal video that a calibration was made from.

    rule = rule_for_model(frozen, models, 0.5)
    rule = rule_for_fused(fusion, calibration, models, 0.5)

The arithmetic is that of stage `calibrate`, for another budget, and so is the honesty: what so much normal video cannot
promise is refused. Scores are those of validation, which stage `calibrate` puts beside the calibration; that of one
camera has none, and holds for the budget that it was made for.
"""

import math
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.detect.frozen_model import FrozenModel
from vigil.detect.model_choice import FUSED
from vigil.detect.model_folder import calibration_path
from vigil.evaluation.fusion import Fusion, calibrate_fusion, hold_out
from vigil.judging.calibration import Calibration, CalibrationParams, read_calibration, scores_beside
from vigil.judging.calibration_fit import calibrate_model
from vigil.judging.stored import Arrays
from vigil.statistics.alerts import Rule
from vigil.statistics.scores import Scores


def rule_for_model(frozen: FrozenModel, models: Path, per_hour: float) -> Rule:
    """When a model raises alerts under a budget; `models` is the folder in which it is."""
    calibration = frozen.calibration
    if calibration.normal_video == "camera":
        return _rule_of_camera(frozen.name, calibration, per_hour)
    arrays = _read_scores(models, frozen.name, frozen.checkpoint.sha256)
    params = _with_budget(calibration, per_hour)
    return _rule(frozen.name, calibration, calibrate_model(arrays, frozen.checkpoint, params))


def rule_for_fused(fusion: Fusion, calibration: Calibration, models: Path, per_hour: float) -> Rule:
    """The same of the detector that hears several models: by what it says of sources that it was not fitted on."""
    members = {name: read_calibration(calibration_path(models / name)) for name in fusion.models}
    tables = {
        name: Scores.of(_read_scores(models, name, member.model_sha256), True, name) for name, member in members.items()
    }
    fitted = calibrate_fusion(hold_out(members, tables), members, _with_budget(calibration, per_hour))
    return _rule(FUSED, calibration, fitted)


def _with_budget(calibration: Calibration, per_hour: float) -> CalibrationParams:
    return calibration.params.model_copy(update={"false_alarms_per_hour": per_hour})


def _rule(name: str, frozen: Calibration, fitted: Calibration) -> Rule:
    """Of the thresholds that were fitted anew, once it is sure that they come from the same scores."""
    for calibration in (frozen, fitted):
        if calibration.thresholds is None or calibration.promise is None:
            raise VigilError(f"{name}: raises no alarm of its own, so there is no budget for it.")
    assert frozen.thresholds and fitted.thresholds and frozen.promise and fitted.promise
    pairs = [(getattr(frozen.thresholds, key), getattr(fitted.thresholds, key)) for key in ("p90", "p95", "p98")]
    pairs.append((frozen.promise.normal_hours, fitted.promise.normal_hours))
    if any(not math.isclose(before, now, rel_tol=1e-9, abs_tol=1e-12) for before, now in pairs):
        raise VigilError(
            f"{name}: the scores beside its calibration are not those that it was made from, so they say nothing about "
            f"a budget. Run `dvc repro calibrate@{name}`, or `dvc checkout`."
        )
    if fitted.thresholds.promise is None:
        raise VigilError(f"budget refused: {name}: {fitted.promise.sentence()}.")
    return frozen.params.alert.rule_at(fitted.thresholds.promise, frozen.normal_median)


def _rule_of_camera(name: str, calibration: Calibration, per_hour: float) -> Rule:
    made_for = calibration.params.false_alarms_per_hour
    if not math.isclose(made_for, per_hour, rel_tol=1e-9):
        raise VigilError(
            f"budget refused: {name}: its calibration of one camera was made for a budget of {made_for:g}/h and "
            f"keeps no scores. Make one for this: `vigil calibrate {name} --normal VIDEO... --false-alarms-per-hour "
            f"{per_hour:g}`."
        )
    if calibration.rule is None or calibration.promise is None or calibration.promise.per_hour is None:
        why = "" if calibration.promise is None else f": {calibration.promise.sentence()}"
        raise VigilError(f"budget refused: {name}{why}.")
    return calibration.rule


def _read_scores(models: Path, name: str, sha256: str) -> Arrays:
    path = scores_beside(calibration_path(models / name))
    if not path.exists():
        raise VigilError(
            f"{path}: not found: a budget needs the scores of validation. Run `dvc checkout`, or "
            f"`dvc repro calibrate@{name}`; or set the alarm with --threshold."
        )
    try:
        arrays = load_arrays(path)
    except VigilError:
        raise VigilError(
            f"{path}: damaged, so nothing says where the alarm would keep to a budget. Run `dvc checkout {path}`, or "
            f"`dvc repro -f calibrate@{name}`, which makes it again; or set the alarm with --threshold."
        ) from None
    if str(arrays.get("model_sha256")) != sha256:
        raise VigilError(f"{path}: of other weights than {name}. Run `dvc repro calibrate@{name}`.")
    return arrays
