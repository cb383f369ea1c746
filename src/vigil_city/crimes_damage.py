"""Vandalism: machines, windows, bins and walls are spoilt, and stay spoilt."""

from collections.abc import Callable

import numpy as np

from vigil_city import gear, props, vehicles
from vigil_city.acting import Player, ahead, cast
from vigil_city.blocking import Span, arrive, exit_time, flee, side_of
from vigil_city.crimes_paint import graffiti, onlooker, vandal_look
from vigil_city.floor import room
from vigil_city.gait import smooth
from vigil_city.glass import hole, shards
from vigil_city.places import Place
from vigil_city.poses import CHAMBER, GUARD, KICK, LOW_KICK, RAISE, SMASH
from vigil_city.scene import Moment, Script, Thing
from vigil_city.shapes import footprint


def vandalism(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Smashes or kicks what the place offers, or sprays its wall; the damage stays."""
    ways: list[Callable[..., Script]] = [_bins]
    if "machine" in place.fixtures:
        ways += [_machine, _machine]
    if place.kind in {"house", "lobby"}:
        ways += [graffiti, graffiti]
    if "window" in place.fixtures:
        ways.append(_window)
    if place.kind in {"street", "carpark", "plaza"}:
        ways += [_car, _car]
    return ways[int(rng.integers(len(ways)))](rng, place, seconds, span)


def _blows(rng: np.random.Generator, player: Player, until: float, bat: bool) -> list[float]:
    """Swings a bat, or kicks, until then; when it lands."""
    hits: list[float] = []
    while True:
        kick = KICK if rng.random() < 0.5 else LOW_KICK
        keys = (
            ((0.30, RAISE), (0.18, SMASH), (0.10, SMASH), (0.30, GUARD))
            if bat
            else ((0.20, CHAMBER), (0.15, kick), (0.08, kick), (0.30, GUARD))
        )
        if player.now + sum(s for s, _ in keys) > until and hits:
            return hits
        hits.append(player.now + keys[0][0] + keys[1][0])
        player.play(*keys)
        player.wait(float(rng.uniform(0.0, 0.2)))


def _jolt(t: float, hits: list[float]) -> float:
    """How far a struck thing swings at t, -1..1."""
    age = min((t - hit for hit in hits if hit <= t), default=9.0)
    return float(np.exp(-7 * age) * np.cos(32 * age))


def _machine(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Beats or kicks a vending machine until its pane is broken and it is dark."""
    start, stop = span
    fixture = place.fixtures["machine"]
    side = 1 if fixture.x < place.spot(0, 0.6)[0] else -1
    turn = np.sin(np.radians(fixture.yaw)) * side
    x, z, _ = fixture.front(0.52, (0.42 if turn < 0.5 else 0.0) * side)
    vandal = arrive(rng, place, (x, z), start, side, role="vandal", look=vandal_look(rng))
    vandal.toward(fixture.x, fixture.z, 0.35)
    vandal.until(start)
    vandal.guilty(start, stop)
    bat = bool(rng.random() < 0.5)
    if bat:
        vandal.wear(gear.stick(0.72, 0.030, (160, 120, 70)))
    hits = _blows(rng, vandal, stop - exit_time(vandal, place, side, 2.4, True), bat)
    flee(vandal, place, side, stop, speed=2.4)
    paint = getattr(fixture.parts[0], "rgb", np.array([90, 90, 96], np.float32))
    shape = footprint(fixture.x, fixture.z, *fixture.size, yaw=fixture.yaw)
    still = [
        Thing(props.vending_machine(fixture.x, fixture.z, fixture.yaw, paint, damage=k / len(hits)), shadow=shape)
        for k in range(len(hits) + 1)
    ]
    front = ahead(fixture.x, fixture.z, fixture.yaw, 0.45)
    glass = shards(
        rng, (front[0], 1.1, front[1]), 26, 0.25, (np.sin(np.radians(fixture.yaw)), np.cos(np.radians(fixture.yaw)))
    )
    players = [
        vandal,
        *onlooker(rng, place, -side, seconds, depth=0.15),
    ]

    def script(t: float) -> Moment:
        done = sum(hit <= t for hit in hits)
        swing = 3.0 * _jolt(t, hits)
        thing = still[done]
        if abs(swing) > 0.15:
            thing = Thing(
                props.vending_machine(fixture.x, fixture.z, fixture.yaw, paint, damage=done / len(hits), tilt=swing),
                moving=True,
                shadow=shape,
            )
        return Moment(cast(t, players), [thing], glass.at(t - hits[0]), without=frozenset({"machine"}))

    return script


def _bins(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Kicks bins over; rubbish spills."""
    start, stop = span
    side = side_of(rng)
    count = 2 if stop - start > 3.6 else 1
    z = room(rng, place, (-0.2, 0.2), (0.5, 0.75), need=1.2, without=frozenset({"bin"}))[1]
    spots = [(place.across(side * 0.28 * (count - 1), z) - side * 1.5 * k, z - 0.05 * k) for k in range(count)]
    tones = [((70, 96, 66), (60, 72, 96), (96, 90, 84), (120, 60, 50))[int(rng.integers(4))] for _ in spots]
    stand = (spots[0][0] + side * 0.95, z + 0.05)
    vandal = arrive(rng, place, stand, start, side, role="vandal", look=vandal_look(rng))
    vandal.toward(*spots[0], 0.3)
    vandal.until(start)
    vandal.guilty(start, stop)
    yaw = -90.0 * side
    falls, knocks = [], []
    for k, spot in enumerate(spots):
        if k:
            vandal.walk((spots[0][0] + side * 0.4, z + 0.75), (spot[0] + side * 0.98, z + 0.42), speed=1.9)
            vandal.face(yaw - side * 18, 0.2)
        tries = 2 if k == 0 and stop - start > 3.2 else 1
        for _ in range(tries):
            vandal.play((0.22, CHAMBER), (0.15, KICK))
            knocks.append((vandal.now, k))
            vandal.play((0.08, KICK), (0.28, GUARD))
        falls.append(knocks[-1][0])
    out = exit_time(vandal, place, side, 2.4, True)
    while vandal.now + 0.75 < stop - out:
        vandal.play((0.22, CHAMBER), (0.15, LOW_KICK), (0.08, LOW_KICK), (0.28, GUARD))
    flee(vandal, place, side, stop, speed=2.4)
    spill = []
    for spot in spots:
        edge = ahead(*spot, yaw, 1.25)
        litter = [
            Thing(
                props.crate(
                    *ahead(*edge, float(rng.uniform(0, 360)), float(rng.uniform(0.05, 0.5))),
                    float(rng.uniform(0.09, 0.2)),
                    float(rng.uniform(0, 90)),
                    colour=tuple(rng.uniform(60, 220, 3)),
                )
            )
            for _ in range(5)
        ]
        spill.append(litter)
    upright = [
        Thing(props.bin_(*spot, tone, 0.0, yaw), shadow=footprint(*spot, 0.55, 0.55))
        for spot, tone in zip(spots, tones, strict=True)
    ]
    down = [
        Thing(props.bin_(*spot, tone, 1.0, yaw), shadow=footprint(*ahead(*spot, yaw, 0.6), 1.0, 0.55))
        for spot, tone in zip(spots, tones, strict=True)
    ]
    players = [
        vandal,
        *onlooker(rng, place, side, seconds, taken=[stand, *spots, *(ahead(*spot, yaw, 0.9) for spot in spots)]),
    ]

    def script(t: float) -> Moment:
        things: list[Thing] = []
        for k, spot in enumerate(spots):
            tip = smooth((t - falls[k]) / 0.5) ** 1.4
            rock = 0.07 * max(
                (
                    max(0.0, 1 - (t - when) / 0.3)
                    for when, which in knocks
                    if which == k and 0 <= t - when < 0.3 and when < falls[k]
                ),
                default=0.0,
            )
            if tip >= 1:
                things += [down[k], *spill[k]]
            elif tip + rock > 0:
                things.append(
                    Thing(props.bin_(*spot, tones[k], tip + rock, yaw), moving=True, shadow=footprint(*spot, 0.6, 0.6))
                )
            else:
                things.append(upright[k])
        return Moment(cast(t, players), things, without=frozenset({"bin"}))

    return script


def _car(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Smashes the windows of a parked car with a bat."""
    start, stop = span
    side = side_of(rng)
    kind = vehicles.Car(vehicles.BODIES[int(rng.integers(2))], vehicles.PAINTS[int(rng.integers(8))])
    x, z = room(rng, place, (-0.3 * side, -0.1 * side), (0.75, 0.9), need=1.2)
    face = 1 if rng.random() < 0.5 else -1  # which way it is parked
    yaw = 90.0 * face
    near = -face  # the side of the car that the camera sees: its right when it looks to the right
    spots = [(x + side * 0.55, z + 1.38), (x - side * 0.35, z + 1.38)]
    vandal = arrive(rng, place, spots[0], start, side, role="vandal", look=vandal_look(rng))
    vandal.wear(gear.stick(0.75, 0.032, (160, 120, 70)))
    vandal.face(180 - side * 18, 0.35)
    vandal.until(start)
    vandal.guilty(start, stop)
    out = exit_time(vandal, place, side, 2.6, True)
    middle = (start + stop - out) / 2
    hits = _blows(rng, vandal, middle, True)
    first = len(hits)
    vandal.shift(0.4, spots[1], GUARD)
    hits += _blows(rng, vandal, stop - out, True)
    flee(vandal, place, side, stop, speed=2.6)
    names = ["front", "rear"] if side * face > 0 else ["rear", "front"]
    shape = footprint(x, z, 4.1, 1.7)

    def broken(*panes: str) -> Thing:
        return Thing(
            vehicles.car(
                kind,
                x,
                z,
                yaw,
                damage=vehicles.Damage(panes=frozenset(f"{p}{near}" for p in panes), side=0.35 * len(panes)),
            ),
            shadow=shape,
        )

    states = [broken(), broken(names[0]), broken(*names)]
    glass = [shards(rng, (spot[0], 1.15, z + 0.85), 24, 0.25, (0.0, 1.0)) for spot in spots]
    players = [vandal, *onlooker(rng, place, side, seconds, taken=[*spots, (x, z), (x - 1.4, z), (x + 1.4, z)])]

    def script(t: float) -> Moment:
        stage = int(t >= hits[0]) + int(t >= hits[first])
        flying = glass[0].at(t - hits[0]) + glass[1].at(t - hits[first])
        return Moment(
            cast(t, players),
            [states[stage]],
            flying,
            without=frozenset({"car"}) if place.kind == "street" else frozenset(),
        )

    return script


def _window(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Smashes a window with a bat."""
    start, stop = span
    pane = place.fixtures["window"]
    side = 1 if pane.x < place.spot(0, 1)[0] else -1
    front = -place.wall_z
    vandal = arrive(
        rng, place, (pane.x + side * 0.35, front + 0.85), start, side, role="vandal", look=vandal_look(rng), z=place.far
    )
    vandal.wear(gear.stick(0.75, 0.032, (160, 120, 70)))
    vandal.face(180 + side * 28, 0.35)
    vandal.until(start)
    vandal.guilty(start, stop)
    hits = _blows(rng, vandal, stop - exit_time(vandal, place, side, 2.5, True), True)
    flee(vandal, place, side, stop, speed=2.5, z=place.far)
    stages = [Thing(hole(pane, front, (k + 1) / len(hits))) for k in range(len(hits))]
    glass = shards(rng, (pane.x, 1.45, front + 0.08), 36, 0.5, (0.0, 1.0))
    players = [vandal, *onlooker(rng, place, side, seconds, taken=[(pane.x, front + 0.8)])]

    def script(t: float) -> Moment:
        done = sum(hit <= t for hit in hits)
        return Moment(cast(t, players), [stages[done - 1]] if done else [], glass.at(t - hits[0]))

    return script
