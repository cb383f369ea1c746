"""Tells abnormal from normal by how much changes in a scene, in the eyes of networks that learnt on photographs.

It knows neither where in the picture things change nor in which order, and sees neither faces nor scenery. For a camera
that moves, and in a light that flickers, everything changes.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from vigil.core.params import Frozen
from vigil.models.blocks.classifier import Classifier
from vigil.models.blocks.layers import Clip, Standardise, augment_per_sample, stretch_excerpt


class Config(Frozen):
    """How long it looks. It is as small as can be: with hidden layers it learns its examples by heart."""

    frames: Annotated[int, Field(ge=1)] = 16  # T
    window_s: Annotated[float, Field(gt=0)] = 2.0  # s, over which the frames are spread; a shorter video gives all
    features: Annotated[int, Field(ge=1)] = 704  # two changes of each channel, as stage `trunk` writes them
    slow: Annotated[float, Field(ge=0, lt=1)] = 0.2  # of the clip left out at most in training


class Model(Classifier):
    """(B, T, F) -> (B, classes) logits; any T, of which those that are NaN count as unknown."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__("trunk", classes)
        self.config = config
        self.clip = Clip(config.frames, window_s=config.window_s)
        self.norm = Standardise(config.features)
        self.head = nn.Linear(config.features, classes)

    def forward(self, changes: Tensor) -> Tensor:
        mean_changes = changes.nanmean(dim=1).nan_to_num(0.0)  # (B, F)
        return self.head(self.norm(mean_changes))

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Stretches an excerpt of one clip (T, F) to its whole length."""
        slower, later = torch.rand(2, generator=generator).tolist()
        return x[stretch_excerpt(len(x), self.config.slow * slower, later)], y
