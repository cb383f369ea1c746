"""Judges what one person does from body landmarks alone, so it sees neither faces nor scenery nor things held.

Three LSTMs, one on the other; the last state says what the segment was.
"""

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from vigil.models import poses
from vigil.models.layers import Batch, Clip, Judged, Losses

Width = Annotated[int, Field(ge=1)]


class Config(poses.Columns):
    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (128, 256, 128)  # units of each LSTM
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1  # after the first LSTM


class Model(nn.Module):
    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        poses.classes("pose_lstm", classes)
        self.config = config
        self.clip = Clip(config.frames)
        widths = (config.features, *config.hidden)
        self.layers = nn.ModuleList(nn.LSTM(before, after, batch_first=True) for before, after in pairwise(widths))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, segments: Tensor) -> Tensor:
        """(B, T, F) -> (B, classes) logits; any T >= 1."""
        states = segments
        for number, layer in enumerate(self.layers):
            states, _ = layer(states)  # (B, T, hidden)
            if number == 0:
                states = self.dropout(states)
        return self.head(states[:, -1])

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        return poses.loss(output, batch, weight)

    def judge(self, output: Tensor, x: Tensor) -> Judged:  # noqa: ARG002  as every model
        return poses.judge(output)

    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return poses.augment(x, self.config, generator), y
