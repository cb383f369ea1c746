"""What no solid shape can show: fire, smoke, flashes, sparks, flying glass.

Each function returns an Effect, which paints into the picture after the solids and asks their depth, so that whoever
stands in front stays in front. Everything is a pure function of its arguments: chance enters as seeds and arrays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from vigil_city.lens.camera import Camera
from vigil_city.scene import GRAVITY, Effect

HEAT = np.array(  # colour of a flame from its cool rim to its core
    [(60, 8, 0), (170, 40, 5), (235, 105, 20), (255, 165, 45), (255, 220, 110), (255, 250, 215)], np.float32
)
SOOT = np.array([48, 44, 42], np.float32)
Point = Sequence[float] | np.ndarray
"""x, y, z in metres."""
f32 = np.float32


@cache
def turbulence() -> np.ndarray:
    """Noise (256, 256) float32 in 0..1 that repeats without a seam."""
    rng, size = np.random.default_rng(7), 256
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    radius = np.hypot(np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None] * size)
    noise = np.fft.irfft2(spectrum / np.maximum(radius, 5) ** 1.5 * (radius > 0), (size, size))
    return np.clip(0.5 + 0.28 * noise / noise.std(), 0, 1).astype(f32)


@cache
def _puff() -> np.ndarray:
    """A soft ragged disc (64, 64), 0..1."""
    y, x = np.mgrid[0:64, 0:64].astype(f32) / 31.5 - 1
    ragged = np.hypot(x, y) + 0.5 * (turbulence()[:64, :64] - 0.5)
    return np.clip(1.35 * (1 - ragged), 0, 1) ** 1.3


class _Patch:
    """The part of a picture inside a box (left, top, right, bottom in px), and the depth of what is seen there."""

    def __init__(self, image: np.ndarray, depth: np.ndarray, box: Sequence[float]) -> None:
        (left, top, right, bottom), (height, width) = box, image.shape[:2]
        self.x0, x1 = int(np.clip(left, 0, width)), int(np.clip(right + 1, 0, width))
        self.y0, y1 = int(np.clip(top, 0, height)), int(np.clip(bottom + 1, 0, height))
        self.image, self.near = image[self.y0 : y1, self.x0 : x1], depth[self.y0 : y1, self.x0 : x1]

    def cover(self, colour: np.ndarray, alpha: np.ndarray) -> None:
        before = self.image.astype(f32)
        self.image[:] = (before + (colour - before) * alpha[..., None]).astype(np.uint8)


@dataclass(frozen=True)
class _Spot:
    """A world point on the picture, and the patch round it."""

    patch: _Patch
    far: float  # metres
    scale: float  # px per metre
    size: tuple[float, float]  # px, half the width and the height of what is painted
    across: np.ndarray  # (1, W) px from the point
    down: np.ndarray  # (H, 1)

    def distance(self) -> np.ndarray:
        """(H, W) from the point, in half widths."""
        return np.sqrt(self.across * self.across + self.down * self.down) / f32(self.size[0])


def _around(
    point: Point, size: Callable[[float], tuple[float, float]], margin: tuple[float, float, float],
    paint: Callable[[_Spot], None],
) -> Effect:  # fmt: skip
    """Paints round a world point.

    `size` turns px per metre into half the width and the height, in px, of what is painted; the patch that it may
    touch reaches `margin` times as far: half widths to either side, heights upwards, half widths downwards.
    """

    def effect(image: np.ndarray, camera: Camera, depth: np.ndarray) -> np.ndarray:
        x, y, far = (float(v) for v in camera.project(np.asarray(point, float)[None])[0])
        w, h = size(camera.focal / far)
        wide, up, down = margin[0] * w, margin[1] * h, margin[2] * w
        patch = _Patch(image, depth, (x - wide, y - up, x + wide, y + down))
        rows, columns = (np.arange(n, dtype=f32) for n in patch.near.shape)
        if far >= 0.3:
            across, below = columns[None] + f32(patch.x0) - f32(x), rows[:, None] + f32(patch.y0) - f32(y)
            paint(_Spot(patch, far, camera.focal / far, (w, h), across, below))
        return image

    return effect


def _ragged(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Turbulence about 0."""
    return turbulence()[rows.astype(int) % 256, columns.astype(int) % 256] - f32(0.5)


def _colours(heat: np.ndarray) -> np.ndarray:
    """(H, W) 0..1 -> (H, W, 3) colour of fire."""
    table = np.stack([np.interp(np.linspace(0, 1, 64), np.linspace(0, 1, len(HEAT)), c) for c in HEAT.T], 1)
    return table.astype(f32)[(np.clip(heat, 0, 1) * 63).astype(np.uint8)]


def flame(base: Point, width: float, height: float, t: float, phase: float = 0.0) -> Effect:
    """A fire that stands at `base`, metres; `t` moves it, `phase` makes it differ from its neighbours."""

    def paint(spot: _Spot) -> None:
        u, v = spot.across / f32(spot.size[0]), -spot.down / f32(spot.size[1])
        metres = f32(60 / spot.scale)  # the grain of the fire is a matter of metres, not of its size
        rows, columns = spot.down * metres + (t * 130 + phase * 97), spot.across * metres + phase * 53
        grain = _ragged(rows, columns + 20 * np.sin(3 * t + phase))
        lean = f32(0.25 * np.sin(2.3 * t + phase)) * v * v
        body = 1 - np.abs(u - lean + 0.5 * grain * (0.3 + v)) / np.maximum(1 - 0.75 * np.clip(v, 0, 1), 0.08)
        tall = 1 - np.clip(v, 0, None) * (1.0 + 0.22 * f32(np.sin(5.1 * t + 2 * phase)))
        heat = np.minimum(body, 1.2 * tall) + 1.1 * grain * (0.25 + np.clip(v, 0, 1)) + 0.15
        heat *= np.clip(1 + v / f32(0.1), 0, 1)  # nothing burns under its own foot
        alpha = np.clip(heat * 3.2, 0, 1) * (spot.patch.near > spot.far - 0.1)
        spot.patch.cover(_colours(heat * 1.25), alpha * f32(0.93))

    return _around(base, lambda px: (max(width * px / 2, 1.5), max(height * px, 3.0)), (1.5, 1.15, 0.22), paint)


def glow(centre: Point, radius: float, strength: float, colour: Sequence[int] = (255, 140, 50)) -> Effect:
    """Light that falls on the surroundings; `radius` metres, strength 0..1."""

    def paint(spot: _Spot) -> None:
        r, image = spot.size[0], spot.patch.image
        light = np.clip(1 - (spot.across * spot.across + spot.down * spot.down) / f32(r * r), 0, 1) ** 2 * f32(strength)
        lit = image.astype(f32) * (1 + light[..., None]) + light[..., None] * np.asarray(colour, f32) * f32(0.4)
        image[:] = np.minimum(lit, 255).astype(np.uint8)

    return _around(centre, lambda px: (radius * px, radius * px), (1, 1, 1), paint)


def smoke(puffs: np.ndarray, colour: Sequence[int] = (52, 50, 50), opacity: float = 0.6) -> Effect:
    """Clouds: puffs (N, 5) = world x, y, z, radius in metres, density 0..1."""

    def paint(image: np.ndarray, camera: Camera, depth: np.ndarray) -> np.ndarray:
        seen = camera.project(puffs[:, :3])
        keep = (seen[:, 2] > 0.4) & (puffs[:, 4] > 0.01)
        if not keep.any():
            return image
        r, thick = (puffs[:, 3] * (camera.focal / seen[:, 2]))[keep], puffs[keep, 4]
        seen = seen[keep]
        x, y = seen[:, 0], seen[:, 1]
        patch = _Patch(image, depth, ((x - r).min(), (y - r).min(), (x + r).max(), (y + r).max()))
        alpha, light = np.zeros((2, *patch.near.shape), f32)
        for k in np.argsort(-seen[:, 2]):
            size = max(int(2 * r[k]), 2)
            left, top = round(x[k] - size / 2) - patch.x0, round(y[k] - size / 2) - patch.y0
            sl = np.s_[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)]
            shape = alpha[sl].shape
            if 0 in shape:
                continue
            rows, columns = (slice(max(-low, 0), max(-low, 0) + n) for low, n in zip((top, left), shape, strict=True))
            sprite = cv2.resize(_puff(), (size, size), interpolation=cv2.INTER_LINEAR)
            cover = sprite[rows, columns] * f32(opacity * thick[k]) * (patch.near[sl] > seen[k, 2] - 0.1)
            bright = np.linspace(1.25, 0.8, size, dtype=f32)[rows, None]  # lit from above
            light[sl] += (bright - light[sl]) * cover
            alpha[sl] += (1 - alpha[sl]) * cover
        tint = np.asarray(colour, f32) * (light / np.maximum(alpha, 1e-3))[..., None]
        patch.cover(np.minimum(tint, 255), alpha)
        return image

    return paint


def plume(base: Point, t: float, *, rate: float, life: float, size: float, seed: int, until: float) -> np.ndarray:
    """Puffs (N, 5) of a column that smokes from time 0 to `until`; `rate` puffs a second that live `life` seconds."""
    first, last = max(0, int(np.ceil((t - life) * rate))), int(np.floor(min(t, until) * rate))
    if last < first:
        return np.zeros((0, 5))
    born = np.arange(first, last + 1)
    age = t - born / rate
    wild = np.sin(born[:, None] * np.array([12.9898, 78.233, 37.719]) + seed) * 43758.5453 % 1 - 0.5  # as if by chance
    u = np.clip(age / life, 0, 1)
    x = base[0] + wild[:, 0] * size * (0.5 + 2 * u) + 0.5 * size * u * np.sin(seed)
    y = base[1] + age * (0.75 + 0.35 * wild[:, 1])
    z = base[2] + wild[:, 2] * size * (0.4 + u)
    density = np.clip(u * 8, 0, 1) * (1 - u) ** 0.8
    return np.stack([x, y, z, size * (0.45 + 1.5 * u), density], 1)


def fireball(centre: Point, radius: float, age: float) -> Effect:
    """The burning cloud of an explosion `age` seconds after its flash: it swells, rises, cools, is gone in 1.5 s."""
    u = min(age / 1.5, 1.0)
    swollen = 0.25 + 0.85 * (1 - np.exp(-6 * u))

    def paint(spot: _Spot) -> None:
        grain = 70 / spot.size[0]
        body = 1 - spot.distance() + _ragged(spot.down * grain + age * 50, spot.across * grain) * f32(0.75)
        heat = np.clip(body * 1.3 + 0.55 - 1.3 * u, 0, 1)
        thin = f32(np.clip(3.2 * (1 - u), 0, 1))
        alpha = np.clip(body * 5, 0, 1) * thin * (spot.patch.near > spot.far - 0.25 * radius)
        soot = np.clip((u * 1.3 - heat) * 1.1 + 0.2 * u, 0, 1)[..., None]
        spot.patch.cover(_colours(heat) * (1 - soot) + SOOT * soot, alpha)

    risen = centre[0], centre[1] + 0.9 * radius * u, centre[2]
    return _around(risen, lambda px: (radius * px * swollen, radius * px * swollen), (1.2, 1.2, 1.2), paint)


def flash(strength: float) -> Effect:
    """The sensor is blinded: 1 = a white picture."""
    return lambda image, _, __: cv2.addWeighted(image, 1 - 0.75 * strength, np.full_like(image, 255), strength, 0)


def muzzle_flash(tip: Point, size: float) -> Effect:
    """The fire at the end of a gun that is going off; `size` metres."""

    def paint(spot: _Spot) -> None:
        star = np.clip(
            1 - spot.distance() * (1.6 - 0.8 * np.cos(5 * np.arctan2(spot.down, spot.across + 1e-3)) ** 2), 0, 1
        )
        spot.patch.cover(_colours(0.5 + star), np.clip(2.5 * star, 0, 1) * (spot.patch.near > spot.far - 0.35))

    return _around(tip, lambda px: (max(size * px, 5.0), max(size * px, 5.0)), (1, 1, 1), paint)


def fly(start: np.ndarray, velocity: np.ndarray, t: float, rest: float = 0.01) -> np.ndarray:
    """Where pieces are `t` seconds after they flew off: (N, 3) metres. They fall, bounce once and lie still."""
    start, velocity = np.asarray(start, float), np.asarray(velocity, float)
    start = np.broadcast_to(start, velocity.shape)
    up, fall = velocity[:, 1], np.maximum(start[:, 1] - rest, 0)
    landing = (up + np.sqrt(up * up + 2 * GRAVITY * fall)) / GRAVITY
    hop_speed = 0.28 * np.sqrt(up * up + 2 * GRAVITY * fall)
    hop = 2 * hop_speed / GRAVITY
    air, ground = np.minimum(t, landing), np.clip(t - landing, 0, hop)
    position = start + velocity * air[:, None]
    position[:, [0, 2]] += 0.35 * velocity[:, [0, 2]] * ground[:, None]
    height = start[:, 1] + up * air - GRAVITY / 2 * air * air
    position[:, 1] = np.where(t < landing, height, rest + hop_speed * ground - GRAVITY / 2 * ground * ground)
    return position


def pieces(positions: np.ndarray, size: np.ndarray, colours: np.ndarray, spin: np.ndarray) -> Effect:
    """Flat bits of glass or stone at positions (N, 3); size (N,) in metres, colours (N, 3), spin (N,) in radians."""

    def paint(image: np.ndarray, camera: Camera, depth: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        seen = camera.project(positions)
        scale = camera.focal / seen[:, 2]
        for k, (x, y, far) in enumerate(seen):
            outside = not (0 <= x < width and 0 <= y < height and far > 0.4)
            if outside or depth[int(y), int(x)] < far - 0.05:
                continue
            r = max(float(size[k] * scale[k]), 0.9)
            turn = spin[k] + np.array([0.0, 2.2, 3.9])
            corners = np.stack([x + r * np.cos(turn), y + 0.7 * r * np.sin(turn)], 1)
            cv2.fillConvexPoly(image, (corners * 16).astype(np.int32), tuple(map(float, colours[k])), cv2.LINE_AA, 4)
        return image

    return paint


def shards(
    rng: np.random.Generator, centre: Point, count: int, spread: float, toward: tuple[float, float], breaks: float = 0.0
) -> Callable[[float], list[Effect]]:
    """Glass that flies towards (x, z) from a pane when it `breaks` and then lies there: time -> what is to be seen."""
    start = rng.uniform(-spread, spread, (count, 3)) * (1, 1, 0.1) + np.array(centre)
    speed = rng.normal(0, 0.7, (count, 3)) + np.array([toward[0] * 1.2, 0.4, toward[1] * 1.2])
    size, spin = rng.uniform(0.02, 0.05, count), rng.uniform(0, 6, count)
    colours = np.stack([195 + 12 * np.sin(spin), 212 + 10 * np.sin(spin), 222 + 12 * np.cos(spin)], 1)

    def glass(t: float) -> list[Effect]:
        age = t - breaks
        positions = fly(start, speed, min(age, 3.0))
        return [pieces(positions, size, colours, spin + min(age, 0.7) * 9)] if age >= 0 else []

    return glass


def spray(tip: Point, along: Point, length: float, colour: Sequence[int], t: float) -> Effect:
    """A thin mist that leaves a nozzle at `tip` in direction `along`; `length` metres."""
    steps = np.linspace(0.15, 1, 6)
    shake = 0.015 * np.sin(40 * t + 9 * np.arange(6))
    points = np.asarray(tip) + steps[:, None] * np.asarray(along) * length + shake[:, None]
    return smoke(np.column_stack([points, 0.03 + 0.09 * steps, 1 - 0.6 * steps]), colour, 0.35)
