"""`vigil evaluate`: a trained model on any other data, at its frozen thresholds, without touching the pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vigil import evaluation, settings
from vigil.commands import trial
from vigil.params import load
from vigil.storage import load_arrays, write_json

ROUNDS, SEED = 1000, 7


def evaluate(
    model: str,
    place: Path,
    *,
    labels: Path | None = None,
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
    calibration: Path | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """The same numbers as metrics/<model>.json; written to `out` too."""
    chosen = trial.opened(model, calibration)
    with trial.workspace() as space:
        videos = trial.dataset(space, place, kind, options or {}, labels)
        arrays = trial.scored(chosen, space, videos)
    arrays |= {"calibration_sha256": np.array(chosen.calibrated.sha256)}
    reference = settings.root() / "data/scores" / chosen.name / "val.npz"
    found = evaluation.evaluate(
        chosen.name,
        list(chosen.loaded.card.classes),
        arrays,
        chosen.calibrated,
        _settings(),
        load_arrays(reference) if reference.exists() else None,
    )
    if out is not None:
        write_json(out, found.told)
    return found.told


def _settings() -> evaluation.Settings:
    path = settings.root() / "params.yaml"
    section = load(path).get("evaluate") if path.exists() else None
    return evaluation.Settings.read(
        {"rounds": ROUNDS, "seed": SEED} if section is None else section, "params.yaml [evaluate]"
    )
