"""Cars, vans and bicycles made of flat panels and tubes, in metres, standing on the floor.

A vehicle's own axes: left, up, forward; its heading is told like a person's yaw (0 = to the camera, 90 = to the right).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vigil.datasets.sample.scene import Part, Polygon
from vigil.datasets.sample.shapes import rod

GLASS = (58, 70, 80)
HOLE = (16, 18, 20)
RUBBER = (28, 28, 30)
STEEL = (170, 172, 176)
PAINTS = (
    (178, 32, 34), (205, 206, 210), (36, 62, 130), (60, 64, 70), (205, 160, 40), (40, 105, 70), (150, 152, 156), (236, 236, 234),
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
    """What is broken: crumpled ends and dented sides 0..1, panes by name ("front-1" is the right front one), burnt 0..1."""

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
    kind: Car,
    x: float,
    z: float,
    yaw: float,
    *,
    rolled: float = 0.0,
    pitch: float = 0.0,
    damage: Damage = WHOLE,
    lights: bool = False,
    eye: Sequence[float] | None = None,
) -> list[Part]:
    """The car with its middle at (x, z); `rolled` metres turn its wheels; panels that face away from `eye` are left out."""
    frame = heading(yaw, pitch)
    parts = [*_shell(kind, damage), *_sides(kind, damage), *_lamps(kind, damage, lights), *_wheels(kind, rolled)]
    centre = np.array([0, 0.7, 0])
    dim = np.float32(1 - 0.8 * damage.burnt)
    out: list[Part] = []
    for points, colour, shade in parts:
        local = np.asarray(points, float)
        normal = np.cross(local[1] - local[0], local[2] - local[1])
        if normal @ (local.mean(0) - centre) < 0:
            local, normal = local[::-1], -normal
        world = local @ frame.T + (x, 0, z)
        if eye is None or (frame @ normal) @ (np.asarray(eye) - world[0]) > 0:
            out.append(Polygon(world, np.asarray(colour, np.float32) * dim, shade))
    return out


Panel = tuple[Iterable[Sequence[float]], Sequence[float] | np.ndarray, bool]


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
    colours = (
        paint * 0.5,
        paint * 0.9,
        paint,
        rear_glass,
        paint * 1.05,
        windscreen,
        paint * (1 - 0.2 * damage.front),
        paint * 0.9,
        paint * 0.5,
    )
    out: list[Panel] = []
    for (a, b), (wa, wb), colour in zip(pairwise(line), pairwise(width), colours, strict=True):
        out.append((((wa, a[1], a[0]), (-wa, a[1], a[0]), (-wb, b[1], b[0]), (wb, b[1], b[0])), colour, True))
    return out


def _sides(kind: Car, damage: Damage) -> list[Panel]:
    body, paint = kind.body, np.asarray(kind.paint, float)
    tail, nose = _outline(kind, damage)
    foot_rear, foot_front, (roof_rear, roof_front) = tail[-1], nose[0], body.roof
    top = body.half - body.lean
    out: list[Panel] = []
    for side in (1, -1):
        out.append(([(side * body.half, up, ahead) for ahead, up in (*tail, *nose)], paint, True))
        cabin = np.array(
            [
                (side * w, up, ahead)
                for w, (ahead, up) in (
                    (body.half, foot_rear),
                    (body.half, foot_front),
                    (top, roof_front),
                    (top, roof_rear),
                )
            ]
        )
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


def _wheels(kind: Car, rolled: float) -> list[Panel]:
    out: list[Panel] = []
    for side in (1, -1):
        for axle in kind.body.axles:
            by = side * (kind.body.half + 0.012)
            out.append((_disc(by, WHEEL, axle, WHEEL, 10), RUBBER, True))
            out.append((_disc(by + side * 0.008, WHEEL, axle, 0.19, 8), STEEL, True))
            for spoke in (0, np.pi / 2):
                turn = rolled / WHEEL + spoke
                c, s = np.cos(turn), np.sin(turn)
                bar = np.array([(-0.17, -0.03), (0.17, -0.03), (0.17, 0.03), (-0.17, 0.03)])
                out.append(
                    (
                        [(by + side * 0.014, WHEEL + u * s + v * c, axle + u * c - v * s) for u, v in bar],
                        (70, 72, 76),
                        True,
                    )
                )
    return out


def _disc(left: float, up: float, ahead: float, radius: float, corners: int) -> list[tuple[float, float, float]]:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return [(left, up + radius * float(np.sin(a)), ahead + radius * float(np.cos(a))) for a in angles]


def bicycle(
    x: float, z: float, yaw: float, colour: Sequence[float], *, lean: float = 0.0, rolled: float = 0.0
) -> list[Part]:
    """A bicycle whose tyres touch the floor along a line through (x, z); lean in degrees to its left (90 = it lies)."""
    c, s = np.cos(np.radians(lean)), np.sin(np.radians(lean))
    frame = heading(yaw) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])

    def at(up: float, ahead: float, left: float = 0.0) -> np.ndarray:
        return frame @ np.array([left, up, ahead]) + (x, 0.03 * abs(s), z)

    rear, front, crank, saddle, bars = at(0.33, -0.52), at(0.33, 0.53), at(0.29, -0.06), at(0.86, -0.22), at(0.88, 0.36)
    parts: list[Part] = []
    for hub in (-0.52, 0.53):
        rim = [at(0.33 + 0.32 * np.sin(a), hub + 0.32 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 13)]
        parts += [rod(a, b, 0.020, RUBBER) for a, b in pairwise(rim)]
        turn = rolled / 0.33
        for k in range(2):
            a = turn + k * np.pi / 2
            spoke = np.array([0.30 * np.sin(a), 0.30 * np.cos(a)])
            parts.append(rod(at(0.33 + spoke[0], hub + spoke[1]), at(0.33 - spoke[0], hub - spoke[1]), 0.005, STEEL))
    for a, b in (
        (rear, crank),
        (crank, saddle),
        (rear, saddle),
        (crank, bars),
        (saddle + (bars - saddle) * 0.1, bars),
        (bars, front),
    ):
        parts.append(rod(a, b, 0.020, colour))
    parts.append(rod(at(0.93, -0.33), at(0.93, -0.14), 0.045, (30, 30, 32), 0.03))
    parts.append(rod(saddle, at(0.93, -0.23), 0.015, STEEL))
    parts.append(rod(bars, at(1.0, 0.33), 0.014, STEEL))
    parts.append(rod(at(1.0, 0.33, 0.26), at(1.0, 0.33, -0.26), 0.016, (40, 40, 44)))
    return parts
