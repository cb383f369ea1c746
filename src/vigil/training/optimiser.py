"""The optimiser of a training, and what it remembers of each weight, by the name of the weight."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vigil.training.schedules import TrainParams

Memory = Mapping[str, Mapping[str, Tensor]]  # by weight, then by the optimiser's own word, such as exp_avg


def make_optimiser(model: Any, params: TrainParams) -> torch.optim.Optimizer:
    """Makes an optimiser in which weights decay, biases and scales of norms do not; what is frozen is left out."""
    trainable = [weight for weight in model.parameters() if weight.requires_grad]
    matrices = [weight for weight in trainable if weight.ndim > 1]
    vectors = [weight for weight in trainable if weight.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": decay}
        for weights, decay in ((matrices, params.weight_decay), (vectors, 0.0))
        if weights
    ]
    kind = torch.optim.Adam if params.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=params.lr)


def read_memory(optimiser: torch.optim.Optimizer, model: Any) -> Memory:
    """Returns what the optimiser remembers, on the CPU."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: {word: value.detach().cpu() for word, value in values.items()}
        for parameter, values in optimiser.state.items()
    }


def load_memory(optimiser: torch.optim.Optimizer, model: Any, memory: Memory) -> None:
    """Lets the optimiser remember `memory`. It keeps its rates and decays; a weight that has no memory is new to it."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    state = optimiser.state_dict()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state["state"] = {
        number: {word: value.clone() for word, value in memory[names[parameter]].items()}
        for number, parameter in enumerate(parameters)
        if names[parameter] in memory
    }
    optimiser.load_state_dict(state)
