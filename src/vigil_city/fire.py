"""Things on fire: their flames, and what they look like when they have burnt."""

import numpy as np

from vigil_city import effects
from vigil_city.blocking import Point
from vigil_city.scene import Effect, Part

SOOT = np.array([26, 24, 23], np.float32)


def burnt(parts: list[Part], share: float) -> list[Part]:
    """The parts blackened."""
    out: list[Part] = []
    for p in parts:
        rgb = p.rgb if not isinstance(p, tuple) else p[4]
        rgb = rgb + (SOOT - rgb) * np.float32(0.85 * share)
        out.append((*p[:4], rgb, *p[5:]) if isinstance(p, tuple) else type(p)(p.points, rgb, p.shade))
    return out


def blaze(
    base: Point, width: float, tall: float, heat: float, t: float, *, lift: float = 0.0, near: float = 0.25
) -> list[Effect]:
    """Fire on a thing that stands at a floor point: three tongues and their light; heat 0..1.

    `near` metres before its middle, so that it burns on the side that is seen.
    """
    x, z = base
    if heat < 0.03:
        return []
    tongues = ((0.0, 1.0, 0.05), (-0.32, 0.68, 0.12), (0.30, 0.74, 0.10))
    out = [effects.glow((x, lift + 0.5, z), 2.4 * tall * heat + 0.6, 0.55 * heat * (0.9 + 0.1 * np.sin(11 * t)))]
    for k, (across, high, close) in enumerate(tongues):
        out.append(
            effects.flame(
                (x + across * width, lift, z + close + near),
                width * (0.85 if k == 0 else 0.6) * (0.35 + 0.65 * heat),
                tall * high * heat,
                t,
                2.1 * k,
            )
        )
    return out
