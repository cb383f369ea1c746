"""Where in the picture things move and where it stands still, as a coarse map of probabilities.

It looks at ten frames, so that a shadow, a flicker or a noisy sensor can be told from somebody who moves. It knows no
people: a car, a tree in the wind and a crowd are all alike to it.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.core.params import Frozen
from vigil.models.blocks.convlstm import ConvLSTM, Kernel
from vigil.models.blocks.layers import Batch, Clip, Losses, Predictions, augment_per_sample, relight_clip

CELL = 32  # px of the picture to a cell of the map: five halvings
Share = Annotated[float, Field(ge=0, lt=1)]


class Config(Frozen):
    """The published network: 640 px, and maps of 20x20."""

    size: Annotated[int, Field(ge=CELL, multiple_of=CELL)] = 640  # px, side of the pictures; size / 32 cells
    frames: Annotated[int, Field(ge=1)] = 10  # T
    stride: Annotated[int, Field(ge=1)] = 3  # ticks from one of them to the next
    see: Literal["pictures", "motion"] = "pictures"  # motion: what differs from the frame before
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field((16, 32, 64, 128, 64), min_length=5, max_length=5)
    hidden: Annotated[int, Field(ge=1)] = 32  # of the ConvLSTM
    kernel: Kernel = 3  # cells, of the ConvLSTM
    balance: Annotated[float, Field(gt=0)] = 1.0  # weight of a cell that moves; they are few
    top: Annotated[float, Field(gt=0, le=1)] = 0.05  # share of the cells, the liveliest, by which a window is judged
    flip: Annotated[float, Field(ge=0, le=1)] = 0.5  # share of training windows that are mirrored
    light: Share = 0.2  # of the contrast, and deviations of brightness, changed at most
    slower: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of training windows seen as by a slower camera; see Clip


class Model(nn.Module):
    def __init__(self, config: Config, classes: int = 2) -> None:  # noqa: ARG002  as every model
        super().__init__()
        self.config = config
        window = config.frames * config.stride
        self.clip = Clip(config.frames, window, size=config.size, target="cells", slower=config.slower)
        self.encoder = nn.Sequential(*(Halving(*widths) for widths in pairwise((3, *config.channels))))
        self.memory = ConvLSTM(config.channels[-1], config.hidden, config.kernel)
        self.head = nn.Conv2d(config.hidden, 1, 1)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, T, 3, S, S) -> logits (B, 1, S / 32, S / 32), of what moves in the newest frame."""
        if self.config.see == "motion":
            clips = torch.cat([torch.zeros_like(clips[:, :1]), clips.diff(dim=1)], dim=1)
        maps = self.encoder(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])  # (B, T, 64, S / 32, S / 32)
        states, _ = self.memory(maps)
        return self.head(states[:, -1])

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compiles what is worth it, as training asks for where there is a compiler; see ConvLSTM."""
        self.encoder.compile(*arguments, **options)
        self.memory.compile()

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:  # noqa: ARG002
        """Returns the cross-entropy of the cells."""
        balance = torch.tensor(self.config.balance, dtype=output.dtype, device=output.device)
        return {"loss": F.binary_cross_entropy_with_logits(output, batch["y"].to(output), pos_weight=balance)}

    @torch.no_grad()
    def judge(self, output: Tensor, x: Tensor) -> Predictions:  # noqa: ARG002  as every model
        """Returns the log odds of each cell; a window is as lively as its liveliest cells."""
        cells = output[:, 0].float()
        count = max(1, round(self.config.top * cells[0].numel()))
        return {"window": cells.flatten(1).topk(count).values.mean(dim=1), "cells": cells}

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mirrors one window (T, 3, S, S) with its map, and relights it, all frames alike."""
        flip, gain, shift = torch.rand(3, generator=generator).tolist()
        if flip < self.config.flip:
            x, y = x.flip(-1), y.flip(-1)
        return relight_clip(x, self.config.light, gain, shift), y


class Halving(nn.Module):
    """A convolution that halves the picture. Normalised per batch: how much a frame moves must not be lost."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.halve = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, pictures: Tensor) -> Tensor:
        return F.relu(self.norm(self.halve(pictures)))
