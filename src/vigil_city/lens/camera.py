"""A pinhole surveillance camera. World: X right, Y up, Z towards the camera, metres; the floor is y = 0."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigil_city.bodies.anatomy import about_x, about_y, about_z


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

    def floor_x(self, px: float, z: float, y: float = 0.9) -> float:
        """World x at which a point of height y and depth z is seen in pixel column px (roll aside)."""
        q = (px - self.width / 2) / self.focal
        line = self.axes[0] + q * self.axes[2]  # right . p = -q * back . p
        return float(-(line[1] * (y - self.mount) + line[2] * z) / line[0])
