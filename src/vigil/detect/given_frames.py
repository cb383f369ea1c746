"""Frames that a program hands over one by one, checked before anything looks at them."""

import math
from fractions import Fraction

import numpy as np

from vigil.core.errors import VigilError
from vigil.footage.video.views import ImageView


def make_view(number: int, image: np.ndarray, time_s: float | Fraction) -> ImageView:
    """Frame `number` of a source; VigilError where it is no picture, or its time is no number."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        shape = getattr(image, "shape", type(image).__name__)
        raise VigilError(f"a frame of shape {shape}: expected (H, W, 3) uint8 RGB.")
    if not math.isfinite(time_s):
        raise VigilError(f"a frame at {time_s} s: expected the seconds since the source began.")
    return ImageView(number, Fraction(time_s), image)
