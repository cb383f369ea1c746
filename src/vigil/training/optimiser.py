"""The optimiser of a training, and what it remembers of each weight, by the name of the weight."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vigil.training.schedules import TrainParams

Memory = Mapping[str, Mapping[str, Tensor]]  # by weight, then by the optimiser's own word, such as exp_avg


def make_optimiser(model: Any, params: TrainParams) -> torch.optim.Optimizer:
    """Weights decay, biases and the scales of norms do not; what is frozen is left out."""
    trainable = [each for each in model.parameters() if each.requires_grad]
    matrices, vectors = [each for each in trainable if each.ndim > 1], [each for each in trainable if each.ndim <= 1]
    groups = [
        {"params": members, "weight_decay": decay}
        for members, decay in ((matrices, params.weight_decay), (vectors, 0.0))
        if members
    ]
    kind = torch.optim.Adam if params.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=params.lr)


def read_memory(optimiser: torch.optim.Optimizer, model: Any) -> Memory:
    """What the optimiser remembers, on the CPU."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[parameter]: {word: value.detach().cpu() for word, value in values.items()}
        for parameter, values in optimiser.state.items()
    }


def load_memory(optimiser: torch.optim.Optimizer, model: Any, memory: Memory) -> None:
    """Let the optimiser remember it. Rates and decays stay its own; a weight that is not in it is new to it."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    state = optimiser.state_dict()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state["state"] = {
        number: {word: value.clone() for word, value in memory[names[parameter]].items()}
        for number, parameter in enumerate(parameters)
        if names[parameter] in memory
    }
    optimiser.load_state_dict(state)
