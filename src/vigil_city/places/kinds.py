"""The making of a place from its kind and a seed: what the camera sees, and the furniture in view."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from vigil_city.lens.light import Light
from vigil_city.places import props, vehicles
from vigil_city.places.furniture import atm, door, lamp_post, planter, tree, window
from vigil_city.places.place import Fixture, Place, aimed, nearest
from vigil_city.places.shapes import box, disc, footprint, panel, placed
from vigil_city.scene import Part

BIN = ((70, 96, 66), (60, 72, 96), (96, 90, 84), (120, 60, 50))
MACHINE = ((150, 45, 60), (40, 70, 140), (60, 62, 66), (30, 110, 90))
DOOR = ((110, 60, 46), (50, 74, 96), (70, 96, 76), (150, 146, 140))
Make = Callable[[float, float], list[Part]]
"""(x, z) -> the parts of a fixture that stands there."""


class _Layout:
    """Puts fixtures where the camera sees them: u across the picture, z in metres."""

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self.place, self.rng, self.far = place, rng, place.far
        self.wall = -place.wall_z
        self.side = 1 if rng.random() < 0.5 else -1

    def paint(self, *colours: tuple[int, int, int]) -> np.ndarray:
        return np.asarray(colours[self.rng.integers(len(colours))], float) * self.rng.uniform(0.9, 1.1)

    def add(
        self, name: str, x: float, z: float, size: tuple[float, float], make: Make, yaw: float = 0.0,
        shadow: bool = True,
    ) -> None:  # fmt: skip
        dark = footprint(x, z, *size, yaw=yaw) if shadow else None
        self.place.fixtures[name] = Fixture(make(x, z), x, z, yaw, size, dark)

    def put(
        self, name: str, u: float, z: float, size: tuple[float, float], make: Make, yaw: float = 0.0,
        shadow: bool = True,
    ) -> None:  # fmt: skip
        self.add(name, self.place.across(u, z), z, size, make, yaw, shadow)

    def bin(self, u: float, z: float) -> None:
        self.put("bin", u, z, (0.55, 0.6), lambda x, z: props.bin_(x, z, self.paint(*BIN)))

    def machine(self, u: float, z: float, yaw: float) -> None:
        paint = self.paint(*MACHINE)
        self.put("machine", u, z, (0.95, 0.72), lambda x, z: props.vending_machine(x, z, yaw, paint), yaw)

    def bench(self, u: float, z: float, yaw: float) -> None:
        self.put("bench", u, z, (1.5, 0.45), lambda x, z: props.bench(x, z, yaw), yaw)

    def door(self, u: float, glass: bool = False) -> None:
        paint = self.paint(*DOOR)
        self.put("door", u, self.wall + 0.03, (0.95, 0.1), lambda x, z: door(x, z, paint, glass=glass), shadow=False)

    def lamp(self, u: float, z: float, tall: float) -> None:
        self.put("lamp", u, z, (0.3, 0.3), lambda x, z: lamp_post(x, z, tall), shadow=False)

    def car(self, bodies: int) -> vehicles.Car:
        return vehicles.Car(
            vehicles.BODIES[self.rng.integers(bodies)], vehicles.PAINTS[self.rng.integers(len(vehicles.PAINTS))]
        )


def _shop(f: _Layout) -> None:
    f.put("shelf", -0.15 * f.side, f.wall + 0.2, (3.0, 0.4), lambda _x, _z: [], shadow=False)
    wood = f.paint((128, 84, 52), (96, 100, 110), (140, 60, 50))
    f.put("counter", 0.82 * f.side, f.far - 0.45, (1.3, 0.6), lambda x, z: props.counter(x, z, 0.0, 1.3, wood))


def _lobby(f: _Layout) -> None:
    f.machine(0.62 * f.side, f.wall + 0.4, 0.0)
    f.door(-0.35 * f.side)
    f.bench(-0.98 * f.side, f.wall + 0.4, 0.0)


def _bank(f: _Layout) -> None:
    wood, turn = f.paint((128, 92, 62), (90, 96, 108), (120, 70, 56)), 20.0 * f.side

    def desk(x: float, z: float) -> list[Part]:
        panels = [panel(x - 1.2 + 1.2 * k, 0.15, z + 0.305, 1.0, 0.7, wood * 1.3) for k in range(3)]
        parts = [*box(x, 0, z, (3.6, 1.05, 0.6), wood), *panels, *box(x, 1.05, z, (3.7, 0.05, 0.7), (196, 190, 180))]
        for k in range(3):
            screen = box(0, 0, 0, (0.42, 0.34, 0.05), (40, 42, 48))
            parts += placed(screen, x - 1.2 + 1.2 * k + 0.35, 1.12, z - 0.12, pitch=-10)
        return parts

    f.put("counter", 0.0, f.far - 0.75, (3.6, 0.7), desk)
    f.machine(0.98 * f.side, f.far - 0.75, -turn)
    paint = f.paint((30, 80, 140), (150, 40, 50))
    f.put("atm", -0.98 * f.side, f.far - 0.7, (0.8, 0.6), lambda x, z: atm(x, z, turn, paint), turn)


def _street(f: _Layout) -> None:
    f.bin(0.86 * f.side, f.far - 0.05)
    f.lamp(-0.9 * f.side, f.far, 4.2)
    yaw, kind = 90.0 * f.side, f.car(2)
    f.put("car", 0.45 * f.side, f.wall + 1.3, (1.7, 4.2), lambda x, z: vehicles.car(kind, x, z, yaw), yaw)
    f.door(-0.4 * f.side)


def _carpark(f: _Layout) -> None:
    middle = f.place.across(f.rng.uniform(-0.2, 0.2), f.far - 0.6)
    bay = float(np.round((middle + 1.2) / 2.5)) * 2.5 - 1.2 + 1.25
    for k, name in ((0, "car"), (1, "car2"), (-1, "car3")):
        if name == "car3" and f.rng.random() < 0.5:
            continue
        yaw = 0.0 if f.rng.random() < 0.6 else 180.0
        parked = partial(vehicles.car, f.car(3), yaw=yaw)
        f.add(name, bay + 2.5 * k * f.side, f.far - 0.6 - 2.1, (1.72, 4.2), parked, yaw)
    f.bin(-0.93 * f.side, f.far - 0.35)


def _plaza(f: _Layout) -> None:
    f.bench(1.0 * f.side, f.place.near + 1.0, -70.0 * f.side)
    f.bin(-0.8 * f.side, f.far - 0.4)
    for k, (u, plant) in enumerate(((-0.95, tree), (0.15, planter), (0.95, tree))):
        f.put(f"plant{k}", u, f.far - 0.8, (1.2, 0.7), partial(plant, rng=f.rng))
    f.lamp(0.55, f.far - 0.8, 4.6)


def _house(f: _Layout) -> None:
    f.door(0.32 * f.side)
    f.put("window", -0.42 * f.side, f.wall + 0.03, (1.3, 0.1), window, shadow=False)
    f.bin(0.88 * f.side, f.wall + 0.45)
    f.put("plant", -0.95 * f.side, f.wall + 0.45, (1.3, 0.7), partial(planter, rng=f.rng))


def _clock(x: float, z: float) -> list[Part]:
    return [disc(x, 3.0, z, 0.34, (60, 60, 62)), disc(x, 3.0, z + 0.02, 0.29, (240, 238, 230), shade=False)]


def _platform(f: _Layout) -> None:
    f.machine(0.88 * f.side, f.far - 0.35, -15.0 * f.side)
    f.bench(-0.82 * f.side, f.far - 0.35, 0.0)
    f.put("clock", -0.35 * f.side, f.wall + 0.1, (0.6, 0.1), _clock, shadow=False)


@dataclass(frozen=True)
class Kind:
    """Ranges from which the view of a kind of place is drawn; metres, and shares of the picture's height."""

    mount: tuple[float, float]
    distance: tuple[float, float]  # to the middle of the action
    fill: tuple[float, float]  # of a person there
    wall: tuple[float, float]  # from the middle of the action to the back wall
    depth: float  # from the middle of the action to the far edge of the free floor
    pan: float
    furnish: Callable[[_Layout], None]


VIEWS = {
    "shop": Kind((2.6, 3.1), (5.2, 6.8), (0.33, 0.47), (1.5, 1.8), 0.75, 9, _shop),
    "lobby": Kind((2.7, 3.2), (6.0, 7.6), (0.27, 0.40), (1.9, 2.3), 1.1, 14, _lobby),
    "bank": Kind((2.9, 3.3), (6.6, 7.8), (0.27, 0.36), (2.9, 3.3), 0.8, 8, _bank),
    "house": Kind((2.8, 3.4), (6.6, 8.0), (0.26, 0.37), (1.4, 1.7), 0.8, 12, _house),
    "platform": Kind((3.2, 3.8), (7.6, 9.0), (0.23, 0.32), (6.5, 7.5), 2.4, 14, _platform),
    "street": Kind((3.4, 4.2), (8.0, 9.8), (0.21, 0.31), (8.2, 9.0), 0.9, 10, _street),
    "carpark": Kind((3.4, 4.2), (8.0, 9.8), (0.21, 0.31), (8.0, 9.5), 1.4, 12, _carpark),
    "plaza": Kind((3.5, 4.0), (10.0, 12.0), (0.18, 0.24), (10.0, 12.0), 6.0, 14, _plaza),
}
NEAREST = 0.7  # of the distance to the middle of the action: nobody acts nearer, where a person would fill the picture


@lru_cache(maxsize=64)
def make_place(kind: str, seed: int, size: tuple[int, int] = (320, 240), night: bool = False) -> Place:
    """A place of this kind; the same arguments give the same place."""
    rng = np.random.default_rng([seed, 0])
    view = VIEWS[kind]
    distance, fill = rng.uniform(*view.distance), rng.uniform(*view.fill)
    camera = aimed(
        *size, rng.uniform(*view.mount), distance, fill, rng.uniform(-view.pan, view.pan), rng.uniform(-1.2, 1.2)
    )
    wall_z, far = distance + rng.uniform(*view.wall), -(distance + view.depth)
    near, road = min(nearest(camera), -NEAREST * distance), None
    if kind == "street":
        road = far - 0.3, far - 5.3
    elif kind == "carpark":
        road = near + 0.5, far + 0.2
    toward = (rng.uniform(-0.7, 0.7), rng.uniform(0.7, 1.0), rng.uniform(0.25, 0.8))
    lit = Light(toward, rng.uniform(0.44, 0.5), rng.uniform(0.6, 0.7))
    light = Light((toward[0], 0.7, 0.6), 0.7, 0.4) if night else lit
    out = Place(kind, camera, wall_z, near, far, light, seed, road, night)
    view.furnish(_Layout(out, rng))
    return out
