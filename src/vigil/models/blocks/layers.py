"""Shared by the models: the clip that a model sees, how training changes it, standardising, published weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn
from torch.utils.data import default_collate

from vigil.core.errors import VigilError

Batch = dict[str, Tensor]  # x: what forward takes; y: the truth
Losses = dict[str, Tensor]  # "loss" is what is minimised, the others are its parts, for the log
# What judge returns, by name; a model has some of "window" (B,), "classes" (B, C), "frames" (B, T), "cells" (B, h, w)
# and "attention" (B, T).
Predictions = dict[str, Tensor]
Generators = Sequence[Generator]  # one for each sample, from which its random numbers are drawn
FARTHEST = 5.0  # standard deviations
SLOWEST = 3  # a camera that training imitates has half or a third of the rate of the clock


@dataclass(frozen=True)
class Clip:
    """Which ticks of the clock by which models are fed make one sample; see core/clock.py.

    Of `window` ticks in a row, `frames` are used, evenly spread: those at floor(i * window / frames).
    """

    frames: int  # T
    window: int | None = None  # None: as many as `frames`, without gaps
    window_s: float | None = None  # s; instead of `window` where the model speaks of time
    size: int | None = None  # px, side of the square that pictures are scaled to (stretched); None for landmarks
    layout: Literal["tchw", "cthw"] = "tchw"  # of pictures
    target: Literal["itself", "class", "cells"] = "class"  # what y is
    slower: float = 0.0  # share of the training samples that are seen as by a camera of half or a third of the rate
    pace: float = 0.0  # of flow in training, by which time runs faster or slower at most: 0.2 is x0.8 to x1.2


def augment_per_sample(
    augment_sample: Callable[[Any, Tensor, Tensor, Generator], tuple[Tensor, Tensor]],
) -> Callable[..., Any]:
    """Turns a method that changes one sample into one that changes a list of samples and stacks them."""

    @wraps(augment_sample)
    def augment(
        model: Any, xs: Sequence[Tensor], ys: Sequence[Tensor], generators: Generators
    ) -> tuple[Tensor, Tensor]:
        x, y = default_collate([augment_sample(model, *sample) for sample in zip(xs, ys, generators, strict=True)])
        return x, y

    return augment


def crop_clip(x: Tensor, side: float, down: float, right: float) -> tuple[Tensor, float, float]:
    """Crops pictures (A, B, H, W), all alike, and scales the crop up to the full size.

    Also returns how much taller and wider things have become. `side` 0..1 is the share of the side that is cut away;
    `down` and `right` 0..1 say where the crop lies. Without a pixel to cut away, the pictures are returned as they are.
    """
    height, width = x.shape[-2:]
    rows, columns = max(1, round(height * (1 - side))), max(1, round(width * (1 - side)))
    if (rows, columns) == (height, width):
        return x, 1.0, 1.0
    top, left = int(down * (height - rows + 1)), int(right * (width - columns + 1))
    crop = x[..., top : top + rows, left : left + columns]
    scaled = F.interpolate(crop, size=(height, width), mode="bilinear", align_corners=False)
    return scaled, height / rows, width / columns


def relight_clip(x: Tensor, light: float, gain: float, shift: float) -> Tensor:
    """Changes contrast and brightness of normalised pictures by `light` at most; `gain` and `shift` are 0..1."""
    if not light:
        return x
    mean = x.mean()
    return (x - mean) * (1 + light * (2 * gain - 1)) + mean + light * (2 * shift - 1)


def stretch_excerpt(length: int, left_out: float, later: float) -> list[int]:
    """Returns the frames that stretch an excerpt of a clip to its whole length, so that it plays slower.

    `left_out` 0..1 is the share of the clip outside of the excerpt; `later` 0..1 says where the excerpt begins.
    """
    played = length * (1 - left_out)
    begin = later * (length - played)
    return [int(begin + number * played / length) for number in range(length)]


class Standardise(nn.BatchNorm1d):
    """Takes from each signal its mean in training, and divides it by its deviation there; both are saved as buffers.

    What is farther out than `FARTHEST` counts as that far.
    """

    def __init__(self, signals: int) -> None:
        super().__init__(signals, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:  # of one value there is no deviation
            standard = F.batch_norm(x, self.running_mean, self.running_var, eps=self.eps)
        else:
            standard = super().forward(x)
        return standard.clamp(-FARTHEST, FARTHEST)


def mean_loss(sample_losses: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """Averages the losses of samples (B,), each times the `weight` (classes,) of its class `y`; rare ones count more.

    Not divided by the weights of the batch: a batch in parts, or over several devices, gives the same gradient.
    """
    return sample_losses.mean() if weight is None else (weight.to(sample_losses)[y] * sample_losses).mean()


def load_pretrained(path: Path, key: str, if_missing: str, if_broken: str) -> dict[str, Tensor]:
    """Loads the safetensors file that params.yaml names under `key`.

    Where it is missing or broken, the VigilError says what to do, in the words of `if_missing` or `if_broken`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise VigilError(
            f"{key} = {str(path)!r}: no such file. {if_missing}, or set null to start from scratch."
        ) from None
    except (SafetensorError, OSError) as error:
        raise VigilError(f"{path}: no safetensors ({' '.join(str(error).split())}). {if_broken}.") from None
