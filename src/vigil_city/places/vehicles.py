"""Cars, vans and bicycles made of flat panels and tubes, in metres, standing on the floor.

A vehicle's own axes: left, up, forward; its heading is like a person's yaw: 0 = to the camera, 90 = to the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from vigil_city.scene import Part, Polygon

GLASS = (58, 70, 80)
HOLE = (16, 18, 20)
RUBBER = (28, 28, 30)
STEEL = (170, 172, 176)
PAINTS = (
    (178, 32, 34), (205, 206, 210), (36, 62, 130), (60, 64, 70), (205, 160, 40), (40, 105, 70),
    (150, 152, 156), (236, 236, 234),
)  # fmt: skip
WHEEL = 0.31  # metres, radius


@dataclass(frozen=True)
class Body:
    """Side view of a vehicle, (forward, up) in metres: round from the rear bumper over the roof to the front bumper."""

    tail: tuple[tuple[float, float], ...]  # bumper bottom, its top, edge of the boot, foot of the rear window
    roof: tuple[tuple[float, float], ...]  # rear end, front end
    nose: tuple[tuple[float, float], ...]  # foot of the windscreen, edge of the bonnet, top of the bumper, its bottom
    axles: tuple[float, float]
    half: float  # half its width
    lean: float  # how much less that is at the roof


SALOON = Body(
    ((-2.10, 0.28), (-2.14, 0.60), (-2.06, 0.93), (-1.45, 0.97)),
    ((-0.80, 1.41), (0.30, 1.43)),
    ((1.02, 0.97), (1.95, 0.80), (2.12, 0.58), (2.08, 0.25)),
    (-1.30, 1.32), 0.86, 0.18,
)  # fmt: skip
HATCH = Body(
    ((-1.82, 0.28), (-1.87, 0.60), (-1.84, 0.93), (-1.70, 0.98)),
    ((-1.36, 1.46), (0.15, 1.48)),
    ((0.90, 0.98), (1.68, 0.84), (1.86, 0.60), (1.82, 0.25)),
    (-1.15, 1.15), 0.84, 0.15,
)  # fmt: skip
VAN = Body(
    ((-2.20, 0.30), (-2.24, 0.62), (-2.22, 1.05), (-2.20, 1.12)),
    ((-2.12, 1.95), (0.95, 1.98)),
    ((1.55, 1.12), (2.12, 0.95), (2.26, 0.62), (2.22, 0.28)),
    (-1.40, 1.42), 0.92, 0.10,
)  # fmt: skip
BODIES = (SALOON, HATCH, VAN)


@dataclass(frozen=True)
class Damage:
    """What is broken: crumpled ends and sides 0..1, panes by name ("front-1": right front), burnt 0..1."""

    front: float = 0.0
    rear: float = 0.0
    side: float = 0.0
    panes: frozenset[str] = frozenset()
    burnt: float = 0.0


@dataclass(frozen=True)
class Car:
    body: Body
    paint: tuple[int, int, int]

    @property
    def reach(self) -> float:
        """From its middle to either end, metres."""
        return self.body.nose[2][0]


WHOLE = Damage()


def heading(yaw: float, pitch: float = 0.0) -> np.ndarray:
    """Columns: left, up, forward in world axes; pitch in degrees lowers the front."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    return turn @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def car(
    kind: Car, x: float, z: float, yaw: float, *, rolled: float = 0.0, pitch: float = 0.0, damage: Damage = WHOLE,
    lights: bool = False, eye: np.ndarray | None = None,
) -> list[Part]:  # fmt: skip
    """The car with its middle at (x, z); `rolled` metres turn its wheels; what turns away from `eye` is left out."""
    frame = heading(yaw, pitch)
    out: list[Part] = []
    for shape in (_built(kind, damage, lights), _spokes(kind, rolled, damage.burnt)):
        world = shape.points @ frame.T + (x, 0, z)
        seen = np.ones(len(shape.starts), bool)
        if eye is not None:
            seen = ((shape.normals @ frame.T) * (eye - world[shape.starts])).sum(1) > 0
        for k in np.flatnonzero(seen):
            first = shape.starts[k]
            out.append(Polygon(world[first : first + shape.counts[k]], shape.colours[k], shape.shades[k]))
    return out


@dataclass(frozen=True)
class _Shape:
    """Many panels in one array, in the car's own axes, each wound so that its normal points outwards."""

    points: np.ndarray  # (N, 3)
    starts: np.ndarray  # (P,) first point of each panel
    counts: np.ndarray
    normals: np.ndarray  # (P, 3)
    colours: np.ndarray  # (P, 3) float32
    shades: tuple[bool, ...]


def _stack(panels: "list[Panel]", burnt: float) -> _Shape:
    """Panels as arrays, blackened by a share."""
    centre, soot = np.array([0, 0.7, 0]), np.array([26, 24, 23], np.float32)
    shapes, normals = [], []
    for points, _, _ in panels:
        local = np.asarray(points, float)
        normal = np.cross(local[1] - local[0], local[2] - local[1])
        if normal @ (local.mean(0) - centre) < 0:
            local, normal = local[::-1], -normal
        shapes.append(local)
        normals.append(normal)
    counts = np.array([len(shape) for shape in shapes])
    colours = np.array([colour for _, colour, _ in panels], np.float32)
    colours += (soot - colours) * np.float32(0.88 * burnt)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return _Shape(
        np.concatenate(shapes), starts, counts, np.array(normals), colours, tuple(shade for _, _, shade in panels)
    )


@lru_cache(maxsize=64)
def _built(kind: Car, damage: Damage, lights: bool) -> _Shape:
    """All of a car but the spokes of its wheels."""
    body = [*_shell(kind, damage), *_sides(kind, damage), *_lamps(kind, damage, lights), *_wheels(kind)]
    return _stack(body, damage.burnt)


Panel = tuple[Sequence[Sequence[float]] | np.ndarray, Sequence[float] | np.ndarray, bool]
"""Corners in the car's own axes, colour, whether light shades it."""


def _outline(kind: Car, damage: Damage) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Tail and nose of the side view after the blows: shorter, and folded upwards."""
    (r0, r1, r2, r3), (f0, f1, f2, f3) = kind.body.tail, kind.body.nose
    r, f = damage.rear, damage.front
    tail = [(r0[0] + 0.42 * r, r0[1]), (r1[0] + 0.48 * r, r1[1] - 0.05 * r), (r2[0] + 0.34 * r, r2[1] + 0.10 * r), r3]
    nose = [f0, (f1[0] - 0.55 * f, f1[1] + 0.20 * f), (f2[0] - 0.45 * f, f2[1] + 0.06 * f), (f3[0] - 0.38 * f, f3[1])]
    return tail, nose


def _shell(kind: Car, damage: Damage) -> list[Panel]:
    """The strips across the car: bumpers, boot, windows, roof, bonnet."""
    body, paint = kind.body, np.asarray(kind.paint, float)
    tail, nose = _outline(kind, damage)
    line = [*tail, *body.roof, *nose]
    width = [body.half] * 4 + [body.half - body.lean] * 2 + [body.half] * 4
    rear_glass = HOLE if "rear" in damage.panes else paint if body is VAN else GLASS
    windscreen = HOLE if "windscreen" in damage.panes else GLASS
    boot, bonnet = (paint * 0.5, paint * 0.9, paint), (paint * (1 - 0.2 * damage.front), paint * 0.9, paint * 0.5)
    colours = *boot, rear_glass, paint * 1.05, windscreen, *bonnet
    out: list[Panel] = []
    for (a, b), (wa, wb), colour in zip(pairwise(line), pairwise(width), colours, strict=True):
        out.append((((wa, a[1], a[0]), (-wa, a[1], a[0]), (-wb, b[1], b[0]), (wb, b[1], b[0])), colour, True))
    return out


def _sides(kind: Car, damage: Damage) -> list[Panel]:
    body, paint = kind.body, np.asarray(kind.paint, float)
    tail, nose = _outline(kind, damage)
    low, high = body.half, body.half - body.lean
    corners = (low, tail[-1]), (low, nose[0]), (high, body.roof[1]), (high, body.roof[0])
    out: list[Panel] = []
    for side in (1, -1):
        out.append(([(side * body.half, up, ahead) for ahead, up in (*tail, *nose)], paint, True))
        cabin = np.array([(side * w, up, ahead) for w, (ahead, up) in corners])
        out.append((cabin, paint * 0.97, True))
        proud = np.array([side * 0.015, 0.004, 0])
        for near, far, name in ((0.06, 0.48, "rear"), (0.53, 0.92, "front")):
            if body is VAN and name == "rear":
                continue
            pane = [_within(cabin, a, b) for a, b in ((near, 0.08), (far, 0.08), (far, 0.90), (near, 0.90))]
            out.append((np.array(pane) + proud, HOLE if f"{name}{side}" in damage.panes else GLASS, True))
        by = side * (body.half + 0.008)
        out.append((((by, 0.34, -0.04), (by, 0.34, 0.0), (by, 0.95, 0.0), (by, 0.95, -0.04)), paint * 0.5, True))
        out.append((((by, 0.25, -0.8), (by, 0.25, 0.8), (by, 0.33, 0.8), (by, 0.33, -0.8)), paint * 0.4, True))
        if damage.side > 0:
            dent = ((-0.75, 0.42), (0.25, 0.36), (0.62, 0.60), (0.20, 0.88), (-0.55, 0.80))
            out.append(([(by + 0.006 * side, up, ahead) for ahead, up in dent], paint * (1 - 0.6 * damage.side), True))
    return out


def _within(quad: np.ndarray, along: float, up: float) -> np.ndarray:
    low, high = quad[0] + (quad[1] - quad[0]) * along, quad[3] + (quad[2] - quad[3]) * along
    return low + (high - low) * up


def _lamps(kind: Car, damage: Damage, lights: bool) -> list[Panel]:
    tail, nose = _outline(kind, damage)
    front, rear = nose[2], tail[1]
    white, red = ((255, 250, 225), (255, 55, 45)) if lights else ((200, 204, 204), (170, 24, 24))
    out: list[Panel] = []
    for side in (1, -1):
        a, b = side * (kind.body.half - 0.05), side * (kind.body.half - 0.36)
        if damage.front < 0.3 or side < 0:
            y, f, back = front[1] + 0.03, front[0] + 0.008, nose[1][0] + (front[0] - nose[1][0]) * 0.35
            top = y + 0.62 * (nose[1][1] - front[1])
            out.append((((a, y, f), (b, y, f), (b, top, back + 0.01), (a, top, back + 0.01)), white, not lights))
        y, r = rear[1] + 0.06, rear[0] - 0.012
        out.append((((a, y, r), (b, y, r), (b, y + 0.2, r + 0.02), (a, y + 0.2, r + 0.02)), red, not lights))
    plate = ((-0.24, 0.42), (0.24, 0.42), (0.24, 0.53), (-0.24, 0.53))
    out.append(([(left, up, front[0] + 0.02) for left, up in plate], (225, 225, 215), True))
    out.append(([(left, up, rear[0] - 0.02) for left, up in plate], (225, 215, 120), True))
    return out


def _wheels(kind: Car) -> list[Panel]:
    out: list[Panel] = []
    for side in (1, -1):
        for axle in kind.body.axles:
            by = side * (kind.body.half + 0.012)
            out.append((_disc(by, WHEEL, axle, WHEEL, 10), RUBBER, True))
            out.append((_disc(by + side * 0.008, WHEEL, axle, 0.19, 8), STEEL, True))
    return out


def _spokes(kind: Car, rolled: float, burnt: float) -> _Shape:
    """One bar across each hub: by it the wheels are seen to turn."""
    c, s = np.cos(rolled / WHEEL), np.sin(rolled / WHEEL)
    bar = np.array([(-0.18, -0.045), (0.18, -0.045), (0.18, 0.045), (-0.18, 0.045)])
    up, ahead = bar[:, 0] * s + bar[:, 1] * c + WHEEL, bar[:, 0] * c - bar[:, 1] * s
    panels: list[Panel] = []
    for side in (1, -1):
        for axle in kind.body.axles:
            by = np.full(4, side * (kind.body.half + 0.026))
            panels.append((np.stack([by, up, ahead + axle], 1), (66, 68, 72), True))
    return _stack(panels, burnt)


def _disc(left: float, up: float, ahead: float, radius: float, corners: int) -> list[tuple[float, float, float]]:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return [(left, up + radius * float(np.sin(a)), ahead + radius * float(np.cos(a))) for a in angles]
