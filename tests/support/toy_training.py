"""A toy model trained on a cloud of points."""

from pathlib import Path
from typing import Any

import torch
from toys import Cells, Cloud, Toy, settings

from vigil.training.fit import FittedModel, fit

EVERYTHING = {
    "epochs": 6,
    "ema": 0.9,
    "schedule": "plateau",
    "plateau_patience": 0,
    "warmup": 1.0,
    "clip": 1.0,
    "optimiser": "adamw",
    "weight_decay": 0.1,
    "samples": 30,
    "accumulate": 2,
}


class StoppedError(Exception):
    """What kills a training in a test."""


def train(
    model: Any = None, classes: int = 2, resume: Path | None = None, report: Any = None, **changes: Any
) -> FittedModel:
    torch.manual_seed(0)
    cells = isinstance(model, Cells)
    samples = Cloud(50, classes, cells=cells), Cloud(21, classes, seed=1, cells=cells)
    report = report or (lambda _row: None)
    return fit(model or Toy(classes), classes, *samples, settings(**changes), "toy", resume, report)


def toy(**shape: Any) -> Toy:
    """Always with the same first weights."""
    torch.manual_seed(0)
    return Toy(**shape)


def same(first: FittedModel, second: FittedModel) -> bool:
    return (
        first.history == second.history
        and first.best == second.best
        and first.weights.keys() == second.weights.keys()
        and all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)
    )


def largest_difference(first: FittedModel, second: FittedModel) -> float:
    return max(float((first.weights[name] - second.weights[name]).abs().max()) for name in first.weights)
