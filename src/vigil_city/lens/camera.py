"""A pinhole surveillance camera, and what its cheap chip makes of a picture: fall-off, blur, colour cast, noise, grey.

World: X right, Y up, Z towards the camera, metres; the floor is y = 0.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vigil_city.bodies.anatomy import about_x, about_y, about_z

HIPS = 0.9  # metres: the height of a person's hips, by which people are found in the picture


@dataclass(frozen=True)
class Camera:
    """Stands at (0, mount, 0) and looks down -Z, turned by `pan` to the right and `pitch` downwards."""

    width: int = 320
    height: int = 240
    mount: float = 2.6  # metres above the floor
    pitch: float = 14.0  # degrees below the horizon
    pan: float = 0.0  # degrees to the right
    roll: float = 0.0  # degrees clockwise
    fov: float = 48.0  # vertical, degrees

    @cached_property
    def focal(self) -> float:
        """Pixels."""
        return float(self.height / 2 / np.tan(np.radians(self.fov) / 2))

    @cached_property
    def axes(self) -> np.ndarray:
        """Rows: right, up, backwards (towards the camera) in world coordinates."""
        return about_z(-self.roll) @ about_x(self.pitch) @ about_y(self.pan)

    @cached_property
    def eye(self) -> np.ndarray:
        return np.array([0.0, self.mount, 0.0])

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) to (N, 3): pixel x, pixel y, depth in metres (at least 5 cm)."""
        p = (np.atleast_2d(points) - self.eye) @ self.axes.T
        depth = np.maximum(-p[:, 2], 0.05)
        scale = self.focal / depth
        return np.stack([self.width / 2 + scale * p[:, 0], self.height / 2 - scale * p[:, 1], depth], 1)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """Signed distance in front of the camera plane, (N,); negative behind it."""
        return -((np.atleast_2d(points) - self.eye) @ self.axes[2])

    def rays(self, ss: int) -> np.ndarray:
        """World direction (H * ss, W * ss, 3) of every pixel; its component along the view axis is `focal` long."""
        y, x = np.mgrid[0 : self.height * ss, 0 : self.width * ss].astype(np.float32)
        x, y = (x + 0.5) / ss - self.width / 2, self.height / 2 - (y + 0.5) / ss
        return np.stack([x, y, np.full_like(x, -self.focal)], -1) @ self.axes.astype(np.float32)

    def floor_x(self, px: float, z: float) -> float:
        """World x at which somebody's hips at depth z are seen in pixel column px (roll aside)."""
        q = (px - self.width / 2) / self.focal
        line = self.axes[0] + q * self.axes[2]  # right . p = -q * back . p
        return float(-(line[1] * (HIPS - self.mount) + line[2] * z) / line[0])


class Sensor:
    """One camera's lens and chip. The noise of a frame depends on its number only, not on the frames before."""

    def __init__(self, width: int, height: int, seed: int, night: bool) -> None:
        rng = np.random.default_rng([seed, 2])
        self.night = night
        scale = width / 320
        self.blur = rng.uniform(0.5, 0.75) * (scale if scale <= 1 else scale**0.5)
        sigma = rng.uniform(1.0, 1.8) if night else rng.uniform(1.2, 2.8)
        depth = 1 if night else 3
        self._bank = rng.normal(0, sigma, (height + 64, width + 64, depth)).round().astype(np.int16)
        gain = rng.uniform(1.05, 1.2) if night else rng.uniform(0.95, 1.12)
        tint = np.ones(3) if night else 1 + rng.uniform(-0.05, 0.05, 3)
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        fall = rng.uniform(0.32, 0.45) if night else rng.uniform(0.08, 0.22)
        field = (1 - fall * (x * x + y * y) / 2) * gain
        self._field = (field[..., None] * tint).astype(np.float32)

    def __call__(self, image: np.ndarray, noise: np.random.Generator, gain: float = 1.0) -> np.ndarray:
        h, w = image.shape[:2]
        y, x = noise.integers(0, 64, 2)
        out = cv2.GaussianBlur(image, (0, 0), self.blur)
        if self.night:
            grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
            grey = cv2.multiply(grey, self._field[..., 0], scale=gain, dtype=cv2.CV_8U)
            grey = cv2.add(grey, self._bank[y : y + h, x : x + w, 0], dtype=cv2.CV_8U)
            return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
        out = cv2.multiply(out, self._field, scale=gain, dtype=cv2.CV_8U)
        return cv2.add(out, self._bank[y : y + h, x : x + w], dtype=cv2.CV_8U)
