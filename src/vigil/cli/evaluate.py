"""`vigil evaluate`: a trained model on any other data, at its frozen thresholds, without touching the pipeline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vigil.cli import trial
from vigil.cli.labels import called
from vigil.core import settings
from vigil.core.params import load
from vigil.core.storage import load_arrays, write_json
from vigil.evaluation import model_metrics
from vigil.footage.video_table import Video
from vigil.judging.stored import Arrays
from vigil.judging.truth import Context, truth
from vigil.models.checkpoint import Card

ROUNDS, SEED = 1000, 7
SHOWN = 5  # names of videos that are not judged


def evaluate(
    model: str,
    place: Path,
    *,
    labels: Path | None = None,
    said: Mapping[str, str] | None = None,
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
    calibration: Path | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """The same numbers as metrics/<model>.json; written to `out` too. `said`: the class of labels; see labels.py."""
    chosen = trial.opened(model, calibration)
    with trial.workspace() as space:
        every = trial.dataset(space, place, kind, options or {}, labels)
        videos, meant = called(chosen.loaded.card, every, said or {})
        arrays = trial.scored(chosen, space, videos)
        _strangers(arrays, chosen.loaded.card, videos, space / "context")
    names = {one.video: one.label for one in every}
    arrays |= {"label": np.array([names[video] for video in arrays["video"].tolist()])}
    arrays |= {"calibration_sha256": np.array(chosen.calibrated.sha256)}
    reference = settings.root() / "data/scores" / chosen.name / "val.npz"
    found = model_metrics.evaluate(
        chosen.name,
        list(chosen.loaded.card.classes),
        arrays,
        chosen.calibrated,
        _settings(),
        load_arrays(reference) if reference.exists() else None,
    )
    found.told["labels"] = meant
    judged = set(arrays["video"].tolist())
    apart = [one.video for one in every if one.video not in judged]
    found.told["counts"]["not_judged_videos"] = len(apart)
    if apart:
        shown = ", ".join(apart[:SHOWN]) + (", ..." if len(apart) > SHOWN else "")
        found.told["notes"].append(f"{len(apart)} of {len(every)} videos are not judged: {shown}")
    if out is not None:
        write_json(out, found.told)
    return found.told


def _strangers(arrays: Arrays, card: Card, videos: Sequence[Video], context: Path) -> None:
    """What is not normal to a model of that one class has no number there: it gets one."""
    by_name = {one.video: one for one in videos}
    for place in np.flatnonzero(arrays["klass"] < 0).tolist():
        video = by_name[str(arrays["video"][place])]
        times = Context.read(context / f"{video.video}.npz").times
        arrays["klass"][place] = 1
        part = slice(*arrays["offsets"][place : place + 2].tolist())
        arrays["truth"][part] = truth(card, video, 1, times, int(arrays["ready"]))


def _settings() -> model_metrics.Settings:
    path = settings.root() / "params.yaml"
    section = load(path).get("evaluate") if path.exists() else None
    return model_metrics.Settings.read(
        {"rounds": ROUNDS, "seed": SEED} if section is None else section, "params.yaml [evaluate]"
    )
