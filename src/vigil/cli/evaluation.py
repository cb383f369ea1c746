"""What `vigil evaluate` does: the scores of other videos, and the metrics that stage `evaluate` has of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vigil.cli.frozen_model import load_frozen_model
from vigil.cli.labels import match_labels
from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.workspace import read_section, score_videos, temporary_workspace
from vigil.core import settings
from vigil.core.storage import load_arrays, write_json
from vigil.evaluation import model_metrics
from vigil.footage.video_table import Video
from vigil.judging.stored import Arrays
from vigil.judging.truth import Context, frame_truth, mask_warm_up
from vigil.models.checkpoint import Card

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

    Baselines that look at flow or pixels are not among them, so nothing is said of whether the model beats them all.
    """
    frozen = load_frozen_model(model, calibration)
    card = frozen.checkpoint.card
    with temporary_workspace() as data:
        videos = bring_in_dataset(path, kind, options or {}, labels, data)
        matched, classes = match_labels(card, videos, class_of_label or {})
        arrays = score_videos(frozen, matched, data)
        _mark_unknown_labels_abnormal(arrays, card, matched, data / "context")
    label_of = {video.video: video.label for video in videos}
    arrays |= {
        "label": np.array([label_of[name] for name in arrays["video"].tolist()]),
        "calibration_sha256": np.array(frozen.calibration.sha256),
    }
    reference = settings.root() / "data/scores" / frozen.name / "val.npz"
    results = model_metrics.evaluate_model(
        frozen.name,
        list(card.classes),
        arrays,
        frozen.calibration,
        _read_params(),
        load_arrays(reference) if reference.exists() else None,
    )
    metrics = results.metrics
    metrics["labels"] = classes
    del metrics["against_baselines"]
    metrics["notes"].append(
        "`flow_trees` and `difference` are not computed here: "
        "whether they are beaten is known of the pipeline's test split alone"
    )
    _count_unjudged(metrics, videos, set(arrays["video"].tolist()))
    if out is not None:
        write_json(out, metrics)
    return metrics


def _mark_unknown_labels_abnormal(arrays: Arrays, card: Card, videos: Sequence[Video], context: Path) -> None:
    """Give a class number and a truth to abnormal videos, where normal is the only class that the model has."""
    by_name = {video.video: video for video in videos}
    for row in np.flatnonzero(arrays["klass"] < 0).tolist():
        video = by_name[str(arrays["video"][row])]
        times = Context.read(context / f"{video.video}.npz").times
        arrays["klass"][row] = 1
        frames_of_video = slice(*arrays["offsets"][row : row + 2].tolist())
        truth = frame_truth(card, video, 1, times)
        arrays["event_truth"][frames_of_video] = truth
        arrays["truth"][frames_of_video] = mask_warm_up(truth, int(arrays["ready"]))


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
