"""`vigil calibrate`: other thresholds for one camera, from some minutes of its normal video."""

from collections.abc import Sequence
from pathlib import Path

from vigil.cli import trial
from vigil.clips.places import ordinary
from vigil.core.errors import VigilError
from vigil.judging import calibrated
from vigil.judging.calibrated import Calibrated


def calibrate(
    model: str,
    normal: Sequence[Path],
    *,
    out: Path,
    per_hour: float | None = None,
    confidence: float | None = None,
    calibration: Path | None = None,
) -> Calibrated:
    """Written to `out`; probabilities and all else stay as they were."""
    chosen = trial.opened(model, calibration)
    classes = chosen.loaded.card.classes
    if ordinary(classes) is None:
        raise VigilError(f"{model}: names classes and raises no alarm, so there is nothing to calibrate on a camera.")
    changed = {"false_alarms_per_hour": per_hour, "confidence": confidence}
    old = chosen.calibrated.wanted.model_dump()
    wanted = calibrated.Wanted.read(
        old | {key: value for key, value in changed.items() if value is not None}, "calibrate"
    )
    with trial.workspace() as space:
        videos = trial.files(space, normal, next(iter(classes.values()))[0])
        arrays = trial.scored(chosen, space, videos)
    made = calibrated.recalibrate(chosen.calibrated, arrays, chosen.loaded, wanted)
    calibrated.write(out, made)
    return made
