"""The light of a place, and the noise that gives cloth and stone their grain."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

GRAIN = 1024  # px, side of the noise


@cache
def folds() -> np.ndarray:
    """Smooth noise of several octaves, about -1..1, (GRAIN, GRAIN): folds of cloth, stains, grain."""
    rng = np.random.default_rng(0)
    out = np.zeros((GRAIN, GRAIN), np.float32)
    for sigma, amp in ((3, 0.5), (8, 1.0), (20, 0.8)):
        white = rng.standard_normal((GRAIN, GRAIN)).astype(np.float32)
        noise = cv2.GaussianBlur(white, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        out += amp * noise / noise.std()
    return np.clip(out / 2.2, -1, 1)


@dataclass(frozen=True)
class Light:
    """Brightness = ambient + diffuse * cosine; `toward` is the world direction to the lamp or the sun."""

    toward: tuple[float, float, float] = (-0.4, 0.8, 0.5)
    ambient: float = 0.46
    diffuse: float = 0.66

    def unit(self) -> np.ndarray:
        v = np.asarray(self.toward, np.float32)
        return v / np.linalg.norm(v)
