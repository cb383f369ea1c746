"""What `vigil evaluate` does: the scores of other videos, and the metrics that stage `evaluate` has of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vigil.cli.labels import match_labels
from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.sections import read_section
from vigil.cli.workspace import score_videos, temporary_workspace
from vigil.core import lineage, settings
from vigil.core.storage import load_arrays, write_json
from vigil.detect.frozen_model import load_frozen_model
from vigil.detect.model_folder import calibration_path
from vigil.evaluation import model_metrics
from vigil.evaluation.baselines import ORACLE, Aids
from vigil.evaluation.flow_trees import LabelProbabilities, load_forest
from vigil.footage.video_table import Video
from vigil.judging.calibration import scores_beside
from vigil.judging.clocks import clock_rate
from vigil.judging.stored import Arrays
from vigil.judging.truth import Context, frame_truth, mask_warm_up
from vigil.models.checkpoint import Card
from vigil.stages import baselines

ROUNDS, SEED = 1000, 7
NAMED = 5  # videos that are not judged, by name


def evaluate_footage(
    model: str,
    path: Path,
    *,
    labels: Path | None = None,
    class_of_label: Mapping[str, str] | None = None,
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
    calibration: Path | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """The numbers of metrics/models/<model>.json, of the videos at `path`; written to `out` too.

    Trees on flow are among the baselines where the model looks at flow, and differences of pixels never are. Where one
    is missing, nothing is said of whether the model beats them all.
    """
    frozen = load_frozen_model(model, calibration)
    card = frozen.checkpoint.card
    with temporary_workspace() as data:
        videos = bring_in_dataset(path, kind, options or {}, labels, data)
        matched, classes = match_labels(card, videos, class_of_label or {})
        arrays = score_videos(frozen, matched, data)
        _mark_unknown_labels_abnormal(arrays, card, matched, data / "context")
        trees = _judge_by_trees(card, matched, data / "flow")
    label_of = {video.video: video.label for video in videos}
    arrays |= {
        "label": np.array([label_of[name] for name in arrays["video"].tolist()]),
        "calibration_sha256": np.array(frozen.calibration.sha256),
    }
    reference = scores_beside(calibration_path(frozen.checkpoint.folder))
    results = model_metrics.evaluate_model(
        frozen.name,
        list(card.classes),
        arrays,
        frozen.calibration,
        _read_params(),
        load_arrays(reference) if reference.exists() else None,
        Aids(trees),
    )
    metrics = results.metrics
    metrics["labels"] = classes
    _name_baselines(metrics)
    _count_unjudged(metrics, videos, set(arrays["video"].tolist()))
    if out is not None:
        write_json(out, metrics)
    return metrics


def _judge_by_trees(card: Card, videos: Sequence[Video], flow: Path) -> LabelProbabilities | None:
    """What the pipeline's trees say of these videos and of validation; None without flow as they were trained on."""
    folder, of_validation = settings.root() / "models/baselines", settings.root() / "data/baselines/val.npz"
    if card.input != "flow" or not (folder / baselines.FOREST).exists():
        return None
    made_with, trained_with = lineage.read(flow), lineage.read(folder)
    if lineage.difference({key: trained_with.get(key) for key in made_with}, made_with):
        return None
    params = baselines.Params.read(trained_with["baselines"], str(folder))
    trees = baselines.judge_videos(load_forest(folder / baselines.FOREST), videos, flow, params)
    if not of_validation.exists():
        return trees
    return replace(trees, by_video={**LabelProbabilities.read(of_validation).by_video, **trees.by_video})


def _name_baselines(metrics: dict[str, Any]) -> None:
    """Say which baselines were judged. Without one of them, whether all are beaten is not known."""
    judged = sorted(metrics["baselines"].keys() - {ORACLE})
    needed = {"difference"} if "cell_auc" in metrics else {"flow_trees"}
    note = f"baselines here: {', '.join(judged)}"
    if missing := sorted(needed - set(judged)):
        del metrics["against_baselines"]
        note += f"; `{missing[0]}` is not computed: whether it is beaten is known of the pipeline's test split alone"
    metrics["notes"].append(note)


def _mark_unknown_labels_abnormal(arrays: Arrays, card: Card, videos: Sequence[Video], context: Path) -> None:
    """Give a class number and a truth to abnormal videos, where normal is the only class that the model has."""
    by_name = {video.video: video for video in videos}
    for row in np.flatnonzero(arrays["class_index"] < 0).tolist():
        video = by_name[str(arrays["video"][row])]
        times = Context.read(context / f"{video.video}.npz").times
        arrays["class_index"][row] = 1
        frames_of_video = slice(*arrays["offsets"][row : row + 2].tolist())
        truth = frame_truth(card, video, 1, times)
        arrays["event_truth"][frames_of_video] = truth
        arrays["truth"][frames_of_video] = mask_warm_up(truth, times, int(arrays["ready"]), clock_rate(card))


def _count_unjudged(metrics: dict[str, Any], videos: Sequence[Video], judged: set[str]) -> None:
    unjudged = [video.video for video in videos if video.video not in judged]
    metrics["counts"]["not_judged_videos"] = len(unjudged)
    if unjudged:
        names = ", ".join(unjudged[:NAMED]) + (", ..." if len(unjudged) > NAMED else "")
        metrics["notes"].append(f"{len(unjudged)} of {len(videos)} videos are not judged: {names}")


def _read_params() -> model_metrics.EvaluationParams:
    """Section `evaluate` of params.yaml, or the defaults where there is no such section."""
    section = read_section("evaluate", {"rounds": ROUNDS, "seed": SEED})
    return model_metrics.EvaluationParams.read(section, "params.yaml [evaluate]")
