"""DVC stage `calibrate`: where one model's alarm sounds, from the validation split alone, before test is opened.

Reads   <val>                   videos of the validation split
        <trained>/              the model
        <features>, <context>   what it looks at, and when; of segments those of the validation split alone
        <truth>/<set>/<v>.npz   maps of what moves, for a model that draws them
Writes  <scores>                every score of those videos; see judging/scoring.py
        <out>                   thresholds, promise, probabilities, with a hash; see judging/calibration.py

Both say why they are skipped where there is no model, or nothing to calibrate it on; see core/skipping.py.
"""

import sys
from pathlib import Path

from vigil.core import lineage
from vigil.core.errors import NoExamples
from vigil.core.skipping import skip_arrays, skip_json, why_skipped
from vigil.core.storage import save_arrays
from vigil.engine.per_video import Runtime
from vigil.engine.stage_runner import run_stage
from vigil.footage import video_table
from vigil.judging.calibration import Calibration, CalibrationParams
from vigil.judging.calibration_fit import calibrate_model
from vigil.judging.scoring import Sources, build_table
from vigil.judging.stored import Arrays, JudgingParams
from vigil.models.checkpoint import load_checkpoint

Params = CalibrationParams


def main(
    *,
    model: str,
    val: Path,
    trained: Path,
    features: Path,
    context: Path,
    truth: Path,
    scores: Path,
    out: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    try:
        if reason := why_skipped(trained):
            raise NoExamples(reason)
        calibration, arrays = calibrate_on(trained, features, context, truth, val, params, runtime)
    except NoExamples as error:
        skip_arrays(scores, str(error))
        skip_json(out, str(error))
        print(f"{model}: skipped: {error}", file=sys.stderr)
        return
    save_arrays(scores, **arrays)
    calibration.write(out)
    for sentence in calibration.sentences():
        print(f"{model}: {sentence}")


def calibrate_on(
    trained: Path, features: Path, context: Path, truth: Path, val: Path, params: Params, runtime: Runtime
) -> tuple[Calibration, Arrays]:
    """The calibration of a model, and the scores of the validation split that it comes from."""
    checkpoint = load_checkpoint(trained, features=lineage.read(features))
    sources = Sources(features, context, truth, "val")
    videos = video_table.select_sets(video_table.read(val), checkpoint.card.datasets)
    arrays = build_table(checkpoint, videos, sources, JudgingParams(step=params.step), runtime)
    return calibrate_model(arrays, checkpoint, params), arrays


if __name__ == "__main__":
    run_stage("calibrate", main)
