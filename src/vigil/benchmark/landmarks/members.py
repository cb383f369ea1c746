"""The models that judge segments of people, as members of a benchmark: the networks of the pipeline, and trees.

Every member is fitted to some segments and gives log probabilities of others. The trees see the same signals as the
networks, as statistics over the ticks of a segment.
"""

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vigil.clips.labels import Classes
from vigil.evaluation.flow_trees import Forest, ForestParams, fit_forest
from vigil.judging.stored import single_thread
from vigil.models.blocks.pose_signals import describe_body
from vigil.models.checkpoint import find_module
from vigil.training import devices
from vigil.training.fit import fit
from vigil.training.job import ModelEntry
from vigil.training.schedules import TrainParams, merge_params

TREES, ENSEMBLE = "trees", "ensemble"
BATCH = 512  # segments that are computed at a time
FLOOR = 1e-3  # below which no tree's probability counts: one that has never seen a class is not sure of that


@dataclass(frozen=True, eq=False)
class Network:
    """One model of the pipeline with its settings."""

    name: str
    module: ModuleType
    config: Any
    params: TrainParams
    classes: Classes

    def fit(self, train: "StoredSegments", val: "StoredSegments", class_count: int, seed: int, resume: Path) -> Any:
        """Trains the model on some segments; it has the weights of the epoch that was best on the others.

        `resume` is for a training that is cut off; it goes on from its last epoch.
        """
        params = self.params.model_copy(update={"seed": seed})
        with devices.make_repeatable(params):
            torch.manual_seed(seed)
            model = self.module.Model(self.config, class_count)
        resume.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(io.StringIO()):  # the benchmark says itself how far it is
            fitted = fit(model, class_count, train, val, params, self.name, resume)
        resume.unlink(missing_ok=True)
        model.load_state_dict(fitted.weights)
        return model.eval()


@dataclass(eq=False)
class StoredSegments:
    """Segments as training.batches.Samples."""

    x: np.ndarray  # (N, T, F) float32
    labels: np.ndarray  # (N,) int
    strata: np.ndarray  # (N, 3) str: class, source and clip
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": torch.from_numpy(self.x[index]), "y": torch.tensor(int(self.labels[index]))}


def read_networks(params: Mapping[str, Any], features: int, preset: str) -> dict[str, Network]:
    """Reads the models of a parameter file that look at segments, by name."""
    shared = TrainParams.read(params["train"] | {"workers": 0}, f"{preset}: train")  # changes no result
    networks = {}
    for name, section in params["models"].items():
        if section["input"] != "segments":
            continue
        where = f"{preset}: models.{name}"
        entry = ModelEntry.read({key: section[key] for key in ModelEntry.model_fields if key in section}, where)
        module = find_module(name, where)
        settings = {key: value for key, value in section.items() if key not in ModelEntry.model_fields}
        config = module.Config.read(settings | {"features": features}, where)
        networks[name] = Network(name, module, config, merge_params(shared, entry.train, where), entry.classes)
    return networks


def network_logits(network: Any, x: np.ndarray) -> np.ndarray:
    """Returns (N, C) log probabilities."""
    with single_thread(), torch.inference_mode():
        logits = [network(torch.from_numpy(batch)).log_softmax(dim=1) for batch in _batches(x)]
    return torch.cat(logits).numpy().astype(np.float32)


def fit_trees(x: np.ndarray, labels: np.ndarray, params: ForestParams, seed: int) -> Forest:
    """Fits trees to statistics of segments; every class weighs as much as another."""
    counts = np.bincount(labels)
    names = np.char.zfill(labels.astype(str), 4)  # in the order of their numbers
    return fit_forest(segment_statistics(x), names, params.model_copy(update={"seed": seed}), 1.0 / counts[labels])


def tree_logits(forest: Forest, x: np.ndarray, class_count: int) -> np.ndarray:
    """Returns (N, C) log probabilities."""
    probability = np.zeros((len(x), class_count), np.float32)
    probability[:, forest.labels.astype(int)] = forest.predict(segment_statistics(x))
    return np.log(np.maximum(probability, FLOOR))


def segment_statistics(x: np.ndarray) -> np.ndarray:
    """Turns (N, T, 67) columns into (N, 6 x 65): mean, deviation, extremes, median and mean step of each signal."""
    with torch.inference_mode():
        signals = np.concatenate([describe_body(torch.from_numpy(batch)).numpy() for batch in _batches(x)])
    steps = np.abs(np.diff(signals, axis=1))
    columns = [signals.mean(1), signals.std(1), signals.min(1), signals.max(1), np.median(signals, 1), steps.mean(1)]
    return np.concatenate(columns, axis=1)


def ensemble_logits(members: Sequence[np.ndarray]) -> np.ndarray:
    """Returns (N, C): the log of the mean probability of all members."""
    return np.logaddexp.reduce(np.stack(members), axis=0) - math.log(len(members))


def _batches(x: np.ndarray) -> Iterator[np.ndarray]:
    yield from (x[start : start + BATCH] for start in range(0, len(x), BATCH))
