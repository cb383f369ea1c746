"""Solids made of polygons and capsules, to build furniture, vehicles and props from. World metres."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from vigil_city.bodies.anatomy import about_x, about_y
from vigil_city.scene import Part, Polygon

SOOT = np.array([26, 24, 23], np.float32)
Colour = Sequence[float] | np.ndarray
Point = Sequence[float] | np.ndarray
"""x, y, z in metres."""


def polygon(points: Sequence[Sequence[float]] | np.ndarray, rgb: Colour, shade: bool = True) -> Polygon:
    return Polygon(np.asarray(points, float), np.asarray(rgb, np.float32), shade)


def box(x: float, y: float, z: float, size: tuple[float, float, float], rgb: Colour) -> list[Part]:
    """Top and four sides of a block (width along its own x, height, depth) whose bottom centre is (x, y, z)."""
    w, h, d = size[0] / 2, size[1], size[2] / 2
    c = np.array([[sx * w, sy * h, sz * d] for sy in (0, 1) for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    c += (x, y, z)
    faces = ((4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
    return [polygon(c[list(f)], rgb) for f in faces]


def panel(x: float, y: float, z: float, width: float, height: float, rgb: Colour, shade: bool = True) -> Polygon:
    """An upright rectangle on the lower edge centred at (x, y, z), facing the camera."""
    c = np.array([[-width / 2, 0, 0], [width / 2, 0, 0], [width / 2, height, 0], [-width / 2, height, 0]])
    return polygon(c + (x, y, z), rgb, shade)


def disc(x: float, y: float, z: float, radius: float, rgb: Colour, shade: bool = True) -> Polygon:
    """A round face towards the camera: a clock."""
    a = np.arange(12) * (2 * np.pi / 12)
    c = np.stack([radius * np.cos(a), radius * np.sin(a), np.zeros(12)], 1)
    return polygon(c + (x, y, z), rgb, shade)


def rod(p0: Point, p1: Point, radius: float, rgb: Colour, tip: float | None = None, texture: float = 0.0) -> Part:
    """A round bar between two points; `tip` is its radius at the second, `texture` its roughness 0..1."""
    ends = np.asarray(p0, float), radius, np.asarray(p1, float), radius if tip is None else tip
    return (*ends, np.asarray(rgb, np.float32), texture, False)


def placed(
    parts: Iterable[Part], x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0, pitch: float = 0.0
) -> list[Part]:
    """The parts, built about the origin, turned and then moved to (x, y, z)."""
    turn, foot = about_y(yaw) @ about_x(pitch), np.array([x, y, z])
    return [
        replace(p, points=p.points @ turn.T + foot)
        if isinstance(p, Polygon)
        else (turn @ p[0] + foot, p[1], turn @ p[2] + foot, *p[3:])
        for p in parts
    ]


def burnt(parts: Iterable[Part], share: float) -> list[Part]:
    """The parts blackened; a share of their colour is that of soot."""

    def black(rgb: np.ndarray) -> np.ndarray:
        return rgb + (SOOT - rgb) * np.float32(share)

    return [replace(p, rgb=black(p.rgb)) if isinstance(p, Polygon) else (*p[:4], black(p[4]), *p[5:]) for p in parts]


def footprint(x: float, z: float, width: float, depth: float, yaw: float = 0.0) -> np.ndarray:
    """(4, 2) corners x, z of a rectangle on the floor: a Thing's shadow."""
    c = np.array([[-width, 0, -depth], [width, 0, -depth], [width, 0, depth], [-width, 0, depth]]) / 2
    return (c @ about_y(yaw).T + (x, 0, z))[:, [0, 2]]
