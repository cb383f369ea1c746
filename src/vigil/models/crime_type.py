"""Names the crime in the clips that the gate attended to: the gate's network, with one output per class.

It has no class for normal life: what is not a crime is named one all the same, so the gate must have spoken first.
"""

from pathlib import Path

import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.models.blocks.attentive import AttentiveConfig, Network, Output
from vigil.models.blocks.layers import Predictions, load_pretrained

HEAD = "head."


class Config(AttentiveConfig):
    """Settings as the gate's, whose frames and size its clips have."""

    weights: str | None = None  # of a gate to start from, such as data/attended/gate/weights.safetensors; null: random


class Model(Network):
    config: Config

    def __init__(self, config: Config, classes: int) -> None:
        if classes < 2:
            raise VigilError(f"crime_type: {classes} class; expected two or more under models.crime_type.classes.")
        super().__init__(config, classes)

    def initialise(self) -> str | None:
        """Takes over the gate's weights, all but its head, and returns a line that says so. For training alone."""
        if self.config.weights is None:
            return None
        path = Path(self.config.weights)
        tensors = load_pretrained(
            path, "models.crime_type.weights", if_missing="Run `dvc repro attend`", if_broken="Run `dvc repro attend`"
        )
        gate_tensors = {name.removeprefix("members.0."): tensor for name, tensor in tensors.items()}
        shared_tensors = {name: tensor for name, tensor in self.state_dict().items() if not name.startswith(HEAD)}
        for name, tensor in shared_tensors.items():
            if name not in gate_tensors or gate_tensors[name].shape != tensor.shape:
                shape = tuple(gate_tensors[name].shape) if name in gate_tensors else "nothing"
                raise VigilError(
                    f"{path}: {name}: expected {tuple(tensor.shape)}, found {shape}: crime_type needs the gate's "
                    "`channels`, `see` and `hidden` to start from it; or set models.crime_type.weights to null."
                )
        self.load_state_dict({name: gate_tensors[name] for name in shared_tensors}, strict=False)
        return f"crime_type: starts from {path}, all but the head"

    @torch.no_grad()
    def judge(self, output: Output, x: Tensor) -> Predictions:  # noqa: ARG002  as every model
        """Returns the logits of all classes; nothing here is more or less abnormal."""
        return {"classes": output.logits, "attention": output.attention}
