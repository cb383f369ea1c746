"""DVC stage `evaluate`: how good one model is on the test split, at thresholds that were frozen before.

Reads   <trained>/, <calibration>   the model, and where its alarm sounds: refused if made for other weights or settings
        <reference>                 its validation scores, from which the trivial baselines learn
        <test>                      videos of the test split
        <features>, <context>, <truth>   as for calibrate
Writes  <scores>                    every score of those videos; see scoring.py
        <out>                       the metrics with intervals, and the baselines' beside them; see evaluation.py
        <plots>/*.csv               points of ROC, precision and recall, reliability; a row per video for the confusion

The metrics are added to the run of the training too, where it is tracked.
"""

from pathlib import Path

import numpy as np

from vigil.core import lineage
from vigil.core.storage import load_arrays, save_arrays, write_json, write_table
from vigil.engine import tracking
from vigil.engine.per_video import Runtime
from vigil.engine.stage_runner import run_stage
from vigil.evaluation import model_metrics
from vigil.footage import video_table
from vigil.judging import calibrated, scoring
from vigil.judging.scoring import Sources
from vigil.models import checkpoint

Params = model_metrics.Settings


def main(
    *,
    model: str,
    trained: Path,
    calibration: Path,
    reference: Path,
    test: Path,
    features: Path,
    context: Path,
    truth: Path,
    scores: Path,
    out: Path,
    plots: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    loaded = checkpoint.load(trained, features=lineage.read(features))
    frozen = calibrated.read(calibration)
    frozen.check(loaded, str(calibration))  # before the test split is opened
    sources = Sources(features, context, truth, "test")
    arrays = scoring.table(trained, video_table.read(test), sources, frozen.scoring, runtime)
    arrays |= {"calibration_sha256": np.array(frozen.sha256)}
    found = model_metrics.evaluate(model, list(loaded.card.classes), arrays, frozen, params, load_arrays(reference))
    save_arrays(scores, **arrays)
    write_json(out, found.told)
    for path in plots.glob("*.csv") if plots.exists() else ():
        path.unlink()
    for name, rows in found.plots.items():
        if rows:
            write_table(plots / f"{name}.csv", rows, list(rows[0]))
    values = {key: one["value"] for key, one in found.told.items() if isinstance(one, dict) and "value" in one}
    tracking.add(loaded.sha256, {f"test_{key}": value for key, value in values.items() if value is not None})
    print("\n".join(f"{model}: {line}" for line in model_metrics.render(found.told)))


if __name__ == "__main__":
    run_stage("evaluate", main)
