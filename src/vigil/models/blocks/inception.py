"""Inception-v1 inflated to three dimensions: I3D's backbone (Carreira and Zisserman, Quo Vadis, CVPR 2017).

Its tensors bear the names and, at width 1, the shapes of the published PyTorch checkpoints, so that those load as they
are (`adopt_weights`); an ImageNet network of two dimensions is inflated. Padding is TensorFlow's `same`, with which the
published weights were trained. Pictures come in as RGB in -1..1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vigil.core.errors import VigilError

CONVOLUTIONS = {"Conv3d_1a_7x7": (64, 7, 2), "Conv3d_2b_1x1": (64, 1, 1), "Conv3d_2c_3x3": (192, 3, 1)}
POOLS = {  # kernel and stride in time, in space
    "MaxPool3d_2a_3x3": ((1, 1), (3, 2)),
    "MaxPool3d_3a_3x3": ((1, 1), (3, 2)),
    "MaxPool3d_4a_3x3": ((3, 2), (3, 2)),
    "MaxPool3d_5a_2x2": ((2, 2), (2, 2)),
}
MIXED = {  # channels of b0, b1a, b1b, b2a, b2b, b3b
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
STAGES = (
    *("Conv3d_1a_7x7", "MaxPool3d_2a_3x3", "Conv3d_2b_1x1", "Conv3d_2c_3x3", "MaxPool3d_3a_3x3"),
    *("Mixed_3b", "Mixed_3c", "MaxPool3d_4a_3x3", "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f"),
    *("MaxPool3d_5a_2x2", "Mixed_5b", "Mixed_5c"),
)
LAYOUT = torch.channels_last_3d  # in which pooling on a CPU, half of all time otherwise, takes a tenth
HEADS = ("logits.", "fc.", "aux1.", "aux2.")  # of published files; ours judge something else
COUNTER = "num_batches_tracked"  # of a batch norm; older files have none
BRANCHES = {"1": "b0", "2.0": "b1a", "2.1": "b1b", "3.0": "b2a", "3.1": "b2b", "4.1": "b3b"}
GOOGLENET = {  # unit in torchvision's GoogLeNet -> here: the same network in two dimensions
    **{f"conv{number}": name for number, name in zip("123", CONVOLUTIONS, strict=True)},
    **{
        f"inception{suffix}.branch{branch}": f"{stage}.{unit}"
        for suffix, stage in zip(("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"), MIXED, strict=True)
        for branch, unit in BRANCHES.items()
    },
}


class Inception(nn.Module):
    """(B, 3, T, H, W) in -1..1 -> (B, `channels`, ceil(T / stride), ceil(H / 32), ceil(W / 32)), features >= 0.

    `width` scales all channels. `end` is the last stage there is; before MaxPool3d_5a_2x2 a place is 16 px and not 32.
    `stride` is frames per step of the output, at most: 8 as published, 4 or 2 leave the last pools' strides in time
    out. `causal`: step j sees no frame after j * stride. `frozen`: the last stage that stays as it is. `recompute` in
    the backward pass what was held up to each pool: less memory for a third more time.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        end: str = STAGES[-1],
        stride: int = 8,
        causal: bool = False,
        momentum: float = 0.01,
        frozen: str | None = None,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.stages = STAGES[: STAGES.index(end) + 1]
        self.frozen = self.stages[: STAGES.index(frozen) + 1] if frozen else ()
        self.recompute = recompute
        norm: dict[str, Any] = {"causal": causal, "momentum": momentum}
        channels, spent = 3, 2  # spent: the stride in time so far, that of the first convolution included
        for name in self.stages:
            if name in CONVOLUTIONS:
                out, kernel, step = CONVOLUTIONS[name]
                stage: nn.Module = Unit(channels, channels := _scale_width(out, width), kernel, step, **norm)
            elif name in MIXED:
                stage = Mixed(channels, tuple(_scale_width(out, width) for out in MIXED[name]), **norm)
                channels = stage.channels
            else:
                time, space = POOLS[name]
                if spent * time[1] > stride:  # a kernel of two has no middle: it goes with its stride
                    time = (time[0], 1) if time[0] % 2 else (1, 1)
                spent *= time[1]
                stage = Pool(time, space, causal=causal)
            self.add_module(name, stage)
        self.channels, self.stride = channels, spent
        for name in self.frozen:
            self.get_submodule(name).requires_grad_(False)

    def train(self, mode: bool = True) -> "Inception":
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval()  # its statistics stay as they are too
        return self

    def forward(self, clips: Tensor) -> Tensor:
        x = _run_through(self.get_submodule(name) for name in self.frozen)(clips)
        repeat = self.recompute and self.training and torch.is_grad_enabled()
        for names in self._groups():
            stages = [self.get_submodule(name) for name in names]
            run = _run_through(stages)
            x = checkpoint(run, x, use_reentrant=False, context_fn=_count_once(stages)) if repeat else run(x)
        return x

    def _groups(self) -> Iterator[list[str]]:
        """Yields the stages that learn, up to each pool: what is held between them is small."""
        group: list[str] = []
        for name in self.stages[len(self.frozen) :]:
            group.append(name)
            if name in POOLS or name == self.stages[-1]:
                yield group
                group = []


class Norm(nn.BatchNorm3d):
    """Batch norm that counts no batch twice, and takes a batch of one value as it takes one at inference."""

    is_repeated = False  # whether the forward pass is being repeated

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:  # of one value there is no deviation
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        if self.is_repeated and self.running_mean is not None and self.running_var is not None:
            statistics = self.running_mean.clone(), self.running_var.clone()
            return F.batch_norm(x, *statistics, self.weight, self.bias, self.training, self.momentum or 0.0, self.eps)
        return super().forward(x)


class Unit(nn.Module):
    """A convolution with batch norm and ReLU."""

    def __init__(
        self, channels: int, out: int, kernel: int = 1, stride: int = 1, *, causal: bool, momentum: float
    ) -> None:
        super().__init__()
        self.causal = causal
        # Where front and back are padded alike whatever the size, the convolution does it without a copy.
        padding = kernel // 2 if stride == 1 else 0
        self.conv3d = nn.Conv3d(
            channels, out, kernel, stride, padding=(0 if causal else padding, padding, padding), bias=False
        )
        nn.init.kaiming_normal_(self.conv3d.weight, nonlinearity="relu")
        self.bn = Norm(out, eps=1e-3, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.conv3d.kernel_size[0], self.conv3d.stride[0]
        pads = [(0, 0) if stride == 1 else same_padding(size, kernel, stride) for size in x.shape[2:]]
        if self.causal:
            pads[0] = (kernel - 1, 0)
        if any(map(any, pads)):
            x = F.pad(x, [pad for axis in reversed(pads) for pad in axis])
        x = x.contiguous(memory_format=LAYOUT)
        x = _convolve_pointwise(x, self.conv3d.weight) if kernel == 1 else self.conv3d(x)
        return F.relu(self.bn(x), inplace=True)


class Pool(nn.Module):
    """A pool of maxima, over space and then over time, which is faster than at once. What comes in is >= 0."""

    def __init__(self, time: tuple[int, int], space: tuple[int, int], *, causal: bool) -> None:
        super().__init__()
        self.time, self.space, self.causal = time, space, causal

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=LAYOUT)
        # `same` pads as much in front as behind, or one less, which is what ceil_mode adds behind.
        kernel, stride = self.space
        fronts = [same_padding(size, kernel, stride)[0] for size in x.shape[3:]]
        x = F.max_pool3d(x, (1, kernel, kernel), (1, stride, stride), (0, *fronts), ceil_mode=True)
        kernel, stride = self.time
        if kernel == 1:
            return x
        if self.causal:
            return F.max_pool3d(F.pad(x, (0, 0, 0, 0, kernel - 1, 0)), (kernel, 1, 1), (stride, 1, 1))
        front = same_padding(x.shape[2], kernel, stride)[0]
        return F.max_pool3d(x, (kernel, 1, 1), (stride, 1, 1), (front, 0, 0), ceil_mode=True)


class Mixed(nn.Module):
    """Four branches over the same input, side by side: 1; 1 and 3; 1 and 3; pool and 1."""

    def __init__(self, channels: int, outs: tuple[int, ...], *, causal: bool, momentum: float) -> None:
        super().__init__()
        norm: dict[str, Any] = {"causal": causal, "momentum": momentum}
        b0, b1a, b1b, b2a, b2b, b3b = outs
        self.channels = b0 + b1b + b2b + b3b
        self.b0 = Unit(channels, b0, **norm)
        self.b1a, self.b1b = Unit(channels, b1a, **norm), Unit(b1a, b1b, 3, **norm)
        self.b2a, self.b2b = Unit(channels, b2a, **norm), Unit(b2a, b2b, 3, **norm)
        self.b3a, self.b3b = Pool((3, 1), (3, 1), causal=causal), Unit(channels, b3b, **norm)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))], dim=1)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Returns TensorFlow's padding in front and behind, which makes ceil(size / stride) of `size`."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def adopt_weights(network: Inception, tensors: Mapping[str, Tensor], source: str) -> str:
    """Gives the network the weights of a file and returns a line that says so; VigilError where they are of another.

    Kernels without time are repeated along it and divided by its length, so that a still picture looks as it did.
    """
    published = {_translate_name(name): value for name, value in tensors.items()}
    absent_stages = tuple(f"{stage}." for stage in STAGES if stage not in network.stages)
    skipped = sorted(name for name in published if name.startswith((*HEADS, *absent_stages)))
    state = network.state_dict()
    missing = [name for name in state if name not in published and not name.endswith(COUNTER)]
    unknown = sorted(published.keys() - state.keys() - set(skipped))
    if missing or unknown:
        raise VigilError(
            f"{source}: not the weights of an I3D. Missing: {_list_some(missing)}; not known: {_list_some(unknown)}. "
            "Expected those of an Inception-v1 I3D in PyTorch by their published names, or of torchvision's GoogLeNet."
        )
    inflated = 0
    for name, value in state.items():
        if name not in published:
            continue
        tensor = published[name]
        if value.ndim == 5 and tensor.ndim == 4:
            inflated += 1
            tensor = tensor[:, :, None].expand(-1, -1, value.shape[2], -1, -1) / value.shape[2]
        if tensor.shape != value.shape:
            raise VigilError(
                f"{source}: {name} is {list(tensor.shape)}, expected {list(value.shape)}. Published weights need "
                "`width: 1.0`."
            )
        value.copy_(tensor)
    units = sorted({name.split(".")[0] for name in skipped})
    how = f", {inflated} kernels of two dimensions inflated" if inflated else ""
    return f"backbone from {source}{how}; skipped: {', '.join(units) or 'nothing'}"


def _convolve_pointwise(x: Tensor, weight: Tensor) -> Tensor:
    """Convolves with a kernel of 1x1x1, as a matrix product, which is faster on a CPU."""
    return F.linear(x.movedim(1, -1), weight.flatten(1)).movedim(-1, 1)


def _translate_name(name: str) -> str:
    """Returns our name of a tensor: without the prefixes of wrappers, and translated from GoogLeNet."""
    name = name.removeprefix("module.").removeprefix("backbone.")
    unit, _, rest = name.partition(".conv." if ".conv." in name else ".bn.")
    if unit in GOOGLENET:
        return f"{GOOGLENET[unit]}.{'conv3d' if '.conv.' in name else 'bn'}.{rest}"
    return name


def _list_some(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}" if names else "none"


def _scale_width(channels: int, width: float) -> int:
    return max(1, round(channels * width))


def _run_through(stages: Iterable[nn.Module]) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        for stage in stages:
            x = stage(x)
        return x

    return run


def _count_once(stages: Iterable[nn.Module]) -> Callable[[], tuple[Any, Any]]:
    """Makes the contexts of the forward pass and of its repetition, in which batch norms count nothing."""

    @contextmanager
    def repeating() -> Iterator[None]:
        norms = [module for stage in stages for module in stage.modules() if isinstance(module, Norm)]
        for norm in norms:
            norm.is_repeated = True
        try:
            yield
        finally:
            for norm in norms:
                norm.is_repeated = False

    return lambda: (nullcontext(), repeating())
