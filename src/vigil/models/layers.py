"""What models share: the clip that one looks at, and the small layers that several are made of."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Batch = dict[str, Tensor]  # x: what forward takes; y: what is true of it
Losses = dict[str, Tensor]  # "loss" is what is minimised, the others are its parts, for the log
Judged = dict[str, Tensor]  # "window" (B,), "classes" (B, C), "frames" (B, T), "cells" (B, h, w), "attention" (B, T)


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
