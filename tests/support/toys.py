"""Models and samples that learn in a blink, to try the training on."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vigil.models.blocks.layers import Batch, Clip, Losses, Predictions, augment_per_sample
from vigil.training.schedules import TrainParams


def augment_sample(model: Any, x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """One sample as `model` changes it for training."""
    xs, ys = model.augment([x], [y], [torch.Generator().manual_seed(seed)])
    return xs[0], ys[0]


class Toy(nn.Module):
    """(B, 6) -> (B, classes), with all that makes a training hard to repeat."""

    def __init__(self, classes: int = 2, dropout: float = 0.3, norm: bool = True) -> None:
        super().__init__()
        self.clip = Clip(1)
        self.net = nn.Sequential(
            nn.Linear(6, 16, bias=not norm),  # batch norm would make its gradient mere noise
            nn.BatchNorm1d(16) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(16, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        entropy = F.cross_entropy(output, batch["y"], weight, reduction="none").mean()
        penalty = 1e-3 * output.square().mean()
        return {"loss": entropy + penalty, "entropy": entropy, "small": penalty}

    def odds(self, output: Tensor) -> Tensor:
        return output[:, 1:].logsumexp(dim=1) - output[:, 0]

    def judge(self, output: Tensor, x: Tensor) -> Predictions:
        return {"window": self.odds(output), "classes": output}

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return x + 0.1 * torch.randn(x.shape, generator=generator), y


class ToyReconstructor(Toy):
    """Learns to give back what it gets."""

    def __init__(self) -> None:
        super().__init__(6)
        self.clip = Clip(1, target="itself")

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        return {"loss": F.mse_loss(output, batch["x"])}


class Cells(Toy):
    """A map of 2x2 cells."""

    def __init__(self) -> None:
        super().__init__(4)
        self.clip = Clip(1, target="cells")

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        return {"loss": F.binary_cross_entropy_with_logits(output, batch["y"].flatten(1))}

    def judge(self, output: Tensor, x: Tensor) -> Predictions:
        return {"cells": output.reshape(-1, 2, 2)}


@dataclass
class Cloud:
    """Points whose class is where they lie; a class or a map is what is asked for."""

    count: int
    classes: int = 2
    seed: int = 0
    cells: bool = False
    epoch: int = 0
    labels: np.ndarray = field(init=False)
    strata: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.labels = np.arange(self.count) % self.classes
        self.strata = np.stack([self.labels, np.arange(self.count), np.arange(self.count)], axis=1).astype(np.str_)
        noise = np.random.default_rng(self.seed).normal(size=(self.count, 6))
        self.x = torch.tensor(noise + self.labels[:, None], dtype=torch.float32)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        x = self.x[index]
        return {"x": x, "y": (x[:4] > 0).float().view(1, 2, 2) if self.cells else torch.tensor(self.labels[index])}


def settings(**changes: Any) -> TrainParams:
    base = {"epochs": 4, "batch": 8, "report_every": 2, "threads": 1, "accelerator": "cpu"}
    return TrainParams.read(base | changes, "params.yaml [train]")
