"""Tells crime from normal life in 16 frames spread over some seconds, and which of the frames said so.

It sees what is large enough to survive a picture of 112 px, and no order longer than its window.
"""

from dataclasses import replace

import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.models.blocks.attentive import AttentiveConfig, Network, Output, Share
from vigil.models.blocks.layers import Predictions


class Config(AttentiveConfig):
    """The published clip; window and widths are ours."""

    slower: Share = 0.0  # share of training clips that are seen as by a camera of half or a third of the rate


class Model(Network):
    def __init__(self, config: Config, classes: int = 2) -> None:
        if classes != 2:
            raise VigilError(
                f"crime_gate: {classes} classes; it tells normal from crime: models.crime_gate.classes takes two."
            )
        super().__init__(config, classes)
        self.clip = replace(self.clip, slower=config.slower)

    def odds(self, output: Output) -> Tensor:
        """Returns (B,) the log odds of a crime."""
        return output.logits[:, 1] - output.logits[:, 0]

    @torch.no_grad()
    def judge(self, output: Output, x: Tensor) -> Predictions:  # noqa: ARG002  as every model
        """Returns the log odds of a crime, the logits of both classes, and what each frame weighed."""
        return {"window": self.odds(output), "classes": output.logits, "attention": output.attention}
