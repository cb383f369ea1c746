"""The optimiser of a training."""

from typing import Any

import torch

from vigil.training.schedules import TrainParams


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
