"""Cars, vans and bicycles made of flat panels and tubes, in metres, standing on the floor.

A vehicle's own axes: left, up, forward; its heading is like a person's yaw: 0 = to the camera, 90 = to the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product

import numpy as np

from vigil_city.bodies.anatomy import about_z
from vigil_city.places.shapes import polygon, rod
from vigil_city.scene import Part, Polygon

GLASS, HOLE = (58, 70, 80), (16, 18, 20)
RUBBER, STEEL = (28, 28, 30), (170, 172, 176)
PAINTS = (
    (178, 32, 34), (205, 206, 210), (36, 62, 130), (60, 64, 70), (205, 160, 40), (40, 105, 70),
    (150, 152, 156), (236, 236, 234),
)  # fmt: skip
WHEEL = 0.31  # metres, radius
SIDES = (1, -1)  # left, right
TRIM = (  # of a side: metres proud of it, outline (up, forward), brightness; the seam of the doors and the sill
    (0.008, ((0.34, -0.04), (0.34, 0.0), (0.95, 0.0), (0.95, -0.04)), 0.5),
    (0.008, ((0.25, -0.8), (0.25, 0.8), (0.33, 0.8), (0.33, -0.8)), 0.4),
)
DISCS = ((0.012, WHEEL, 10, RUBBER), (0.02, 0.19, 8, STEEL))  # of a wheel: metres proud, radius, corners, colour
DENT = ((0.42, -0.75), (0.36, 0.25), (0.60, 0.62), (0.88, 0.20), (0.80, -0.55))
Outline = tuple[tuple[float, float], ...]
"""(forward, up) in metres."""


@dataclass(frozen=True)
class Body:
    """Side view of a vehicle: round from the rear bumper over the roof to the front bumper."""

    tail: Outline  # bumper bottom, its top, edge of the boot, foot of the rear window
    roof: Outline  # rear end, front end
    nose: Outline  # foot of the windscreen, edge of the bonnet, top of the bumper, its bottom
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
    """What is broken: crumpled ends and sides 0..1, panes by name ("front-1": right front)."""

    front: float = 0.0
    rear: float = 0.0
    side: float = 0.0
    panes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Car:
    body: Body
    paint: tuple[int, int, int]

    @property
    def reach(self) -> float:
        """From its middle to either end, metres."""
        return self.body.nose[2][0]


Panel = tuple[Sequence[Sequence[float]] | np.ndarray, Sequence[float] | np.ndarray, bool]
"""Corners in the car's own axes, colour, whether light shades it."""


def car(kind: Car, damage: Damage = Damage(), *, lights: bool = False, rolled: float = 0.0) -> list[Part]:
    """The car with its middle at the origin; `rolled` metres turn its wheels."""
    return [*_built(kind, damage, lights), *_outwards(_spokes(kind, rolled))]


def facing(parts: Sequence[Part], eye: np.ndarray) -> list[Part]:
    """The panels of a car, and whatever else, that do not turn away from an eye."""
    return [p for p in parts if not isinstance(p, Polygon) or _normal(p.points) @ (eye - p.points[0]) > 0]


def _normal(corners: np.ndarray) -> np.ndarray:
    """Of a flat panel, as long as twice its area; a crumpled one need not be convex."""
    return np.cross(corners, np.roll(corners, -1, axis=0)).sum(0)


def _outwards(panels: list[Panel]) -> list[Polygon]:
    """Panels wound so that their normals point outwards."""
    out = list[Polygon]()
    for points, rgb, shade in panels:
        corners = np.asarray(points, float)
        inwards = _normal(corners) @ (corners.mean(0) - (0, 0.7, 0)) < 0
        out.append(polygon(corners[::-1] if inwards else corners, rgb, shade))
    return out


@lru_cache(maxsize=64)
def _built(kind: Car, damage: Damage, lights: bool) -> list[Polygon]:
    """All of a car but the spokes of its wheels; the tail and nose are shorter after a blow, and folded upwards."""
    (r0, r1, r2, r3), (f0, f1, f2, f3) = kind.body.tail, kind.body.nose
    r, f = damage.rear, damage.front
    tail = (r0[0] + 0.42 * r, r0[1]), (r1[0] + 0.48 * r, r1[1] - 0.05 * r), (r2[0] + 0.34 * r, r2[1] + 0.10 * r), r3
    nose = f0, (f1[0] - 0.55 * f, f1[1] + 0.20 * f), (f2[0] - 0.45 * f, f2[1] + 0.06 * f), (f3[0] - 0.38 * f, f3[1])
    panels = _shell(kind, damage, tail, nose)
    for side in SIDES:
        panels += _mirrored(
            side, [*_flank(kind, damage, side, tail, nose), *_lamps(kind.body, damage, side, lights, tail, nose)]
        )
    plate = ((-0.24, 0.42), (0.24, 0.42), (0.24, 0.53), (-0.24, 0.53))
    for end, colour in ((nose[2][0] + 0.02, (225, 225, 215)), (tail[1][0] - 0.02, (225, 215, 120))):
        panels.append(([(*corner, end) for corner in plate], colour, True))
    return _outwards(panels)


def _mirrored(side: int, panels: list[Panel]) -> list[Panel]:
    """Panels of the left side (1) on that side."""
    return [(np.asarray(points, float) * (side, 1, 1), colour, shade) for points, colour, shade in panels]


def _shell(kind: Car, damage: Damage, tail: Outline, nose: Outline) -> list[Panel]:
    """The strips across the car: bumpers, boot, windows, roof, bonnet."""
    body, paint = kind.body, np.asarray(kind.paint, float)
    width = [body.half] * 4 + [body.half - body.lean] * 2 + [body.half] * 4
    rear_glass = HOLE if "rear" in damage.panes else paint if body is VAN else GLASS
    windscreen = HOLE if "windscreen" in damage.panes else GLASS
    boot, bonnet = (paint * 0.5, paint * 0.9, paint), (paint * (1 - 0.2 * damage.front), paint * 0.9, paint * 0.5)
    colours = *boot, rear_glass, paint * 1.05, windscreen, *bonnet
    strips = zip(pairwise((*tail, *body.roof, *nose)), pairwise(width), colours, strict=True)
    return [
        (((wa, a[1], a[0]), (-wa, a[1], a[0]), (-wb, b[1], b[0]), (wb, b[1], b[0])), colour, True)
        for (a, b), (wa, wb), colour in strips
    ]


def _flank(kind: Car, damage: Damage, side: int, tail: Outline, nose: Outline) -> list[Panel]:
    """A side with its panes, trim and wheels, as if it were the left one."""
    body, paint = kind.body, np.asarray(kind.paint, float)
    low, high = body.half, body.half - body.lean
    corners = (low, tail[-1]), (low, nose[0]), (high, body.roof[1]), (high, body.roof[0])
    cabin = np.array([(left, up, ahead) for left, (ahead, up) in corners])
    panels: list[Panel] = [
        ([(low, up, ahead) for ahead, up in (*tail, *nose)], paint, True), (cabin, paint * 0.97, True)
    ]  # fmt: skip
    for near, far, name in ((0.06, 0.48, "rear"), (0.53, 0.92, "front")):
        if body is not VAN or name == "front":
            sills = cabin[0] + np.outer((near, far), cabin[1] - cabin[0])
            eaves = cabin[3] + np.outer((near, far), cabin[2] - cabin[3])
            pane = [sills[k] + (eaves[k] - sills[k]) * up for k, up in ((0, 0.08), (1, 0.08), (1, 0.90), (0, 0.90))]
            glass = HOLE if f"{name}{side}" in damage.panes else GLASS
            panels.append((np.array(pane) + (0.015, 0.004, 0), glass, True))
    for proud, outline, bright in (*TRIM, *([(0.014, DENT, 1 - 0.6 * damage.side)] if damage.side > 0 else [])):
        panels.append(([(low + proud, *corner) for corner in outline], paint * bright, True))
    for axle, (proud, radius, count, colour) in product(body.axles, DISCS):
        angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
        up, ahead = WHEEL + radius * np.sin(angles), axle + radius * np.cos(angles)
        panels.append((np.stack([np.full(count, low + proud), up, ahead], 1), colour, True))
    return panels


def _lamps(body: Body, damage: Damage, side: int, lights: bool, tail: Outline, nose: Outline) -> list[Panel]:
    """The lamps in front and behind, as if on the left; a blow breaks the one in front on that side."""
    front, rear, a, b = nose[2], tail[1], body.half - 0.05, body.half - 0.36
    white, red = ((255, 250, 225), (255, 55, 45)) if lights else ((200, 204, 204), (170, 24, 24))
    y, f, back = front[1] + 0.03, front[0] + 0.008, nose[1][0] + (front[0] - nose[1][0]) * 0.35
    top, low, r = y + 0.62 * (nose[1][1] - front[1]), rear[1] + 0.06, rear[0] - 0.012
    head = (a, y, f), (b, y, f), (b, top, back + 0.01), (a, top, back + 0.01)
    tail_lamp = (a, low, r), (b, low, r), (b, low + 0.2, r + 0.02), (a, low + 0.2, r + 0.02)
    whole: list[Panel] = [(head, white, not lights)] if damage.front < 0.3 or side < 0 else []
    return [*whole, (tail_lamp, red, not lights)]


def _spokes(kind: Car, rolled: float) -> list[Panel]:
    """One bar across each hub: by it the wheels are seen to turn."""
    c, s = np.cos(rolled / WHEEL), np.sin(rolled / WHEEL)
    bar = np.array([(-0.18, -0.045), (0.18, -0.045), (0.18, 0.045), (-0.18, 0.045)])
    up, ahead = bar[:, 0] * s + bar[:, 1] * c + WHEEL, bar[:, 0] * c - bar[:, 1] * s
    left: list[Panel] = [
        (np.stack([np.full(4, kind.body.half + 0.026), up, ahead + axle], 1), (66, 68, 72), True)
        for axle in kind.body.axles
    ]
    return [panel for side in SIDES for panel in _mirrored(side, left)]


def bicycle(colour: Sequence[float], *, lean: float = 0.0, rolled: float = 0.0) -> list[Part]:
    """A bicycle whose tyres touch the floor below the origin; lean in degrees to its left (90 = it lies)."""
    frame, axis = about_z(-lean), (0, 0.03 * abs(np.sin(np.radians(lean))), 0)

    def at(up: float, ahead: float, left: float = 0.0) -> np.ndarray:
        return frame @ np.array([left, up, ahead]) + axis

    rear, front, crank, saddle, bars = at(0.33, -0.52), at(0.33, 0.53), at(0.29, -0.06), at(0.86, -0.22), at(0.88, 0.36)
    parts: list[Part] = []
    for hub in (-0.52, 0.53):
        rim = [at(0.33 + 0.32 * np.sin(a), hub + 0.32 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 13)]
        parts += [rod(a, b, 0.020, RUBBER) for a, b in pairwise(rim)]
        for angle in (rolled / 0.33, rolled / 0.33 + np.pi / 2):
            up, ahead = 0.30 * np.sin(angle), 0.30 * np.cos(angle)
            parts.append(rod(at(0.33 + up, hub + ahead), at(0.33 - up, hub - ahead), 0.005, STEEL))
    tube = saddle + (bars - saddle) * 0.1
    for a, b in ((rear, crank), (crank, saddle), (rear, saddle), (crank, bars), (tube, bars), (bars, front)):
        parts.append(rod(a, b, 0.020, colour))
    return [
        *parts,
        rod(at(0.93, -0.33), at(0.93, -0.14), 0.045, (30, 30, 32), 0.03),
        rod(saddle, at(0.93, -0.23), 0.015, STEEL),
        rod(bars, at(1.0, 0.33), 0.014, STEEL),
        rod(at(1.0, 0.33, 0.26), at(1.0, 0.33, -0.26), 0.016, (40, 40, 44)),
    ]
