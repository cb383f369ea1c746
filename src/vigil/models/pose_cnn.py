"""Judges what one person does from body landmarks alone, so it sees neither faces nor scenery nor things held.

Two LSTMs follow the movement; convolutions over their states look for what is telling, wherever in the segment it is.
"""

from typing import Annotated

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.models.blocks import poses

Width = Annotated[int, Field(ge=1)]
POOL = 4  # steps
STEP = 2 * POOL  # frames that a pooled step covers, the stride of the first convolution included
SHORTEST = 2 * STEP  # frames from which the second convolution, of two steps, gets something


class Config(poses.PoseConfig):
    hidden: Width = 26  # units of the LSTMs
    layers: Width = 2  # LSTMs
    channels: tuple[Width, Width] = (64, 192)  # of the convolutions


class Model(poses.PoseModel):
    def __init__(self, config: Config, classes: int) -> None:
        super().__init__("pose_cnn", config, classes)
        first, second = config.channels
        self.lstm = nn.LSTM(config.features, config.hidden, config.layers, batch_first=True)
        self.first = nn.Conv1d(config.hidden, first, kernel_size=2, stride=2)
        self.second = nn.Conv1d(first, second, kernel_size=2)
        self.norm = Norm(second)
        self.head = nn.Linear(second, classes)

    def forward(self, segments: Tensor) -> Tensor:
        """(B, T, F) -> (B, classes) logits; any T >= 1."""
        states, _ = self.lstm(segments)  # (B, T, hidden)
        length = states.shape[1]
        # The first state is held in front, so that the convolutions have enough and never leave out the newest frames.
        missing = max(SHORTEST, -(-length // STEP) * STEP) - length
        states = torch.cat([states[:, :1].expand(-1, missing, -1), states], dim=1).transpose(1, 2)  # (B, hidden, T)
        x = F.max_pool1d(F.relu(self.first(states)), POOL)  # (B, 64, T / 8)
        x = F.relu(self.second(x)).mean(dim=2)  # (B, 192)
        return self.head(self.norm(x))


class Norm(nn.BatchNorm1d):
    """Batch norm that takes a batch of one, which has no deviation, as it takes it at inference."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)
