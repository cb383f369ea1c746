"""Judges what one person does from body landmarks alone, so it sees neither faces nor scenery nor things held.

LSTMs, one on the other, follow the signals of a body; the mean and the maximum of the last one's states over time say
what the segment was.
"""

from itertools import pairwise
from typing import Annotated

import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.models.blocks import poses
from vigil.models.blocks.poses import Width, pool_time


class Config(poses.PoseConfig):
    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (32,)  # units of each LSTM


class Model(poses.PoseModel):
    def __init__(self, config: Config, classes: int) -> None:
        super().__init__("pose_lstm", config, classes)
        widths = (config.hidden[0], *config.hidden)
        self.first = nn.Linear(self.signals, widths[0])
        self.layers = nn.ModuleList(nn.LSTM(before, after, batch_first=True) for before, after in pairwise(widths))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * widths[-1], classes)

    def forward(self, segments: Tensor) -> Tensor:
        """(B, T, F) -> (B, classes) logits; any T >= 1."""
        states = F.relu(self.first(self.standard_signals(segments)))  # (B, T, hidden)
        for layer in self.layers:
            states, _ = layer(states)
        return self.head(self.dropout(pool_time(states)))
