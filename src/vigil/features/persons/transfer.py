"""Which layers of a network are those of the weights that its training starts from."""

from collections.abc import Sequence
from typing import Any

import torch

LISTED = 12  # layers or classes that a line names at most


def describe_transfer(source: Any, network: Any, classes: Sequence[str]) -> str:
    """Says which layers of a network that begins to train are those of the weights `source`, and which are new."""
    weights, begun = source.float().state_dict(), network.state_dict()
    layers: dict[str, bool] = {}
    for name, tensor in begun.items():
        layer = name.rpartition(".")[0]
        is_same = name in weights and torch.equal(weights[name].cpu(), tensor.cpu())
        layers[layer] = layers.get(layer, True) and is_same
    new = [layer for layer, is_same in layers.items() if not is_same]
    line = f"{len(layers) - len(new)} of {len(layers)} layers are those of the weights"
    shared = sorted(set(classes) & set(source.names.values()))
    if not new:
        return line
    rows = f", save their rows for {', '.join(shared[:LISTED])}" if shared else ""
    return f"{line}; new, for {len(classes)} classes instead of {len(source.names)}{rows}: {', '.join(new[:LISTED])}"
