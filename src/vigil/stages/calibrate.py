"""DVC stage `calibrate`: where one model's alarm sounds, from the validation split alone, before test is opened.

Reads   <val>                   videos of the validation split
        <trained>/              the model
        <features>, <context>   what it looks at, and when; of segments those of the validation split alone
        <truth>/<set>/<v>.npz   maps of what moves, for a model that draws them
Writes  <scores>                every score of those videos; see judging/scoring.py
        <out>                   thresholds, promise, probabilities, with a hash; see judging/calibration.py
"""

from pathlib import Path

from vigil.core import lineage
from vigil.core.storage import save_arrays
from vigil.engine.per_video import Runtime
from vigil.engine.stage_runner import run_stage
from vigil.footage import video_table
from vigil.judging.calibration import CalibrationParams
from vigil.judging.calibration_fit import calibrate_model
from vigil.judging.scoring import Sources, build_table
from vigil.judging.stored import JudgingParams
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
    checkpoint = load_checkpoint(trained, features=lineage.read(features))
    sources = Sources(features, context, truth, "val")
    arrays = build_table(checkpoint, video_table.read(val), sources, JudgingParams(step=params.step), runtime)
    calibration = calibrate_model(arrays, checkpoint, params)
    save_arrays(scores, **arrays)
    calibration.write(out)
    for sentence in calibration.sentences():
        print(f"{model}: {sentence}")


if __name__ == "__main__":
    run_stage("calibrate", main)
