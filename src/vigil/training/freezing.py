"""Layers that are not trained: their weights stay, and so do the statistics of their batch norms."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from vigil.core.errors import VigilError, near_miss


def freeze_layers(model: Any, prefixes: Sequence[str], name: str) -> None:
    """Freezes every weight whose name is one of `prefixes` or lies below one: `encoder` and `encoder.0`, not `enc`.

    Layers below it are in eval mode from here on. VigilError where a prefix names nothing, or nothing is left to train.
    """
    paths = [key.split(".") for key in model.state_dict()]
    prefixes_of_model = sorted({".".join(path[:length]) for path in paths for length in range(1, len(path) + 1)})
    for prefix in prefixes:
        if prefix not in prefixes_of_model:
            first_words = ", ".join(dict.fromkeys(path[0] for path in paths))
            raise VigilError(
                f"{name}: train.freeze: no layer and no weight is called '{prefix}'. Known: {first_words}, and what "
                f"lies below them.{near_miss(prefix, prefixes_of_model)}"
            )
    for key, parameter in model.named_parameters():
        if _is_below(key, prefixes):
            parameter.requires_grad_(False)
    for key, layer in model.named_modules():
        if _is_below(key, prefixes) and not _needs_train_mode(layer):
            layer.training = False
    if prefixes and not any(parameter.requires_grad for parameter in model.parameters()):
        raise VigilError(f"{name}: train.freeze: nothing is left to train. Take a layer out of the list.")


def _is_below(key: str, prefixes: Sequence[str]) -> bool:
    return any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)


def _needs_train_mode(layer: nn.Module) -> bool:
    """Tells a recurrent layer without dropout: cuDNN takes its gradient in train mode alone."""
    return isinstance(layer, nn.RNNBase) and not layer.dropout
