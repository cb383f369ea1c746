"""What `vigil calibrate` does: thresholds anew, from the scores of normal videos of one camera."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vigil.cli.own_videos import bring_in_normal_videos
from vigil.cli.workspace import score_videos, temporary_workspace
from vigil.clips.labels import normal_class
from vigil.core.errors import VigilError
from vigil.detect.frozen_model import FrozenModel, load_frozen_model
from vigil.judging.calibration import Calibration, CalibrationParams
from vigil.judging.calibration_fit import recalibrate_model
from vigil.judging.stored import Arrays


def calibrate_camera(
    model: str,
    normal_videos: Sequence[Path],
    *,
    out: Path,
    false_alarms_per_hour: float | None = None,
    confidence: float | None = None,
    calibration: Path | None = None,
    separate: bool = False,
) -> Calibration:
    """The calibration with other thresholds and another promise, written to `out` too; all else stays as it was.

    With `separate` each file is a recording of its own, whatever its name.
    """
    frozen = load_frozen_model(model, calibration)
    classes = frozen.checkpoint.card.classes
    if normal_class(classes) is None:
        raise VigilError(f"{model}: names classes and raises no alarm, so there is nothing to calibrate on a camera.")
    changes = {"false_alarms_per_hour": false_alarms_per_hour, "confidence": confidence}
    changed = {key: value for key, value in changes.items() if value is not None}
    params = CalibrationParams.read(frozen.calibration.params.model_dump() | changed, "options")
    normal_label = next(iter(classes.values()))[0]
    with temporary_workspace() as data:
        arrays = score_videos(frozen, bring_in_normal_videos(normal_videos, normal_label, data, separate), data)
    _warn_of_motion(frozen, arrays)
    recalibrated = recalibrate_model(frozen.calibration, arrays, frozen.checkpoint, params)
    recalibrated.write(out)
    return recalibrated


def _warn_of_motion(model: FrozenModel, arrays: Arrays) -> None:
    """To a model of where things move, a normal video is one in which nothing does. Few videos of a camera are so."""
    threshold = model.calibration.threshold
    if model.checkpoint.card.clip.target != "cells" or threshold is None:
        return
    scores = arrays["score"][np.isfinite(arrays["score"])]
    moving = float(np.mean(scores >= threshold)) if len(scores) else 0.0
    print(
        f"{model.name}: warning: it says where things move, so nothing may move in these videos; so far it sees motion "
        f"in {moving:.0%} of their frames. If people do pass, its new threshold is too high: give static video.",
        file=sys.stderr,
    )
