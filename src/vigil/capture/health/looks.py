"""What is looked at of a frame, about twice a second: brightness, detail, edges."""

from dataclasses import dataclass

import cv2
import numpy as np

EDGE_SIZE = (160, 96)  # across, down
BRIGHT = 98  # percentile: a lamp or a reflection in the corner is not yet light


@dataclass(frozen=True, eq=False)
class Look:
    """`grey` (H, W) uint8; `edges` (96, 160) float32, how strong the edges are, of mean 0."""

    grey: np.ndarray
    edges: np.ndarray
    bright: float  # grey level that 98 % of the picture are below
    detail: float  # mean step from a pixel to those around it, of the picture shrunk to 160 px


def take_look(image: np.ndarray) -> Look:
    """Looks at `image` (H, W, 3) uint8 RGB."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, EDGE_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = float(np.abs(cv2.Laplacian(small, cv2.CV_32F)).mean())
    smooth = cv2.GaussianBlur(small, (0, 0), 1)
    strength = np.sqrt(cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)))
    return Look(grey, strength - strength.mean(), float(np.percentile(small, BRIGHT)), detail)
