"""A picture as a network wants it that takes any size, of which each side is a multiple of so many pixels."""

import cv2
import numpy as np


def fit_picture(image: np.ndarray, side: int, multiple: int) -> tuple[np.ndarray, float]:
    """The picture (H, W, 3) uint8 so large that its longer side is `side` px, and its scale.

    What is missing to a multiple is black, at the right and below.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = np.zeros((*(-(-length // multiple) * multiple for length in size[::-1]), 3), np.uint8)
    fitted[: size[1], : size[0]] = cv2.resize(image, size, interpolation=interpolation)
    return fitted, scale
