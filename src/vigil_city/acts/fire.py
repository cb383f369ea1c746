"""Arson and explosions: flames, smoke and what flies about; and a barbecue, which burns and smokes as it should."""

from collections.abc import Callable
from itertools import product

import numpy as np

from vigil_city.acts.staging import Stage, changing, on_floor
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import REST, RIGHT_ARM, pose
from vigil_city.bodies.motion import ahead, bearing, smooth, turned_away
from vigil_city.bodies.player import Player
from vigil_city.lens import effects
from vigil_city.places import props, vehicles
from vigil_city.places.place import Point
from vigil_city.places.shapes import box, burnt, placed, rod
from vigil_city.scene import Effect, Part, Script, Thing

CARD = ((168, 122, 72), (150, 112, 70), (182, 140, 92))
OUTDOORS = {"street", "carpark", "plaza"}
CHARRED = 0.85  # share of soot in the colour of what has burnt down
ALL_PANES = frozenset({"windscreen", "rear", "front1", "front-1", "rear1", "rear-1"})
TONGUES = ((0.0, 1.0, 0.05), (-0.32, 0.68, 0.12), (0.30, 0.74, 0.10))  # of a blaze: across, high, close


def blaze(base: Point, width: float, tall: float, heat: float, t: float, *, lift: float, near: float) -> list[Effect]:
    """Fire on a thing that stands at a floor point: its light and three tongues; heat 0..1.

    `near` metres before its middle, so that it burns on the side that is seen.
    """
    x, z = base
    if heat < 0.03:
        return []
    out = [effects.glow((x, lift + 0.5, z), 2.4 * tall * heat + 0.6, 0.55 * heat * (0.9 + 0.1 * np.sin(11 * t)))]
    for k, (across, high, close) in enumerate(TONGUES):
        foot, wide = (x + across * width, lift, z + close + near), width * (0.85 if k == 0 else 0.6)
        out.append(effects.flame(foot, wide * (0.35 + 0.65 * heat), tall * high * heat, t, 2.1 * k))
    return out


def _fuel(s: Stage, kind: str) -> tuple[list[Part], float, float]:
    """Something that burns: its parts, and the width and height of its fire."""
    if kind == "bin":
        return props.bin_(s.pick(props.BINS[:3])), 0.75, 1.7
    if kind == "car":
        car = vehicles.Car(s.pick(vehicles.BODIES[:2]), s.pick(vehicles.PAINTS))
        return placed(vehicles.car(car), yaw=90.0 if s.chance() else -90.0), 2.4, 2.2
    parts: list[Part] = []
    for k, spot in enumerate(((-0.28, 0, 0), (0.30, 0, 0.05), (0.0, 0.52, 0.0), (0.1, 0, 0.42))):
        size, turn = 0.52 if k < 3 else 0.4, s.between(-20, 20)
        parts += placed(props.crate(size, CARD[k % 3]), *spot, turn)
    return parts, 1.05, 1.6


def arson(s: Stage) -> Script:
    """Pours from a can, sets light to it, runs; the fire grows, smokes, and burns down at the end."""
    side = s.side()
    kind = s.pick(["boxes", "bin"] + (["car"] if s.place.kind in OUTDOORS else []))
    x, z = s.room((-0.3 * side, -0.1 * side), (0.5, 0.7), need=0.9)
    is_car = kind == "car"
    stand = (x + side * (0.9 if is_car else 0.85), z + (1.15 if is_car else 0.12))
    kindled = (x + side * 0.25, z + 0.93) if is_car else (x + side * 0.15, z + 0.3)  # where the fire starts
    lift, near = (0.5, 0.95) if is_car else (0.0, 0.25)
    parts, width, tall = _fuel(s, kind)
    tone = s.pick(((190, 36, 30), (40, 70, 130), (210, 180, 50), (60, 90, 60)))
    arsonist = s.enter(stand, s.start, side, "arsonist", s.dark_clothes() if s.chance(0.6) else s.clothed())
    arsonist.carry(poses.CARRY_LOW, RIGHT_ARM, 0.0).toward(*kindled, 0.35).commit(s.span)
    poured = arsonist.play((0.35, poses.POUR)).now
    out = s.exit_time(arsonist, side, 2.8, True)
    leaves = min(s.stop - 1.0 - 0.25 * (s.stop - s.start), max(s.stop - out - 0.5, s.start + 1.6))
    pours = max(leaves - 0.75, poured + 0.5)
    petrol = gear.Jet(poured, pours, (150, 140, 110), 0.014, 0.12, (0.45, 0.5), to_floor=True, points=4)
    arsonist.wear(gear.can(tone, lambda t: smooth((t - s.start - 0.1) / 0.3), petrol), -1.0, pours + 0.12)
    swing = pose(poses.POUR, spine=(26, -14, 0), r_wrist=(0.06, -0.10, 0.25))
    arsonist.repeat(pours, (0.25, swing), (0.25, poses.POUR))
    lights = poses.LIGHT if s.chance() else poses.TOSS
    lit = arsonist.play((0.35, lights)).now
    arsonist.play((0.15, lights)).carry(None, blend=0.0)
    s.flee(arsonist.play((0.2, poses.BACKWARDS)), side, speed=2.8)

    def witness() -> Player:
        spot = s.aside(-side * 0.85, 0.9, [(x, z)])
        other = s.stander(spot, side * 60.0, lit + 0.5)
        other.shift(0.6, ahead(*spot, side * 60.0 + 180, 0.4), poses.BACKWARDS, REST)
        return s.leave(other, -side, speed=2.6, run=True)

    players = [arsonist, *s.perhaps(0.4, witness)]
    ends = min(s.stop + 0.35, s.seconds - 0.3)
    seed = int(s.rng.integers(1000))
    whole, half, ash = (on_floor(burnt(parts, CHARRED * k), x, z, (1.0, 0.8)) for k in (0.0, 0.5, 1.0))
    radii = np.linspace(0.12, 0.55, 6)
    spill = kindled[0] + side * 0.15, 0, kindled[1] + 0.25
    puddles = [Thing(placed(props.pool(r, (48, 44, 46), seed), *spill)) for r in radii]
    cx, cz = ahead(*stand, bearing(*stand, *kindled), 0.25, 0.35)
    handle = rod((cx - 0.15, 0.1, cz), (cx + 0.15, 0.1, cz), 0.1, tone)
    lying = Thing([handle, *box(cx, 0, cz, (0.32, 0.2, 0.18), tone)])

    fuel = changing(whole, (lit + 0.8, half), (s.stop - 0.4, ash))

    def puddle(t: float) -> Thing | None:
        return puddles[int(np.clip((t - poured) / max(pours - poured, 0.1) * 6, 0, 5))] if t > poured else None

    def fire(t: float) -> list[Effect]:
        if t < lit:
            return []
        spread = smooth((t - lit) / (0.55 * max(ends - lit, 1.0))) ** 0.8
        heat = spread * (1 - smooth((t - (ends - 0.9)) / 0.9))
        burning = kindled[0] + (x - kindled[0]) * spread, kindled[1] + (z + 0.15 - kindled[1]) * spread
        hot, top = max(heat, 0.12 * (t < ends - 0.5)), (x, lift + 0.5 * tall * heat + 0.3, z)
        puffs = effects.plume(
            top, t - lit, rate=5.0, life=2.2, size=0.34 * width**0.5, seed=seed, until=ends - lit + 1.0
        )
        flames = blaze(burning, width, tall, hot, t, lift=lift * float(spread), near=near)
        return [*flames, effects.smoke(puffs, (46, 44, 44), 0.55)]

    return s.show(players, [fuel, puddle, changing(None, (pours + 0.12, lying))], [fire])


def _bomb(s: Stage) -> tuple[Callable[[float], list[Part]], float]:
    """What blows up: its parts when burnt to a share, and how far the fire sits above the floor."""
    if s.place.kind in OUTDOORS and s.chance(0.6):
        kind = vehicles.Car(s.pick(vehicles.BODIES), s.pick(vehicles.PAINTS))
        yaw = float(s.rng.choice([90, -90]) + s.rng.uniform(-12, 12))

        def wreck(share: float) -> list[Part]:
            panes = ALL_PANES if share else frozenset[str]()
            broken = vehicles.Damage(front=0.8 * share, rear=0.5 * share, side=share, panes=panes)
            return burnt(placed(vehicles.car(kind, broken), yaw=yaw), 0.88 * share)

        return wreck, 0.5
    colour = s.pick((props.BINS[0], *props.BINS[2:]))

    def remains(share: float) -> list[Part]:
        if share == 0:
            return props.bin_(colour) + placed(props.crate(0.45), 0.6, 0, 0.1)
        fallen = burnt(placed(props.bin_(colour, fall=0.9), yaw=60.0), 0.9 * CHARRED)
        return fallen + burnt(props.pool(0.8, (60, 56, 54), 3), 0.8 * CHARRED)

    return remains, 0.1


def explosion(s: Stage) -> Script:
    """Flash, fireball, smoke and debris; the picture shakes, people are thrown or flee."""
    side = s.side()
    x, z = s.room((-0.15 * side, 0.3 * side), (0.7, 0.95), need=0.9)
    parts, lift = _bomb(s)
    boom = s.start + 0.03
    spot = x - side * s.between(1.3, 1.7), z + 0.55
    yaw = float(s.rng.choice([-side * 90.0, -side * 60.0, side * 60.0, 0.0]))
    victim = s.pass_time(s.person(spot, yaw, "victim", s.clothed()), boom + 0.04)
    away = bearing(x, z, *victim.position)
    dx, dz = np.sin(np.radians(away)), np.cos(np.radians(away))
    facing = turned_away(away, victim.heading)
    on_back = (0.16, poses.BACKWARDS), (0.24, poses.FLOOR_BACK), (0.25, poses.LIE_BACK)
    fall = on_back if facing else ((0.2, poses.FLOOR_FRONT), (0.3, poses.LIE_FRONT))
    victim.thrown((2.2 * dx, 2.0, 0.9 * dz), *fall, yaw=away + 180 if facing else away)
    victim.until(max(s.stop - s.between(0.6, 1.2), boom + 2.0))
    if s.chance(0.6):
        victim.tumble((0.9, poses.CURLED if facing else poses.ALL_FOURS), (0.8, poses.ALL_FOURS))
    players = [victim]
    for k in range(int(s.rng.integers(1, 4))):
        u, v = (-side * 0.8, side * 0.9, -side * 0.2)[k], (0.25, 0.15, 0.1)[k]
        other = s.stander(s.aside(u, v, [player.position for player in players]), s.between(-180, 180), boom)
        players.append(s.panic(other, boom + 0.12 + 0.1 * k, -side if k != 1 else side))
    count, rng = 46, s.rng
    angle = rng.uniform(0, 2 * np.pi, count)
    out_by = rng.gamma(2.2, 1.3, count)
    speed = np.stack([out_by * np.cos(angle), rng.uniform(2.0, 7.0, count), 0.8 * out_by * np.sin(angle) + 0.6], 1)
    size, spin = rng.uniform(0.03, 0.13, count), rng.uniform(0, 6, count)
    tones = np.repeat(rng.uniform(25, 95, (count, 1)), 3, 1) + rng.uniform(-8, 12, (count, 3))
    origin = np.array([x, lift + 0.4, z])
    before, after = (on_floor(parts(share), x, z, (1.6, 1.0)) for share in (0.0, 1.0))
    wide, seed = s.between(1.2, 1.6), int(rng.integers(1000))
    halo, inner = props.pool(wide, (66, 62, 60), seed), props.pool(0.7 * wide, (40, 38, 37), seed + 1)
    soot = Thing(placed(halo + placed(inner, y=0.003), x, 0, z + 0.2))
    radius, tremor = s.between(1.5, 1.9) * (1.0 if lift > 0.3 else 0.85), s.between(0, 6)
    near = 0.95 if lift > 0.3 else 0.25

    def fire(t: float) -> list[Effect]:
        age = t - boom
        if age < 0:
            return []
        heat = 0.9 * (1 - smooth((t - (s.stop - 1.3)) / 1.5)) * smooth((age - 0.4) / 0.5)
        column = (x, lift + 0.5, z)
        puffs = effects.plume(column, age - 0.2, rate=9.0, life=3.0, size=0.8, seed=seed, until=s.stop - boom)
        painted = [
            effects.pieces(effects.fly(origin, speed, min(age, 4.0)), size, tones, spin + 7 * min(age, 1.2)),
            effects.glow(origin, 4.5, 0.8 * max(0.0, 1.0 - age / 0.7)),
            *blaze((x, z), 1.3, 1.35, heat, t, lift=lift, near=near),
            effects.smoke(puffs, (44, 42, 41), 0.72),
            effects.fireball((x, lift + 0.45, z + 0.3), radius, age),
        ]
        return [*painted, effects.flash(0.85 * (1 - age / 0.28))] if age < 0.28 else painted

    def jolt(t: float) -> Point:
        age = t - boom
        shake = 9.0 * np.exp(-3.2 * age) if age >= 0 else 0.0
        quake = float(shake * np.sin(38 * age + tremor)), float(shake * np.cos(31 * age))
        return quake if shake > 0.3 else (0.0, 0.0)

    def gain(t: float) -> float:
        age = t - boom
        bright, dazzled = float(np.exp(-9 * age)), float(np.exp(-1.5 * age) - np.exp(-9 * age))
        return 1.0 + 0.35 * bright - 0.12 * dazzled if age >= 0 else 1.0

    things = changing(before, (boom, after)), changing(None, (boom, soot))
    return s.show(players, things, [fire], jolt=jolt, gain=gain)


def barbecue(s: Stage) -> Script:
    """Tends a grill that burns and smokes where it should."""
    side = s.side()
    x, z = s.room((-0.25 * side, 0.0), (0.4, 0.65), need=1.0)
    cook = s.person((x + side * 0.78, z + 0.05), -side * 90.0)
    turn = pose(poses.REACH, spine=(14, 8, 0), r_wrist=(-0.02, -0.10, 0.28))
    other_way = pose(turn, spine=(14, -4, 0))
    cook.repeat(s.seconds, (0.6, turn), (0.4, other_way), (0.4, turn), (0.6, REST), (0.9, REST))
    cook.wear(gear.stick(0.3, 0.012, (190, 192, 196), -0.1))
    guest = s.chat(s.person((x - side * 0.9, z - 0.3), side * 70.0), s.seconds)
    parts = box(0, 0.74, 0, (0.62, 0.16, 0.42), (46, 46, 48)) + box(0, 0.90, 0, (0.56, 0.01, 0.36), (90, 40, 25))
    for dx, dz in product((-0.25, 0.25), (-0.15, 0.15)):
        parts.append(rod((dx, 0.02, dz), (dx, 0.75, dz), 0.02, (60, 60, 62)))
    grill, seed = on_floor(parts, x, z, (0.6, 0.4)), int(s.rng.integers(1000))

    def fire(t: float) -> list[Effect]:
        puffs = effects.plume((x, 1.1, z), t + 3, rate=4.0, life=2.0, size=0.20, seed=seed, until=s.seconds + 9)
        flames = blaze((x, z), 0.42, 0.34, 0.7, t, lift=0.9, near=0.1)[1:]
        return [*flames, effects.smoke(puffs, (165, 163, 160), 0.32)]

    return s.show([cook, guest], [grill], [fire])
