"""A bicycle of tubes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vigil_city.places.shapes import rod
from vigil_city.places.vehicles import RUBBER, STEEL, heading
from vigil_city.scene import Part


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
            angle = turn + k * np.pi / 2
            spoke = np.array([0.30 * np.sin(angle), 0.30 * np.cos(angle)])
            parts.append(rod(at(0.33 + spoke[0], hub + spoke[1]), at(0.33 - spoke[0], hub - spoke[1]), 0.005, STEEL))
    tube = saddle + (bars - saddle) * 0.1
    for a, b in ((rear, crank), (crank, saddle), (rear, saddle), (crank, bars), (tube, bars), (bars, front)):
        parts.append(rod(a, b, 0.020, colour))
    parts.append(rod(at(0.93, -0.33), at(0.93, -0.14), 0.045, (30, 30, 32), 0.03))
    parts.append(rod(saddle, at(0.93, -0.23), 0.015, STEEL))
    parts.append(rod(bars, at(1.0, 0.33), 0.014, STEEL))
    parts.append(rod(at(1.0, 0.33, 0.26), at(1.0, 0.33, -0.26), 0.016, (40, 40, 44)))
    return parts
