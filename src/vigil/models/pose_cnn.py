"""Judges what one person does from body landmarks alone, so it sees neither faces nor scenery nor things held.

LSTMs follow the signals of a body; convolutions over their states look for what is telling, wherever in the segment it
is.
"""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from vigil.models.blocks import poses
from vigil.models.blocks.poses import Width, pool_time


class Config(poses.PoseConfig):
    hidden: Width = 32  # units of the first layer and of the LSTMs
    layers: Width = 1  # LSTMs
    channels: tuple[Width, Width] = (32, 32)  # of the convolutions


class Model(poses.PoseModel):
    def __init__(self, config: Config, classes: int) -> None:
        super().__init__("pose_cnn", config, classes)
        first, second = config.channels
        self.first = nn.Linear(self.signals, config.hidden)
        self.lstm = nn.LSTM(config.hidden, config.hidden, config.layers, batch_first=True)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel_size=3, padding=1)
            for before, after in ((config.hidden, first), (first, second))
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * second, classes)

    def forward(self, segments: Tensor) -> Tensor:
        """(B, T, F) -> (B, classes) logits; any T >= 1."""
        states, _ = self.lstm(F.relu(self.first(self.standard_signals(segments))))  # (B, T, hidden)
        x = states.transpose(1, 2)  # (B, hidden, T)
        for convolution in self.convolutions:
            x = F.relu(convolution(x))  # (B, channels, T)
        return self.head(self.dropout(pool_time(x.transpose(1, 2))))
