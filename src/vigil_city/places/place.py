"""Places: what a camera sees of a shop, a street, a car park and so on, and where people can stand there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan2, ceil, cos, degrees, hypot

import numpy as np

from vigil_city.bodies.motion import ahead
from vigil_city.lens.camera import Camera
from vigil_city.lens.light import Light
from vigil_city.scene import Part, Polygon

Point = tuple[float, float]
"""x, z on the floor, metres."""
FLAT = frozenset({"door", "window", "clock", "shelf"})  # on the walls, out of everybody's way
DEEP = 3.4  # metres of depth within which people are still tall enough in the picture
BODY = 0.27  # metres that a person needs beside a thing


@dataclass(frozen=True, eq=False)
class Fixture:
    """Something that belongs to the place; a scene that lists it in `Moment.without` draws it itself."""

    parts: list[Part]
    x: float
    z: float  # of its middle
    yaw: float  # the way it faces
    size: tuple[float, float]  # width across, depth
    shadow: np.ndarray | None = None

    def paint(self, index: int = 0) -> np.ndarray:
        """The colour of one of its parts."""
        part = self.parts[index]
        return part.rgb if isinstance(part, Polygon) else part[4]

    def front(self, reach: float, aside: float) -> tuple[float, float, float]:
        """x, z, yaw of a person who stands `reach` metres before its face and looks at it."""
        return *ahead(self.x, self.z, self.yaw, self.size[1] / 2 + reach, aside), self.yaw + 180


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

    def spot(self, u: float, v: float) -> Point:
        """The floor point x, z at u in [-1, 1] across what is seen at depth v in [0 near, 1 far]."""
        z = self.near + (self.far - self.near) * v
        return self.across(u, z), z

    def across(self, u: float, z: float) -> float:
        """World x at u in [-1, 1] across the picture at depth z."""
        c = self.camera
        margin = 0.25 * c.focal / abs(z)  # a person's half width
        return c.floor_x(c.width / 2 + u * (c.width / 2 - margin), z)

    def outside(self, side: int, z: float, margin: float = 0.7) -> Point:
        """The floor point at depth z just out of view on the left (-1) or right (+1)."""
        c = self.camera
        return c.floor_x(c.width / 2 * (1 + side), z) + side * margin, z

    def shallow(self, v: float) -> float:
        """The depth v of a spot, drawn to the front of a place that is very deep."""
        return v * min(1.0, DEEP / (self.near - self.far))

    def obstacles(self, without: Collection[str] = ()) -> np.ndarray:
        """(N, 3) x, z, radius of circles that cover the furniture and the shoulders of who passes it."""
        rows = [(0.0, 0.0, -1.0)]
        for f in (f for name, f in self.fixtures.items() if name not in FLAT and name not in without):
            wide, deep = max(f.size), min(f.size)
            along = f.yaw + (90 if f.size[0] >= f.size[1] else 0)  # the direction of its longer side
            count = max(1, ceil(wide / deep))
            for k in range(count):
                rows.append((*ahead(f.x, f.z, along, (k + 0.5) / count * wide - wide / 2), 0.56 * deep + BODY))
        return np.array(rows)

    def gate(self, side: int, inner: Point, z: float, circles: np.ndarray) -> Point:
        """The point out of view on one side, near depth z, from which the straight line to `inner` is the freest."""
        others = circles[np.hypot(circles[:, 0] - inner[0], circles[:, 1] - inner[1]) > circles[:, 2]]
        gates = {shift: self.outside(side, min(z + shift, self.near)) for shift in (0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9)}

        def free(shift: float) -> float:
            line = np.linspace(0, 1, 9)[:, None] * np.subtract(inner, gates[shift]) + gates[shift]
            return min(0.05, *(clearance((x, z), others) for x, z in line)) - 0.05 * abs(shift)

        return gates[max(gates, key=free)]


def clearance(point: Point, circles: np.ndarray) -> float:
    """Metres between a point and the nearest circle; negative inside one."""
    return float((np.hypot(circles[:, 0] - point[0], circles[:, 1] - point[1]) - circles[:, 2]).min())


def way(a: Point, b: Point, circles: np.ndarray, depth: int = 3) -> list[Point]:
    """Points from a (left out) to b, round the circles; one that holds a or b itself is no obstacle."""
    line, start = np.subtract(b, a), np.asarray(a)
    length = float(np.hypot(*line))
    if depth == 0 or length < 0.3:
        return [b]
    unit = line / length
    to = circles[:, :2] - start
    along = to @ unit
    off = to[:, 0] * unit[1] - to[:, 1] * unit[0]  # positive: the circle lies to the right of the way
    ends = np.minimum(np.hypot(*to.T), np.hypot(*(circles[:, :2] - b).T))
    hit = (along > 0) & (along < length) & (np.abs(off) < circles[:, 2]) & (ends > circles[:, 2])
    if not hit.any():
        return [b]
    k = int(np.flatnonzero(hit)[np.argmin(along[hit])])
    aside = (circles[k, 2] + 0.12) * (1.0 if off[k] >= 0 else -1.0)  # to the left of the way in (x, z)
    middle = float(circles[k, 0] - unit[1] * aside), float(circles[k, 1] + unit[0] * aside)
    return way(a, middle, circles, depth - 1) + way(middle, b, circles, depth - 1)


def length(a: Point, points: Sequence[Point]) -> float:
    """Metres of a way."""
    line = [a, *points]
    return sum(hypot(q[0] - p[0], q[1] - p[1]) for p, q in pairwise(line))


def rest_of_way(a: Point, points: Sequence[Point], metres: float) -> list[Point]:
    """What is left of a way from a after so many metres: its new start, and the points that are still ahead."""
    step = hypot(points[0][0] - a[0], points[0][1] - a[1])
    if metres >= step and len(points) > 1:
        return rest_of_way(points[0], points[1:], metres - step)
    share = min(max(metres, 0.0) / max(step, 1e-6), 1.0)
    return [(a[0] + (points[0][0] - a[0]) * share, a[1] + (points[0][1] - a[1]) * share), *points]


def aimed(width: int, height: int, mount: float, distance: float, fill: float, pan: float, roll: float) -> Camera:
    """A camera for which a person `distance` metres away, in the middle of the picture, fills `fill` of its height."""
    down = atan2(mount - 0.85, distance)
    focal = fill * hypot(distance, mount - 0.85) / (1.72 * cos(down))  # in picture heights
    return Camera(width, height, mount, degrees(down), pan, roll, degrees(2 * atan2(0.5, focal)))


def nearest(camera: Camera) -> float:
    """The z of the nearest floor point on which a person is wholly in the picture (to a twentieth of its height)."""

    def fits(z: float) -> bool:
        x = camera.floor_x(camera.width / 2, z)
        feet, crown = camera.project(np.array([[x, 0, z], [x, 1.85, z]]))[:, 1]
        return bool(feet < camera.height * 0.97 and crown > camera.height * 0.02)

    return next(z for z in np.arange(-1.5, -12, -0.05).tolist() if fits(z))
