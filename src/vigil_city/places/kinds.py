"""The making of a place from its kind and a seed: what the camera sees, and the furniture in view."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vigil_city.lens.light import Light
from vigil_city.places import props, vehicles
from vigil_city.places.place import Fixture, Place, aimed, nearest
from vigil_city.places.shapes import footprint, placed
from vigil_city.scene import Part

COUNTERS = ((128, 84, 52), (96, 100, 110), (140, 60, 50))
DESKS = ((128, 92, 62), (90, 96, 108), (120, 70, 56))
DOORS = ((110, 60, 46), (50, 74, 96), (70, 96, 76), (150, 146, 140))
MACHINES = ((150, 45, 60), (40, 70, 140), (60, 62, 66), (30, 110, 90))


def _paint(rng: np.random.Generator, *colours: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(colours[rng.integers(len(colours))], float) * rng.uniform(0.9, 1.1)


def _car(rng: np.random.Generator, bodies: int) -> list[Part]:
    body = vehicles.BODIES[rng.integers(bodies)]
    return vehicles.car(vehicles.Car(body, vehicles.PAINTS[rng.integers(len(vehicles.PAINTS))]))


@dataclass(frozen=True)
class Piece:
    """A piece of furniture: its width and depth in metres, and its parts."""

    size: tuple[float, float]
    make: Callable[[np.random.Generator], list[Part]]
    shadow: bool = True


PIECES = {
    "atm": Piece((0.8, 0.6), lambda rng: props.atm(_paint(rng, (30, 80, 140), (150, 40, 50)))),
    "bench": Piece((1.5, 0.45), lambda _: props.bench()),
    "bin": Piece((0.55, 0.6), lambda rng: props.bin_(_paint(rng, *props.BINS))),
    "car": Piece((1.7, 4.2), lambda rng: _car(rng, 2)),
    "clock": Piece((0.6, 0.1), lambda _: props.clock(), shadow=False),
    "counter": Piece((1.3, 0.6), lambda rng: props.counter(1.3, _paint(rng, *COUNTERS))),
    "desk": Piece((3.6, 0.7), lambda rng: props.desk(_paint(rng, *DESKS))),
    "door": Piece((0.95, 0.1), lambda rng: props.door(_paint(rng, *DOORS)), shadow=False),
    "lamp": Piece((0.3, 0.3), lambda _: props.lamp_post(4.2), shadow=False),
    "tall lamp": Piece((0.3, 0.3), lambda _: props.lamp_post(4.6), shadow=False),
    "machine": Piece((0.95, 0.72), lambda rng: props.vending_machine(_paint(rng, *MACHINES))),
    "parked car": Piece((1.72, 4.2), lambda rng: _car(rng, 3)),
    "planter": Piece((1.3, 0.7), props.planter),
    "small planter": Piece((1.2, 0.7), props.planter),
    "shelf": Piece((3.0, 0.4), lambda _: [], shadow=False),  # the wall shows it
    "tree": Piece((1.2, 0.7), props.tree),
    "window": Piece((1.3, 0.1), lambda _: props.window(), shadow=False),
}


FURNITURE: dict[str, tuple[tuple[str, float, str, float, float], ...]] = {
    # In the order of drawing: the piece, u across the picture, metres from the wall or from the far or near edge of the
    # floor, and yaw. Where the `side` of a place is -1, u and yaw are mirrored.
    "shop": (("shelf", -0.15, "wall", 0.2, 0), ("counter", 0.82, "far", -0.45, 0)),
    "lobby": (("machine", 0.62, "wall", 0.4, 0), ("door", -0.35, "wall", 0.03, 0), ("bench", -0.98, "wall", 0.4, 0)),
    "bank": (("desk", 0.0, "far", -0.75, 0), ("machine", 0.98, "far", -0.75, -20), ("atm", -0.98, "far", -0.7, 20)),
    "street": (
        ("bin", 0.86, "far", -0.05, 0), ("lamp", -0.9, "far", 0, 0), ("car", 0.45, "wall", 1.3, 90),
        ("door", -0.4, "wall", 0.03, 0),
    ),
    "carpark": (("bin", -0.93, "far", -0.35, 0),),  # and parked cars
    "plaza": (("bench", 1.0, "near", 1.0, -70), ("bin", -0.8, "far", -0.4, 0)),  # and what stands at the back
    "house": (
        ("door", 0.32, "wall", 0.03, 0), ("window", -0.42, "wall", 0.03, 0), ("bin", 0.88, "wall", 0.45, 0),
        ("planter", -0.95, "wall", 0.45, 0),
    ),
    "platform": (
        ("machine", 0.88, "far", -0.35, -15), ("bench", -0.82, "far", -0.35, 0), ("clock", -0.35, "wall", 0.1, 0),
    ),
}  # fmt: skip
BACK_OF_PLAZA = (("tree", -0.95), ("small planter", 0.15), ("tree", 0.95), ("tall lamp", 0.55))  # and u


def _furnish(place: Place, rng: np.random.Generator) -> None:
    side = 1 if rng.random() < 0.5 else -1

    def put(name: str, piece_name: str, x: float, z: float, yaw: float = 0.0) -> None:
        piece = PIECES[piece_name]
        shadow = footprint(x, z, *piece.size, yaw=yaw) if piece.shadow else None
        parts = placed(piece.make(rng), x, 0, z, yaw)
        place.fixtures[name] = Fixture(parts, x, z, yaw, piece.size, shadow)

    if place.kind == "carpark":  # two or three cars in the bays that the floor shows
        middle = place.across(rng.uniform(-0.2, 0.2), place.far - 0.6)
        bay = float(np.round((middle + 1.2) / 2.5)) * 2.5 - 1.2 + 1.25
        for k, name in ((0, "car"), (1, "car2"), (-1, "car3")):
            if name != "car3" or rng.random() >= 0.5:
                yaw = 0.0 if rng.random() < 0.6 else 180.0
                put(name, "parked car", bay + 2.5 * k * side, place.far - 0.6 - 2.1, yaw)
    edges = {"wall": -place.wall_z, "far": place.far, "near": place.near}
    for name, u, edge, off, turn in FURNITURE[place.kind]:
        z = edges[edge] + off
        put(name, name, place.across(u * side, z), z, turn * side)
    if place.kind == "plaza":
        for k, (name, u) in enumerate(BACK_OF_PLAZA):
            put(f"{name}{k}", name, place.across(u, place.far - 0.8), place.far - 0.8)


Range = tuple[float, float]
VIEWS: dict[str, tuple[Range, Range, Range, Range, float, float]] = {
    # Ranges from which the view of a kind of place is drawn: height of the camera, metres to the middle of the action,
    # share of the picture that a person fills there, metres from there to the back wall; then metres from there to the
    # far edge of the free floor, and the greatest turn of the camera to either side.
    "shop": ((2.6, 3.1), (5.2, 6.8), (0.33, 0.47), (1.5, 1.8), 0.75, 9),
    "lobby": ((2.7, 3.2), (6.0, 7.6), (0.27, 0.40), (1.9, 2.3), 1.1, 14),
    "bank": ((2.9, 3.3), (6.6, 7.8), (0.27, 0.36), (2.9, 3.3), 0.8, 8),
    "house": ((2.8, 3.4), (6.6, 8.0), (0.26, 0.37), (1.4, 1.7), 0.8, 12),
    "platform": ((3.2, 3.8), (7.6, 9.0), (0.23, 0.32), (6.5, 7.5), 2.4, 14),
    "street": ((3.4, 4.2), (8.0, 9.8), (0.21, 0.31), (8.2, 9.0), 0.9, 10),
    "carpark": ((3.4, 4.2), (8.0, 9.8), (0.21, 0.31), (8.0, 9.5), 1.4, 12),
    "plaza": ((3.5, 4.0), (10.0, 12.0), (0.18, 0.24), (10.0, 12.0), 6.0, 14),
}
NEAREST = 0.7  # of the distance to the middle of the action: nobody acts nearer, where a person would fill the picture


@lru_cache(maxsize=64)
def make_place(kind: str, seed: int, size: tuple[int, int] = (320, 240), night: bool = False) -> Place:
    """A place of this kind; the same arguments give the same place."""
    rng, (mounts, distances, fills, walls, deep, pan) = np.random.default_rng([seed, 0]), VIEWS[kind]
    distance, fill, mount = rng.uniform(*distances), rng.uniform(*fills), rng.uniform(*mounts)
    camera = aimed(*size, mount, distance, fill, rng.uniform(-pan, pan), rng.uniform(-1.2, 1.2))
    wall_z, far = distance + rng.uniform(*walls), -(distance + deep)
    near = min(nearest(camera), -NEAREST * distance)
    road = {"street": (far - 0.3, far - 5.3), "carpark": (near + 0.5, far + 0.2)}.get(kind)
    toward = (rng.uniform(-0.7, 0.7), rng.uniform(0.7, 1.0), rng.uniform(0.25, 0.8))
    lit = Light(toward, rng.uniform(0.44, 0.5), rng.uniform(0.6, 0.7))
    light = Light((toward[0], 0.7, 0.6), 0.7, 0.4) if night else lit
    place = Place(kind, camera, wall_z, near, far, light, seed, road, night)
    _furnish(place, rng)
    return place
