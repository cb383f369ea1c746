"""What stands in places: doors, windows, trees, lamps."""

import numpy as np

from vigil_city.places.shapes import box, panel, placed, rod
from vigil_city.scene import Part

LEAVES = ((52, 84, 46), (66, 98, 52), (44, 72, 44))


def door(x: float, z: float, rgb: np.ndarray, swing: float = 0.0, glass: bool = False) -> list[Part]:
    """A door of 0.95 m in the wall behind (x, z), hinged on its left; `swing` in degrees opens it inwards."""
    wide, tall = 0.95, 2.05
    parts: list[Part] = [
        panel(x, 0, z, wide + 0.2, tall + 0.1, (222, 218, 210)),
        panel(x, 0, z + 0.012, wide, tall, (26, 24, 26), shade=False),
    ]
    leaf: list[Part] = [
        panel(wide / 2, 0.01, 0, wide, tall, rgb),
        rod((wide - 0.12, 1.0, 0.05), (wide - 0.2, 1.0, 0.05), 0.022, (208, 190, 130)),
    ]
    if glass:
        leaf.insert(1, panel(wide / 2, 0.25, 0.006, wide * 0.7, 1.6, (92, 112, 122), shade=False))
    else:
        leaf[1:1] = [
            panel(wide / 2, 1.15, 0.006, wide * 0.6, 0.65, np.asarray(rgb) * 0.82),
            panel(wide / 2, 0.25, 0.006, wide * 0.6, 0.7, np.asarray(rgb) * 0.82),
        ]
    return parts + placed(leaf, x - wide / 2, 0, z + 0.03, yaw=swing)


def window(x: float, z: float, width: float = 1.3, foot: float = 0.9, tall: float = 1.2) -> list[Part]:
    parts: list[Part] = [
        panel(x, foot - 0.06, z, width + 0.16, tall + 0.14, (226, 224, 220)),
        panel(x, foot, z + 0.012, width, tall, (52, 60, 70), shade=False),
        panel(x - width * 0.2, foot + 0.1, z + 0.018, width * 0.12, tall - 0.2, (84, 94, 104), shade=False),
        panel(x, foot, z + 0.024, 0.06, tall, (226, 224, 220)),
        *box(x, foot - 0.12, z + 0.06, (width + 0.25, 0.06, 0.16), (206, 202, 196)),
    ]
    return parts


def lamp_post(x: float, z: float, tall: float = 4.2) -> list[Part]:
    return [
        rod((x, 0, z), (x, tall, z), 0.07, (70, 72, 74), 0.05),
        *box(x, tall, z + 0.3, (0.3, 0.12, 0.8), (80, 82, 84)),
    ]


def tree(x: float, z: float, rng: np.random.Generator) -> list[Part]:
    parts: list[Part] = [rod((x, 0, z), (x, 2.4, z), 0.13, (92, 74, 58), 0.09)]
    for _ in range(9):
        dx, dy, dz = rng.uniform(-0.7, 0.7), rng.uniform(2.3, 3.9), rng.uniform(-0.6, 0.6)
        leaf, r = LEAVES[rng.integers(3)], rng.uniform(0.45, 0.7)
        top = x + dx * 0.8, dy + 0.2, z + dz
        parts.append(rod((x + dx, dy, z + dz), top, r, leaf, texture=1.0))
    return parts


def planter(x: float, z: float, rng: np.random.Generator) -> list[Part]:
    parts = box(x, 0, z, (1.3, 0.5, 0.7), (150, 146, 138))
    for k in range(6):
        at = np.array([x - 0.5 + 0.2 * k, 0.6 + rng.uniform(0, 0.1), z + rng.uniform(-0.15, 0.15)])
        parts.append(rod(at, at + (0.05, 0.15, 0), 0.22, LEAVES[k % 3], 0.2, texture=1.0))
    return parts


def atm(x: float, z: float, yaw: float, rgb: np.ndarray) -> list[Part]:
    """A cash machine that faces yaw."""
    parts: list[Part] = [
        *box(0, 0, 0, (0.8, 1.9, 0.6), rgb * 0.55 + 60),
        panel(0, 1.5, 0.303, 0.72, 0.34, rgb),
        panel(0, 1.08, 0.304, 0.46, 0.34, (120, 190, 230), shade=False),
        panel(0, 0.86, 0.306, 0.40, 0.14, (60, 62, 66)),
        *box(0, 0.80, 0.34, (0.6, 0.05, 0.14), (150, 152, 156)),
    ]
    return placed(parts, x, 0, z, yaw)
