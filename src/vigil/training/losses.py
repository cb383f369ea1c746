"""A model with its loss as one module, which is what several processes share; and losses that are no numbers."""

from typing import Any

import torch
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Batch, Losses
from vigil.training.validation import share_right


class LossModule(nn.Module):
    """The losses of a batch to learn from; where it has classes, the accuracy too, which costs no second pass."""

    def __init__(self, model: Any, class_weights: Tensor | None) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("class_weights", class_weights)

    def forward(self, batch: Batch) -> Losses:
        output = self.model(batch["x"])
        losses: Losses = self.model.loss(output, batch, self.class_weights)
        if self.model.clip.target == "class":
            with torch.no_grad():
                losses = losses | {"accuracy": share_right(self.model.judge(output, batch["x"]), batch["y"])}
        return losses


def refuse_nan(losses: Losses, batch: Batch, name: str, place: str) -> None:
    """VigilError where the loss is no number; it says what to do."""
    if torch.isfinite(losses["loss"]):
        return
    values = ", ".join(f"{part} {value.item():.4g}" for part, value in losses.items())
    if not torch.isfinite(batch["x"]).all():
        advice = "The features themselves have numbers that are none: make them again (`dvc repro --force`)."
    else:
        advice = f"Lower models.{name}.train.lr, or set train.clip (1.0, say), or take train.precision 32-true."
    raise VigilError(f"{name}: {place}: the loss is no number ({values}). {advice}")
