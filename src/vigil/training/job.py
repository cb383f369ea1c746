"""What is to be trained: a model of params.yaml, checked, and completed with what its features are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from vigil.core import lineage
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.core.storage import read_json
from vigil.training.schedules import TrainParams, merge_params


class ModelEntry(Frozen):
    """A model in params.yaml; the other keys are its Config."""

    input: str
    classes: dict[str, tuple[str, ...]]
    datasets: tuple[str, ...] | None = None  # sets that it learns from and is judged on; None: all
    train: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class TrainingJob:
    """All settings that decide the result."""

    model: str
    module: Any  # of vigil.models
    entry: ModelEntry
    config: Any
    params: TrainParams
    features: lineage.Lineage


def read_job(model: str, models: Mapping[str, Any], params: TrainParams, features: Path) -> TrainingJob:
    """Reads what params.yaml says of `model`, and completes it with what its features are."""
    from vigil.models import checkpoint

    where = f"params.yaml [models.{model}]"
    if not isinstance(models.get(model), Mapping):
        raise VigilError(f"{where}: no such model. Known: {', '.join(models)}.{near_miss(model, models)}")
    section = models[model]
    entry = ModelEntry.read({key: section[key] for key in ModelEntry.model_fields if key in section}, where)
    module = checkpoint.find_module(model, where)
    config = {key: value for key, value in section.items() if key not in ModelEntry.model_fields}
    if entry.input == "segments":
        config |= segment_columns(features)
    merged = merge_params(params, entry.train, f"params.yaml [models.{model}.train]")
    return TrainingJob(model, module, entry, module.Config.read(config, where), merged, lineage.read(features))


def segment_columns(folder: Path) -> dict[str, Any]:
    """Returns what a model has to know of segments: how many features, and the range of those that are scaled."""
    path = folder / "train.npz"
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro segments`.")
    with np.load(path, allow_pickle=False) as arrays:
        names = arrays["names"].tolist()
    ranges = read_json(folder / "scaler.json")
    scaled = [tuple(ranges[name]) for name in names if name in ranges]
    return {"features": len(names), "ranges": tuple(scaled) or None}
