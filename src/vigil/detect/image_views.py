"""Frames that a program hands over one by one, checked before anything looks at them."""

import math
from fractions import Fraction

import numpy as np

from vigil.core.errors import VigilError
from vigil.footage.video.views import ImageView


def make_view(number: int, image: np.ndarray, time_s: float | Fraction) -> ImageView:
    """Frame `number` of a source; VigilError where it is no picture, or its time is no number."""
    if not isinstance(image, np.ndarray):
        raise VigilError(f"a frame that is a {type(image).__name__}: expected (H, W, 3) uint8 RGB.")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or image.dtype != np.uint8:
        raise VigilError(f"a frame of shape {image.shape} and type {image.dtype}: expected (H, W, 3) uint8 RGB.")
    if not math.isfinite(time_s):
        raise VigilError(f"a frame at {time_s} s: expected the seconds since the source began.")
    return ImageView(number, Fraction(time_s), image)
