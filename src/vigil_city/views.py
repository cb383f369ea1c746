"""The making of a place from its kind and a seed: what the camera sees, and the furniture in view."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigil_city import props, vehicles
from vigil_city.furniture import atm, door, lamp_post, planter, tree, window
from vigil_city.light import Light
from vigil_city.places import Fixture, Place, aimed, nearest
from vigil_city.scene import Part
from vigil_city.shapes import box, disc, footprint, panel, placed


def _paint(rng: np.random.Generator, *colours: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(colours[rng.integers(len(colours))], float) * rng.uniform(0.9, 1.1)


BIN = ((70, 96, 66), (60, 72, 96), (96, 90, 84), (120, 60, 50))
MACHINE = ((150, 45, 60), (40, 70, 140), (60, 62, 66), (30, 110, 90))
DOOR = ((110, 60, 46), (50, 74, 96), (70, 96, 76), (150, 146, 140))


class _Layout:
    """Puts fixtures where the camera sees them: u across the picture, z in metres."""

    def __init__(self, place: Place, rng: np.random.Generator) -> None:
        self.place, self.rng = place, rng
        self.side = 1 if rng.random() < 0.5 else -1

    def put(
        self,
        name: str,
        parts: list[Part],
        x: float,
        z: float,
        yaw: float,
        size: tuple[float, float],
        shadow: bool = True,
    ) -> None:
        dark = footprint(x, z, *size, yaw=yaw) if shadow else None
        self.place.fixtures[name] = Fixture(parts, x, z, yaw, size, dark)

    def bin(self, u: float, z: float, yaw: float = 0.0) -> None:
        x = self.place.across(u, z)
        self.put("bin", props.bin_(x, z, _paint(self.rng, *BIN), yaw=yaw), x, z, yaw, (0.55, 0.6))

    def machine(self, u: float, z: float, yaw: float = 0.0) -> None:
        x = self.place.across(u, z)
        self.put("machine", props.vending_machine(x, z, yaw, _paint(self.rng, *MACHINE)), x, z, yaw, (0.95, 0.72))

    def bench(self, u: float, z: float, yaw: float = 0.0, name: str = "bench") -> None:
        x = self.place.across(u, z)
        self.put(name, props.bench(x, z, yaw), x, z, yaw, (1.5, 0.45))

    def door(self, u: float, glass: bool = False, name: str = "door") -> None:
        z = -self.place.wall_z + 0.03
        x = self.place.across(u, z)
        self.put(name, door(x, z, _paint(self.rng, *DOOR), glass=glass), x, z, 0.0, (0.95, 0.1), shadow=False)

    def window(self, u: float, name: str = "window") -> None:
        z = -self.place.wall_z + 0.03
        x = self.place.across(u, z)
        self.put(name, window(x, z), x, z, 0.0, (1.3, 0.1), shadow=False)


def _shop(f: _Layout) -> None:
    p, back = f.place, -f.place.wall_z + 0.2
    f.put("shelf", [], p.across(-0.15 * f.side, back), back, 0.0, (3.0, 0.4), shadow=False)
    z = p.far - 0.45
    x = p.across(0.82 * f.side, z)
    wood = _paint(f.rng, (128, 84, 52), (96, 100, 110), (140, 60, 50))
    f.put("counter", props.counter(x, z, 0.0, 1.3, wood), x, z, 0.0, (1.3, 0.6))


def _lobby(f: _Layout) -> None:
    back = -f.place.wall_z + 0.4
    f.machine(0.62 * f.side, back)
    f.door(-0.35 * f.side)
    f.bench(-0.98 * f.side, back)


def _bank(f: _Layout) -> None:
    p = f.place
    z, x, wood = p.far - 0.75, p.across(0.0, p.far - 0.75), _paint(f.rng, (128, 92, 62), (90, 96, 108), (120, 70, 56))
    parts = box(x, 0, z, (3.6, 1.05, 0.6), wood)
    parts += [panel(x - 1.2 + 1.2 * k, 0.15, z + 0.305, 1.0, 0.7, wood * 1.3) for k in range(3)]
    parts += box(x, 1.05, z, (3.7, 0.05, 0.7), (196, 190, 180))
    for k in range(3):
        screen = box(0, 0, 0, (0.42, 0.34, 0.05), (40, 42, 48))
        parts += placed(screen, x - 1.2 + 1.2 * k + 0.35, 1.12, z - 0.12, pitch=-10)
    f.put("counter", parts, x, z, 0.0, (3.6, 0.7))
    f.machine(0.98 * f.side, p.far - 0.75, -20.0 * f.side)
    x = p.across(-0.98 * f.side, p.far - 0.7)
    turn = 20.0 * f.side
    f.put(
        "atm", atm(x, p.far - 0.7, turn, _paint(f.rng, (30, 80, 140), (150, 40, 50))), x, p.far - 0.7, turn, (0.8, 0.6)
    )


def _street(f: _Layout) -> None:
    p = f.place
    f.bin(0.86 * f.side, p.far - 0.05)
    x = p.across(-0.9 * f.side, p.far)
    f.put("lamp", lamp_post(x, p.far), x, p.far, 0, (0.3, 0.3), shadow=False)
    z = -p.wall_z + 1.3
    x = p.across(0.45 * f.side, z)
    kind = vehicles.Car(vehicles.BODIES[f.rng.integers(2)], vehicles.PAINTS[f.rng.integers(len(vehicles.PAINTS))])
    f.put("car", vehicles.car(kind, x, z, 90.0 * f.side), x, z, 90.0 * f.side, (1.7, 4.2))
    f.door(-0.4 * f.side)


def _carpark(f: _Layout) -> None:
    p, start = f.place, f.rng.uniform(-0.2, 0.2)
    z = p.far - 0.6 - 2.1
    middle = p.across(start, p.far - 0.6)
    bay = float(np.round((middle + 1.2) / 2.5)) * 2.5 - 1.2 + 1.25
    for k, name in ((0, "car"), (1, "car2"), (-1, "car3")):
        if name == "car3" and f.rng.random() < 0.5:
            continue
        x, yaw = bay + 2.5 * k * f.side, 0.0 if f.rng.random() < 0.6 else 180.0
        kind = vehicles.Car(vehicles.BODIES[f.rng.integers(3)], vehicles.PAINTS[f.rng.integers(len(vehicles.PAINTS))])
        f.put(name, vehicles.car(kind, x, z, yaw), x, z, yaw, (1.72, 4.2))
    f.bin(-0.93 * f.side, p.far - 0.35)


def _plaza(f: _Layout) -> None:
    p, rng = f.place, f.rng
    f.bench(1.0 * f.side, p.near + 1.0, -70.0 * f.side)
    f.bin(-0.8 * f.side, p.far - 0.4)
    z = p.far - 0.8
    for k, u in enumerate((-0.95, 0.15, 0.95)):
        x = p.across(u, z)
        f.put(f"plant{k}", planter(x, z, rng) if k == 1 else tree(x, z, rng), x, z, 0.0, (1.2, 0.7))
    x = p.across(0.55, z)
    f.put("lamp", lamp_post(x, z, 4.6), x, z, 0.0, (0.3, 0.3), shadow=False)


def _house(f: _Layout) -> None:
    f.door(0.32 * f.side)
    f.window(-0.42 * f.side)
    z = -f.place.wall_z + 0.45
    f.bin(0.88 * f.side, z)
    x = f.place.across(-0.95 * f.side, z)
    f.put("plant", planter(x, z, f.rng), x, z, 0.0, (1.3, 0.7))


def _platform(f: _Layout) -> None:
    p = f.place
    z = p.far - 0.35
    f.machine(0.88 * f.side, z, -15.0 * f.side)
    f.bench(-0.82 * f.side, z, 0.0)
    wall = -p.wall_z + 0.1
    x = p.across(-0.35 * f.side, wall)
    clock: list[Part] = [
        disc(x, 3.0, wall, 0.34, (60, 60, 62)),
        disc(x, 3.0, wall + 0.02, 0.29, (240, 238, 230), shade=False),
    ]
    f.put("clock", clock, x, wall, 0.0, (0.6, 0.1), shadow=False)


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
    "shop": Kind((2.5, 2.9), (4.3, 4.8), (0.56, 0.62), (1.5, 1.8), 0.75, 9, _shop),
    "lobby": Kind((2.5, 2.9), (4.7, 5.2), (0.54, 0.59), (1.9, 2.3), 1.1, 14, _lobby),
    "bank": Kind((2.6, 3.0), (5.0, 5.4), (0.46, 0.52), (2.9, 3.3), 0.8, 8, _bank),
    "house": Kind((2.6, 3.0), (4.9, 5.4), (0.48, 0.53), (1.4, 1.7), 0.8, 12, _house),
    "platform": Kind((2.8, 3.2), (5.4, 6.0), (0.46, 0.50), (6.5, 7.5), 2.4, 14, _platform),
    "street": Kind((3.0, 3.5), (5.8, 6.4), (0.41, 0.46), (8.2, 9.0), 0.9, 10, _street),
    "carpark": Kind((3.0, 3.5), (5.8, 6.4), (0.42, 0.47), (8.0, 9.5), 1.4, 12, _carpark),
    "plaza": Kind((2.9, 3.2), (8.5, 9.5), (0.245, 0.27), (10.0, 12.0), 6.0, 14, _plaza),
}


def place(kind: str, seed: int, size: tuple[int, int] = (320, 240), night: bool = False) -> Place:
    """A place of this kind; the same arguments give the same place."""
    rng = np.random.default_rng([seed, 0])
    view = VIEWS[kind]
    distance, fill = rng.uniform(*view.distance), rng.uniform(*view.fill)
    camera = aimed(
        *size, rng.uniform(*view.mount), distance, fill, rng.uniform(-view.pan, view.pan), rng.uniform(-1.2, 1.2)
    )
    wall_z, far = distance + rng.uniform(*view.wall), -(distance + view.depth)
    road = (
        (far - 0.3, far - 5.3)
        if kind == "street"
        else (nearest(camera) + 0.5, far + 0.2)
        if kind == "carpark"
        else None
    )
    toward = (rng.uniform(-0.7, 0.7), rng.uniform(0.7, 1.0), rng.uniform(0.25, 0.8))
    lit = Light(toward, rng.uniform(0.44, 0.5), rng.uniform(0.6, 0.7))
    light = Light((toward[0], 0.7, 0.6), 0.7, 0.4) if night else lit
    out = Place(kind, camera, wall_z, nearest(camera), far, light, seed, road, night)
    view.furnish(_Layout(out, rng))
    return out
