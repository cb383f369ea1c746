"""Rectangles of the canvas that were touched, and polygons cut off at the lens."""

import numpy as np

Window = tuple[int, int, int, int]
"""Left, top, right, bottom on the canvas, half-open."""


def clip(points: np.ndarray, depth: np.ndarray, near: float) -> np.ndarray:
    """The part of a polygon that is at least `near` in front of the lens."""
    if (depth > near).all():
        return points
    out = []
    for i in range(len(points)):
        a, b, da, db = points[i - 1], points[i], depth[i - 1], depth[i]
        if (da > near) != (db > near):
            out.append(a + (b - a) * ((near - da) / (db - da)))
        if db > near:
            out.append(b)
    return np.array(out).reshape(-1, 3)


def join(a: Window | None, b: Window | None) -> Window | None:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def merge(windows: list[Window]) -> list[Window]:
    """Windows that overlap become one, so that no pixel is painted twice."""
    out: list[Window] = []
    for w in windows:
        while touched := [
            o for o in out if w[0] < o[2] + 2 and o[0] < w[2] + 2 and w[1] < o[3] + 2 and o[1] < w[3] + 2
        ]:
            out.remove(touched[0])
            o = touched[0]
            w = (min(w[0], o[0]), min(w[1], o[1]), max(w[2], o[2]), max(w[3], o[3]))
        out.append(w)
    return out
