"""Vehicles that move: along one line with legs of even acceleration, seen from the place's camera."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vigil_city.places import vehicles
from vigil_city.places.place import Place
from vigil_city.places.shapes import footprint
from vigil_city.scene import Thing

BRAKE = 6.5  # m/s2 of a car that brakes hard
HALT = 8.5  # m/s2 after a blow, with all wheels locked
CLEAR = 3.2  # metres beyond the edge of the picture at which a car is out of view


@dataclass(frozen=True)
class Drive:
    """Motion along one line in legs: from `start` seconds at `at` metres with speed `v`, which `a` changes."""

    legs: tuple[tuple[float, float, float, float], ...]  # start, at, v, a

    @classmethod
    def begin(cls, t: float, at: float, v: float) -> "Drive":
        return cls(((t, at, v, 0.0),))

    def then(self, t: float, a: float, v: float | None = None) -> "Drive":
        """From t on it gains `a` m/s2 (never reversing when it brakes); `v` gives a new speed: a blow."""
        at, speed = self.where(t)
        return Drive((*self.legs, (t, at, speed if v is None else v, a)))

    def where(self, t: float) -> tuple[float, float]:
        """Place and speed at time t."""
        start, at, v, a = self.legs[max(bisect_right(self.legs, t, key=lambda leg: leg[0]) - 1, 0)]
        u = t - start
        if a * v < 0:  # brakes to a stop
            u = min(u, -v / a)
        return at + v * u + a * u * u / 2, v + a * u


def lane(place: Place, share: float) -> float:
    """Z of a line along the road: share 0 near, 1 far."""
    if place.kind == "street" and place.road is not None:
        near, far = place.road
        return near + (far - near) * share
    return place.far + 1.3 - 0.5 * share


def edge(place: Place, side: int, z: float) -> float:
    """X at which a car is just out of view."""
    return place.outside(side, z, CLEAR)[0]


def some_cars(rng: np.random.Generator, count: int, vans: float = 0.2) -> list[vehicles.Car]:
    """Cars of different colours, a share of them vans."""
    colours = rng.permutation(len(vehicles.PAINTS))[:count]
    bodies = [vehicles.VAN if rng.random() < vans else vehicles.BODIES[int(rng.integers(2))] for _ in colours]
    return [vehicles.Car(body, vehicles.PAINTS[int(k)]) for body, k in zip(bodies, colours, strict=True)]


def vehicle(kind: vehicles.Car, x: float, z: float, yaw: float, place: Place, **state: object) -> Thing:
    """A moving car as seen from the place's camera."""
    parts = vehicles.car(kind, x, z, yaw, eye=place.camera.eye, lights=place.night, **state)  # type: ignore[arg-type]
    return Thing(parts, "vehicle", moving=True, shadow=footprint(x, z, 2 * kind.body.half, 2 * kind.reach, yaw))


def settled(make: Callable[[float], list[Thing]], still_from: float) -> Callable[[float], list[Thing]]:
    """Things that do not move any more after a moment: then always the same instances, which are drawn only once."""
    rest = [replace(thing, moving=False) for thing in make(still_from)]
    return lambda t: make(t) if t < still_from else rest
