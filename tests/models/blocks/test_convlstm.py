"""The ConvLSTM computes what the textbook does, forward and backward, whole and in pieces."""

import copy
import shutil
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook import Textbook
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.models.blocks.convlstm import ConvLSTM, Kernel, State

SHAPES = [  # batch, frames, inputs, hidden, kernel, height, width
    (2, 5, 3, 8, 3, 8, 8),
    (1, 1, 3, 4, 3, 6, 6),
    (3, 4, 2, 5, 1, 7, 3),
    (2, 3, 8, 3, 5, 9, 11),
    (2, 16, 1, 1, 3, 5, 5),
    (1, 3, 4, 6, 3, 1, 1),
]


def pair(inputs: int, hidden: int, kernel: int, **options: Any) -> tuple[ConvLSTM, Textbook]:
    torch.manual_seed(inputs + hidden)
    ours, textbook = ConvLSTM(inputs, hidden, kernel).to(**options), Textbook(inputs, hidden, kernel).to(**options)
    textbook.cell.joined.load_state_dict(ours.state_dict())  # the same names, the same shapes
    return ours, textbook


def clip(*shape: int, seed: int = 0, **options: Any) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(**options)


def gradients(layer: Any, x: Tensor, state: tuple[Tensor, Tensor] | None, tensors: list[Tensor]) -> list[Tensor]:
    """Of a sum in which every output weighs something else."""
    outputs, (h, c) = layer(x, state)
    total = sum((tensor * clip(*tensor.shape, seed=9).to(tensor)).sum() for tensor in (outputs, h, c))
    return list(torch.autograd.grad(total, tensors))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("with_state", [False, True])
def test_it_is_the_textbook(shape: tuple[int, ...], with_state: bool) -> None:
    batch, frames, inputs, hidden, kernel, *size = shape
    ours, textbook = pair(inputs, hidden, kernel)
    x = clip(batch, frames, inputs, *size)
    before = (clip(batch, hidden, *size, seed=1), clip(batch, hidden, *size, seed=2)) if with_state else None
    outputs, (h, c) = ours(x, State(*before) if before else None)
    expected, (last_h, last_c) = textbook(x, before)
    for actual, exact in ((outputs, expected), (h, last_h), (c, last_c)):
        torch.testing.assert_close(actual, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("with_gradient", ["clip", "clip and state", "neither"])
def test_its_gradients_are_the_textbooks(shape: tuple[int, ...], with_gradient: str) -> None:
    batch, frames, inputs, hidden, kernel, *size = shape
    ours, textbook = pair(inputs, hidden, kernel, dtype=torch.float64)
    x = clip(batch, frames, inputs, *size, dtype=torch.float64).requires_grad_(with_gradient != "neither")
    state = tuple(clip(batch, hidden, *size, seed=seed, dtype=torch.float64).requires_grad_() for seed in (1, 2))
    before = state if "state" in with_gradient else None
    inputs = [tensor for tensor in (x, *(before or ())) if tensor.requires_grad]
    actual = gradients(ours, x, State(*before) if before else None, [*ours.parameters(), *inputs])
    exact = gradients(textbook, x, before, [*textbook.parameters(), *inputs])
    for gradient, exact_gradient in zip(actual, exact, strict=True):
        torch.testing.assert_close(gradient, exact_gradient, rtol=1e-9, atol=1e-10)


def test_a_clip_in_pieces_is_a_clip_and_so_is_its_gradient() -> None:
    ours, _ = pair(3, 6, 3)
    x = clip(2, 7, 3, 6, 6)
    full_clip, last = ours(x)
    (dwhole,) = torch.autograd.grad(full_clip[:, -1].square().sum() + last.c.sum(), ours.weight)
    first, state = ours(x[:, :4])
    second, end = ours(x[:, 4:], state)
    (dpieces,) = torch.autograd.grad(second[:, -1].square().sum() + end.c.sum(), ours.weight)
    torch.testing.assert_close(torch.cat([first, second], dim=1), full_clip)
    torch.testing.assert_close(dpieces, dwhole)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_any_pieces_of_a_stream_are_the_stream(pieces: list[int], batch: int, height: int, width: int) -> None:
    ours, _ = pair(2, 3, 3)
    x = clip(batch, sum(pieces), 2, height, width)
    with torch.no_grad():
        full_clip, last = ours(x)
        state, outputs = None, []
        for piece in x.split(pieces, dim=1):
            states, state = ours(piece, state)
            outputs.append(states)
    torch.testing.assert_close(torch.cat(outputs, dim=1), full_clip, rtol=0, atol=1e-6)
    torch.testing.assert_close(state.c, last.c, rtol=0, atol=1e-6)


def test_rows_do_not_know_each_other() -> None:
    ours, _ = pair(3, 4, 3)
    x = clip(3, 4, 3, 5, 5)
    torch.testing.assert_close(ours(x)[0][1:2], ours(x[1:2])[0])


def test_the_layout_in_memory_does_not_matter() -> None:
    ours, _ = pair(3, 4, 3)
    x = clip(2, 4, 3, 5, 7)
    turned = x.permute(4, 1, 0, 3, 2).contiguous().permute(2, 1, 4, 3, 0)
    assert turned.stride() != x.stride()
    torch.testing.assert_close(ours(turned)[0], ours(x)[0])


def test_a_gradient_can_be_asked_for_twice() -> None:
    ours, _ = pair(3, 4, 3)
    total = ours(clip(2, 4, 3, 5, 5))[0].square().sum()
    first = torch.autograd.grad(total, ours.weight, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(total, ours.weight)[0], first)


def test_a_stream_remembers_no_more_than_its_state() -> None:
    ours, _ = pair(3, 4, 3)
    with torch.no_grad():
        outputs, state = ours(clip(1, 3, 3, 5, 5))
    assert outputs.grad_fn is None and state.h.grad_fn is None and state.c.grad_fn is None


def test_in_mixed_precision_it_is_as_close_as_the_textbook() -> None:
    ours, textbook = pair(3, 8, 3)
    x = clip(2, 12, 3, 8, 8)
    exact = textbook(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        outputs, state = ours(x)
        rounded = textbook(x)[0]
    assert outputs.dtype == torch.bfloat16 and state.c.dtype == torch.float32
    assert (outputs - exact).abs().max() < 1.5 * (rounded - exact).abs().max() + 2**-9
    dweight = torch.autograd.grad(outputs.float().sum(), ours.weight)[0]
    exact_gradient = torch.autograd.grad(exact.sum(), textbook.cell.joined.weight)[0]
    assert dweight.dtype == torch.float32
    assert (dweight - exact_gradient).norm() < 0.02 * exact_gradient.norm()


def test_an_even_kernel_is_refused() -> None:
    class Settings(Frozen):
        kernel: Kernel = 3

    with pytest.raises(VigilError, match="kernel = 4: expected an odd number"):
        Settings.read({"kernel": 4}, "models.panic")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_compiled_it_computes_the_same() -> None:
    for inputs, hidden, size in ((3, 8, 8), (8, 32, 16), (5, 3, 7)):
        ours, _ = pair(inputs, hidden, 3)
        quick = copy.deepcopy(ours)
        quick.compile(dynamic=False)
        x = clip(2, 4, inputs, size, size).requires_grad_()
        torch.testing.assert_close(quick(x)[0], ours(x)[0], rtol=0, atol=1e-5)
        for compiled_value, plain_value in zip(
            gradients(quick, x, None, [x, *quick.parameters()]),
            gradients(ours, x, None, [x, *ours.parameters()]),
            strict=True,
        ):
            torch.testing.assert_close(compiled_value, plain_value, rtol=1e-4, atol=1e-4)
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(quick(x)[0], ours(x)[0], rtol=0, atol=0.02)
