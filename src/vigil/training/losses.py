"""A model with its loss as one module, which is what several processes share; and losses that are no numbers."""

from typing import Any

import torch
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Batch, Losses
from vigil.training import bags
from vigil.training.schedules import TrainParams
from vigil.training.validation import accuracy


class LossModule(nn.Module):
    """The losses of a batch to learn from; where it has classes, the accuracy too, which costs no second pass."""

    def __init__(self, model: Any, class_weights: Tensor | None, params: TrainParams, name: str) -> None:
        super().__init__()
        self.model, self.params, self.name = model, params, name
        self.register_buffer("class_weights", class_weights)

    def forward(self, batch: Batch) -> Losses:
        output, losses, x = self.run_model(batch)
        if self.model.clip.target == "class":
            with torch.no_grad():
                losses = losses | {"accuracy": accuracy(self.model.judge(output, x), batch["y"])}
        return losses

    def run_model(self, batch: Batch) -> tuple[Any, Losses, Tensor]:
        """Returns what the model puts out for each sample, its losses, and as many rows of x, for their shape."""
        x, snippets = batch["x"], batch.get("snippets")
        output = self.model(x)
        if snippets is None:
            return output, self.model.loss(output, batch, self.class_weights), x
        odds = bags.odds_of(self.model, output, self.name)
        output = bags.mean_of_top(output, odds, snippets, self.params.bag_top)
        losses = self.model.loss(output, batch, self.class_weights)
        smoothness, sparsity = bags.neighbour_terms(odds, snippets)
        loss = losses["loss"] + self.params.bag_smoothness * smoothness + self.params.bag_sparsity * sparsity
        return output, losses | {"loss": loss}, x[: len(snippets)]


def refuse_nan(losses: Losses, batch: Batch, model: str, where: str) -> None:
    """Raises VigilError where the loss is no number. `model` is its key in params.yaml, `where` begins the message."""
    if torch.isfinite(losses["loss"]):
        return
    values = ", ".join(f"{name} {value.item():.4g}" for name, value in losses.items())
    if not torch.isfinite(batch["x"]).all():
        advice = "The features themselves have numbers that are none: make them again (`dvc repro --force`)."
    else:
        advice = f"Lower models.{model}.train.lr, or set train.clip (1.0, say), or take train.precision 32-true."
    raise VigilError(f"{where}: the loss is no number ({values}). {advice}")
