"""DVC stage `calibrate`: where one model's alarm sounds, from the validation split alone, before test is opened.

Reads   <val>                   videos of the validation split
        <trained>/              the model
        <features>, <context>   what it looks at, and when; of segments those of the validation split alone
        <truth>/<set>/<v>.npz   maps of what moves, for a model that draws them
Writes  <scores>                every score of those videos; see scoring.py
        <out>                   thresholds, promise, probabilities, with a hash; see calibrated.py
"""

from pathlib import Path

from vigil.core import lineage
from vigil.core.storage import save_arrays
from vigil.engine.per_video import Runtime
from vigil.engine.stage_runner import run_stage
from vigil.footage import video_table
from vigil.judging import calibrated, scoring
from vigil.judging.scoring import Sources
from vigil.models import checkpoint

Params = calibrated.Wanted


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
    loaded = checkpoint.load(trained, features=lineage.read(features))
    sources = Sources(features, context, truth, "val")
    wanted = scoring.Settings(step=params.step)
    arrays = scoring.table(trained, video_table.read(val), sources, wanted, runtime)
    made = calibrated.calibrate(arrays, loaded, params)
    save_arrays(scores, **arrays)
    calibrated.write(out, made)
    for line in calibrated.sentences(made):
        print(f"{model}: {line}")


if __name__ == "__main__":
    run_stage("calibrate", main)
