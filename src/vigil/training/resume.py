"""How far a training has come, and the file with which a later process goes on from there."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vigil.core.storage import replacing
from vigil.training.devices import say
from vigil.training.history import Row
from vigil.training.schedules import Plateau, TrainParams


@dataclass
class Progress:
    """What a training has found out by the end of its last complete epoch."""

    epoch: int = 0  # complete epochs
    steps: int = 0  # of the optimiser
    epochs_since_best: int = 0
    finished: bool = False
    plateau: Plateau = field(default_factory=Plateau)
    history: list[Row] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)  # epoch (from 1), metric, value, loss; `keep` says which is kept
    best_rank: tuple[float, float] | None = None  # metric, then how low the loss was, whichever epoch is kept
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def add_epoch(self, row: Row, metric: str | None, params: TrainParams) -> bool:
        """Takes in the history's line of an epoch; returns whether its weights are kept."""
        self.history.append(row)
        value, loss = row.get(f"val_{metric}"), float(row["val_loss"] or 0.0)
        rank = (-math.inf if value is None else value, -loss)
        is_best = self.best_rank is None or rank > self.best_rank
        keeps_weights = is_best or params.keep == "last"
        if is_best:
            self.best_rank = rank
        if keeps_weights:
            self.best = {"epoch": row["epoch"], "metric": metric, "value": value, "loss": loss}
        self.epochs_since_best = 0 if is_best else self.epochs_since_best + 1
        self.plateau = self.plateau.after(loss, params)
        self.epoch += 1
        self.finished = self.is_over(params)
        return keeps_weights

    def is_over(self, params: TrainParams) -> bool:
        """Tells whether all epochs are done, or nothing has become better for too long."""
        return 0 < params.patience <= self.epochs_since_best or self.epoch >= params.epochs

    def forget_best(self) -> None:
        """Lets the best epoch be one of those to come, where what came before was judged on other samples."""
        self.best, self.best_rank, self.best_weights, self.epochs_since_best = {}, None, {}, 0
        self.plateau = Plateau(scale=self.plateau.scale)

    def to_fields(self) -> dict[str, Any]:
        """Returns the fields as plain values and tensors."""
        fields = {name: getattr(self, name) for name in Progress.__dataclass_fields__}
        return fields | {"plateau": asdict(self.plateau)}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Progress":
        """Makes the Progress that `to_fields` was called on."""
        rank = fields["best_rank"]
        return cls(
            **dict(fields)
            | {"plateau": Plateau(**fields["plateau"]), "best_rank": None if rank is None else (rank[0], rank[1])}
        )


@dataclass
class EndState:
    """What a training had come to after its last epoch."""

    progress: Progress
    state: dict[str, Any]  # as Training.state has it


def save_state(path: Path, progress: Progress, state: dict[str, Any]) -> None:
    """Replaces the file `path` by both."""
    with replacing(path) as temporary:
        torch.save({"progress": progress.to_fields(), "state": state}, temporary)


def load_state(path: Path, model: Any, name: str) -> tuple[Progress, dict[str, Any] | None]:
    """Reads what `save_state` wrote and loads the weights into `model`; without a file all starts from nothing."""
    if not path.exists():
        return Progress(), None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        state = saved["state"]
        progress = Progress.from_fields(saved["progress"])
        model.load_state_dict(state["model"])
    except Exception as error:  # noqa: BLE001  a damaged file may fail in any way; without it all is well
        say(f"{name}: {path} cannot be read ({type(error).__name__}): starts again", warn=True)
        return Progress(), None
    if not progress.finished:
        say(f"{name}: goes on after epoch {progress.epoch}")
    return progress, state
