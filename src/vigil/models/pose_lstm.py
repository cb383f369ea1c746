"""Judges what one person does from body landmarks alone, so it sees neither faces nor scenery nor things held.

Three LSTMs, one on the other; the last state says what the segment was.
"""

from itertools import pairwise
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from vigil.models.blocks import poses

Width = Annotated[int, Field(ge=1)]


class Config(poses.PoseConfig):
    hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (128, 256, 128)  # units of each LSTM
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1  # after the first LSTM


class Model(poses.PoseModel):
    def __init__(self, config: Config, classes: int) -> None:
        super().__init__("pose_lstm", config, classes)
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
