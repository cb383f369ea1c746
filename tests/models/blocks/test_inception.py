"""The backbone: the published architecture, its padding, and weights that others have trained."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vigil.models.blocks import inception
from vigil.models.blocks.inception import Inception, Pool, Unit, same_padding

# Going deeper with convolutions, table 1, and Quo Vadis, figure 3: channels in; #1x1; reduce, #3x3; reduce, "5x5"; pool
TABLE = """
3b 192  64  96 128 16  32  32
3c 256 128 128 192 32  96  64
4b 480 192  96 208 16  48  64
4c 512 160 112 224 24  64  64
4d 512 128 128 256 24  64  64
4e 512 112 144 288 32  64  64
4f 528 256 160 320 32 128 128
5b 832 256 160 320 32 128 128
5c 832 384 192 384 48 128 128
"""


def published() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the backbone in the published PyTorch files."""
    units = [
        ("Conv3d_1a_7x7", 3, 64, 7),
        ("Conv3d_2b_1x1", 64, 64, 1),
        ("Conv3d_2c_3x3", 64, 192, 3),
    ]
    for line in TABLE.split("\n")[1:-1]:
        block, *numbers = line.split()
        channels, direct, reduce3, three, reduce5, five, pool = map(int, numbers)
        units += [
            (f"Mixed_{block}.b0", channels, direct, 1),
            (f"Mixed_{block}.b1a", channels, reduce3, 1),
            (f"Mixed_{block}.b1b", reduce3, three, 3),
            (f"Mixed_{block}.b2a", channels, reduce5, 1),
            (f"Mixed_{block}.b2b", reduce5, five, 3),
            (f"Mixed_{block}.b3b", channels, pool, 1),
        ]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, channels, out, kernel in units:
        shapes[f"{name}.conv3d.weight"] = (out, channels, kernel, kernel, kernel)
        shapes |= {f"{name}.bn.{part}": (out,) for part in ("weight", "bias", "running_mean", "running_var")}
    return shapes


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return {name: torch.rand(shape) for name, shape in published().items()} | {
        "logits.conv3d.weight": torch.rand(400, 1024, 1, 1, 1),
        "logits.conv3d.bias": torch.rand(400),
    }


@pytest.fixture(scope="module")
def backbone() -> Inception:
    return Inception()


def counted(network: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, value) for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked"))


def test_names_and_shapes_are_the_published_ones(backbone: Inception) -> None:
    assert {name: tuple(value.shape) for name, value in counted(backbone)} == published()
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 12_697_264 - 400 * 1024 - 400  # less logits


def test_published_weights_load_without_their_head(backbone: Inception, tensors: dict[str, Tensor]) -> None:
    line = inception.adopt_weights(backbone, tensors, "rgb.safetensors")
    assert line == "backbone from rgb.safetensors; skipped: logits"
    assert all(torch.equal(value, tensors[name]) for name, value in counted(backbone))


@pytest.mark.filterwarnings("ignore")
def test_googlenet_is_inflated_so_that_a_still_picture_looks_the_same(backbone: Inception) -> None:
    from torchvision.models import googlenet

    flat = googlenet(weights=None, init_weights=False, aux_logits=True).state_dict()
    flat = {name: value + 0.5 if value.is_floating_point() else value for name, value in flat.items()}
    line = inception.adopt_weights(backbone, flat, "googlenet.safetensors")
    assert "57 kernels of two dimensions inflated; skipped: aux1, aux2, fc" in line
    torch.testing.assert_close(backbone.Conv3d_1a_7x7.conv3d.weight.sum(dim=2), flat["conv1.conv.weight"])
    torch.testing.assert_close(
        backbone.Mixed_4c.b2b.conv3d.weight.sum(dim=2), flat["inception4b.branch3.1.conv.weight"]
    )
    assert torch.equal(backbone.Mixed_5c.b3b.bn.running_mean, flat["inception5b.branch4.1.bn.running_mean"])
    assert torch.equal(backbone.Conv3d_2c_3x3.bn.running_var, flat["conv3.bn.running_var"])


@pytest.mark.parametrize("kernel", [1, 2, 3, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [4, 5, 7, 8, 13])
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    steps = (before + size + after - kernel) // stride + 1
    if kernel >= stride:
        assert steps == -(-size // stride)
    assert after - before in (0, 1)
    # TensorFlow's own words: by the remainder of size / stride
    rest = size % stride or stride
    assert before + after == max(kernel - rest, 0)


@pytest.mark.parametrize("time", [(1, 1), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("space", [(3, 1), (3, 2), (2, 2)])
@pytest.mark.parametrize("shape", [(8, 14, 14), (5, 7, 4), (1, 2, 1)])
def test_pooling_in_two_steps_is_pooling_at_once(
    time: tuple[int, int], space: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    x = noise(2, 3, *shape).relu()
    axes = [time, space, space]
    pads = [same_padding(size, *axis) for size, axis in zip(shape, axes, strict=True)]
    padded = F.pad(x, [pad for axis in reversed(pads) for pad in axis])
    expected = F.max_pool3d(padded, [kernel for kernel, _ in axes], [stride for _, stride in axes])
    assert torch.equal(Pool(time, space, causal=False)(x), expected)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (7, 2)])
@pytest.mark.parametrize("shape", [(8, 14, 14), (9, 7, 4)])
def test_a_unit_pads_as_published(kernel: int, stride: int, shape: tuple[int, int, int]) -> None:
    unit = Unit(3, 4, kernel, stride, causal=False, momentum=0.1).eval()
    x = noise(2, 3, *shape)
    pads = [same_padding(size, kernel, stride) for size in shape]
    padded = F.pad(x, [pad for axis in reversed(pads) for pad in axis])
    torch.testing.assert_close(
        unit(x), (F.conv3d(padded, unit.conv3d.weight, stride=stride) / (1 + 1e-3) ** 0.5).relu()
    )


def test_a_backbone_that_ends_early_takes_the_same_weights() -> None:
    backbone, short = Inception(0.125), Inception(0.125, end="Mixed_4f")
    line = inception.adopt_weights(short, dict(counted(backbone)), "rgb.safetensors")
    assert line.endswith("skipped: Mixed_5b, Mixed_5c")
    assert short(noise(1, 3, 16, 64, 64)).shape == (1, short.channels, 4, 4, 4)
