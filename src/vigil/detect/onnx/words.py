"""What models do for which torch's exporter has no word in ONNX, in words that it has. The numbers are the same.

with torch.no_grad(), Traceable():
    torch.onnx.export(make_traceable(model), ...)
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vigil.models.blocks.convlstm import ConvLSTM, State


class Traceable(TorchFunctionMode):
    """Says what ONNX has no word for in words that it has."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        plain = PLAIN.get(function)
        return (plain or function)(*args, **(kwargs or {}))


def _diff(x: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None) -> Tensor:
    if n != 1:
        raise NotImplementedError("differences of differences")
    x = x if prepend is None else torch.cat([prepend, x], dim)
    size = int(x.shape[dim])
    return x.narrow(dim, 1, size - 1) - x.narrow(dim, 0, size - 1)


def _nanmean(x: Tensor, dim: int) -> Tensor:
    unknown = torch.isnan(x)
    return torch.where(unknown, torch.zeros_like(x), x).sum(dim) / (~unknown).to(x.dtype).sum(dim)


def _nan_to_num(x: Tensor, nan: float) -> Tensor:
    return torch.where(torch.isnan(x), torch.full_like(x, nan), x)


def _pixel_unshuffle(x: Tensor, factor: int) -> Tensor:
    *batch, channels, height, width = (int(side) for side in x.shape)
    rows, columns, first = height // factor, width // factor, len(batch)
    parts = x.reshape(*batch, channels, rows, factor, columns, factor)
    order = [*range(first), first, first + 2, first + 4, first + 1, first + 3]
    return parts.permute(order).reshape(*batch, channels * factor * factor, rows, columns)


def _pixel_shuffle(x: Tensor, factor: int) -> Tensor:
    *batch, channels, height, width = (int(side) for side in x.shape)
    first, less = len(batch), channels // factor**2
    parts = x.reshape(*batch, less, factor, factor, height, width)
    order = [*range(first), first, first + 3, first + 1, first + 4, first + 2]
    return parts.permute(order).reshape(*batch, less, height * factor, width * factor)


def _batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,  # noqa: ARG001  as torch has it
    momentum: float = 0.1,  # noqa: ARG001
    eps: float = 1e-5,
) -> Tensor:
    """As of a model that has learnt."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    gain = torch.rsqrt(variance + eps) if weight is None else weight * torch.rsqrt(variance + eps)
    offset = -mean * gain if bias is None else bias - mean * gain
    return x * gain.view(shape) + offset.view(shape)


def _shape(x: Tensor) -> tuple[Any, ...]:
    """Whatever the number of samples, the other sides are what they are."""
    whole = x.shape
    return whole if len(whole) < 2 else (whole[0], *(int(side) for side in whole[1:]))


def _permute(x: Tensor, *dims: Any) -> Tensor:
    return x.permute([dim % x.ndim for dim in (dims[0] if isinstance(dims[0], Sequence) else dims)])


def _movedim(x: Tensor, source: int, destination: int) -> Tensor:
    order = [dim for dim in range(x.ndim) if dim != source % x.ndim]
    order.insert(destination % x.ndim, source % x.ndim)
    return _permute(x, *order)


def _numel(x: Tensor) -> int:
    return math.prod(int(side) for side in x.shape)


PLAIN: Mapping[Any, Callable[..., Any]] = {
    Tensor.diff: _diff,
    torch.diff: _diff,
    Tensor.nanmean: _nanmean,
    Tensor.nan_to_num: _nan_to_num,
    F.pixel_unshuffle: _pixel_unshuffle,
    F.pixel_shuffle: _pixel_shuffle,
    F.batch_norm: _batch_norm,
    Tensor.shape.__get__: _shape,  # type: ignore[attr-defined]
    Tensor.numel: _numel,
    Tensor.permute: _permute,
    Tensor.movedim: _movedim,
    Tensor.contiguous: lambda x, **_: x,  # where numbers lie is no matter of ONNX
}


class PlainConvLSTM(nn.Module):
    """The same layer, written so that it can be traced: nothing in place."""

    def __init__(self, layer: ConvLSTM) -> None:
        super().__init__()
        self.weight, self.bias, self.hidden, self.kernel = layer.weight, layer.bias, layer.hidden, layer.kernel

    def forward(self, clip: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        zeros = (0 * clip[:, 0, :1]).expand(-1, self.hidden, -1, -1)
        h, c = (zeros, zeros) if state is None else state
        shown = []
        for step in range(clip.shape[1]):
            gates = F.conv2d(torch.cat([clip[:, step], h], 1), self.weight, self.bias, padding=self.kernel // 2)
            i, f, o, g = gates.split(self.hidden, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            shown.append(h)
        return torch.stack(shown, dim=1), State(h, c)


def make_traceable(model: Any) -> Any:
    """A copy whose layers can be traced."""
    model = copy.deepcopy(model)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, ConvLSTM):
                setattr(module, name, PlainConvLSTM(child))
    return model.eval()
