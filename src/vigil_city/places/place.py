"""Places: what a camera sees of a shop, a street, a car park and so on, and where people can stand there."""

from dataclasses import dataclass, field
from math import atan2, cos, degrees, hypot, radians, sin

import numpy as np

from vigil_city.lens.camera import Camera
from vigil_city.lens.light import Light
from vigil_city.scene import Part, Polygon


@dataclass(frozen=True, eq=False)
class Fixture:
    """Something that belongs to the place; a scene that lists it in `Moment.without` draws it itself."""

    parts: list[Part]
    x: float
    z: float  # of its middle
    yaw: float  # the way it faces
    size: tuple[float, float]  # width across, depth
    shadow: np.ndarray | None = None

    def paint(self, part: int = 0) -> np.ndarray:
        """The colour of one of its flat parts."""
        p = self.parts[part]
        return p.rgb if isinstance(p, Polygon) else p[4]

    def front(self, reach: float = 0.55, aside: float = 0.0) -> tuple[float, float, float]:
        """x, z, yaw of a person who stands `reach` metres before its face and looks at it."""
        out = self.size[1] / 2 + reach
        s, c = sin(radians(self.yaw)), cos(radians(self.yaw))
        return self.x + s * out + c * aside, self.z + c * out - s * aside, self.yaw + 180


@dataclass(frozen=True, eq=False)
class Place:
    """Between spot(., 0) and spot(., 1) the floor is free, save for what `fixtures` says stands there."""

    kind: str
    camera: Camera
    wall_z: float  # the back wall is the plane z = -wall_z
    near: float  # z of v = 0: a standing person is just wholly in the picture
    far: float  # z of v = 1: half a metre before the furniture at the back
    light: Light
    seed: int
    road: tuple[float, float] | None = None  # z of the near and far edge of the lane on which vehicles go along X
    night: bool = False
    fixtures: dict[str, Fixture] = field(default_factory=dict)

    def spot(self, u: float, v: float) -> tuple[float, float]:
        """The floor point x, z at u in [-1, 1] across what is seen at depth v in [0 near, 1 far]."""
        z = self.near + (self.far - self.near) * v
        return self.across(u, z), z

    def across(self, u: float, z: float) -> float:
        """World x at u in [-1, 1] across the picture at depth z."""
        c = self.camera
        margin = 0.25 * c.focal / abs(z)  # a person's half width
        return c.floor_x(c.width / 2 + u * (c.width / 2 - margin), z)

    def outside(self, side: int, z: float, margin: float = 0.7) -> tuple[float, float]:
        """The floor point at depth z just out of view on the left (-1) or right (+1)."""
        c = self.camera
        return c.floor_x(c.width / 2 * (1 + side), z) + side * margin, z


def aimed(
    width: int, height: int, mount: float, distance: float, fill: float, pan: float = 0.0, roll: float = 0.0
) -> Camera:
    """A camera for which a person `distance` metres away, in the middle of the picture, fills `fill` of its height."""
    down = atan2(mount - 0.85, distance)
    focal = fill * hypot(distance, mount - 0.85) / (1.72 * cos(down))  # in picture heights
    return Camera(width, height, mount, degrees(down), pan, roll, degrees(2 * atan2(0.5, focal)))


def nearest(camera: Camera) -> float:
    """The z of the nearest floor point on which a person is wholly in the picture (to a twentieth of its height)."""
    for z in np.arange(-1.5, -12, -0.05):
        x = camera.floor_x(camera.width / 2, float(z))
        p = camera.project(np.array([[x, 0, z], [x, 1.85, z]]))
        if p[0, 1] < camera.height * 0.97 and p[1, 1] > camera.height * 0.02:
            return float(z)
    return -12.0
