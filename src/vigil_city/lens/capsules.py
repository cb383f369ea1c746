"""Which pixels capsules cover, how far away each of these is, and how bright: all capsules of an object at once.

What holds for a capsule is one number in an array over capsules, float32 where pixels are computed with it.
"""

from dataclasses import dataclass

import numpy as np

from vigil_city.lens.light import GRAIN, Light, folds

f32 = np.float32


@dataclass(frozen=True)
class Tubes:
    """Capsules on the canvas, arrays over n of them; a is one end and b the other, in canvas pixels and metres."""

    a: np.ndarray  # (n, 2) x, y
    axis: np.ndarray  # (n, 2) from a to b; (0, 0) when the capsule is seen end-on, as a ball
    long2: np.ndarray  # (n,) squared length of the axis; 1 for a ball
    depth: np.ndarray  # (2, n) metres, at a and b
    size: np.ndarray  # (2, n) radius on the canvas
    radius: np.ndarray  # (2, n) metres
    corner: np.ndarray  # (2, n) int: left and top of the window that holds it
    extent: np.ndarray  # (2, n) int: width and height of that window; 0 where nothing of it is on the canvas

    @classmethod
    def between(cls, ends: np.ndarray, size: np.ndarray, radius: np.ndarray, width: int, height: int) -> "Tubes":
        """From `ends` (2, n, 3) x, y on the canvas and depth in metres, `size` and `radius` (2, n)."""
        xy, canvas = ends[..., :2], np.array([[width], [height]])
        low = np.minimum(xy[0] - size[0, :, None], xy[1] - size[1, :, None]).T
        high = np.maximum(xy[0] + size[0, :, None], xy[1] + size[1, :, None]).T
        corner = np.maximum(low, 0).astype(int)
        extent = np.maximum(np.minimum(high + 2, canvas).astype(int) - corner, 0)
        extent[:, (extent == 0).any(0)] = 0
        axis, depth = xy[1] - xy[0], ends[..., 2]
        long2 = (axis * axis).sum(1)
        ball = (long2 <= 0.25) | (long2 <= (size[0] - size[1]) ** 2)
        first = np.where(ball & (size[1] > size[0]), 1, 0)  # the larger end hides the other
        each = np.arange(len(first))
        size, radius = (np.stack([v[first, each], np.where(ball, v[first, each], v[1])]) for v in (size, radius))
        depth = np.where(ball, depth.min(0), depth)
        axis, long2 = np.where(ball[:, None], 0.0, axis), np.where(ball, 1.0, long2)
        return cls(xy[first, each], axis, long2, depth, size, radius, corner, extent)


@dataclass(frozen=True)
class Trunk:
    """The axis and half width of a body's trunk on the canvas: its capsules are lit as one rounded body."""

    centre: np.ndarray  # (2,)
    across: np.ndarray  # (2,) unit vector
    half: float

    @classmethod
    def of(cls, xy: np.ndarray, size: np.ndarray) -> "Trunk":
        """Of the ends (N, 2) of its capsules and their radii (N,) on the canvas."""
        centre = xy.mean(0)
        off = xy - centre
        cov = off.T @ off
        angle = 0.5 * np.arctan2(2 * cov[0, 1], cov[0, 0] - cov[1, 1])  # direction of greatest spread
        across = np.array([-np.sin(angle), np.cos(angle)])
        side = off @ across
        return cls(centre, across, max((side + size).max(), -(side - size).min()))


@dataclass(frozen=True)
class Pixels:
    """Pixels under capsules, one after the other; a pixel that k capsules cover is there k times."""

    index: np.ndarray  # (N,) into the flat canvas
    tube: np.ndarray  # (N,) which capsule
    dx: np.ndarray  # (N,) from its end a, canvas pixels
    dy: np.ndarray
    share: np.ndarray  # of the way from a to b, 0..1
    inverse: np.ndarray  # 1 / radius there, on the canvas
    off: np.ndarray  # squared distance from the axis, in radii: below 1

    def only(self, keep: np.ndarray) -> "Pixels":
        return Pixels(*(v[keep] for v in (self.index, self.tube, self.dx, self.dy, self.share, self.inverse, self.off)))


def cover(tubes: Tubes, width: int) -> Pixels:
    """The pixels of a canvas of that width under each capsule."""
    tall = tubes.extent[1]
    k = np.repeat(np.arange(len(tall)), tall)  # the capsule of each row
    y = np.arange(len(k)) - np.repeat(np.cumsum(tall) - tall, tall) + tubes.corner[1, k]
    left, wide = _spans(tubes, k, y)
    x = np.arange(wide.sum()) + np.repeat(left - (np.cumsum(wide) - wide), wide)
    dy = y.astype(f32) + f32(0.5) - tubes.a[k, 1].astype(f32)
    grow = tubes.size[1] - tubes.size[0]
    numbers = np.stack([tubes.a[:, 0], tubes.axis[:, 0], 1 / tubes.long2, tubes.long2, grow, tubes.size[0]]).astype(f32)
    per_row = np.concatenate([numbers[:, k], [dy * tubes.axis[k, 1].astype(f32), dy * dy]])
    x0, ex, shorter, long2, grow, size, along_y, dy2 = np.repeat(per_row, wide, axis=1)
    dx = x.astype(f32) + f32(0.5) - x0
    q = dx * ex + along_y
    share = np.clip(q * shorter, 0, 1)
    inverse = 1 / (share * grow + size)
    off = (share * long2 - 2 * q) * share + (dx * dx + dy2)  # squared distance from the axis: |d|^2 - 2 t q + t^2 |e|^2
    off *= inverse
    off *= inverse
    hit = np.flatnonzero(off < 1)
    row = np.repeat(np.arange(len(k)), wide)[hit]
    index = y[row] * width + x[hit]
    return Pixels(index, k[row], dx[hit], dy[row], share[hit], inverse[hit], off[hit])


def _spans(tubes: Tubes, k: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of rows y of capsules k: left end and width of what the capsule can cover in its window."""
    reach, ex, ey = tubes.size.max(0)[k], tubes.axis[k, 0], tubes.axis[k, 1]
    slope = np.where(np.abs(ey) < 1e-3, 1e-3, ey)
    middle = y + 0.5 - tubes.a[k, 1]
    ends = ex * np.clip(np.stack([middle - reach, middle + reach]) / slope, 0, 1) + tubes.a[k, 0]
    ends.sort(axis=0)
    first, window = tubes.corner[0, k], tubes.extent[0, k]
    left = np.clip((ends[0] - reach).astype(int) - 1, first, first + window)
    right = np.clip((ends[1] + reach).astype(int) + 2, left, first + window)
    return left, right - left


def depths(tubes: Tubes, pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """(N,) metres to the surface at each pixel, and the cosine at which it is seen."""
    facing = np.sqrt(np.maximum(1 - pixels.off, 0))
    (d0, d1), (r0, r1), k = tubes.depth, tubes.radius, pixels.tube
    depth = pixels.share * (d1 - d0).astype(f32)[k] + d0.astype(f32)[k]
    thick = pixels.share * (r1 - r0).astype(f32)[k] + r0.astype(f32)[k]
    return depth - thick * facing, facing


class Lamp:
    """The light of a place in terms of the picture: right, down, towards the camera."""

    def __init__(self, light: Light, axes: np.ndarray) -> None:
        right, up, back = axes.astype(f32)
        sun = light.unit()
        self.x, self.y, self.z = float(right @ sun), float(-(up @ sun)), float(back @ sun)
        self.ambient, self.diffuse, self.folds = light.ambient, light.diffuse, folds().ravel()

    def shade(
        self, tubes: Tubes, pixels: Pixels, facing: np.ndarray, *, trunk: Trunk | None, in_trunk: np.ndarray,
        texture: np.ndarray, part_index: np.ndarray, owner: int, width: int,
    ) -> np.ndarray:  # fmt: skip
        """(N,) brightness; `in_trunk`, `texture` and `part_index` are said of each capsule."""
        p, k, axis = pixels, pixels.tube, tubes.axis
        y, x = np.divmod(p.index, width)
        lit = (axis[:, 0] * self.x + axis[:, 1] * self.y).astype(f32)
        bright = ((p.dx * f32(self.x) + p.dy * f32(self.y)) - p.share * lit[k]) * p.inverse
        if trunk is not None:  # a quarter the tube's own normal, the rest that of the whole trunk
            of_trunk = np.flatnonzero(in_trunk[k])
            on, (ex, ey) = p.only(of_trunk), axis[k[of_trunk]].astype(f32).T
            (cx, cy), (ax, ay) = trunk.centre, trunk.across / trunk.half
            right, below = x[of_trunk].astype(f32) + f32(0.5) - f32(cx), y[of_trunk].astype(f32) + f32(0.5) - f32(cy)
            u = np.clip(right * f32(ax) + below * f32(ay), -0.95, 0.95)
            inverse = on.inverse * f32(0.25)
            nx = (on.dx - on.share * ex) * inverse + u * f32(0.75 * trunk.across[0])
            ny = (on.dy - on.share * ey) * inverse + u * f32(0.75 * trunk.across[1])
            facing[of_trunk] = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
            bright[of_trunk] = nx * f32(self.x) + ny * f32(self.y)
        bright = np.maximum(bright + facing * f32(self.z), 0) * f32(self.diffuse) + f32(self.ambient)
        bright *= facing * f32(0.20) + f32(0.80)  # darker rims
        first = tubes.a.T.astype(int)
        (left, top), (wide, tall) = tubes.corner, tubes.extent
        down = (part_index * 97 + top - first[1]) % (GRAIN - tall) - top
        across = (part_index * 61 + owner * 131 + left - first[0]) % (GRAIN - wide) - left
        grain = self.folds[(y + down[k]) * GRAIN + x + across[k]] * (0.16 * texture).astype(f32)[k]
        return bright * (grain + f32(1))
