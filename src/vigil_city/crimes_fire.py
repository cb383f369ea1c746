"""Arson and Explosion: flames, smoke and what flies about."""

from collections.abc import Callable

import numpy as np

from vigil_city import effects, gear, props, vehicles
from vigil_city.acting import Player, ahead, bearing, cast
from vigil_city.blocking import Span, arrive, clothed, dark_clothes, exit_time, flee, leave, panic, pass_time, side_of
from vigil_city.body import REST, pose
from vigil_city.fire import blaze, burnt
from vigil_city.floor import aside, room
from vigil_city.gait import smooth
from vigil_city.places import Place
from vigil_city.postures import (
    ALL_FOURS,
    BACKWARDS,
    CARRY_LOW,
    CURLED,
    FLOOR_BACK,
    FLOOR_FRONT,
    LIE_BACK,
    LIE_FRONT,
    LIGHT,
    POUR,
    TOSS,
)
from vigil_city.scene import Effect, Moment, Part, Script, Thing
from vigil_city.shapes import box, footprint, rod

CARD = ((168, 122, 72), (150, 112, 70), (182, 140, 92))


def _fuel(rng: np.random.Generator, x: float, z: float, kind: str) -> tuple[list[Part], float, float]:
    """Something that burns: its parts, and the width and height of its fire."""
    if kind == "bin":
        return props.bin_(x, z, ((70, 96, 66), (60, 72, 96), (96, 90, 84))[int(rng.integers(3))], yaw=0.0), 0.75, 1.7
    if kind == "car":
        body = vehicles.Car(vehicles.BODIES[int(rng.integers(2))], vehicles.PAINTS[int(rng.integers(8))])
        return vehicles.car(body, x, z, 90.0 if rng.random() < 0.5 else -90.0), 2.4, 2.2
    parts: list[Part] = []
    for k, (dx, y, dz) in enumerate(((-0.28, 0, 0), (0.30, 0, 0.05), (0.0, 0.52, 0.0), (0.1, 0, 0.42))):
        parts += props.crate(
            x + dx, z + dz, 0.52 if k < 3 else 0.4, float(rng.uniform(-20, 20)), y=y, colour=CARD[k % 3]
        )
    return parts, 1.05, 1.6


def arson(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Pours from a can, sets light to it, runs; the fire grows, smokes, and burns down at the end."""
    start, stop = span
    side = side_of(rng)
    kinds = ["boxes", "bin"] + (["car"] if place.kind in {"street", "carpark", "plaza"} else [])
    kind = kinds[int(rng.integers(len(kinds)))]
    x, z = room(rng, place, (-0.3 * side, -0.1 * side), (0.5, 0.7), need=0.9)
    reach = 1.75 if kind == "car" else 0.85
    stand = (x + side * (0.9 if kind == "car" else reach), z + (1.15 if kind == "car" else 0.12))
    at = (x + side * 0.25, z + 0.93) if kind == "car" else (x + side * 0.15, z + 0.3)  # where the fire starts
    parts, width, tall = _fuel(rng, x, z, kind)
    tone = ((190, 36, 30), (40, 70, 130), (210, 180, 50), (60, 90, 60))[int(rng.integers(4))]
    arsonist = arrive(
        rng, place, stand, start, side, role="arsonist", look=dark_clothes(rng) if rng.random() < 0.6 else clothed(rng)
    )
    arsonist.carry(CARRY_LOW, ("r_wrist", "r_elbow"), 0.0)
    arsonist.toward(*at, 0.35)
    arsonist.until(start)
    arsonist.guilty(start, stop)
    arsonist.play((0.35, POUR))
    poured = arsonist.now
    out = exit_time(arsonist, place, side, 2.8, True)
    leaves = min(stop - 1.0 - 0.25 * (stop - start), max(stop - out - 0.5, start + 1.6))
    pours = max(leaves - 0.75, poured + 0.5)
    swing = pose(POUR, spine=(26, -14, 0), r_wrist=(0.06, -0.10, 0.25))
    arsonist.repeat(pours, (0.25, swing), (0.25, POUR))
    arsonist.until(pours)
    crouch = rng.random() < 0.5
    arsonist.play((0.35, LIGHT if crouch else TOSS))
    lit = arsonist.now
    arsonist.play((0.15, LIGHT if crouch else TOSS))
    arsonist.carry(None, blend=0.0)
    arsonist.play((0.2, BACKWARDS))
    flee(arsonist, place, side, stop, speed=2.8)
    dropped = pours + 0.12
    players = [arsonist]
    if rng.random() < 0.4:
        spot = aside(place, -side * 0.85, 0.9, taken=[(x, z)])
        other = Player(rng, *spot, side * 60.0)
        pass_time(rng, other, lit + 0.5)
        other.shift(0.6, ahead(*spot, side * 60.0 + 180, 0.4), BACKWARDS, REST)
        players.append(leave(other, place, -side, speed=2.6, run=True))
    ends = min(stop + 0.35, seconds - 0.3)
    seed = int(rng.integers(1000))
    whole, ash = (
        Thing(parts, shadow=footprint(x, z, 1.0, 0.8)),
        Thing(burnt(parts, 1.0), shadow=footprint(x, z, 1.0, 0.8)),
    )
    half = Thing(burnt(parts, 0.5), shadow=footprint(x, z, 1.0, 0.8))
    puddles = [
        Thing(props.pool(at[0] + side * 0.15, at[1] + 0.25, r, (48, 44, 46), seed=seed))
        for r in np.linspace(0.12, 0.55, 6)
    ]
    can_spot = ahead(*stand, bearing(*stand, *at), 0.25, 0.35)
    lying = Thing(
        [
            rod((can_spot[0] - 0.15, 0.1, can_spot[1]), (can_spot[0] + 0.15, 0.1, can_spot[1]), 0.1, tone),
            *box(can_spot[0], 0.0, can_spot[1], (0.32, 0.2, 0.18), tone),
        ]
    )
    lift = 0.5 if kind == "car" else 0.0

    def script(t: float) -> Moment:
        burning = smooth((t - lit) / (0.55 * max(ends - lit, 1.0))) ** 0.8
        heat = burning * (1 - smooth((t - (ends - 0.9)) / 0.9))
        things = [whole if t < lit + 0.8 else half if t < stop - 0.4 else ash]
        if t > poured:
            things.append(puddles[int(np.clip((t - poured) / max(pours - poured, 0.1) * 6, 0, 5))])
        figures = cast(t, players)
        painted: list[Effect] = []
        if t < dropped:
            tilt = smooth((t - start - 0.1) / 0.3)
            sk = arsonist.skeleton(t)
            figures[0].extra.extend(gear.can(tilt, tone)(sk, arsonist.look))
            if poured < t < pours:
                tip = gear.spout(sk, tilt)
                fall = [
                    tip + np.array([0, -0.45 * u - 0.5 * u * u, 0]) * tip[1] + 0.12 * u * sk.root[:, 2]
                    for u in np.linspace(0, 1, 4)
                ]
                figures[0].extra.extend(props.line(fall, 0.014, (150, 140, 110)))
        else:
            things.append(lying)
        if t >= lit:
            where = at[0] + (x - at[0]) * burning, at[1] + (z + 0.15 - at[1]) * burning
            painted += blaze(
                where,
                width,
                tall,
                max(heat, 0.12 * (t < ends - 0.5)),
                t,
                lift=lift * float(burning),
                near=0.95 if kind == "car" else 0.25,
            )
            puffs = effects.plume(
                (x, lift + 0.5 * tall * heat + 0.3, z),
                t - lit,
                rate=5.0,
                life=2.2,
                size=0.34 * width**0.5,
                seed=seed,
                until=ends - lit + 1.0,
            )
            painted.append(effects.smoke(puffs, (46, 44, 44), 0.55))
        return Moment(figures, things, painted)

    return script


def _source(rng: np.random.Generator, place: Place, x: float, z: float) -> tuple[Callable[[float], list[Part]], float]:
    """What blows up: its parts when burnt to a share, and how far the fire sits above the floor."""
    if place.kind in {"street", "carpark", "plaza"} and rng.random() < 0.6:
        kind = vehicles.Car(vehicles.BODIES[int(rng.integers(3))], vehicles.PAINTS[int(rng.integers(8))])
        yaw = float(rng.choice([90, -90]) + rng.uniform(-12, 12))
        panes = frozenset({"windscreen", "rear", "front1", "front-1", "rear1", "rear-1"})

        def wreck(share: float) -> list[Part]:
            broken = vehicles.Damage(
                front=0.8 * share, rear=0.5 * share, side=share, panes=panes if share else frozenset(), burnt=share
            )
            return vehicles.car(kind, x, z, yaw, damage=broken)

        return wreck, 0.5
    colour = ((70, 96, 66), (96, 90, 84), (120, 60, 50))[int(rng.integers(3))]

    def remains(share: float) -> list[Part]:
        if share == 0:
            return props.bin_(x, z, colour) + props.crate(x + 0.6, z + 0.1, 0.45)
        return burnt(props.bin_(x, z, colour, fall=0.9, yaw=60.0), 0.9) + burnt(
            props.pool(x, z, 0.8, (60, 56, 54), seed=3), 0.8
        )

    return remains, 0.1


def explosion(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Flash, fireball, smoke and debris; the picture shakes, people are thrown or flee."""
    start, stop = span
    side = side_of(rng)
    x, z = room(rng, place, (-0.15 * side, 0.3 * side), (0.7, 0.95), need=0.9)
    parts, lift = _source(rng, place, x, z)
    boom = start + 0.03
    near_x = x - side * float(rng.uniform(1.3, 1.7))
    victim = Player(
        rng,
        near_x,
        z + 0.55,
        float(rng.choice([-side * 90.0, -side * 60.0, side * 60.0, 0.0])),
        "victim",
        look=clothed(rng),
    )
    pass_time(rng, victim, boom + 0.04)
    victim.until(boom + 0.04)
    away = bearing(x, z, *victim.where)
    dx, dz = np.sin(np.radians(away)), np.cos(np.radians(away))
    facing = abs((away - victim.heading + 180) % 360 - 180) > 90
    fall = (
        ((0.16, BACKWARDS), (0.24, FLOOR_BACK), (0.25, LIE_BACK)) if facing else ((0.2, FLOOR_FRONT), (0.3, LIE_FRONT))
    )
    victim.thrown((2.2 * dx, 2.0, 0.9 * dz), *fall, yaw=away + 180 if facing else away)
    rises = stop - float(rng.uniform(0.6, 1.2))
    victim.until(max(rises, boom + 2.0))
    if rng.random() < 0.6:
        victim.tumble((0.9, CURLED if facing else ALL_FOURS), (0.8, ALL_FOURS))
    players = [victim]
    for k in range(int(rng.integers(1, 4))):
        spot = aside(
            place, (-side * 0.8, side * 0.9, -side * 0.2)[k], (0.25, 0.15, 0.1)[k], taken=[p.where for p in players]
        )
        one = Player(rng, *spot, float(rng.uniform(-180, 180)), "bystander")
        pass_time(rng, one, boom)
        players.append(panic(rng, one, place, boom + 0.12 + 0.1 * k, -side if k != 1 else side))
    for one in players:
        one.guilty(start, start)  # nobody here does it
    count = 46
    angle = rng.uniform(0, 2 * np.pi, count)
    out_by = rng.gamma(2.2, 1.3, count)
    speed = np.stack([out_by * np.cos(angle), rng.uniform(2.0, 7.0, count), 0.8 * out_by * np.sin(angle) + 0.6], 1)
    size, spin = rng.uniform(0.03, 0.13, count), rng.uniform(0, 6, count)
    tones = np.repeat(rng.uniform(25, 95, (count, 1)), 3, 1) + rng.uniform(-8, 12, (count, 3))
    origin = np.array([x, lift + 0.4, z])
    shape = footprint(x, z, 1.6, 1.0)
    before, after = Thing(parts(0.0), shadow=shape), Thing(parts(1.0), shadow=shape)
    wide, seed = float(rng.uniform(1.2, 1.6)), int(rng.integers(1000))
    soot = Thing(
        props.pool(x, z + 0.2, wide, (66, 62, 60), seed=seed)
        + props.pool(x, z + 0.2, 0.7 * wide, (40, 38, 37), seed=seed + 1, y=0.009)
    )
    radius, tremor = float(rng.uniform(1.5, 1.9)) * (1.0 if lift > 0.3 else 0.85), float(rng.uniform(0, 6))

    def script(t: float) -> Moment:
        age = t - boom
        figures = cast(t, players)
        if age < 0:
            return Moment(figures, [before])
        fade = 1 - smooth((t - (stop - 1.3)) / 1.5)
        painted: list[Effect] = [
            effects.pieces(effects.fly(origin, speed, min(age, 4.0)), size, tones, spin + 7 * min(age, 1.2))
        ]
        painted.append(effects.glow(origin, 4.5, 0.8 * max(0.0, 1.0 - age / 0.7)))
        painted += blaze(
            (x, z), 1.3, 1.35, 0.9 * fade * smooth((age - 0.4) / 0.5), t, lift=lift, near=0.95 if lift > 0.3 else 0.25
        )
        puffs = effects.plume((x, lift + 0.5, z), age - 0.2, rate=9.0, life=3.0, size=0.8, seed=seed, until=stop - boom)
        painted.append(effects.smoke(puffs, (44, 42, 41), 0.72))
        painted.append(effects.fireball((x, lift + 0.45, z + 0.3), radius, age))
        if age < 0.28:
            painted.append(effects.flash(0.85 * (1 - age / 0.28)))
        shake = 9.0 * np.exp(-3.2 * age)
        jolt = (
            (float(shake * np.sin(38 * age + tremor)), float(shake * np.cos(31 * age))) if shake > 0.3 else (0.0, 0.0)
        )
        gain = 1.0 + 0.35 * float(np.exp(-9 * age)) - 0.12 * float(np.exp(-1.5 * age) - np.exp(-9 * age))
        return Moment(figures, [after, soot], painted, jolt, gain)

    return script
