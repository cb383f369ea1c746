"""RoadAccidents: cars that run into each other, into a cyclist, into somebody on foot; and cars that just drive."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vigil_city.acts.staging import EffectsAt, Stage, ThingAt, changing
from vigil_city.bodies import poses
from vigil_city.bodies.anatomy import REST
from vigil_city.bodies.motion import smooth
from vigil_city.bodies.player import Player
from vigil_city.lens import effects
from vigil_city.places import vehicles
from vigil_city.places.place import Point
from vigil_city.places.shapes import footprint, placed
from vigil_city.scene import Effect, Script, Thing

BRAKE = 6.5  # m/s2 of a car that brakes hard
HALT = 8.5  # m/s2 after a blow, with all wheels locked
WINDSCREEN, REAR = frozenset({"windscreen"}), frozenset({"rear"})
WALK_S = 2.2 / 1.15 + 0.35  # seconds that somebody needs from the edge of the lane to where the car hits


@dataclass(frozen=True)
class Drive:
    """Motion along one line in legs: from `start` seconds at `x` metres with speed `v`, which `a` changes."""

    legs: tuple[tuple[float, float, float, float], ...]  # start, x, v, a

    @classmethod
    def begin(cls, t: float, x: float, v: float) -> "Drive":
        return cls(((t, x, v, 0.0),))

    def then(self, t: float, a: float, v: float | None = None) -> "Drive":
        """From t on it gains `a` m/s2 (never reversing when it brakes); `v` gives a new speed: a blow."""
        x, speed = self.state(t)
        return Drive((*self.legs, (t, x, speed if v is None else v, a)))

    def state(self, t: float) -> tuple[float, float]:
        """Position in metres and speed at time t."""
        start, x, v, a = self.legs[max(bisect_right(self.legs, t, key=lambda leg: leg[0]) - 1, 0)]
        u = t - start
        if a * v < 0:  # brakes to a stop
            u = min(u, -v / a)
        return x + v * u + a * u * u / 2, v + a * u


def _braked(x: float, side: int, crash: float, brakes: float, speed: float) -> Drive:
    """Comes from `side` with `speed` m/s, brakes for some seconds, and is at `x` at the time of the crash."""
    begin = x + side * (speed * brakes - 0.5 * BRAKE * brakes**2)
    return Drive.begin(crash - brakes, begin, -side * speed).then(crash - brakes, side * BRAKE)


def _lane(s: Stage) -> float:
    """Z of a line along the road."""
    share, place = s.between(0.2, 0.34), s.place
    if place.kind == "street" and place.road is not None:
        near, far = place.road
        return near + (far - near) * share
    return place.far + 1.3 - 0.5 * share


def _some_cars(rng: np.random.Generator, count: int, vans: float) -> list[vehicles.Car]:
    """Cars of different colours, a share of them vans."""
    colours = rng.permutation(len(vehicles.PAINTS))[:count]
    bodies = [vehicles.VAN if rng.random() < vans else vehicles.BODIES[int(rng.integers(2))] for _ in colours]
    return [vehicles.Car(body, vehicles.PAINTS[int(k)]) for body, k in zip(bodies, colours, strict=True)]


def _vehicle(
    s: Stage, kind: vehicles.Car, x: float, z: float, yaw: float, *, rolled: float, pitch: float = 0.0,
    damage: vehicles.Damage = vehicles.Damage(),
) -> Thing:  # fmt: skip
    """A moving car as seen from the place's camera; `pitch` lowers its front, degrees."""
    parts = placed(vehicles.car(kind, damage, lights=s.place.night, rolled=rolled), x, 0, z, yaw, pitch)
    shadow = footprint(x, z, 2 * kind.body.half, 2 * kind.reach, yaw)
    return Thing(vehicles.facing(parts, s.place.camera.eye), "vehicle", moving=True, shadow=shadow)


def _settled(thing_at: Callable[[float], Thing], still_from: float) -> ThingAt:
    """A thing that does not move any more after a moment: then always the same instance, which is drawn only once."""
    return changing(thing_at, (still_from, replace(thing_at(still_from), moving=False)))


def _bystanders(s: Stage, side: int, accident: Point, *, when: float) -> list[Player]:
    """Perhaps somebody at the edge of the picture, who turns to what has happened."""
    if not int(s.rng.integers(0, 2)):
        return []
    u, depth = side * s.between(0.9, 1.05), 0.05 if s.place.kind == "carpark" else 0.35
    other = s.person(s.aside(u, depth * s.between(0.5, 1.0)), s.between(-120, 120))
    s.pass_time(other, when + 0.15).toward(*accident, 0.4)
    other.play((0.4, poses.POINT if s.chance() else poses.LOOK_L), (0.7, REST))
    return [s.pass_time(other, s.seconds)]


def road_accidents(s: Stage) -> Script:
    """A car hits another car, a cyclist or somebody on foot."""
    return s.pick((_cars, _cars, _pedestrian, _cyclist))(s)


def _cars(s: Stage) -> Script:
    """The one behind does not stop in time, or two meet head on."""
    side = s.side()  # where the fast one comes from
    front, rear = _some_cars(s.rng, 2, 0.0 if s.place.kind == "carpark" else 0.2)  # the one that is hit, and the other
    z = _lane(s)
    x = s.place.across(side * s.between(0.0, 0.2), z) + side * (rear.reach + 0.4)
    crash, head_on = s.start + 0.45, s.chance(0.4)
    fast = _braked(x, side, crash, 0.35, s.between(8.0, 10.5))
    speed = abs(fast.state(crash)[1])
    target = x - side * (front.reach + rear.reach - 0.12)
    if head_on:
        slow = _braked(target, -side, crash, 0.3, s.between(5.0, 8.0))
        after = (-side * (speed - slow.state(crash)[1] * side) / 2 * 0.5,) * 2
    else:
        slow = Drive.begin(crash - 1.6, target + side * (0.5 * 2.4 * 1.1**2), -side * 2.4 * 1.1)
        slow = slow.then(crash - 1.6, side * 2.4)
        after = (-side * 0.38 * speed, -side * 0.46 * speed)
    fast = fast.then(crash, -np.sign(after[0]) * BRAKE, after[0])
    slow = slow.then(crash, -np.sign(after[1]) * BRAKE * 0.8, after[1])
    spin = float(s.rng.uniform(8, 22) * s.rng.choice([-1, 1]))
    twist = s.between(-14, 14)
    yaw_fast, yaw_slow = -90.0 * side, (90.0 if head_on else -90.0) * side
    middle = (x - side * rear.reach, 0.75, z + 0.4)
    glass = effects.shards(s.rng, middle, 40, 0.6, (-0.8 * side, 1.2), crash)
    seed = int(s.rng.integers(1000))
    people = _bystanders(s, side, (x, z), when=crash)
    panes = WINDSCREEN | ({"front1", "front-1"} if s.chance() else set())

    def hitting(t: float) -> Thing:
        along, crush, turn = fast.state(t)[0], smooth((t - crash) / 0.16), smooth((t - crash) / 0.7)
        nod = 2.2 * crush * max(0.0, 1 - (t - crash) / 0.8) + (1.2 if crash - 0.35 < t < crash else 0.0)
        damage = vehicles.Damage(front=0.85 * crush, panes=panes if t >= crash else frozenset())
        line = z + 0.25 * np.sin(np.radians(twist)) * turn
        return _vehicle(s, rear, along, line, yaw_fast + twist * turn, rolled=abs(along - x), pitch=nod, damage=damage)

    def hit(t: float) -> Thing:
        along, crush, turn = slow.state(t)[0], 0.8 * smooth((t - crash) / 0.16), smooth((t - crash) / 0.7)
        broken = frozenset[str]() if t < crash else panes if head_on else REAR
        damage = vehicles.Damage(crush, panes=broken) if head_on else vehicles.Damage(rear=crush, panes=broken)
        return _vehicle(s, front, along, z, yaw_slow + spin * turn, rolled=abs(along), damage=damage)

    def smoke(t: float) -> list[Effect]:
        if t <= crash:
            return []
        nose, last = fast.state(t)[0] - side * (rear.reach - 0.5), min(s.stop - crash, 6.0)
        steam = effects.plume((nose, 0.85, z), t - crash, rate=4.0, life=1.8, size=0.26, seed=seed, until=last)
        spot = middle[0], 0.2, z + 0.5
        dust = effects.plume(spot, t - crash, rate=30, life=0.9, size=0.3, seed=seed, until=0.15)
        return [effects.smoke(steam, (205, 205, 205), 0.4), effects.smoke(dust, (150, 142, 130), 0.5)]

    def jolt(t: float) -> Point:
        shake = 2.5 * np.exp(-8 * (t - crash)) if t >= crash else 0.0
        return (0.0, float(shake * np.sin(40 * t))) if shake > 0.2 else (0.0, 0.0)

    things = [_settled(car, crash + 2.2) for car in (hitting, hit)]
    return s.show(people, things, [glass, _skid(fast, z, crash, seed, side), smoke], jolt=jolt)


def _skid(drive: Drive, z: float, crash: float, seed: int, side: int) -> EffectsAt:
    """Smoke from tyres that slide, from just before the crash."""

    def smoke(t: float) -> list[Effect]:
        tyre = drive.state(t)[0] + side * 1.2 + side * 0.3, 0.1, z + 0.5
        puffs = effects.plume(tyre, t - crash + 0.4, rate=14, life=0.8, size=0.22, seed=seed, until=0.5)
        return [effects.smoke(puffs, (175, 175, 175), 0.3)] if crash - 0.4 < t < crash + 1.2 else []

    return smoke


def _pedestrian(s: Stage) -> Script:
    """Somebody crosses; the car brakes too late and throws them."""
    side = s.side()
    (car,), z = _some_cars(s.rng, 1, 0.0), _lane(s)
    x, crash = s.place.across(side * s.between(0.35, 0.55), z), s.start + 0.5
    drive = _braked(x + side * (car.reach + 0.12), side, crash, 0.4, s.between(7.0, 9.0))
    near = s.place.kind == "street" or s.chance()  # beyond a street's lane stands a parked car
    walker = s.person((x, z + (1 if near else -1) * 2.2), 180.0 if near else 0.0, "victim", s.clothed())
    s.pass_time(walker, crash - WALK_S).until(crash - WALK_S).walk((x, z + (-0.5 if near else 0.5)), speed=1.15)
    return _struck(s, car, drive, z, side, crash, walker)


def _cyclist(s: Stage) -> Script:
    """A car runs into a cyclist from behind or from the front."""
    side = s.side()
    (car,), z = _some_cars(s.rng, 1, 0.0), _lane(s)
    x, crash = s.place.across(side * s.between(0.35, 0.55), z), s.start + 0.45
    v = s.between(8.0, 10.0)
    way = -side if s.chance() else side  # the way the cyclist goes: hit from behind or from the front
    pace = s.between(3.0, 4.0)
    drive = _braked(x + side * (car.reach + 0.75), side, crash, 0.3, v)
    rider = s.person((x - way * pace * (crash + 0.2), z + 0.15), 90.0 * way, "victim", s.clothed(coat=False))
    rider.pedal((x + way * pace, z + 0.15), crash + 1.2)
    return _struck(s, car, drive, z, side, crash, rider, s.pick(vehicles.PAINTS[:6]))


def _struck(
    s: Stage, car: vehicles.Car, drive: Drive, z: float, side: int, crash: float, victim: Player,
    bike: tuple[int, int, int] | None = None,
) -> Script:  # fmt: skip
    """What follows when the car reaches the victim (and the bicycle): the throw, the stop, the people who turn."""
    drive = drive.then(crash, side * HALT, 0.85 * drive.state(crash)[1])
    here = victim.state(crash)
    thrown = s.person((here.x, here.z), here.yaw, "victim", victim.look).begin(here.pose)
    thrown.now = crash
    push, on_back, toward = min(0.78 * abs(drive.state(crash)[1]), 4.4), s.chance(), -90.0 * side
    floor, lies = (poses.FLOOR_BACK, poses.LIE_BACK) if on_back else (poses.FLOOR_FRONT, poses.LIE_FRONT)
    velocity = -side * push, s.between(2.0, 2.7), s.between(0.1, 0.5)
    thrown.thrown(velocity, (0.30, floor), (0.40, lies), yaw=toward + 180 if on_back else toward).until(s.stop - 1.0)
    if s.chance():
        thrown.tumble((0.9, poses.SIT_FLOOR if on_back else poses.ALL_FOURS))
    people = _bystanders(s, side, (here.x, z), when=crash)
    glass = effects.shards(s.rng, (here.x, 0.9, z + 0.3), 18, 0.3, (-0.8 * side, 1.0), crash)
    seed = int(s.rng.integers(1000))
    bike_end = here.x - side * s.between(2.2, 2.8)

    def hits(t: float) -> Thing:
        x = drive.state(t)[0]
        nod = 2.4 * smooth((t - crash + 0.4) / 0.2) * (1 - smooth((t - crash - 0.8) / 0.4))
        damage = vehicles.Damage(0.28 * smooth((t - crash) / 0.12), panes=WINDSCREEN if t >= crash else frozenset())
        return _vehicle(s, car, x, z, -90.0 * side, rolled=abs(x), pitch=nod, damage=damage)

    def falls(t: float) -> Thing:
        rider, fall = victim.state(min(t, crash)), smooth((t - crash) / 0.4)
        x = rider.x + (bike_end - rider.x) * smooth((t - crash) / 0.6)
        parts = vehicles.bicycle(bike or (), lean=82 * fall, rolled=abs(rider.x))
        return Thing(placed(parts, x, 0, rider.z + 0.5 * fall, rider.yaw + 50 * fall), moving=True)

    things = [_settled(thing, crash + 1.9) for thing in ((hits, falls) if bike else (hits,))]
    painted = glass, _skid(drive, z, crash, seed, side)
    before, after = (s.show([player, *people], things, painted) for player in (victim, thrown))
    return lambda t: before(t) if t < crash else after(t)


def drive_through(s: Stage) -> Script:
    """Cars pass, people walk by; or a car pulls in, parks, and stays."""
    side, place = s.side(), s.place
    kinds = _some_cars(s.rng, 2, 0.2)
    z = _lane(s)
    first = place.outside(side, z, 3.2)[0]  # just out of view
    v = s.between(4.5, 8.0)
    begin = s.between(-0.5, 1.5)
    trips = [Drive.begin(begin, first, -side * v)]
    if s.chance(0.4):  # parks
        bay = place.across(-side * s.between(0.0, 0.4), z)
        slow = 2.4
        trips[0] = trips[0].then(begin + max(abs(first - bay) - v * v / (2 * slow), 0.1) / v, side * slow)
    elif s.chance(0.6):
        trips.append(Drive.begin(begin + s.between(2.6, 4.0), first, -side * v))
    people: list[Player] = []
    for _ in range(int(s.rng.integers(1, 3))):
        depth = s.between(0.0, 0.1 if place.kind == "carpark" else 0.6)
        spot = s.aside(s.between(-0.8, 0.8), depth, [player.position for player in people])
        people.append(s.stander(spot, s.between(-120, 120)))

    def drives(kind: vehicles.Car, drive: Drive) -> ThingAt:
        def car(t: float) -> Thing | None:
            x, _ = drive.state(t)
            near = t >= drive.legs[0][0] and abs(x - place.across(0, z)) < 15
            return _vehicle(s, kind, x, z, -90.0 * side, rolled=abs(x)) if near else None

        return car

    return s.show(people, [drives(kind, drive) for kind, drive in zip(kinds, trips, strict=False)])
