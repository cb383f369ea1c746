"""What is true about a drawn frame: boxes, joints, who does what, and where something moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vigil_city.lens.raster import Canvas, Mark
from vigil_city.scene import Figure, Part, Polygon

JOINTS = (
    "l_shoulder_mark", "l_elbow", "l_wrist", "r_shoulder_mark", "r_elbow", "r_wrist", "l_hip", "l_knee", "l_ankle",
    "r_hip", "r_knee", "r_ankle", "nose",
)  # fmt: skip
"""In the order of the landmark files, where COCO's annotators mark them; HEAD is the nose."""

NO_JOINTS = np.zeros((len(JOINTS), 3), np.float32)  # those of a bag
BEHIND = 0.085  # body heights: how far behind the seen surface the centre of a joint may lie and still count as seen
CLEAR = 0.5  # of the contrast, which smoke must leave of a joint
GRID = 20  # cells across and down
STIR = 1 / 320  # share of the picture's width that a part must travel in STIR_S seconds to count as moving
STIR_S = 0.2
COVER = 0.10  # share of a cell that moving things must cover to make it dynamic
COLUMNS = (  # of an npz: name, type, shape of one row
    ("frame", "int32", ()), ("boxes", "float32", (4,)), ("joints", "float32", (len(JOINTS), 3)),
    ("person", "int32", ()), ("role", "<U16", ()), ("class", "<U8", ()), ("visible", "float32", ()),
    ("active", "bool", ()),
)  # fmt: skip


@dataclass
class Truth:
    """Rows of all frames of a video, as COLUMNS says, and the cells of every frame."""

    rows: list[tuple[int, np.ndarray, np.ndarray, int, str, str, float, bool]] = field(default_factory=list)
    cells: list[np.ndarray] = field(default_factory=list)

    def arrays(self) -> dict[str, np.ndarray]:
        rows = sorted(self.rows, key=lambda r: (r[0], r[3]))
        columns = {
            name: np.array([r[k] for r in rows], dtype).reshape(len(rows), *shape)
            for k, (name, dtype, shape) in enumerate(COLUMNS)
        }
        return {**columns, "cells": np.array(self.cells, np.uint8).reshape(-1, GRID, GRID)}


def clipped(
    canvas: Canvas, mark: Mark, jolt: tuple[float, float], clear: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """The box inside the picture and the share of the object that is seen; None when next to nothing is.

    `clear` (H, W) 0..1 is what fire and smoke leave of the contrast.
    """
    w, h = canvas.camera.width, canvas.camera.height
    if not np.isfinite(mark.box).all():
        return None
    whole = mark.box + (*jolt, *jolt)
    box = np.clip(whole, 0, (w, h, w, h))
    if box[2] - box[0] < 2 or box[3] - box[1] < 2 or not mark.area:
        return None
    ss = canvas.ss
    x0, y0, x1, y1 = (max(int(v * ss) - ss, 0) for v in mark.box)
    rows, columns = np.nonzero(canvas.owners_in((x0, y0, x1 + 3 * ss, y1 + 3 * ss)) == mark.owner)
    seen = float(clear[(rows + y0) // ss, (columns + x0) // ss].sum())
    inside = (box[2] - box[0]) * (box[3] - box[1]) / max((whole[2] - whole[0]) * (whole[3] - whole[1]), 1e-6)
    share = float(min(seen / mark.area, 1.0) * min(inside, 1.0))
    return (box, share) if share > 0.01 else None


def joints(canvas: Canvas, figure: Figure, jolt: tuple[float, float], clear: np.ndarray) -> np.ndarray:
    """(13, 3) x, y, 1 = seen or 0 = hidden or outside the picture."""
    world = np.array([figure.skeleton.joints[name] for name in JOINTS])
    p = canvas.camera.project(world)
    ss = canvas.ss
    px, py = (p[:, 0] * ss).astype(int), (p[:, 1] * ss).astype(int)
    inside = (px >= 0) & (px < canvas.w) & (py >= 0) & (py < canvas.h)
    near = canvas.depth[np.clip(py, 0, canvas.h - 1), np.clip(px, 0, canvas.w - 1)]
    seen = inside & (near > p[:, 2] - BEHIND * figure.look.height)
    seen &= clear[np.clip(py // ss, 0, len(clear) - 1), np.clip(px // ss, 0, clear.shape[1] - 1)] >= CLEAR
    xy = p[:, :2] + jolt
    seen &= (xy >= 0).all(1) & (xy < (canvas.camera.width, canvas.camera.height)).all(1)
    return np.column_stack([xy, seen]).astype(np.float32)


def ends(parts: Sequence[Part]) -> np.ndarray:
    """(N, 2, 3) two points of every part, by which its motion is judged."""
    return np.array([(p.points[0], p.points[-2]) if isinstance(p, Polygon) else (p[0], p[2]) for p in parts])


def stirred(canvas: Canvas, now: np.ndarray, before: np.ndarray, seconds: float) -> np.ndarray:
    """(N,) which parts travel noticeably on the picture, given the ends of each now and `seconds` ago."""
    c = canvas.camera
    shift = c.project(now.reshape(-1, 3))[:, :2] - c.project(before.reshape(-1, 3))[:, :2]
    far = np.hypot(shift[:, 0], shift[:, 1]).reshape(-1, 2).max(1)
    return far > STIR * c.width * seconds / STIR_S


def cells(moving: np.ndarray) -> np.ndarray:
    """(GRID, GRID) uint8: 1 where a mask of motion (h, w) covers at least COVER of the cell."""
    share = cv2.resize(moving.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return (share >= COVER).astype(np.uint8)
