"""Names the crime in the clips that the gate attended to: the gate's network, with one output per class.

It has no class for normal life: what is not a crime is named one all the same, so the gate must have spoken first.
"""

from pathlib import Path

import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.models.blocks.attentive import Look, Network, Output
from vigil.models.blocks.layers import Judged, weights_of_others

HEAD = "head."


class Config(Look):
    """As the gate's, whose frames and size its clips have."""

    weights: str | None = None  # of a gate to start from, such as data/attended/gate/weights.safetensors; null: random


class Model(Network):
    def __init__(self, config: Config, classes: int) -> None:
        if classes < 2:
            raise VigilError(f"crime_type: {classes} class; expected two or more under models.crime_type.classes.")
        super().__init__(config, classes)
        self.config = config

    def initialise(self) -> str | None:
        """Take over the gate's weights, all but its head, and say so in a line. For training alone."""
        if self.config.weights is None:
            return None
        path = Path(self.config.weights)
        tensors = weights_of_others(
            path, "models.crime_type.weights", missing="Run `dvc repro attend`", broken="Run `dvc repro attend`"
        )
        found = {name.removeprefix("members.0."): each for name, each in tensors.items()}
        wanted = {name: each for name, each in self.state_dict().items() if not name.startswith(HEAD)}
        for name, each in wanted.items():
            if name not in found or found[name].shape != each.shape:
                shape = tuple(found[name].shape) if name in found else "nothing"
                raise VigilError(
                    f"{path}: {name}: expected {tuple(each.shape)}, found {shape}: crime_type needs the gate's "
                    "`channels`, `see` and `hidden` to start from it; or set models.crime_type.weights to null."
                )
        self.load_state_dict({name: found[name] for name in wanted}, strict=False)
        return f"crime_type: starts from {path}, all but the head"

    @torch.no_grad()
    def judge(self, output: Output, x: Tensor) -> Judged:  # noqa: ARG002  as every model
        """The logits of all classes; nothing here is more or less abnormal."""
        return {"classes": output.logits, "attention": output.attention}
