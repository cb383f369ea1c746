"""One depth buffer for shaded capsules and flat polygons, supersampled, composited over a still background.

Shading is deferred: what is drawn leaves only depth, brightness and the number of its part; colours are looked up
once per picture, inside the boxes that were touched.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from vigil_city.bodies.look import Capsule
from vigil_city.lens.camera import Camera
from vigil_city.lens.light import Light, folds
from vigil_city.lens.patches import Window, clip, join, merge
from vigil_city.scene import Part, Polygon

FAR = np.float32(1e6)
NEAR = 0.12  # metres; nothing nearer to the lens is drawn
End = tuple[float, float, float, float, float]
"""One end of a capsule: x, y on the canvas, depth in metres, radius on the canvas, radius in metres."""
Trunk = tuple[float, float, float, float, np.ndarray]
"""A point of the trunk's axis on the canvas, and what turns an offset from it into -1..1 across the trunk."""


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
        self.part = np.zeros((self.h, self.w), np.uint16)
        self._still = self.depth.copy()
        self._outline = np.zeros((self.h, self.w), bool)
        self._mask = np.zeros((self.h, self.w), np.uint8)
        self._xs = np.arange(self.w, dtype=np.float32)[None, :] + np.float32(0.5)
        self._ys = np.arange(self.h, dtype=np.float32)[:, None] + np.float32(0.5)
        self._folds = folds()
        self._sun = light.unit()
        right, up, back = camera.axes.astype(np.float32)
        self._light = float(right @ self._sun), float(-(up @ self._sun)), float(back @ self._sun)
        self._ambient, self._diffuse = light.ambient, light.diffuse
        self._colours: list[np.ndarray] = [np.zeros(3, np.float32)]
        self._owners: list[int] = [0]
        self._moving: list[bool] = [False]
        self._windows: list[Window] = []

    def freeze(self) -> None:
        """The depth of now becomes that of the still background, to which `clear` returns."""
        self._still = self.depth.copy()
        self._windows = [(0, 0, self.w, self.h)]
        self.clear()

    def clear(self) -> None:
        for left, top, right, bottom in self._windows:
            win = np.s_[top:bottom, left:right]
            self.depth[win] = self._still[win]
            self.part[win] = 0
        self._windows = []
        del self._colours[1:], self._owners[1:], self._moving[1:]

    def draw(self, parts: list[Part], owner: int, moving: np.ndarray | None = None) -> Mark:
        """Draws the parts of one object; `moving` (one flag per part) says which of them move noticeably."""
        caps = [(i, p) for i, p in enumerate(parts) if not isinstance(p, Polygon)]
        lo, hi = np.full(2, np.inf), np.full(2, -np.inf)
        union: Window | None = None
        number = [len(self._colours) + i for i in range(len(parts))]
        self._colours.extend(p.rgb if isinstance(p, Polygon) else p[4] for p in parts)
        self._owners.extend([owner] * len(parts))
        self._moving.extend([False] * len(parts) if moving is None else [bool(m) for m in moving])
        for i, p in enumerate(parts):
            if isinstance(p, Polygon):
                union = join(union, self._polygon(p, number[i], lo, hi))
        if caps:
            union = join(union, self._capsules(caps, number, owner, lo, hi))
        area = 0
        if union is not None:
            win = np.s_[union[1] : union[3], union[0] : union[2]]
            area = int(np.count_nonzero(self._outline[win]))
            self._outline[win] = False
            self._windows.append(union)
        return Mark(np.concatenate([lo, hi]), area, owner)

    def _capsules(
        self, caps: list[tuple[int, Capsule]], number: list[int], owner: int, lo: np.ndarray, hi: np.ndarray
    ) -> Window | None:
        n, ss = len(caps), self.ss
        ends = np.array([c[0] for _, c in caps] + [c[2] for _, c in caps])
        front = self.camera.depth(ends) > NEAR
        pts = self.camera.project(ends)
        radii = np.array([c[1] for _, c in caps] + [c[3] for _, c in caps])
        size = self.camera.focal * radii / pts[:, 2]
        ok = front[:n] & front[n:]
        both = np.concatenate([ok, ok])
        if not ok.any():
            return None
        xy, r = pts[both, :2], size[both, None]
        np.minimum(lo, (xy - r).min(0), out=lo)
        np.maximum(hi, (xy + r).max(0), out=hi)
        trunk = self._trunk([k for k in range(n) if ok[k] and caps[k][1][6]], n, pts, size)
        union: Window | None = None
        at, size = pts * (ss, ss, 1), np.maximum(size * ss, 0.7)  # nothing thinner than about a sub-pixel
        for k, (i, c) in enumerate(caps):
            if ok[k]:
                a, b = (*at[k].tolist(), float(size[k]), c[1]), (*at[k + n].tolist(), float(size[k + n]), c[3])
                union = join(union, self._capsule(a, b, c[5], number[i], owner, i, trunk if c[6] else None))
        return union

    def _trunk(self, which: list[int], n: int, pts: np.ndarray, size: np.ndarray) -> Trunk | None:
        """Axis and half width of the trunk on the canvas, so that its capsules are lit as one rounded body."""
        if not which:
            return None
        rows = which + [k + n for k in which]
        xy, radii = pts[rows, :2], size[rows]
        centre = xy.mean(0)
        off = xy - centre
        cov = off.T @ off
        angle = 0.5 * np.arctan2(2 * cov[0, 1], cov[0, 0] - cov[1, 1])  # direction of greatest spread
        across = np.array([-np.sin(angle), np.cos(angle)])
        side = off @ across
        half = max((side + radii).max(), -(side - radii).min()) * self.ss
        return centre[0] * self.ss, centre[1] * self.ss, across[0] / half, across[1] / half, across

    def _capsule(
        self, a: End, b: End, texture: float, number: int, owner: int, index: int, trunk: Trunk | None
    ) -> Window | None:
        f = np.float32
        (x0, y0, d0, s0, r0), (x1, y1, d1, s1, r1) = a, b
        left, right = int(max(min(x0 - s0, x1 - s1), 0)), int(min(max(x0 + s0, x1 + s1) + 2, self.w))
        top, bottom = int(max(min(y0 - s0, y1 - s1), 0)), int(min(max(y0 + s0, y1 + s1) + 2, self.h))
        if left >= right or top >= bottom:
            return None
        ex, ey = x1 - x0, y1 - y0
        long2 = ex * ex + ey * ey
        if long2 <= 0.25 or long2 <= (s0 - s1) ** 2:  # seen end-on: one ball
            if s1 > s0:
                x0, y0, s0, r0 = x1, y1, s1, r1
            d0 = d1 = min(d0, d1)
            x1, y1, s1, r1, ex, ey, long2 = x0, y0, s0, r0, 0.0, 0.0, 1.0
        win = np.s_[top:bottom, left:right]
        dx, dy = self._xs[:, left:right] - f(x0), self._ys[top:bottom] - f(y0)
        q = dx * f(ex) + dy * f(ey)
        t = q * f(1 / long2)  # share of the way from end a to end b
        np.maximum(t, 0, out=t)
        np.minimum(t, 1, out=t)
        off = t * f(long2)  # squared distance from the axis: |d|^2 - 2 t q + t^2 |e|^2
        q *= 2
        off -= q
        off *= t
        off += dx * dx + dy * dy
        inverse = t * f(s1 - s0)
        inverse += f(s0)
        np.reciprocal(inverse, out=inverse)
        off *= inverse
        off *= inverse
        hit = off < 1
        outline = self._outline[win]
        np.logical_or(outline, hit, out=outline)
        nz = np.subtract(1, off, out=off)
        np.maximum(nz, 0, out=nz)
        np.sqrt(nz, out=nz)
        depth = t * f(d1 - d0)
        depth += f(d0)
        thick = t * f(r1 - r0)
        thick += f(r0)
        thick *= nz
        depth -= thick
        behind = self.depth[win]
        hit &= depth < behind
        lx, ly, lz = self._light
        if trunk is None:
            shade = dx * f(lx) + dy * f(ly)
            shade -= t * f(ex * lx + ey * ly)
            shade *= inverse
        else:  # a quarter the tube's own normal, the rest that of the whole trunk
            cx, cy, ax, ay, across = trunk
            u = (self._xs[:, left:right] - f(cx)) * f(ax) + (self._ys[top:bottom] - f(cy)) * f(ay)
            np.maximum(u, -0.95, out=u)
            np.minimum(u, 0.95, out=u)
            inverse *= 0.25
            nx, ny = (dx - t * f(ex)) * inverse, (dy - t * f(ey)) * inverse
            nx += u * f(0.75 * across[0])
            ny += u * f(0.75 * across[1])
            nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
            shade = nx * f(lx) + ny * f(ly)
        shade += nz * f(lz)
        np.maximum(shade, 0, out=shade)
        shade *= f(self._diffuse)
        shade += f(self._ambient)
        nz *= f(0.20)
        nz += f(0.80)
        shade *= nz  # darker rims
        if texture:
            h, w = shade.shape
            oy = (index * 97 + top - int(y0)) % (1024 - h)
            ox = (index * 61 + owner * 131 + left - int(x0)) % (1024 - w)
            grain = self._folds[oy : oy + h, ox : ox + w] * f(0.16 * texture)
            grain += 1
            shade *= grain
        np.copyto(behind, depth, where=hit)
        np.copyto(self.shade[win], shade, where=hit)
        np.copyto(self.part[win], np.uint16(number), where=hit)
        return left, top, right, bottom

    def _polygon(self, p: Polygon, number: int, lo: np.ndarray, hi: np.ndarray) -> Window | None:
        points = clip(p.points, self.camera.depth(p.points), NEAR)
        if len(points) < 3:
            return None
        pts = self.camera.project(points)
        np.minimum(lo, pts[:, :2].min(0), out=lo)
        np.maximum(hi, pts[:, :2].max(0), out=hi)
        xy = pts[:, :2] * self.ss
        x0, y0 = np.floor(xy.min(0)).astype(int)
        x1, y1 = np.ceil(xy.max(0)).astype(int) + 1
        left, top, right, bottom = max(int(x0), 0), max(int(y0), 0), min(int(x1), self.w), min(int(y1), self.h)
        if left >= right or top >= bottom:
            return None
        win = np.s_[top:bottom, left:right]
        mask = self._mask[win]
        mask[:] = 0
        corners = np.round((xy - (left + 0.5, top + 0.5)) * 16).clip(-(2**20), 2**20).astype(np.int32)
        cv2.fillConvexPoly(mask, corners, 1, cv2.LINE_8, 4)
        hit = mask.view(bool)
        np.logical_or(self._outline[win], hit, out=self._outline[win])
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        size = float(np.linalg.norm(normal))
        if size < 1e-9:
            return None
        normal /= size
        # the plane in camera terms: 1 / depth is linear on the picture
        c = self.camera
        away = float(normal @ (points[0] - c.eye))
        if abs(away) < 1e-6:
            return None  # seen edge-on
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
            bright = self._ambient + self._diffuse * max(float(facing @ self._sun), 0.0)
        np.copyto(self.depth[win], depth, where=hit)
        np.copyto(self.shade[win], np.float32(bright), where=hit)
        np.copyto(self.part[win], np.uint16(number), where=hit)
        return left, top, right, bottom

    def owners_in(self, window: Window) -> np.ndarray:
        """Who is seen at each pixel of a window of the canvas, uint8."""
        left, top, right, bottom = window
        return np.asarray(self._owners, np.uint8)[self.part[top:bottom, left:right]]

    def motion(self) -> np.ndarray:
        """(h, w) uint8 on the canvas: 1 where something that moves is seen."""
        return np.asarray(self._moving, np.uint8)[self.part]

    def composite(self, background: np.ndarray) -> np.ndarray:
        """What was drawn, anti-aliased over a uint8 background (H, W, 3), which is not changed."""
        image, ss = background.copy(), self.ss
        palette = np.zeros((len(self._colours), 4), np.float32)
        palette[:, :3] = self._colours
        palette[1:, 3] = 1
        for left, top, right, bottom in merge(self._windows):
            x0, y0, x1, y1 = left // ss, top // ss, -(-right // ss), -(-bottom // ss)
            win = np.s_[y0 * ss : y1 * ss, x0 * ss : x1 * ss]
            paint = palette[self.part[win]]
            paint[..., :3] *= self.shade[win][..., None]
            if ss > 1:
                paint = np.asarray(cv2.resize(paint, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA))
            out = image[y0:y1, x0:x1] * (1 - paint[..., 3:]) + paint[..., :3]
            image[y0:y1, x0:x1] = np.clip(out, 0, 255)
        return image
