"""The running mean of the weights (EMA), which is judged and kept in place of the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """An exponential mean over the steps of the optimiser; integer buffers are those of the last step."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, steps: int) -> None:
        """Takes in the weights after step `steps`, counted from 1. The first weights are soon forgotten."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        for name, value in model.state_dict().items():
            mean = self.weights[name]
            if value.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @contextmanager
    def swap_into(self, model: nn.Module) -> Iterator[None]:
        """Gives `model` the mean weights for the length of the block."""
        weights_before = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        try:
            yield
        finally:
            model.load_state_dict(weights_before)
