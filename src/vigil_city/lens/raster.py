"""One depth buffer for shaded capsules and flat polygons, supersampled, composited over a still background.

Shading is deferred: what is drawn leaves only depth, brightness and the number of its part; colours are looked up
once per picture, inside the boxes that were touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vigil_city.bodies.look import Capsule
from vigil_city.lens.camera import Camera
from vigil_city.lens.capsules import Lamp, Trunk, Tubes, cover, depths
from vigil_city.lens.light import Light
from vigil_city.scene import Part, Polygon

FAR = np.float32(1e6)
NEAR = 0.12  # metres; nothing that reaches nearer to the lens is drawn
Window = tuple[int, int, int, int]
"""Left, top, right, bottom on the canvas, half-open."""
NOWHERE: Window = (2**31, 2**31, 0, 0)  # holds no pixel


def join(a: Window, b: Window) -> Window:
    """The smallest window that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


@dataclass
class Mark:
    """What a draw left on the canvas: the whole outline's box in picture pixels, and its area in canvas pixels."""

    box: np.ndarray  # x0, y0, x1, y1, as if nothing hid it; may leave the picture
    area: int  # canvas pixels of the outline inside the picture, hidden or not
    owner: int


class Canvas:
    """Draw, `composite`, `clear`. Owners are 1..255; 0 is the still background."""

    def __init__(self, camera: Camera, light: Light, ss: int = 2) -> None:
        self.camera, self.ss = camera, ss
        self.h, self.w = camera.height * ss, camera.width * ss
        self.depth = np.full((self.h, self.w), FAR, np.float32)
        self.shade = np.zeros((self.h, self.w), np.float32)
        self.part_number = np.zeros((self.h, self.w), np.uint16)
        self._still = self.depth.copy()
        self._outline = np.zeros((self.h, self.w), bool)
        self._mask = np.zeros((self.h, self.w), np.uint8)
        self._xs = np.arange(self.w, dtype=np.float32)[None, :] + np.float32(0.5)
        self._ys = np.arange(self.h, dtype=np.float32)[:, None] + np.float32(0.5)
        self._sun = light.unit()
        self._lamp = Lamp(light, camera.axes)
        self._colours: list[np.ndarray] = [np.zeros(3, np.float32)]
        self._owners: list[int] = [0]
        self._moving: list[bool] = [False]
        self._touched = NOWHERE

    def freeze(self, depth: np.ndarray) -> None:
        """This becomes the depth of the still background, to which `clear` returns."""
        self._still = depth.copy()
        self._touched = (0, 0, self.w, self.h)
        self.clear()

    def clear(self) -> None:
        left, top, right, bottom = self._touched
        win = np.s_[top:bottom, left:right]
        self.depth[win] = self._still[win]
        self.part_number[win] = 0
        self._touched = NOWHERE
        del self._colours[1:], self._owners[1:], self._moving[1:]

    def draw(self, parts: Sequence[Part], owner: int, moving: np.ndarray | None = None) -> Mark:
        """Draws the parts of one object; `moving` (one flag per part) says which of them move noticeably."""
        caps = [(i, p) for i, p in enumerate(parts) if not isinstance(p, Polygon)]
        lo, hi = np.full(2, np.inf), np.full(2, -np.inf)
        union = NOWHERE
        first = len(self._colours)
        self._colours.extend(p.rgb if isinstance(p, Polygon) else p[4] for p in parts)
        self._owners.extend([owner] * len(parts))
        self._moving.extend([False] * len(parts) if moving is None else [bool(m) for m in moving])
        for i, p in enumerate(parts):
            if isinstance(p, Polygon):
                union = join(union, self._polygon(p, first + i, lo, hi))
        if caps:
            union = join(union, self._capsules(caps, first, owner, lo, hi))
        win = np.s_[union[1] : union[3], union[0] : union[2]]
        area = int(np.count_nonzero(self._outline[win]))
        self._outline[win] = False
        self._touched = join(self._touched, union)
        return Mark(np.concatenate([lo, hi]), area, owner)

    def _capsules(
        self, caps: list[tuple[int, Capsule]], first: int, owner: int, lo: np.ndarray, hi: np.ndarray
    ) -> Window:
        """Draws the capsules of one object, each given with its number among the parts; `first` is part 0's number."""
        flat = np.array([(c[0], c[2]) for _, c in caps]).transpose(1, 0, 2).reshape(-1, 3)
        ends, radius = self.camera.project(flat).reshape(2, -1, 3), np.array([(c[1], c[3]) for _, c in caps]).T
        if ends[..., 2].min() <= NEAR:
            return NOWHERE
        size = self.camera.focal * radius / ends[..., 2]
        np.minimum(lo, (ends[..., :2] - size[..., None]).min((0, 1)), out=lo)
        np.maximum(hi, (ends[..., :2] + size[..., None]).max((0, 1)), out=hi)
        index = np.array([i for i, _ in caps])
        texture, in_trunk = np.array([c[5] for _, c in caps]), np.array([c[6] for _, c in caps])
        ends = ends * (self.ss, self.ss, 1)
        rounded = ends[:, in_trunk, :2].reshape(-1, 2), self.ss * size[:, in_trunk].ravel()
        trunk = Trunk.of(*rounded) if in_trunk.any() else None
        size = np.maximum(size * self.ss, 0.7)  # nothing thinner than about a sub-pixel
        tubes = Tubes.between(ends, size, radius, self.w, self.h)
        pixels = cover(tubes, self.w)
        self._outline.ravel()[pixels.index] = True
        depth, facing = depths(tubes, pixels)
        canvas = self.depth.ravel()
        before = np.flatnonzero(depth < canvas[pixels.index])
        np.minimum.at(canvas, pixels.index[before], depth[before])
        won = before[canvas[pixels.index[before]] == depth[before]][::-1]  # of equals the first is written last
        pixels = pixels.only(won)
        self.part_number.ravel()[pixels.index] = (first + index)[pixels.tube].astype(np.uint16)
        self.shade.ravel()[pixels.index] = self._lamp.shade(
            tubes, pixels, facing[won], trunk=trunk, in_trunk=in_trunk, texture=texture, part_index=index, owner=owner,
            width=self.w,
        )  # fmt: skip
        on = tubes.extent[0] > 0
        if not on.any():
            return NOWHERE
        (left, top), (right, bottom) = tubes.corner[:, on].min(1), (tubes.corner + tubes.extent)[:, on].max(1)
        return int(left), int(top), int(right), int(bottom)

    def _polygon(self, p: Polygon, number: int, lo: np.ndarray, hi: np.ndarray) -> Window:
        c, points = self.camera, p.points
        pts = c.project(points)
        if pts[:, 2].min() <= NEAR:
            return NOWHERE
        np.minimum(lo, pts[:, :2].min(0), out=lo)
        np.maximum(hi, pts[:, :2].max(0), out=hi)
        xy = pts[:, :2] * self.ss
        x0, y0 = np.floor(xy.min(0)).astype(int)
        x1, y1 = np.ceil(xy.max(0)).astype(int) + 1
        left, top, right, bottom = max(int(x0), 0), max(int(y0), 0), min(int(x1), self.w), min(int(y1), self.h)
        if left >= right or top >= bottom:
            return NOWHERE
        win = np.s_[top:bottom, left:right]
        mask = self._mask[win]
        mask[:] = 0
        corners = np.round((xy - (left + 0.5, top + 0.5)) * 16).clip(-(2**20), 2**20).astype(np.int32)
        cv2.fillConvexPoly(mask, corners, 1, cv2.LINE_8, 4)
        hit = mask.view(bool)
        np.logical_or(self._outline[win], hit, out=self._outline[win])
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        normal /= np.linalg.norm(normal)
        # the plane in camera terms: 1 / depth is linear on the picture
        away = float(normal @ (points[0] - c.eye))
        if abs(away) < 1e-6:
            return NOWHERE  # seen edge-on
        nr, nu, nb = (c.axes @ normal) / away
        k = 1 / (c.focal * self.ss)
        inverse = (
            ((self._xs[:, left:right] - np.float32(self.w / 2)) * np.float32(nr * k))
            - ((self._ys[top:bottom] - np.float32(self.h / 2)) * np.float32(nu * k))
            - np.float32(nb)
        )
        depth = 1 / np.maximum(inverse, np.float32(1e-6))
        hit = hit & (depth < self.depth[win])
        bright = 1.0
        if p.shade:
            facing = normal if away < 0 else -normal
            bright = self._lamp.ambient + self._lamp.diffuse * max(float(facing @ self._sun), 0.0)
        np.copyto(self.depth[win], depth, where=hit)
        np.copyto(self.shade[win], np.float32(bright), where=hit)
        np.copyto(self.part_number[win], np.uint16(number), where=hit)
        return left, top, right, bottom

    def owners_in(self, window: Window) -> np.ndarray:
        """Who is seen at each pixel of a window of the canvas, uint8."""
        left, top, right, bottom = window
        return np.asarray(self._owners, np.uint8)[self.part_number[top:bottom, left:right]]

    def motion(self) -> np.ndarray:
        """(h, w) uint8 on the canvas: 1 where something that moves is seen."""
        return np.asarray(self._moving, np.uint8)[self.part_number]

    def composite(self, background: np.ndarray) -> np.ndarray:
        """What was drawn, anti-aliased over a uint8 background (H, W, 3), which is not changed."""
        image, ss, (left, top, right, bottom) = background.copy(), self.ss, self._touched
        if self._touched == NOWHERE:
            return image
        palette = np.zeros((len(self._colours), 4), np.float32)
        palette[:, :3] = self._colours
        palette[1:, 3] = 1
        x0, y0, x1, y1 = left // ss, top // ss, -(-right // ss), -(-bottom // ss)
        win = np.s_[y0 * ss : y1 * ss, x0 * ss : x1 * ss]
        paint, shade = np.take(palette, self.part_number[win], axis=0, mode="clip"), self.shade[win]
        cv2.multiply(paint, cv2.merge([shade, shade, shade, np.ones_like(shade)]), dst=paint)
        if ss > 1:
            paint = np.asarray(cv2.resize(paint, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA))
        out = image[y0:y1, x0:x1] * (1 - paint[..., 3:]) + paint[..., :3]
        image[y0:y1, x0:x1] = np.clip(out, 0, 255, out=out)
        return image
