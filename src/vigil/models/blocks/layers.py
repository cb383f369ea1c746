"""What models share: the clip that one looks at, how training changes it, and how weights of others are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor
from torch.utils.data import default_collate

from vigil.core.errors import VigilError

Batch = dict[str, Tensor]  # x: what forward takes; y: what is true of it
Losses = dict[str, Tensor]  # "loss" is what is minimised, the others are its parts, for the log
Judged = dict[str, Tensor]  # "window" (B,), "classes" (B, C), "frames" (B, T), "cells" (B, h, w), "attention" (B, T)
Chances = Sequence[Generator]  # where the random numbers of each sample come from


@dataclass(frozen=True)
class Clip:
    """What one sample of a model is, in stored frames.

    Of `window` frames in a row, `frames` are taken, evenly spread: those at floor(i * window / frames).
    """

    frames: int  # T
    window: int | None = None  # None: as many as `frames`, every one is taken
    window_s: float | None = None  # s; instead of `window` where the model speaks of time
    size: int | None = None  # px, side of the square that pictures are scaled to (stretched); None for landmarks
    layout: Literal["tchw", "cthw"] = "tchw"  # of pictures
    target: Literal["itself", "class", "cells"] = "class"  # what y is


def one_by_one(change: Callable[[Any, Tensor, Tensor, Generator], tuple[Tensor, Tensor]]) -> Callable[..., Any]:
    """A method that changes one sample as one that changes a list of them, and puts them together."""

    @wraps(change)
    def augment(model: Any, xs: Sequence[Tensor], ys: Sequence[Tensor], chances: Chances) -> tuple[Tensor, Tensor]:
        x, y = default_collate([change(model, *sample) for sample in zip(xs, ys, chances, strict=True)])
        return x, y

    return augment


def cropped(x: Tensor, side: float, down: float, right: float) -> tuple[Tensor, float, float]:
    """A part of the pictures (A, B, H, W), the same of all, scaled up to the whole: and how much taller and wider.

    `side` 0..1 is cut away; `down` and `right` 0..1 say where the part lies.
    """
    height, width = x.shape[-2:]
    rows, columns = max(1, round(height * (1 - side))), max(1, round(width * (1 - side)))
    if (rows, columns) == (height, width):
        return x, 1.0, 1.0
    top, left = int(down * (height - rows + 1)), int(right * (width - columns + 1))
    cut = x[..., top : top + rows, left : left + columns]
    whole = F.interpolate(cut, size=(height, width), mode="bilinear", align_corners=False)
    return whole, height / rows, width / columns


def relit(x: Tensor, light: float, gain: float, shift: float) -> Tensor:
    """Normalised pictures with other contrast and brightness, by `light` at most; `gain` and `shift` 0..1."""
    if not light:
        return x
    middle = x.mean()
    return (x - middle) * (1 + light * (2 * gain - 1)) + middle + light * (2 * shift - 1)


def balanced(each: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """The mean loss of the samples, each times what `weight` (classes,) says of its class; rare ones count more.

    Not divided by the weights of the batch: a batch in parts, or over several devices, gives the same gradient.
    """
    return each.mean() if weight is None else (weight.to(each)[y] * each).mean()


def weights_of_others(path: Path, key: str, missing: str, broken: str) -> dict[str, Tensor]:
    """What the safetensors that params.yaml names under `key` hold; VigilError with what to do where they do not."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise VigilError(
            f"{key} = {str(path)!r}: no such file. {missing}, or set null to start from scratch."
        ) from None
    except (SafetensorError, OSError) as error:
        raise VigilError(f"{path}: no safetensors ({' '.join(str(error).split())}). {broken}.") from None
