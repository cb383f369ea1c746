"""The settings of a training, and the learning rate from step to step as a pure function of where the training is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vigil.core.params import Frozen

Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
SMALLEST_FALL = 1e-4  # share of the loss by which it must fall, or the plateau goes on


class TrainParams(Frozen):
    """The section `train` of params.yaml; `models.<m>.train` overrides it key by key."""

    epochs: Positive = 50
    samples: Natural = 0  # drawn per epoch, so that an epoch is as much work whatever the data; 0: all samples
    draw: Literal["samples", "sources"] = "samples"  # all alike, or classes, sources and videos in turn; see draws.py
    bag: Positive = 16  # snippets, at most, that are drawn of a film whose label alone is known; see class_windows.py
    bag_top: Positive = 8  # one in so many snippets, the most abnormal, say what the film is; see bags.py
    bag_smoothness: Annotated[float, Field(ge=0)] = 2.56e-3  # weight of squared steps between neighbours in a bag
    bag_sparsity: Annotated[float, Field(ge=0)] = 2.56e-3  # weight of its mean score: 8e-5 on each of 32, as published
    batch: Positive = 8  # samples to a step of the optimiser, over all devices
    accumulate: Positive = 1  # micro-batches to a batch: less memory, the same step but for batch norms
    lr: Annotated[float, Field(gt=0)] = 1e-3
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # not of biases and norms
    schedule: Literal["none", "cosine", "plateau"] = "none"
    warmup: Annotated[float, Field(ge=0)] = 0.0  # epochs in which the rate rises to `lr`
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5  # the rate is multiplied by it ...
    plateau_patience: Natural = 3  # ... after more epochs than this without a lower validation loss
    clip: Annotated[float, Field(ge=0)] = 0.0  # largest norm of the gradient; 0: any
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0  # decay of the running mean of the weights; 0: no mean
    patience: Natural = 0  # epochs without a better validation metric after which training stops; 0: never
    keep: Literal["best", "last"] = "best"  # weights of the epoch with the best validation metric, or of the last epoch
    class_weights: bool = True  # a rare class weighs as much as a common one
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # mixed: under torch.autocast
    compile: bool = False  # with torch.compile, where there is a C++ compiler
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"  # auto: a GPU if there is one
    devices: Positive = 1  # GPUs, or processes on the CPU, per node
    nodes: Positive = 1
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"  # of several devices; auto: ddp
    threads: Natural = 2  # of each process on the CPU; another number, other last digits. 0: as torch likes
    workers: Natural = 0  # processes per device that load ahead; 0: loading alternates with computing
    seed: Natural = 7
    report_every: Positive = 5  # epochs from one line to the next
    pictures_every: Natural = 0  # epochs from one picture of what it says in MLflow to the next; 0: none
    freeze: tuple[str, ...] = ()  # layers or weights, by name, that keep their weights and statistics
    start_from: str | None = None  # weights to start from; see warm_start.py
    start_from_sha256: Sha256 = None
    resume_from: str | None = None  # a finished training to go on from
    resume_from_sha256: Sha256 = None

    @model_validator(mode="after")
    def _check_divisibility(self) -> Self:
        count = self.accumulate * self.processes  # of micro-batches
        if self.batch % count:
            raise ValueError(
                f"batch: {self.batch} cannot be split into accumulate x devices x nodes = {count} equal parts"
            )
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup: {self.warmup:g} epochs of {self.epochs}; leave some to train in")
        return self

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        if self.start_from is not None and self.resume_from is not None:
            raise ValueError("start_from, resume_from: a training starts with weights or goes on with all; choose one")
        return self

    @property
    def processes(self) -> int:
        """Returns how many processes train together."""
        return self.devices * self.nodes

    @property
    def micro_batch_size(self) -> int:
        """Returns how many samples one device computes at a time."""
        return self.batch // (self.accumulate * self.processes)


def merge_params(shared: TrainParams, overrides: Mapping[str, Any], where: str) -> TrainParams:
    """Returns `shared` with what is not null in `overrides`, which an error calls `where`."""
    set_values = {key: value for key, value in overrides.items() if value is not None}
    return TrainParams.read(shared.model_dump() | set_values, where)


@dataclass(frozen=True)
class Plateau:
    """What the schedule `plateau` remembers from epoch to epoch."""

    lowest_loss: float = math.inf  # on the validation split
    flat_epochs: int = 0  # since it fell
    scale: float = 1.0  # by which the rate is multiplied by now

    def after(self, loss: float, params: TrainParams) -> "Plateau":
        """Returns the plateau after an epoch with this validation loss."""
        lowest = self.lowest_loss
        if loss < lowest - SMALLEST_FALL * abs(lowest if math.isfinite(lowest) else 0.0):
            return replace(self, lowest_loss=loss, flat_epochs=0)
        if self.flat_epochs < params.plateau_patience:
            return replace(self, flat_epochs=self.flat_epochs + 1)
        return replace(self, flat_epochs=0, scale=self.scale * params.plateau_factor)


def learning_rate(params: TrainParams, epoch: int, step: int, steps_per_epoch: int, plateau: Plateau) -> float:
    """Returns the rate of step `step` of epoch `epoch`, both counted from 0."""
    epochs_done = epoch + step / steps_per_epoch
    if epochs_done < params.warmup:
        return params.lr * (epochs_done + 1 / steps_per_epoch) / (params.warmup + 1 / steps_per_epoch)
    if params.schedule == "cosine":
        share = (epochs_done - params.warmup) / (params.epochs - params.warmup)
        return params.lr * (1 + math.cos(math.pi * share)) / 2
    return params.lr * (plateau.scale if params.schedule == "plateau" else 1.0)
