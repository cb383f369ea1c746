"""Where there is room on the floor of a place: spots to stand on and ways round the furniture."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from math import ceil, cos, hypot, inf, radians, sin

import numpy as np

from vigil_city.places.place import Place

Point = tuple[float, float]
_LOW = frozenset({"door", "window", "clock", "shelf"})  # on the walls, or out of everybody's way
DEEP = 3.4  # metres of depth within which people are still tall enough in the picture
BODY = 0.27  # metres that a person needs beside a thing


def obstacles(place: Place, without: Collection[str] = ()) -> np.ndarray:
    """(N, 3) x, z, radius of circles that cover the furniture and the shoulders of who passes it."""
    rows = [(0.0, 0.0, -1.0)]
    for name, f in place.fixtures.items():
        if name in without or name in _LOW:
            continue
        wide, deep = max(f.size), min(f.size)
        along = radians(f.yaw + (90 if f.size[0] >= f.size[1] else 0))  # the direction of its longer side
        count = max(1, ceil(wide / deep))
        for k in range(count):
            out = (k + 0.5) / count * wide - wide / 2
            rows.append((f.x + out * sin(along), f.z + out * cos(along), 0.56 * deep + BODY))
    return np.array(rows)


def shallow(place: Place, v: float) -> float:
    """The depth v of a spot, drawn to the front of a place that is very deep."""
    return v * min(1.0, DEEP / max(place.near - place.far, 1e-6))


def clearance(at: Point, circles: np.ndarray) -> float:
    """Metres between a point and the nearest circle; negative inside one."""
    return float((np.hypot(circles[:, 0] - at[0], circles[:, 1] - at[1]) - circles[:, 2]).min())


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
    left = np.array([-unit[1], unit[0]])  # to the left of the way in (x, z)
    aside_by = circles[k, 2] + 0.12
    side = 1.0 if off[k] >= 0 else -1.0
    turn = circles[k, :2] + left * aside_by * side
    middle = (float(turn[0]), float(turn[1]))
    return way(a, middle, circles, depth - 1) + way(middle, b, circles, depth - 1)


def length(a: Point, points: Sequence[Point]) -> float:
    """Metres of a way."""
    line = [a, *points]
    return sum(hypot(q[0] - p[0], q[1] - p[1]) for p, q in pairwise(line))


def gate(place: Place, side: int, inner: Point, z: float, circles: np.ndarray) -> Point:
    """The point out of view on one side, near depth z, from which the straight line to `inner` is the freest."""
    best, widest = place.outside(side, z), -inf
    for shift in (0.0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9):
        depth = min(z + shift, place.near)
        out = place.outside(side, depth)
        line = np.linspace(0, 1, 9)[:, None] * np.subtract(inner, out) + out
        near = circles[np.hypot(circles[:, 0] - inner[0], circles[:, 1] - inner[1]) > circles[:, 2]]
        free = min(clearance((float(x), float(y)), near) for x, y in line) if len(near) else 1.0
        free = min(free, 0.05) - 0.05 * abs(shift)
        if free > widest:
            best, widest = out, free
    return best
