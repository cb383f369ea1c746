"""Furniture, and things that people carry, open and break, in metres.

Each is built about the origin, standing on the floor and facing the camera (+Z); whoever shows it places it.
"""

from itertools import pairwise, product

import numpy as np

from vigil_city.places.shapes import Colour, box, disc, panel, placed, polygon, rod
from vigil_city.scene import Part

METAL, DARK = (62, 64, 68), (26, 24, 26)
WOOD = (140, 98, 58)
BINS = ((70, 96, 66), (60, 72, 96), (96, 90, 84), (120, 60, 50))
LEAVES = ((52, 84, 46), (66, 98, 52), (44, 72, 44))
HANDLE = {"holdall": 0.38, "backpack": 0.56, "handbag": 0.40}  # metres, top of the handle above the bottom of the bag
COLOURS = ((150, 40, 45), (40, 70, 130), (50, 100, 70), (190, 140, 50), (60, 56, 60), (120, 78, 48), (110, 60, 120))


def bag(colour: Colour, kind: str = "holdall") -> list[Part]:
    dark = np.asarray(colour, float) * 0.6
    if kind == "holdall":
        parts: list[Part] = [
            rod((-0.19, 0.14, 0), (0.19, 0.14, 0), 0.135, colour),
            rod((-0.20, 0.14, 0), (-0.16, 0.14, 0), 0.141, dark),
            rod((0.16, 0.14, 0), (0.20, 0.14, 0), 0.141, dark),
        ]
    elif kind == "backpack":
        parts = [
            rod((0, 0.15, 0), (0, 0.34, 0), 0.15, colour, 0.12),
            rod((0, 0.12, 0.09), (0, 0.20, 0.09), 0.10, dark, 0.08),
        ]
    else:  # a shopping bag or handbag
        parts = box(0, 0, 0, (0.30, 0.28, 0.12), colour)
    low, high = HANDLE[kind] - 0.12, HANDLE[kind] + 0.01
    handle = [(-0.10, low, 0), (-0.06, high, 0), (0.06, high, 0), (0.10, low, 0)]
    return parts + [rod(a, b, 0.014, dark) for a, b in pairwise(handle)]


def bench() -> list[Part]:
    back = placed(box(0, 0, 0, (1.5, 0.36, 0.05), WOOD), 0, 0.52, -0.22, pitch=-8)
    parts = [*box(0, 0.40, 0, (1.5, 0.06, 0.42), WOOD), *back]
    for left in (-0.62, 0.62):
        for top, z0 in ((0.40, 0.16), (0.55, -0.2)):
            parts.append(rod((left, 0.02, z0), (left, top, z0), 0.03, METAL))
    return parts


def bin_(colour: Colour, fall: float = 0.0) -> list[Part]:
    """A wheelie bin; fall 0..1 tips it over its front edge."""
    lid = box(0, 0.93, -0.25, (0.58, 0.07, 0.60), np.asarray(colour, float) * 0.65)
    axle = rod((-0.24, 0.10, -0.02), (0.24, 0.10, -0.02), 0.09, (24, 24, 26))
    about_edge = [*box(0, 0.05, -0.27, (0.52, 0.88, 0.50), colour), *lid, axle]
    return placed(about_edge, 0, 0, 0.27, pitch=90 * fall)


def crate(size: float, colour: Colour = (168, 122, 72)) -> list[Part]:
    """A wooden or cardboard box with a band of tape."""
    front = panel(0, 0, size / 2 + 0.006, size * 0.16, size, np.asarray(colour, float) * 0.75)
    return [*box(0, 0, 0, (size, size, size), colour), front]


def counter(length: float, colour: Colour) -> list[Part]:
    """A shop counter with a cash register; its customers stand before it."""
    return [
        *box(0, 0, 0, (length, 0.98, 0.55), colour),
        panel(0, 0.12, 0.283, length * 0.94, 0.55, np.asarray(colour, float) * 1.35),
        *box(0, 0.98, 0, (length + 0.06, 0.04, 0.62), (196, 190, 178)),
        *box(0.45, 1.02, -0.05, (0.36, 0.13, 0.36), (52, 54, 60)),
        *placed(box(0, 0, 0, (0.30, 0.20, 0.05), (38, 40, 46)), 0.45, 1.15, -0.1, pitch=-18),
        panel(0.45, 1.19, -0.075, 0.22, 0.10, (110, 215, 150), shade=False),
    ]


def vending_machine(colour: Colour, damage: float = 0.0, tilt: float = 0.0) -> list[Part]:
    """A lit machine; `damage` 0..1 darkens and breaks its pane, tilt in degrees rocks it back."""
    goods = ((220, 180, 60), (210, 90, 80), (60, 150, 190), (100, 190, 90))
    pane = (20, 22, 26) if damage > 0.5 else (70, 82, 92)
    parts = [*box(0, 0, 0, (0.95, 1.80, 0.72), colour), panel(-0.10, 0.50, 0.364, 0.66, 1.16, pane, shade=False)]
    for row, k in product(range(4 if damage < 0.9 else 0), range(3)):
        across, up = -0.28 + 0.18 * k, 0.58 + 0.27 * row
        parts.append(panel(across, up, 0.370, 0.12, 0.17, goods[(3 * row + k) % 4], shade=False))
    parts += [panel(0.35, 0.95, 0.366, 0.14, 0.34, (200, 204, 208)), panel(-0.10, 0.16, 0.366, 0.5, 0.2, (22, 22, 24))]
    parts += cracks((-0.10, 1.08), 0.33, 0.5, 0.378, share=damage)
    return placed(parts, pitch=-tilt)


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


def broken_window(share: float) -> list[Part]:
    """What is left of a window when a share of its glass is gone."""
    wide, tall = 1.2 * (0.45 + 0.55 * share), 1.15 * share
    dark = panel(0, 0.92 + 0.5 * (1 - share), 0.062, wide, tall, (12, 13, 16), shade=False)
    return [dark, *cracks((0.0, 1.5), 0.62, 0.56, 0.068, share=1.0, seed=3)]


def pool(radius: float, colour: Colour, seed: int) -> list[Part]:
    """An irregular patch on the floor: petrol, soot, water."""
    rng = np.random.default_rng(seed)
    angles = np.arange(16) * np.pi / 8
    r = radius * (1 + 0.10 * np.sin(2 * angles + rng.uniform(0, 6)) + 0.06 * np.sin(3 * angles + rng.uniform(0, 6)))
    return [polygon(np.stack([r * np.cos(angles), np.full(16, 0.006), 0.8 * r * np.sin(angles)], 1), colour, False)]


def door(rgb: Colour, swing: float = 0.0) -> list[Part]:
    """A door of 0.95 m in the wall behind it, hinged on its left; `swing` in degrees opens it inwards."""
    wide, tall, inlay = 0.95, 2.05, np.asarray(rgb) * 0.82
    leaf = [
        panel(wide / 2, 0.01, 0, wide, tall, rgb),
        panel(wide / 2, 1.15, 0.006, wide * 0.6, 0.65, inlay),
        panel(wide / 2, 0.25, 0.006, wide * 0.6, 0.7, inlay),
        rod((wide - 0.12, 1.0, 0.05), (wide - 0.2, 1.0, 0.05), 0.022, (208, 190, 130)),
    ]
    frame, hole = panel(0, 0, 0, wide + 0.2, tall + 0.1, (222, 218, 210)), panel(0, 0, 0.012, wide, tall, DARK, False)
    return [frame, hole, *placed(leaf, -wide / 2, 0, 0.03, yaw=swing)]


def window() -> list[Part]:
    white = (226, 224, 220)
    return [
        panel(0, 0.84, 0, 1.46, 1.34, white),
        panel(0, 0.9, 0.012, 1.3, 1.2, (52, 60, 70), shade=False),
        panel(-0.26, 1.0, 0.018, 0.156, 1.0, (84, 94, 104), shade=False),
        panel(0, 0.9, 0.024, 0.06, 1.2, white),
        *box(0, 0.78, 0.06, (1.55, 0.06, 0.16), (206, 202, 196)),
    ]


def clock() -> list[Part]:
    return [disc(0, 3.0, 0, 0.34, (60, 60, 62)), disc(0, 3.0, 0.02, 0.29, (240, 238, 230), shade=False)]


def desk(wood: np.ndarray) -> list[Part]:
    """The counter of a bank, with three screens."""
    middles = (-1.2, 0.0, 1.2)
    fronts = [panel(x, 0.15, 0.305, 1.0, 0.7, wood * 1.3) for x in middles]
    parts = [*box(0, 0, 0, (3.6, 1.05, 0.6), wood), *fronts, *box(0, 1.05, 0, (3.7, 0.05, 0.7), (196, 190, 180))]
    for x in middles:
        parts += placed(box(0, 0, 0, (0.42, 0.34, 0.05), (40, 42, 48)), x + 0.35, 1.12, -0.12, pitch=-10)
    return parts


def lamp_post(tall: float) -> list[Part]:
    post = rod((0, 0, 0), (0, tall, 0), 0.07, (70, 72, 74), 0.05)
    return [post, *box(0, tall, 0.3, (0.3, 0.12, 0.8), (80, 82, 84))]


def tree(rng: np.random.Generator) -> list[Part]:
    parts = [rod((0, 0, 0), (0, 2.4, 0), 0.13, (92, 74, 58), 0.09)]
    for _ in range(9):
        x, y, z = rng.uniform(-0.7, 0.7), rng.uniform(2.3, 3.9), rng.uniform(-0.6, 0.6)
        leaf, r = LEAVES[rng.integers(3)], rng.uniform(0.45, 0.7)
        parts.append(rod((x, y, z), (x * 0.8, y + 0.2, z), r, leaf, texture=1.0))
    return parts


def planter(rng: np.random.Generator) -> list[Part]:
    parts = box(0, 0, 0, (1.3, 0.5, 0.7), (150, 146, 138))
    for k in range(6):
        foot = np.array([-0.5 + 0.2 * k, 0.6 + rng.uniform(0, 0.1), rng.uniform(-0.15, 0.15)])
        parts.append(rod(foot, foot + (0.05, 0.15, 0), 0.22, LEAVES[k % 3], 0.2, texture=1.0))
    return parts


def atm(rgb: np.ndarray) -> list[Part]:
    """A cash machine."""
    return [
        *box(0, 0, 0, (0.8, 1.9, 0.6), rgb * 0.55 + 60),
        panel(0, 1.5, 0.303, 0.72, 0.34, rgb),
        panel(0, 1.08, 0.304, 0.46, 0.34, (120, 190, 230), shade=False),
        panel(0, 0.86, 0.306, 0.40, 0.14, (60, 62, 66)),
        *box(0, 0.80, 0.34, (0.6, 0.05, 0.14), (150, 152, 156)),
    ]
