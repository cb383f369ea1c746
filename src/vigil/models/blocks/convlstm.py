"""ConvLSTM: an LSTM whose states are maps and whose products are convolutions.

    layer = ConvLSTM(3, 32, kernel=3)
    states, last = layer(clip)            # (B, T, 3, H, W) -> (B, T, 32, H, W)
    states, last = layer(more, last)      # goes on where it stopped: a stream costs one step a frame

    i, f, o, g = sigmoid, sigmoid, sigmoid, tanh of convolution([input, h]) + bias
    c' = f * c + i * g
    h' = o * tanh(c')

It computes what a cell does that joins input and state and convolves them, in less time. Input and states lie in one
buffer with channels last, which is what the convolutions want: nothing is joined or reordered in any step. The gates
are one pass over memory each way when compiled (`compile`), and are computed again in the backward pass, not kept.
The first step of a clip has no state to convolve, and a clip that needs no gradient gets none.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from pydantic import AfterValidator, Field
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def _require_odd(side: int) -> int:
    if side % 2:
        return side
    raise ValueError("expected an odd number, so that maps keep their size")


Kernel = Annotated[int, Field(ge=1), AfterValidator(_require_odd)]  # px, side of a layer's convolutions


class State(NamedTuple):
    """What a layer remembers of a stream, per row of the batch."""

    h: Tensor  # (B, hidden, H, W) what it last put out
    c: Tensor  # (B, hidden, H, W) what it keeps to itself; float32 in mixed precision too


class Gates(NamedTuple):
    """The elementwise functions of a step, compiled or not."""

    forward: Callable[..., Tensor]
    backward: Callable[..., tuple[Tensor, Tensor]]


class ConvLSTM(nn.Module):
    """One layer; input, state and output are maps of one size."""

    def __init__(self, inputs: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.inputs, self.hidden, self.kernel = inputs, hidden, kernel
        joined = nn.Conv2d(inputs + hidden, 4 * hidden, kernel)
        self.weight, self.bias = joined.weight, joined.bias  # gates in the order i, f, o, g; input before state
        self.gates = Gates(_gates, _gates_backward)

    def forward(self, clip: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """(B, T, inputs, H, W), T >= 1 -> (B, T, hidden, H, W) and the last state; no state is a state of zeros."""
        kind = clip.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else clip.dtype
        h, c = state or (None, None)
        with torch.autocast(kind, enabled=False):
            states, c = _Sequence.apply(clip, h, c, self.weight, self.bias, self.gates, dtype, torch.is_grad_enabled())
        return states, State(states[:, -1], c)

    def compile(self, *_: Any, **__: Any) -> None:
        """Compiles the gates, for all shapes at once. (The whole would be unrolled over time.)"""
        self.gates = _compile_gates()

    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.hidden}, kernel={self.kernel}"


@cache
def _compile_gates() -> Gates:
    return Gates(torch.compile(_gates, dynamic=True), torch.compile(_gates_backward, dynamic=True))


def _gates(z: Tensor, c: Tensor, h: Tensor) -> Tensor:
    """Returns the new c, from z (N, 4, hidden) and the old. In place: z becomes i, f, o, g, and `h` the new h."""
    z[:, :3].sigmoid_()
    z[:, 3].tanh_()
    i, f, o, g = z.to(c.dtype).unbind(1)
    c = f * c + i * g
    h.copy_(o * torch.tanh(c))
    return c


def _gates_backward(gates: Tensor, c: Tensor, dshown: Tensor, dnext: Tensor, dc: Tensor) -> tuple[Tensor, Tensor]:
    """Returns gradients of z and old `c`, from those of c and of the new h, as put out and as the next step took it."""
    i, f, o, g = gates.to(c.dtype).unbind(1)
    squashed = torch.tanh(f * c + i * g)
    dh = dshown.to(c.dtype) + dnext.to(c.dtype)
    dc = dc + dh * o * (1 - squashed * squashed)
    dz = [dc * g * i * (1 - i), dc * c * f * (1 - f), dh * squashed * o * (1 - o), dc * i * (1 - g * g)]
    return torch.stack(dz, dim=1).to(gates.dtype), dc * f


class _Sequence(torch.autograd.Function):
    """A layer over a clip. `joined` (T + 1, B, H, W, inputs + hidden) holds each frame beside the state before it."""

    @staticmethod
    def forward(
        ctx: Any,
        clip: Tensor,
        h: Tensor | None,
        c: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        gates: Gates,
        dtype: torch.dtype,
        remember: bool,
    ) -> tuple[Tensor, Tensor]:
        batch, steps, inputs, *size = clip.shape
        hidden = len(weight) // 4
        channels = inputs + hidden
        joined = clip.new_empty((steps + 1, batch, *size, channels), dtype=dtype)
        joined[:steps, ..., :inputs] = clip.permute(1, 0, 3, 4, 2)
        exact = torch.promote_types(dtype, torch.float32)
        cell = clip.new_zeros((batch * size[0] * size[1], hidden), dtype=exact)
        if h is not None and c is not None:
            joined[0, ..., inputs:] = h.permute(0, 2, 3, 1)
            cell = _as_rows(c).to(exact)
        filters, offset, saved = _cast_filters(weight, dtype), bias.to(dtype), []
        for step in range(steps):
            used_channels = inputs if h is None and step == 0 else channels  # zeros need no convolution
            z = F.conv2d(
                _as_maps(joined[step, ..., :used_channels]), filters[:, :used_channels], offset, padding="same"
            )
            z = _as_rows(z).unflatten(1, (4, hidden))
            if remember:
                saved += [z, cell]
            cell = gates.forward(z, cell, joined[step + 1].view(-1, channels)[:, inputs:])
        if remember:
            ctx.save_for_backward(joined, weight, *saved)
            ctx.gates, ctx.stateless = gates, h is None
        return joined[1:, ..., inputs:].permute(1, 0, 4, 2, 3), _as_maps(cell.view(batch, *size, hidden))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dstates: Tensor, dlast: Tensor) -> tuple[Tensor | None, ...]:
        joined, weight, *saved = ctx.saved_tensors
        steps, (*shape, channels) = len(joined) - 1, joined.shape[1:]
        hidden = len(weight) // 4
        inputs = channels - hidden
        filters = _cast_filters(weight, joined.dtype)
        dweight, dbias = torch.zeros_like(filters, dtype=weight.dtype), weight.new_zeros(len(weight))
        dclip = joined.new_empty((steps, *shape, inputs)) if ctx.needs_input_grad[0] else None
        dc = _as_rows(dlast)
        dh = dc.new_zeros(dc.shape, dtype=joined.dtype)
        for step in reversed(range(steps)):
            z, cell = saved[2 * step : 2 * step + 2]
            dz, dc = ctx.gates.backward(z, cell, _as_rows(dstates[:, step]), dh, dc)
            dmaps = _as_maps(dz.view(*shape, 4 * hidden))
            used_channels = inputs if ctx.stateless and step == 0 else channels
            first = inputs if dclip is None else 0  # of the channels whose gradient is wanted
            dx, step_gradient = _convolve_backward(
                dmaps, _as_maps(joined[step, ..., :used_channels]), filters[:, :used_channels], first
            )
            dweight[:, :used_channels] += step_gradient
            dbias += dz.sum(0, dtype=dbias.dtype).flatten()
            if dclip is not None:
                dclip[step] = dx[:, :inputs].permute(0, 2, 3, 1)
            if used_channels == channels:
                dh = _as_rows(dx[:, inputs - first :])
        state = (
            (None, None)
            if ctx.stateless
            else (_as_maps(step_gradient.view(*shape, hidden)) for step_gradient in (dh, dc))
        )
        return None if dclip is None else dclip.permute(1, 0, 4, 2, 3), *state, dweight, dbias, None, None, None


def _convolve_backward(dz: Tensor, x: Tensor, filters: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """Returns the gradients of the channels of `x` from `first` on, and of the filters."""
    arguments = None, [1, 1], [side // 2 for side in filters.shape[2:]], [1, 1], False, [0, 0], 1
    backward = torch.ops.aten.convolution_backward
    dfilters = backward(dz, x, filters, *arguments, [False, True, False])[1]
    x, filters = x[:, first:], filters[:, first:]
    return backward(dz, x, filters, *arguments, [True, False, False])[0] if x.shape[1] else x, dfilters


def _cast_filters(weight: Tensor, dtype: torch.dtype) -> Tensor:
    return weight.to(dtype, memory_format=torch.channels_last)


def _as_maps(rows: Tensor) -> Tensor:
    """Views (B, H, W, C) as (B, C, H, W)."""
    return rows.permute(0, 3, 1, 2)


def _as_rows(maps: Tensor) -> Tensor:
    """Views (B, C, H, W) as (B * H * W, C); it is a copy only where channels are not last in memory."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
