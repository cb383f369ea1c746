"""Things that people hold, wear, carry, open and break; metres, built from a body or at a place on the floor."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vigil_city.places.shapes import Colour, Point, box, panel, placed, polygon, rod
from vigil_city.scene import Part, Polygon

METAL = (62, 64, 68)
WOOD = (140, 98, 58)
COLOURS = ((150, 40, 45), (40, 70, 130), (50, 100, 70), (190, 140, 50), (60, 56, 60), (120, 78, 48), (110, 60, 120))


def bag(x: float, y: float, z: float, yaw: float, colour: Colour, *, kind: str = "holdall") -> list[Part]:
    """A bag whose bottom stands at (x, y, z); handles upwards."""
    dark = np.asarray(colour, float) * 0.6
    if kind == "holdall":
        parts: list[Part] = [
            rod((-0.19, 0.14, 0), (0.19, 0.14, 0), 0.135, colour),
            rod((-0.20, 0.14, 0), (-0.16, 0.14, 0), 0.141, dark),
            rod((0.16, 0.14, 0), (0.20, 0.14, 0), 0.141, dark),
        ]
        rise = 0.26
    elif kind == "backpack":
        parts = [
            rod((0, 0.15, 0), (0, 0.34, 0), 0.15, colour, 0.12),
            rod((0, 0.12, 0.09), (0, 0.20, 0.09), 0.10, dark, 0.08),
        ]
        rise = 0.44
    else:  # a shopping bag or handbag
        parts = [*box(0, 0, 0, (0.30, 0.28, 0.12), colour)]
        rise = 0.28
    handle = [(-0.10, rise, 0), (-0.06, rise + 0.13, 0), (0.06, rise + 0.13, 0), (0.10, rise, 0)]
    parts += [rod(a, b, 0.014, dark) for a, b in pairwise(handle)]
    return placed(parts, x, y, z, yaw)


HANDLE = {"holdall": 0.38, "backpack": 0.56, "handbag": 0.40}  # metres, top of the handle above the bottom of the bag


def bench(x: float, z: float, yaw: float, colour: Colour = WOOD) -> list[Part]:
    back = placed(box(0, 0, 0, (1.5, 0.36, 0.05), colour), 0, 0.52, -0.22, pitch=-8)
    parts = [*box(0, 0.40, 0, (1.5, 0.06, 0.42), colour), *back]
    for left in (-0.62, 0.62):
        for top, z0 in ((0.40, 0.16), (0.55, -0.2)):
            parts.append(rod((left, 0.02, z0), (left, top, z0), 0.03, METAL))
    return placed(parts, x, 0, z, yaw)


def bin_(x: float, z: float, colour: Colour, fall: float = 0.0, yaw: float = 0.0) -> list[Part]:
    """A wheelie bin; fall 0..1 tips it over towards its yaw, about its edge."""
    lid = box(0, 0.93, 0.29, (0.58, 0.07, 0.60), np.asarray(colour, float) * 0.65)
    axle = rod((-0.24, 0.10, 0.52), (0.24, 0.10, 0.52), 0.09, (24, 24, 26))
    parts = [*box(0, 0.05, 0.27, (0.52, 0.88, 0.50), colour), *lid, axle]
    tipped = placed(placed(parts, 0, 0, -0.54), 0, 0, 0, pitch=90 * fall)
    return placed(placed(tipped, 0, 0, 0.27), x, 0, z, yaw)


def crate(
    x: float, z: float, size: float, yaw: float = 0.0, *, y: float = 0.0, colour: Colour = (168, 122, 72)
) -> list[Part]:
    """A wooden or cardboard box with a band of tape."""
    front = panel(0, 0, size / 2 + 0.006, size * 0.16, size, np.asarray(colour, float) * 0.75)
    return placed([*box(0, 0, 0, (size, size, size), colour), front], x, y, z, yaw)


def counter(x: float, z: float, yaw: float, length: float = 1.8, colour: Colour = (128, 84, 52)) -> list[Part]:
    """A shop counter with a cash register; its customers stand on the side that faces yaw."""
    parts = [
        *box(0, 0, 0, (length, 0.98, 0.55), colour),
        panel(0, 0.12, 0.283, length * 0.94, 0.55, np.asarray(colour, float) * 1.35),
        *box(0, 0.98, 0, (length + 0.06, 0.04, 0.62), (196, 190, 178)),
        *box(0.45, 1.02, -0.05, (0.36, 0.13, 0.36), (52, 54, 60)),
        *placed(box(0, 0, 0, (0.30, 0.20, 0.05), (38, 40, 46)), 0.45, 1.15, -0.1, pitch=-18),
        panel(0.45, 1.19, -0.075, 0.22, 0.10, (110, 215, 150), shade=False),
    ]
    return placed(parts, x, 0, z, yaw)


def vending_machine(
    x: float, z: float, yaw: float, colour: Colour, *, damage: float = 0.0, tilt: float = 0.0
) -> list[Part]:
    """A lit machine that faces yaw; `damage` 0..1 darkens and breaks its pane, tilt in degrees rocks it back."""
    goods = ((220, 180, 60), (210, 90, 80), (60, 150, 190), (100, 190, 90))
    parts = [
        *box(0, 0, 0, (0.95, 1.80, 0.72), colour),
        panel(-0.10, 0.50, 0.364, 0.66, 1.16, (20, 22, 26) if damage > 0.5 else (70, 82, 92), shade=False),
    ]
    for row in range(4):
        if damage < 0.9:
            parts += [
                panel(-0.28 + 0.18 * k, 0.58 + 0.27 * row, 0.370, 0.12, 0.17, goods[(3 * row + k) % 4], shade=False)
                for k in range(3)
            ]
    parts += [panel(0.35, 0.95, 0.366, 0.14, 0.34, (200, 204, 208)), panel(-0.10, 0.16, 0.366, 0.5, 0.2, (22, 22, 24))]
    parts += cracks((-0.10, 1.08), 0.33, 0.5, 0.378, share=damage)
    return placed(placed(parts, 0, 0, 0.0, pitch=-tilt), x, 0, z, yaw)


def cracks(
    centre: tuple[float, float], width: float, height: float, z: float, *, share: float, seed: int = 5
) -> list[Part]:
    """White rays over a broken pane around (x, y); share 0..1 of them."""
    rng = np.random.default_rng(seed)
    out: list[Part] = []
    for k, angle in enumerate(rng.uniform(0, 2 * np.pi, 11)):
        reach = rng.uniform(0.45, 1.0)
        if k < 11 * share:
            x, y = width * reach * np.cos(angle), height * reach * np.sin(angle)
            side = np.array([-np.sin(angle), np.cos(angle)]) * 0.012
            corners = [(centre[0] + dx, centre[1] + dy, z) for dx, dy in (side, -side, (x, y))]
            out.append(polygon(corners, (232, 236, 240), False))
    return out


def pool(x: float, z: float, radius: float, colour: Colour, *, seed: int = 0, y: float = 0.006) -> list[Part]:
    """An irregular patch on the floor: petrol, soot, water."""
    rng = np.random.default_rng(seed)
    angles = np.arange(16) * np.pi / 8
    r = radius * (1 + 0.10 * np.sin(2 * angles + rng.uniform(0, 6)) + 0.06 * np.sin(3 * angles + rng.uniform(0, 6)))
    patch = np.stack([x + r * np.cos(angles), np.full(16, y), z + 0.8 * r * np.sin(angles)], 1)
    return [Polygon(patch, np.asarray(colour, np.float32), False)] if radius > 0.02 else []


def line(points: Sequence[Point], radius: float, colour: Colour) -> list[Part]:
    """A chain of bars through the points."""
    return [rod(a, b, radius, colour) for a, b in pairwise(points)]
