"""Textures of floors and walls, and the empty picture of a place: flat planes seen through its camera."""

from functools import lru_cache

import cv2
import numpy as np

from vigil_city.lens.light import GRAIN, folds
from vigil_city.places.place import Place

Array = np.ndarray


def noise(u: Array, v: Array, scale: float) -> Array:
    """Smooth noise about -1..1 in plane coordinates (metres)."""
    return folds()[(u * scale * 100).astype(int) % GRAIN, (v * scale * 100).astype(int) % GRAIN]


def rough(u: Array, v: Array, *grains: tuple[float, float], even: Array | float = 1.0) -> Array:
    """Brightness of a plane: `even`, with noise of each (strength, scale) added."""
    for strength, scale in grains:
        even = even + strength * noise(u, v, scale)
    return np.asarray(even)


def lines(u: Array, period: float, width: float) -> Array:
    """1 on the joints of a regular pattern, 0 elsewhere."""
    return (np.abs((u / period + 0.5) % 1 - 0.5) * period < width / 2).astype(np.float32)


def cells(u: Array, v: Array, du: float, dv: float, rng: np.random.Generator) -> Array:
    """One random value 0..1 for each du x dv metres."""
    table = rng.random(997).astype(np.float32)
    return table[(np.floor(u / du).astype(int) * 131 + np.floor(v / dv).astype(int) * 71) % 997]


def tint(rng: np.random.Generator, *colours: tuple[int, int, int]) -> Array:
    """One of the colours, a little varied."""
    return np.asarray(colours[rng.integers(len(colours))]) * rng.uniform(0.92, 1.08) + rng.uniform(-5, 5, 3)


def tiles(x: Array, z: Array, size: float, rng: np.random.Generator, colour: Array, bond: bool = False) -> Array:
    shift = (np.floor(z / size).astype(int) % 2) * size / 2 if bond else 0.0
    cell = cells(x + shift, z, size, size, rng) - 0.5
    joint = np.maximum(lines(x + shift, size, 0.02), lines(z, size, 0.02))
    g = rough(x, z, (0.06, 0.9), (0.04, 4), even=1 + 0.09 * cell) - 0.2 * joint
    return g[..., None] * colour


def planks(x: Array, z: Array, rng: np.random.Generator, colour: Array) -> Array:
    cell = cells(x + 7 * np.floor(z / 0.16), z, 1.4, 0.16, rng) - 0.5
    g = rough(x, z * 6, (0.10, 0.8), even=1 + 0.16 * cell) - 0.2 * lines(z, 0.16, 0.012)
    return g[..., None] * colour


def brick(x: Array, y: Array, rng: np.random.Generator, colour: Array, mortar: Array) -> Array:
    u = x + (np.floor(y / 0.08) % 2) * 0.12
    face = cells(u, y, 0.24, 0.08, rng)[..., None] * np.array([34, 22, 18]) + colour
    seam = np.maximum(lines(u, 0.24, 0.014), lines(y, 0.08, 0.014))[..., None]
    return (face * (1 - seam) + mortar * seam) * rough(x, y, (0.08, 0.7))[..., None]


def plaster(x: Array, y: Array, colour: Array) -> Array:
    return rough(x, y, (0.05, 0.6), (0.03, 5))[..., None] * colour


def asphalt(x: Array, z: Array, colour: Array) -> Array:
    return rough(x, z, (0.06, 0.35), (0.06, 1.3), (0.07, 7))[..., None] * colour


def packets(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Shelf bays full of goods."""
    level, face = float(rng.uniform(0.34, 0.42)), float(rng.uniform(0.09, 0.14))
    row = np.floor(y / level)
    run = np.floor(x / face + 3 * row) // rng.integers(3, 6)  # neighbours show the same product

    def pick(k: int) -> Array:
        return cells(run + 0.5, row + 100 * k + 0.5, 1, 1, rng)

    hue = np.stack([pick(k) for k in range(3)], -1)
    out = 60 + 130 * (0.45 * hue + 0.55 * hue.mean(-1, keepdims=True))
    stripe = np.abs((y % level) - 0.16) < 0.045 * (0.5 + pick(3))
    out[stripe] = out[stripe] * 0.6 + 85
    out[(y % level) > (0.22 + 0.11 * pick(4))] = (56, 54, 52)
    out *= (1 - 0.30 * lines(x, face, 0.016))[..., None]
    out[(y % level) < 0.035] = (202, 200, 196)
    out[lines(x, 1.5, 0.06) > 0] = (156, 154, 150)
    out[y > 2.15] = (208, 208, 205)
    return out


def windows(out: Array, x: Array, y: Array, step: float, foot: float, rng: np.random.Generator) -> Array:
    """Rows of windows upwards from `foot` metres, one every `step` metres."""
    width, tall, rise = step * 0.5, float(rng.uniform(1.2, 1.6)), 2.9
    u, v = (x + step / 3) % step - step / 2, (y - foot) % rise
    above = y > foot
    frame = above & (np.abs(u) < width / 2) & (v < tall)
    glass = above & (np.abs(u) < width / 2 - 0.07) & (v > 0.07) & (v < tall - 0.07) & (np.abs(u) > 0.03)
    out[frame] = (205, 203, 198)
    pane = cells(x + step / 3, y - foot, step, rise, rng)[..., None] * np.array([30, 34, 40]) + np.array([42, 50, 60])
    out[glass] = (pane + 26 * np.clip(noise(x, y, 0.5), 0, 1)[..., None])[glass]
    return out


def signs(out: Array, x: Array, y: Array, rng: np.random.Generator, count: int, middle: float = 1.75) -> Array:
    """Posters with lines of print."""
    for _ in range(count):
        centre, w, h = rng.uniform(-4, 4), rng.uniform(0.4, 0.9), rng.uniform(0.35, 0.55)
        m = (np.abs(x - centre) < w / 2) & (np.abs(y - middle) < h)
        out[m] = rng.uniform(70, 210, 3)
        m &= np.abs(((y * 9) % 1) - 0.5) < 0.2
        out[m] = out[m] * 0.6 + 60
    return out


Planes = tuple[Array, Array]
"""Colours (H, W, 3) of the floor and of the back wall, as if either filled the picture."""


def _shop(_: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    paint = tint(rng, (182, 178, 172), (168, 160, 150), (150, 156, 160), (196, 188, 170))
    size, wood = float(rng.uniform(0.4, 0.8)), rng.random() < 0.25
    ground = planks(x, z, rng, np.array([150, 118, 84])) if wood else tiles(x, z, size, rng, paint)
    return ground, packets(x, y, rng)


def _lobby(_: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    stone = tint(rng, (158, 142, 128), (140, 146, 150), (176, 168, 158))
    paint = tint(rng, (196, 186, 168), (176, 190, 186), (186, 178, 190), (204, 196, 150))
    size, dado = float(rng.uniform(0.6, 1.1)), float(rng.uniform(0.8, 1.1))
    ground, wall = tiles(x, z, size, rng, stone), plaster(x, y, paint)
    wall[y < dado] *= 0.72
    wall[y < 0.1] = (70, 66, 62)
    return ground, signs(wall, x, y, rng, int(rng.integers(2, 5)))


def _bank(_: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    stone = tint(rng, (120, 112, 118), (96, 104, 120), (150, 140, 128))
    paint = tint(rng, (200, 196, 186), (186, 192, 200), (206, 198, 178))
    accent = tint(rng, (30, 80, 140), (150, 40, 50), (30, 110, 90))
    ground, wall = tiles(x, z, 0.5, rng, stone), plaster(x, y, paint)
    wall[(y > 2.15) & (y < 2.6)] = accent
    wall[y < 0.12] = (80, 76, 72)
    return ground, signs(wall, x, y, rng, 3, 1.55)


def _street(p: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    pave, road = tint(rng, (128, 124, 120), (140, 132, 122)), tint(rng, (78, 78, 80), (66, 68, 70))
    bricks = tint(rng, (118, 80, 64), (146, 120, 96), (104, 92, 88))
    near, far = p.road or (0.0, 0.0)
    step, bare = float(rng.uniform(2.2, 3.0)), rng.random() < 0.6
    ground = tiles(x, z, 0.5, rng, pave, bond=True)
    lane = (z < near) & (z > far)
    ground[lane] = asphalt(x, z, road)[lane]
    ground[(np.abs(z - near) < 0.09) | (np.abs(z - far) < 0.09)] = (176, 174, 168)
    ground[(np.abs(z - (near + far) / 2) < 0.06) & (x % 2.0 < 1.1)] = (212, 210, 200)
    wall = brick(x, y, rng, bricks, np.array([150, 146, 140])) if bare else plaster(x, y, bricks + 50)
    return ground, windows(wall, x, y, step, 0.75, rng)


def _carpark(p: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    road = tint(rng, (98, 98, 100), (84, 86, 88), (112, 108, 104))
    band = tint(rng, (110, 90, 20), (24, 84, 120), (130, 40, 36))
    bay, ground = p.far - 0.5, asphalt(x, z, road)
    ground[(lines(x + 1.2, 2.5, 0.10) > 0) & (z < bay) & (z > bay - 4.6)] = (206, 204, 196)
    g = rough(x, y, (0.10, 0.8), (0.05, 5)) - 0.2 * lines(x, 2.4, 0.03)
    wall = g[..., None] * np.array([150, 148, 144])
    painted = (y > 0.85) & (y < 1.15)
    wall[painted] = wall[painted] * 0.5 + band
    return ground, wall


def _plaza(_: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    pave = tint(rng, (158, 150, 140), (146, 144, 142), (172, 158, 138))
    front = tint(rng, (172, 160, 140), (150, 140, 134), (188, 178, 166))
    size, step = float(rng.uniform(0.8, 1.4)), float(rng.uniform(2.4, 3.2))
    ground = tiles(x, z, size, rng, pave)
    ground[lines(x + z, size * 5, 0.22) + lines(x - z, size * 5, 0.22) > 0] *= 0.84
    wall = windows(plaster(x, y, front), x, y, step, 3.4, rng)
    arch = (np.abs((x + step / 3) % step - step / 2) < step * 0.33) & (y < 2.6)
    wall[arch] = (54, 54, 58) + 22 * np.clip(noise(x, y, 0.6), 0, 1)[arch][..., None] * np.ones(3)
    return ground, wall


def _house(p: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    bricks = tint(rng, (136, 84, 66), (168, 150, 126), (120, 108, 100))
    pave, light = tint(rng, (146, 138, 128), (126, 124, 122)), rng.random() < 0.45
    path = p.fixtures["door"].x if "door" in p.fixtures else 0.0
    ground = rough(x, z, (0.10, 0.5), (0.16, 6))[..., None] * np.array([88, 112, 66])  # grass
    way = (np.abs(x - path) < 0.75) | (z > p.near - 0.9) | (z < -p.wall_z + 0.7)
    ground[way] = tiles(x, z, 0.4, rng, pave, bond=True)[way]
    wall = plaster(x, y, bricks + 60) if light else brick(x, y, rng, bricks, np.array([160, 154, 146]))
    wall[y < 0.3] *= 0.6
    return ground, wall


def _platform(p: Place, rng: np.random.Generator, x: Array, y: Array, z: Array) -> Planes:
    pave = tint(rng, (134, 132, 130), (120, 116, 112), (150, 144, 136))
    paint = tint(rng, (184, 190, 186), (200, 196, 180), (160, 176, 190))
    edge, ground = p.far - 0.9, tiles(x, z, 0.6, rng, pave)
    ground[np.abs(z - (edge + 0.5)) < 0.10] = (214, 184, 60)
    bed = z < edge
    stones = rough(x, z, (26, 6), (10, 1), even=60)
    ground[bed] = (stones[..., None] * np.array([1.0, 0.94, 0.88]))[bed]
    ground[(np.abs(z - edge) < 0.06)] = (190, 188, 182)
    for rail in (edge - 0.9, edge - 2.3):
        ground[np.abs(z - rail) < 0.07] = (150, 140, 132)
    ground[bed & (x % 0.7 < 0.24) & (z < edge - 0.6) & (z > edge - 2.6)] *= 0.72  # sleepers
    seam = np.maximum(lines(x, 0.3, 0.015), lines(y, 0.15, 0.012))
    wall = (rough(x, y, (0.05, 0.6)) - 0.16 * seam)[..., None] * paint
    wall[y < 1.1] *= 0.62
    wall[(y > 2.5) & (y < 2.85)] = (40, 60, 110)
    return ground, signs(wall, x, y, rng, 4, 1.8)


SURFACES = {
    "shop": _shop, "street": _street, "carpark": _carpark, "lobby": _lobby, "bank": _bank, "plaza": _plaza,
    "house": _house, "platform": _platform,
}  # fmt: skip
INDOORS = ("shop", "lobby", "bank")
FLOOR_BIAS = 0.03  # metres by which floor and wall are put back in depth, so that what lies on them is seen


@lru_cache(maxsize=64)
def empty(place: Place, ss: int) -> tuple[Array, Array, Array]:
    """The place without fixtures: picture (H, W, 3) uint8 RGB, depth (H * ss, W * ss), floor (H, W) uint8 0 or 255."""
    c, rng = place.camera, np.random.default_rng([place.seed, 1])
    ray = c.rays(ss)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_floor = np.where(ray[..., 1] < -1e-6, -c.mount / ray[..., 1], np.inf)
        to_wall = np.where(ray[..., 2] < -1e-6, -place.wall_z / ray[..., 2], np.inf)
    t = np.minimum(np.minimum(to_floor, to_wall), 60 / c.focal)
    on_floor = to_floor < to_wall
    x, y, z = ray[..., 0] * t, c.mount + ray[..., 1] * t, ray[..., 2] * t
    ground, wall = SURFACES[place.kind](place, rng, x, y, z)
    image = np.where(on_floor[..., None], ground, wall)
    dirt = 1 - 0.22 * np.exp(-np.abs(z + place.wall_z) / 0.3) * on_floor
    corner = 1 - 0.18 * np.exp(-np.maximum(y, 0) / 0.35) * ~on_floor
    image *= (dirt * corner * (1.06 - 0.012 * np.abs(z)))[..., None]
    if place.kind not in INDOORS:
        sky = (~on_floor) & (y > 7.5)
        image[sky] = (196, 206, 214)
    small = cv2.resize(np.clip(image, 0, 255).astype(np.float32), (c.width, c.height), interpolation=cv2.INTER_AREA)
    floor = on_floor[::ss, ::ss].astype(np.uint8) * 255
    return small.astype(np.uint8), (t * c.focal + FLOOR_BIAS).astype(np.float32), floor
