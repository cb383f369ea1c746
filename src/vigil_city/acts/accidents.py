"""RoadAccidents: cars that run into each other, into a cyclist, into somebody on foot; and cars that just drive."""

from dataclasses import dataclass, replace

import numpy as np

from vigil_city.acts.driving import BRAKE, HALT, Drive, edge, lane, settled, some_cars, vehicle
from vigil_city.acts.staging import Stage
from vigil_city.bodies import poses
from vigil_city.bodies.anatomy import REST
from vigil_city.bodies.gait import smooth
from vigil_city.bodies.player import Player
from vigil_city.lens import effects
from vigil_city.lens.effects import shards
from vigil_city.places import vehicles
from vigil_city.places.floor import Point
from vigil_city.scene import Effect, Moment, Script, Thing

WINDSCREEN, REAR = frozenset({"windscreen"}), frozenset({"rear"})
WALK_S = 2.2 / 1.15 + 0.35  # seconds that somebody needs from the edge of the lane to where the car hits


def _bystanders(s: Stage, side: int, at: Point, *, when: float) -> list[Player]:
    """Perhaps somebody at the edge of the picture, who turns to what has happened."""
    if not int(s.rng.integers(0, 2)):
        return []
    u, depth = side * s.between(0.9, 1.05), 0.05 if s.place.kind == "carpark" else 0.35
    other = s.person(s.aside(u, depth * s.between(0.5, 1.0)), s.between(-120, 120))
    s.pass_time(other, when + 0.15).toward(*at, 0.4)
    other.play((0.4, poses.POINT if s.chance() else poses.LOOK_L), (0.7, REST))
    return [s.pass_time(other, s.seconds)]


def road_accidents(s: Stage) -> Script:
    """A car hits another car, a cyclist or somebody on foot."""
    return s.pick((_cars, _cars, _pedestrian, _cyclist))(s)


def _lane(s: Stage) -> float:
    return lane(s.place, s.between(0.2, 0.34))


def _cars(s: Stage) -> Script:
    """The one behind does not stop in time, or two meet head on."""
    side = s.side()  # where the fast one comes from
    front, rear = some_cars(
        s.rng, 2, 0.0 if s.place.kind == "carpark" else 0.2
    )  # the one that is hit, the one that comes
    z = _lane(s)
    x = s.place.across(side * s.between(0.0, 0.2), z) + side * (rear.reach + 0.4)
    crash = s.start + 0.45
    head_on = s.chance(0.4)
    v = s.between(8.0, 10.5)
    fast = Drive.begin(crash - 0.35, x - (-side) * (v * 0.35 - 0.5 * BRAKE * 0.35**2), -side * v)
    fast = fast.then(crash - 0.35, side * BRAKE)
    speed = abs(fast.where(crash)[1])
    target = x - side * (front.reach + rear.reach - 0.12)
    if head_on:
        u = s.between(5.0, 8.0)
        slow = Drive.begin(crash - 0.3, target - side * (u * 0.3 - 0.5 * BRAKE * 0.09), side * u)
        slow = slow.then(crash - 0.3, -side * BRAKE)
        after = (-side * (speed - slow.where(crash)[1] * side) / 2 * 0.5,) * 2
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
    glass = shards(s.rng, middle, 40, 0.6, (-0.8 * side, 1.2))
    seed = int(s.rng.integers(1000))
    people = _bystanders(s, side, (x, z), when=crash)
    panes = frozenset({"windscreen"} | ({"front1", "front-1"} if s.chance() else set()))

    def cars(t: float) -> list[Thing]:
        crush, turn, broken = smooth((t - crash) / 0.16), smooth((t - crash) / 0.7), t >= crash
        a, b = fast.where(t)[0], slow.where(t)[0]
        nod = 2.2 * crush * max(0.0, 1 - (t - crash) / 0.8) + (1.2 if crash - 0.35 < t < crash else 0.0)
        first = vehicles.Damage(front=0.85 * crush, panes=panes if broken else frozenset())
        second = vehicles.Damage(rear=0.8 * crush, panes=REAR if broken else frozenset())
        if head_on:
            second = vehicles.Damage(front=0.8 * crush, panes=first.panes)
        aside = 0.25 * np.sin(np.radians(twist)) * turn
        return [
            vehicle(rear, a, z + aside, yaw_fast + twist * turn, s.place, rolled=abs(a - x), pitch=nod, damage=first),
            vehicle(front, b, z, yaw_slow + spin * turn, s.place, rolled=abs(b), damage=second),
        ]

    things = settled(cars, crash + 2.2)

    def smoke(t: float) -> list[Effect]:
        painted = [*glass(t - crash), *_skid(fast, z, t, crash, seed, side)]
        if t > crash:
            nose = fast.where(t)[0] - side * (rear.reach - 0.5), 0.85, z
            last = min(s.stop - crash, 6.0)
            steam = effects.plume(nose, t - crash, rate=4.0, life=1.8, size=0.26, seed=seed, until=last)
            painted.append(effects.smoke(steam, (205, 205, 205), 0.4))
        if crash < t < crash + 1.0:
            at = middle[0], 0.2, z + 0.5
            dust = effects.plume(at, t - crash, rate=30, life=0.9, size=0.3, seed=seed, until=0.15)
            painted.append(effects.smoke(dust, (150, 142, 130), 0.5))
        return painted

    play = s.show(people, things, smoke)

    def script(t: float) -> Moment:
        shake = 2.5 * np.exp(-8 * (t - crash)) if t >= crash else 0.0
        return replace(play(t), jolt=(0.0, float(shake * np.sin(40 * t))) if shake > 0.2 else (0.0, 0.0))

    return script


def _skid(drive: Drive, z: float, t: float, crash: float, seed: int, side: int) -> list[Effect]:
    """Smoke from tyres that slide, from just before the crash."""
    if not crash - 0.4 < t < crash + 1.2:
        return []
    at = drive.where(t)[0] + side * 1.2 + side * 0.3, 0.1, z + 0.5
    puffs = effects.plume(at, t - crash + 0.4, rate=14, life=0.8, size=0.22, seed=seed, until=0.5)
    return [effects.smoke(puffs, (175, 175, 175), 0.3)]


@dataclass(frozen=True)
class _Blow:
    """A car on its line at depth z that comes from `side` and reaches somebody at `time` with `speed` m/s."""

    car: vehicles.Car
    drive: Drive
    z: float
    side: int
    time: float
    speed: float


def _pedestrian(s: Stage) -> Script:
    """Somebody crosses; the car brakes too late and throws them."""
    side = s.side()
    (car,) = some_cars(s.rng, 1, 0.0)
    z = _lane(s)
    x = s.place.across(side * s.between(0.35, 0.55), z)
    crash = s.start + 0.5
    v = s.between(7.0, 9.0)
    blow = _brake(car, x + side * (car.reach + 0.12) + side * (v * 0.4 - 0.5 * BRAKE * 0.16), z, side, crash, 0.4, v)
    near = s.place.kind == "street" or s.chance()  # beyond a street's lane stands a parked car
    walker = s.person((x, z + (1 if near else -1) * 2.2), 180.0 if near else 0.0, "victim", s.clothed())
    s.pass_time(walker, crash - WALK_S).until(crash - WALK_S).walk((x, z + (-0.5 if near else 0.5)), speed=1.15)
    return _struck(s, blow, walker)


def _cyclist(s: Stage) -> Script:
    """A car runs into a cyclist from behind or from the front."""
    side = s.side()
    (car,) = some_cars(s.rng, 1, 0.0)
    z = _lane(s)
    x = s.place.across(side * s.between(0.35, 0.55), z)
    crash = s.start + 0.45
    v = s.between(8.0, 10.0)
    way = -side if s.chance() else side  # the way the cyclist goes: hit from behind or from the front
    pace = s.between(3.0, 4.0)
    blow = _brake(car, x + side * (car.reach + 0.75) + side * (v * 0.3 - 0.5 * BRAKE * 0.09), z, side, crash, 0.3, v)
    rider = s.person((x - way * pace * (crash + 0.2), z + 0.15), 90.0 * way, "victim", s.clothed(coat=False))
    rider.pedal((x + way * pace, z + 0.15), crash + 1.2)
    return _struck(s, blow, rider, s.pick(vehicles.PAINTS[:6]))


def _brake(car: vehicles.Car, start_x: float, z: float, side: int, crash: float, brakes: float, speed: float) -> _Blow:
    """A car at `start_x` that brakes from `speed` m/s `brakes` seconds before it hits somebody, and then stops."""
    drive = Drive.begin(crash - brakes, start_x, -side * speed).then(crash - brakes, side * BRAKE)
    drive = drive.then(crash, side * HALT, 0.85 * drive.where(crash)[1])
    return _Blow(car, drive, z, side, crash, abs(drive.where(crash)[1]))


def _struck(s: Stage, blow: _Blow, victim: Player, bike: tuple[int, int, int] | None = None) -> Script:
    """What follows when the car reaches the victim (and the bicycle): the throw, the stop, the people who turn."""
    z, side, crash = blow.z, blow.side, blow.time
    here = victim.state(crash)
    thrown = s.person((here.x, here.z), here.yaw, "victim", victim.look).begin(here.pose)
    thrown.now = crash
    push, on_back, toward = min(0.78 * blow.speed, 4.4), s.chance(), -90.0 * side
    if on_back:
        keys = (0.30, poses.FLOOR_BACK), (0.40, poses.LIE_BACK)
    else:
        keys = (0.30, poses.FLOOR_FRONT), (0.40, poses.LIE_FRONT)
    velocity = -side * push, s.between(2.0, 2.7), s.between(0.1, 0.5)
    thrown.thrown(velocity, *keys, yaw=toward + 180 if on_back else toward).until(s.stop - 1.0)
    if s.chance():
        thrown.tumble((0.9, poses.SIT_FLOOR if on_back else poses.ALL_FOURS))
    people = _bystanders(s, side, (here.x, z), when=crash)
    glass = shards(s.rng, (here.x, 0.9, z + 0.3), 18, 0.3, (-0.8 * side, 1.0))
    seed = int(s.rng.integers(1000))
    bike_end = here.x - side * s.between(2.2, 2.8)

    def vehicles_at(t: float) -> list[Thing]:
        a, _ = blow.drive.where(t)
        crush = smooth((t - crash) / 0.12)
        nod = 2.4 * smooth((t - crash + 0.4) / 0.2) * (1 - smooth((t - crash - 0.8) / 0.4))
        damage = vehicles.Damage(front=0.28 * crush, panes=WINDSCREEN if t >= crash else frozenset())
        things = [vehicle(blow.car, a, z, -90.0 * side, s.place, rolled=abs(a), pitch=nod, damage=damage)]
        if bike is not None:
            rider = victim.state(min(t, crash))
            fall = smooth((t - crash) / 0.4)
            x = rider.x + (bike_end - rider.x) * smooth((t - crash) / 0.6)
            at = x, rider.z + 0.5 * fall, rider.yaw + 50 * fall
            things.append(
                Thing(vehicles.bicycle(*at, bike, lean=82 * fall, rolled=abs(rider.x)), "bicycle", moving=True)
            )
        return things

    things = settled(vehicles_at, crash + 1.9)

    def smoke(t: float) -> list[Effect]:
        return [*glass(t - crash), *_skid(blow.drive, z, t, crash, seed, side)]

    before, after = (s.show([player, *people], things, smoke) for player in (victim, thrown))
    return lambda t: before(t) if t < crash else after(t)


def drive_through(s: Stage) -> Script:
    """Cars pass, people walk by; or a car pulls in, parks, and stays."""
    side, place = s.side(), s.place
    kinds = some_cars(s.rng, 2)
    z = _lane(s)
    first = edge(place, side, z)
    v = s.between(4.5, 8.0)
    begin = s.between(-0.5, 1.5)
    trips = [Drive.begin(begin, first, -side * v)]
    if s.chance(0.4):  # parks
        at = place.across(-side * s.between(0.0, 0.4), z)
        slow = 2.4
        trips[0] = trips[0].then(begin + max(abs(first - at) - v * v / (2 * slow), 0.1) / v, side * slow)
    elif s.chance(0.6):
        trips.append(Drive.begin(begin + s.between(2.6, 4.0), first, -side * v))
    people: list[Player] = []
    for _ in range(int(s.rng.integers(1, 3))):
        depth = s.between(0.0, 0.1 if place.kind == "carpark" else 0.6)
        spot = s.aside(s.between(-0.8, 0.8), depth, [player.where for player in people])
        people.append(s.pass_time(s.person(spot, s.between(-120, 120)), s.seconds))

    def cars(t: float) -> list[Thing]:
        things = []
        for kind, drive in zip(kinds, trips, strict=False):
            x, _ = drive.where(t)
            if t >= drive.legs[0][0] and abs(x - place.across(0, z)) < 15:
                things.append(vehicle(kind, x, z, -90.0 * side, place, rolled=abs(x)))
        return things

    return s.show(people, cars)
