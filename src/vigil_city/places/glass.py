"""Panes that break: shards that fly and lie, and the hole that stays."""

import numpy as np

from vigil_city.lens.effects import fly, pieces
from vigil_city.places import props
from vigil_city.places.place import Fixture
from vigil_city.places.shapes import panel
from vigil_city.scene import Effect, Part, Polygon


class Shards:
    """Broken glass: nothing before it breaks, flying for a moment, then lying there."""

    def __init__(self, start: np.ndarray, speed: np.ndarray, size: np.ndarray, spin: np.ndarray) -> None:
        self._start, self._speed, self._size, self._spin = start, speed, size, spin
        self._colours = np.stack([195 + 12 * np.sin(spin), 212 + 10 * np.sin(spin), 222 + 12 * np.cos(spin)], 1)

    def at(self, age: float) -> list[Effect]:
        if age < 0:
            return []
        where = fly(self._start, self._speed, min(age, 3.0))
        return [pieces(where, self._size, self._colours, self._spin + min(age, 0.7) * 9)]


def shards(
    rng: np.random.Generator, centre: tuple[float, float, float], count: int, spread: float, toward: tuple[float, float]
) -> Shards:
    """Glass that flies from a pane towards (x, z)."""
    start = rng.uniform(-spread, spread, (count, 3)) * (1, 1, 0.1) + np.array(centre)
    speed = rng.normal(0, 0.7, (count, 3)) + np.array([toward[0] * 1.2, 0.4, toward[1] * 1.2])
    return Shards(start, speed, rng.uniform(0.02, 0.05, count), rng.uniform(0, 6, count))


def hole(pane: Fixture, front: float, share: float) -> list[Part]:
    """What is left of a window in the wall at z = front when a share of its glass is gone."""
    wide, tall = 1.2 * (0.45 + 0.55 * share), 1.15 * share
    dark = panel(pane.x, 0.92 + 0.5 * (1 - share), front + 0.062, wide, tall, (12, 13, 16), shade=False)
    rim = [p for p in props.cracks((0.0, 1.5), 0.62, 0.56, 0.0, share=1.0, seed=3) if isinstance(p, Polygon)]
    where = np.array([pane.x, 0, front + 0.068])
    return [dark, *(Polygon(p.points + where, p.rgb, False) for p in rim)]
