"""RoadAccidents: cars that run into each other, into a cyclist, into somebody on foot; and cars that just drive."""

from dataclasses import dataclass

import numpy as np

from vigil_city import effects, vehicles
from vigil_city.acting import Player, cast
from vigil_city.bicycles import bicycle
from vigil_city.blocking import Span, clothed, pass_time, side_of
from vigil_city.body import REST
from vigil_city.driving import BRAKE, HALT, Drive, edge, lane, settled, some_cars, vehicle
from vigil_city.floor import aside
from vigil_city.gait import smooth
from vigil_city.glass import shards
from vigil_city.places import Place
from vigil_city.poses import LOOK_L, POINT
from vigil_city.postures import ALL_FOURS, FLOOR_BACK, FLOOR_FRONT, LIE_BACK, LIE_FRONT, SIT_FLOOR
from vigil_city.scene import Effect, Moment, Script, Thing


def _bystanders(
    rng: np.random.Generator, place: Place, side: int, at: tuple[float, float], *, when: float, until: float
) -> list[Player]:
    """Perhaps somebody at the edge of the picture, who turns to what has happened."""
    out: list[Player] = []
    depth = 0.05 if place.kind == "carpark" else 0.35
    for _ in range(int(rng.integers(0, 2))):
        spot = aside(place, side * float(rng.uniform(0.9, 1.05)), depth * float(rng.uniform(0.5, 1.0)))
        one = Player(rng, *spot, float(rng.uniform(-120, 120)))
        pass_time(rng, one, when + 0.15)
        one.until(when + 0.15)
        one.toward(*at, 0.4)
        one.play((0.4, POINT if rng.random() < 0.5 else LOOK_L), (0.7, REST))
        pass_time(rng, one, until)
        out.append(one)
    return out


def road_accidents(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """A car hits another car, a cyclist or somebody on foot."""
    how = (_cars, _cars, _pedestrian, _cyclist)[int(rng.integers(4))]
    return how(rng, place, seconds, span)


def _cars(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """The one behind does not stop in time, or two meet head on."""
    start, stop = span
    side = side_of(rng)  # where the fast one comes from
    front, rear = some_cars(rng, 2, 0.0 if place.kind == "carpark" else 0.2)  # the one that is hit, the one that comes
    z = lane(place, float(rng.uniform(0.2, 0.34)))
    x = place.across(side * float(rng.uniform(0.0, 0.2)), z) + side * (rear.reach + 0.4)
    crash = start + 0.45
    head_on = bool(rng.random() < 0.4)
    v = float(rng.uniform(8.0, 10.5))
    fast = Drive.begin(crash - 0.35, x - (-side) * (v * 0.35 - 0.5 * BRAKE * 0.35**2), -side * v).then(
        crash - 0.35, side * BRAKE
    )
    hit = abs(fast.where(crash)[1])
    gap = front.reach + rear.reach - 0.12
    target = x - side * gap
    if head_on:
        u = float(rng.uniform(5.0, 8.0))
        slow = Drive.begin(crash - 0.3, target - side * (u * 0.3 - 0.5 * BRAKE * 0.09), side * u).then(
            crash - 0.3, -side * BRAKE
        )
        after = (-side * (hit - slow.where(crash)[1] * side) / 2 * 0.5,) * 2
    else:
        slow = Drive.begin(crash - 1.6, target + side * (0.5 * 2.4 * 1.1**2), -side * 2.4 * 1.1).then(
            crash - 1.6, side * 2.4
        )
        after = (-side * 0.38 * hit, -side * 0.46 * hit)
    fast = fast.then(crash, -np.sign(after[0]) * BRAKE, after[0])
    slow = slow.then(crash, -np.sign(after[1]) * BRAKE * 0.8, after[1])
    spin = float(rng.uniform(8, 22) * rng.choice([-1, 1]))
    twist = float(rng.uniform(-14, 14))
    yaw_fast, yaw_slow = -90.0 * side, (90.0 if head_on else -90.0) * side
    middle = (x - side * rear.reach, 0.75, z + 0.4)
    glass = shards(rng, middle, 40, 0.6, (-0.8 * side, 1.2))
    seed = int(rng.integers(1000))
    people = _bystanders(rng, place, side, (x, z), when=crash, until=seconds)
    panes = frozenset({"windscreen"} | ({"front1", "front-1"} if rng.random() < 0.5 else set()))

    def cars(t: float) -> list[Thing]:
        crush = smooth((t - crash) / 0.16)
        turn = smooth((t - crash) / 0.7)
        a, b = fast.where(t)[0], slow.where(t)[0]
        nod = 2.2 * crush * max(0.0, 1 - (t - crash) / 0.8) + (1.2 if crash - 0.35 < t < crash else 0.0)
        first = vehicles.Damage(front=0.85 * crush, panes=panes if t >= crash else frozenset())
        second = vehicles.Damage(rear=0.8 * crush, panes=frozenset({"rear"}) if t >= crash else frozenset())
        if head_on:
            second = vehicles.Damage(front=0.8 * crush, panes=first.panes)
        aside = 0.25 * np.sin(np.radians(twist)) * turn
        return [
            vehicle(rear, a, z + aside, yaw_fast + twist * turn, place, rolled=abs(a - x), pitch=nod, damage=first),
            vehicle(front, b, z, yaw_slow + spin * turn, place, rolled=abs(b), damage=second),
        ]

    at_rest = settled(cars, crash + 2.2)

    def script(t: float) -> Moment:
        painted: list[Effect] = list(glass.at(t - crash))
        a = fast.where(t)[0]
        if crash - 0.4 < t < crash + 1.2:
            painted.append(_skid(a + side * 1.2, z, t - crash + 0.4, seed, side))
        if t > crash:
            nose = a - side * (rear.reach - 0.5)
            steam = effects.plume(
                (nose, 0.85, z), t - crash, rate=4.0, life=1.8, size=0.26, seed=seed, until=min(stop - crash, 6.0)
            )
            painted.append(effects.smoke(steam, (205, 205, 205), 0.4))
            if t < crash + 1.0:
                dust = effects.plume(
                    (middle[0], 0.2, z + 0.5), t - crash, rate=30, life=0.9, size=0.3, seed=seed, until=0.15
                )
                painted.append(effects.smoke(dust, (150, 142, 130), 0.5))
        shake = 2.5 * np.exp(-8 * (t - crash)) if t >= crash else 0.0
        return Moment(
            cast(t, people), at_rest(t), painted, (0.0, float(shake * np.sin(40 * t))) if shake > 0.2 else (0.0, 0.0)
        )

    return script


def _skid(x: float, z: float, age: float, seed: int, side: int) -> Effect:
    """Smoke from tyres that slide."""
    return effects.smoke(
        effects.plume((x + side * 0.3, 0.1, z + 0.5), age, rate=14, life=0.8, size=0.22, seed=seed, until=0.5),
        (175, 175, 175),
        0.3,
    )


def _pedestrian(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Somebody crosses; the car brakes too late and throws them."""
    start, stop = span
    side = side_of(rng)
    (car,) = some_cars(rng, 1, 0.0)
    z = lane(place, float(rng.uniform(0.2, 0.34)))
    x = place.across(side * float(rng.uniform(0.35, 0.55)), z)
    crash = start + 0.5
    v = float(rng.uniform(7.0, 9.0))
    fast = Drive.begin(
        crash - 0.4, x + side * (car.reach + 0.12) + side * (v * 0.4 - 0.5 * BRAKE * 0.16), -side * v
    ).then(crash - 0.4, side * BRAKE)
    fast = fast.then(crash, side * HALT, 0.85 * fast.where(crash)[1])
    speed = abs(fast.where(crash)[1])
    near = place.kind == "street" or bool(rng.random() < 0.5)  # beyond a street's lane stands a parked car
    begin = z + (1 if near else -1) * 2.2
    walker = Player(rng, x, begin, 180.0 if near else 0.0, "victim", look=clothed(rng))
    walk_s = 2.2 / 1.15 + 0.35
    pass_time(rng, walker, crash - walk_s)
    walker.until(crash - walk_s)
    walker.walk((x, z + (-0.5 if near else 0.5)), speed=1.15)
    return _struck(rng, place, seconds, stop, _Blow(car, fast, z, side, crash, speed), victim=walker)


@dataclass(frozen=True)
class _Blow:
    """A car on its line at depth z that comes from `side` and reaches somebody at `time` with `speed` m/s."""

    car: vehicles.Car
    drive: Drive
    z: float
    side: int
    time: float
    speed: float


def _struck(
    rng: np.random.Generator,
    place: Place,
    seconds: float,
    stop: float,
    blow: _Blow,
    *,
    victim: Player,
    bike: tuple[int, int, int] | None = None,
) -> Script:
    """What follows when the car reaches the victim (and the bicycle): the throw, the stop, the people who turn."""
    car, fast, z, side, crash, speed = blow.car, blow.drive, blow.z, blow.side, blow.time, blow.speed
    here = victim.state(crash)
    cut = Player(rng, here.x, here.z, here.yaw, "victim", look=victim.look).begin(here.pose)
    cut.now = crash
    push = min(0.78 * speed, 4.4)
    keys = ((0.30, FLOOR_BACK), (0.40, LIE_BACK)) if rng.random() < 0.5 else ((0.30, FLOOR_FRONT), (0.40, LIE_FRONT))
    toward = -90.0 * side
    cut.thrown(
        (-side * push, float(rng.uniform(2.0, 2.7)), float(rng.uniform(0.1, 0.5))),
        *keys,
        yaw=toward + 180 if keys[0][1] is FLOOR_BACK else toward,
    )
    cut.until(stop - 1.0)
    if rng.random() < 0.5:
        cut.tumble((0.9, ALL_FOURS if keys[0][1] is FLOOR_FRONT else SIT_FLOOR))
    people = _bystanders(rng, place, side, (here.x, z), when=crash, until=seconds)
    glass = shards(rng, (here.x, 0.9, z + 0.3), 18, 0.3, (-0.8 * side, 1.0))
    seed = int(rng.integers(1000))
    bike_end = here.x - side * float(rng.uniform(2.2, 2.8))

    def vehicles_at(t: float) -> list[Thing]:
        a, _ = fast.where(t)
        crush = smooth((t - crash) / 0.12)
        nod = 2.4 * smooth((t - crash + 0.4) / 0.2) * (1 - smooth((t - crash - 0.8) / 0.4))
        damage = vehicles.Damage(front=0.28 * crush, panes=frozenset({"windscreen"}) if t >= crash else frozenset())
        things = [vehicle(car, a, z, -90.0 * side, place, rolled=abs(a), pitch=nod, damage=damage)]
        if bike is not None:
            s = victim.state(min(t, crash))
            fall = smooth((t - crash) / 0.4)
            x = s.x + (bike_end - s.x) * smooth((t - crash) / 0.6)
            parts = bicycle(x, s.z + 0.5 * fall, s.yaw + 50 * fall, bike, lean=82 * fall, rolled=abs(s.x))
            things.append(Thing(parts, "bicycle", moving=True))
        return things

    at_rest = settled(vehicles_at, crash + 1.9)

    def script(t: float) -> Moment:
        painted: list[Effect] = list(glass.at(t - crash))
        if crash - 0.4 < t < crash + 1.2:
            painted.append(_skid(fast.where(t)[0] + side * 1.2, z, t - crash + 0.4, seed, side))
        return Moment(cast(t, [victim if t < crash else cut, *people]), at_rest(t), painted)

    return script


def _cyclist(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """A car runs into a cyclist from behind or from the front."""
    start, stop = span
    side = side_of(rng)
    (car,) = some_cars(rng, 1, 0.0)
    z = lane(place, float(rng.uniform(0.2, 0.34)))
    x = place.across(side * float(rng.uniform(0.35, 0.55)), z)
    crash = start + 0.45
    v = float(rng.uniform(8.0, 10.0))
    behind = bool(rng.random() < 0.5)
    way = -side if behind else side  # the way the cyclist goes
    pace = float(rng.uniform(3.0, 4.0))
    fast = Drive.begin(
        crash - 0.3, x + side * (car.reach + 0.75) + side * (v * 0.3 - 0.5 * BRAKE * 0.09), -side * v
    ).then(crash - 0.3, side * BRAKE)
    fast = fast.then(crash, side * HALT, 0.85 * fast.where(crash)[1])
    rider = Player(rng, x - way * pace * (crash + 0.2), z + 0.15, 90.0 * way, "victim", look=clothed(rng, coat=False))
    rider.pedal((x + way * pace, z + 0.15), crash + 1.2)
    speed = abs(fast.where(crash)[1])
    colour = vehicles.PAINTS[int(rng.integers(6))]
    return _struck(rng, place, seconds, stop, _Blow(car, fast, z, side, crash, speed), victim=rider, bike=colour)


def drive_through(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Cars pass, people walk by; or a car pulls in, parks, and stays."""
    side = side_of(rng)
    kinds = some_cars(rng, 2)
    z = lane(place, float(rng.uniform(0.2, 0.34)))
    first = edge(place, side, z)
    v = float(rng.uniform(4.5, 8.0))
    trips = [(Drive.begin(float(rng.uniform(-0.5, 1.5)), first, -side * v), z, -90.0 * side)]
    parks = bool(rng.random() < 0.4)
    if parks:
        at = place.across(-side * float(rng.uniform(0.0, 0.4)), z)
        begin = trips[0][0].legs[0][0]
        slow = 2.4
        brake_way = v * v / (2 * slow)
        trips[0] = (trips[0][0].then(begin + max(abs(first - at) - brake_way, 0.1) / v, side * slow), z, -90.0 * side)
    elif rng.random() < 0.6:
        trips.append(
            (Drive.begin(trips[0][0].legs[0][0] + float(rng.uniform(2.6, 4.0)), first, -side * v), z, -90.0 * side)
        )
    people: list[Player] = []
    for _ in range(int(rng.integers(1, 3))):
        depth = float(rng.uniform(0.0, 0.1 if place.kind == "carpark" else 0.6))
        spot = aside(place, float(rng.uniform(-0.8, 0.8)), depth, taken=[one.where for one in people])
        one = Player(rng, *spot, float(rng.uniform(-120, 120)))
        pass_time(rng, one, seconds)
        people.append(one)

    def script(t: float) -> Moment:
        things = []
        for kind, (drive, along, yaw) in zip(kinds, trips, strict=False):
            x, _ = drive.where(t)
            if t >= drive.legs[0][0] and abs(x - place.across(0, along)) < 15:
                things.append(vehicle(kind, x, along, yaw, place, rolled=abs(x)))
        return Moment(cast(t, people), things)

    return script
