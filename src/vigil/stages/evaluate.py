"""DVC stage `evaluate`: how good one model is on the test split, at thresholds that were frozen before.

Reads   <trained>/, <calibration>   the model, and where its alarm sounds: refused if made for other weights or settings
        <reference>                 its validation scores, from which the trivial baselines learn
        <baselines>/{val,test}.npz  what trees on the flow say of the videos, which the model has to beat
        <test>                      videos of the test split
        <features>, <context>, <truth>   as for calibrate
Writes  <scores>                    every score of those videos; see judging/scoring.py
        <out>                       metrics with intervals, and those of baselines; see evaluation/model_metrics.py
        <plots>/*.csv               points of ROC, precision and recall, reliability; a row per video for the confusion

All say why they are skipped where there is no calibrated model, or nothing to judge; see core/skipping.py. The metrics
are added to the run of the training too, where it is tracked.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core import lineage
from vigil.core.errors import NoExamples
from vigil.core.skipping import skip_arrays, skip_json, why_skipped
from vigil.core.storage import load_arrays, save_arrays, write_json, write_table
from vigil.engine import tracking
from vigil.engine.per_video import Runtime
from vigil.engine.stage_runner import run_stage
from vigil.evaluation import model_metrics
from vigil.evaluation.baselines import Aids, choose_map_reading
from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.features.differences import difference_maps
from vigil.features.frames import FrameArchive
from vigil.footage import video_table
from vigil.judging.calibration import read_calibration
from vigil.judging.scoring import Sources, build_table
from vigil.judging.stored import Arrays
from vigil.models.checkpoint import load_checkpoint

Params = model_metrics.EvaluationParams


def main(
    *,
    model: str,
    trained: Path,
    calibration: Path,
    reference: Path,
    baselines: Path,
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
    try:
        if reason := why_skipped(trained) or why_skipped(calibration):
            raise NoExamples(reason)
        arrays, results = evaluate_on(
            model,
            trained=trained,
            calibration=calibration,
            reference=reference,
            baselines=baselines,
            test=test,
            sources=Sources(features, context, truth, "test"),
            params=params,
            runtime=runtime,
        )
    except NoExamples as error:
        skip_arrays(scores, str(error))
        skip_json(out, str(error), {"model": model})
        write_plots(plots, {})
        print(f"{model}: skipped: {error}", file=sys.stderr)
        return
    save_arrays(scores, **arrays)
    write_json(out, results.metrics)
    write_plots(plots, results.plots)
    values = {
        name: metric["value"]
        for name, metric in results.metrics.items()
        if isinstance(metric, dict) and "value" in metric
    }
    tracking.add_metrics(
        str(arrays["model_sha256"]), {f"test_{name}": value for name, value in values.items() if value is not None}
    )
    print("\n".join(f"{model}: {line}" for line in model_metrics.summary_lines(results.metrics)))


def evaluate_on(
    model: str,
    *,
    trained: Path,
    calibration: Path,
    reference: Path,
    baselines: Path,
    test: Path,
    sources: Sources,
    params: Params,
    runtime: Runtime,
) -> tuple[Arrays, model_metrics.ModelResults]:
    """The scores of the test split, and what they are worth."""
    checkpoint = load_checkpoint(trained, features=lineage.read(sources.features))
    frozen = read_calibration(calibration)
    frozen.check(checkpoint, str(calibration))  # before the test split is opened
    videos = video_table.select_sets(video_table.read(test), checkpoint.card.datasets)
    arrays = build_table(checkpoint, videos, sources, frozen.judging_params, runtime)
    arrays |= {"calibration_sha256": np.array(frozen.sha256)}
    class_names = list(checkpoint.card.classes)
    validation = load_arrays(reference)
    trees = LabelProbabilities.read(*(baselines / f"{split}.npz" for split in ("val", "test")))
    frames = sources.features if checkpoint.card.input in ("frames", "masked") else None
    aids = Aids(trees, measure_differences(arrays, validation, frames))
    return arrays, model_metrics.evaluate_model(model, class_names, arrays, frozen, params, validation, aids)


def write_plots(folder: Path, plots: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """A table for each plot that has rows; those of an earlier evaluation go."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.csv"):
        path.unlink()
    for name, rows in plots.items():
        if rows:
            write_table(folder / f"{name}.csv", rows, list(rows[0]))


def measure_differences(arrays: Arrays, validation: Arrays, frames: Path | None) -> np.ndarray | None:
    """(M, h, w) of the maps in `arrays`: how the frame differs from the one before, as validation says to read that.

    None without maps, or where the model does not look at frames.
    """
    if frames is None or "cells" not in arrays or "cells" not in validation:
        return None
    reading = choose_map_reading(_difference_maps(validation, frames), validation["cells_truth"])
    return _difference_maps(arrays, frames)[:, reading]


def _difference_maps(arrays: Arrays, frames: Path) -> np.ndarray:
    side, owner = arrays["cells"].shape[-1], arrays["cells_video"]
    parts = [
        difference_maps(FrameArchive(frames / f"{name}.npz"), arrays["cells_frame"][owner == index].tolist(), side)
        for index, name in enumerate(arrays["video"].tolist())
        if (owner == index).any()
    ]
    return np.concatenate(parts)


if __name__ == "__main__":
    run_stage("evaluate", main)
