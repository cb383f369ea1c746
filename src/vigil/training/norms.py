"""Batch norm over the batch of all processes that train together, so that two learn what one would.

torch has that for GPUs alone (SyncBatchNorm), and it replaces layers that are more than plain batch norms.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm


def share_batch_norms(model: nn.Module) -> None:
    """Lets every batch norm of `model` look at all processes while it learns."""
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.forward = partial(_forward, module, module.forward)  # type: ignore[method-assign]


def _forward(norm: BatchNorm, forward_alone: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Normalises `x` (B, C, ...) over all processes, each of which has the same B."""
    if not norm.training:
        return forward_alone(x)
    wide = x.float()
    other_axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, -1] + [1] * (x.ndim - 2)
    mean = _ProcessMean.apply(wide.mean(other_axes))
    centred = wide - mean.view(shape)
    variance = _ProcessMean.apply(centred.square().mean(other_axes))
    if norm.running_mean is not None and norm.running_var is not None and not getattr(norm, "is_repeated", False):
        count = wide.numel() // wide.shape[1] * torch.distributed.get_world_size()
        with torch.no_grad():
            norm.running_mean.lerp_(mean, norm.momentum or 0.0)
            norm.running_var.lerp_(variance * count / max(1, count - 1), norm.momentum or 0.0)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
    y = centred * torch.rsqrt(variance + norm.eps).view(shape)
    if norm.affine:
        y = y * norm.weight.view(shape) + norm.bias.view(shape)
    return y.to(x.dtype)


class _ProcessMean(torch.autograd.Function):
    """Takes the mean over the processes; what it does to the loss of any of them flows back to all."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        return _average_over_processes(value)

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return _average_over_processes(gradient)


def _average_over_processes(value: Tensor) -> Tensor:
    total = value.contiguous().clone()
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()
