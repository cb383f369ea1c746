"""How a training goes: its settings, and the learning rate from step to step, as pure functions of where it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vigil.core.params import Frozen

Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
NOTICED = 1e-4  # share of the loss by which it must fall, or the plateau goes on


class Train(Frozen):
    """The section `train` of params.yaml; `models.<m>.train` overrides it key by key."""

    epochs: Positive = 50
    samples: Natural = 0  # drawn per epoch, so that an epoch is as much work whatever there is; 0: as many as there are
    batch: Positive = 8  # samples to a step of the optimiser, over all devices
    accumulate: Positive = (
        1  # parts that a batch is computed in, one after the other: less memory, the same step but for batch norms
    )
    lr: Annotated[float, Field(gt=0)] = 1e-3
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # not of biases and norms
    schedule: Literal["none", "cosine", "plateau"] = "none"
    warmup: Annotated[float, Field(ge=0)] = 0.0  # epochs in which the rate rises to `lr`
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5  # the rate is multiplied by it ...
    plateau_patience: Natural = 3  # ... after more epochs than this without a lower validation loss
    clip: Annotated[float, Field(ge=0)] = 0.0  # largest norm of the gradient; 0: any
    ema: Annotated[float, Field(ge=0, lt=1)] = (
        0.0  # decay of the running mean of the weights; 0: the weights themselves
    )
    patience: Natural = 0  # epochs without a better validation metric after which training stops; 0: never
    class_weights: bool = True  # a rare class weighs as much as a common one
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"  # as Lightning names it
    compile: bool = False  # with torch.compile, where there is a C++ compiler
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"  # auto: a GPU if there is one
    devices: Positive = 1  # GPUs, or processes on the CPU, per node
    nodes: Positive = 1
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"  # as Lightning names it
    threads: Natural = 2  # of each process on the CPU; another number, other last digits. 0: as torch likes
    workers: Natural = 0  # processes per device that load ahead; 0: none, it is done in between
    seed: Natural = 7
    report_every: Positive = 5  # epochs from one line to the next

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        parts = self.accumulate * self.devices * self.nodes
        if self.batch % parts:
            raise ValueError(
                f"batch: {self.batch} cannot be split into accumulate x devices x nodes = {parts} equal parts"
            )
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup: {self.warmup:g} epochs of {self.epochs}; leave some to train in")
        return self

    @property
    def part(self) -> int:
        """Samples that one device computes at a time."""
        return self.batch // (self.accumulate * self.devices * self.nodes)


def merged(shared: Train, own: Mapping[str, Any], where: str) -> Train:
    """`shared` with what is not null in `own`; `where` names the latter in an error."""
    return Train.read(shared.model_dump() | {key: value for key, value in own.items() if value is not None}, where)


@dataclass(frozen=True)
class Plateau:
    """What the schedule of that name remembers."""

    lowest: float = math.inf  # validation loss
    bad: int = 0  # epochs since it fell
    scale: float = 1.0  # of the rate, by now

    def after(self, loss: float, settings: Train) -> "Plateau":
        """At the end of an epoch."""
        if loss < self.lowest - NOTICED * abs(self.lowest if math.isfinite(self.lowest) else 0.0):
            return replace(self, lowest=loss, bad=0)
        if self.bad < settings.plateau_patience:
            return replace(self, bad=self.bad + 1)
        return replace(self, bad=0, scale=self.scale * settings.plateau_factor)


def rate(settings: Train, epoch: int, step: int, steps: int, plateau: Plateau) -> float:
    """The learning rate of step `step` of the `steps` of epoch `epoch`, all counted from 0."""
    done = epoch + step / steps
    if done < settings.warmup:
        return settings.lr * (done + 1 / steps) / (settings.warmup + 1 / steps)
    if settings.schedule == "cosine":
        return (
            settings.lr * (1 + math.cos(math.pi * (done - settings.warmup) / (settings.epochs - settings.warmup))) / 2
        )
    return settings.lr * (plateau.scale if settings.schedule == "plateau" else 1.0)
