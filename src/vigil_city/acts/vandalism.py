"""Damage and Vandalism: machines, windows, bins, cars and walls are spoilt, and stay spoilt."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, product

import numpy as np

from vigil_city.acts.staging import Stage, changing, handed, on_floor, window_broken_by
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import REST, pose
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import ahead, smooth
from vigil_city.bodies.player import Player, reaching
from vigil_city.lens.effects import shards, spray
from vigil_city.places import props, vehicles
from vigil_city.places.place import Point, clearance
from vigil_city.places.shapes import Colour, footprint, placed, rod
from vigil_city.scene import Effect, Script, Thing

PAINT = ((215, 40, 45), (40, 90, 215), (235, 195, 40), (30, 160, 80), (220, 60, 170), (20, 20, 24))
BAT = (160, 120, 70)
GUARD, CHAMBER = poses.GUARD, poses.CHAMBER
STROKES = 7  # of a spray can


def vandalism(s: Stage) -> Script:
    """Smashes or kicks what the place offers, or sprays its wall; the damage stays."""
    ways: list[Callable[[Stage], Script]] = [_bins]
    if "machine" in s.place.fixtures:
        ways += [_machine, _machine]
    if s.place.kind in {"house", "lobby"}:
        ways += [_graffiti, _graffiti]
    if "window" in s.place.fixtures:
        ways.append(_window)
    if s.place.kind in {"street", "carpark", "plaza"}:
        ways += [_car, _car]
    return s.pick(ways)(s)


def _look(s: Stage) -> Look:
    return s.dark_clothes() if s.chance(0.4) else s.clothed(hat=s.chance())


def _onlooker(s: Stage, side: int, occupied: Sequence[Point] = (), depth: float = 0.8) -> list[Player]:
    """Sometimes somebody who stands by on the other side, away from the points that are occupied."""
    if s.chance(0.6):
        return []
    return [s.stander(s.aside(-side * 0.9, depth, occupied), side * 60.0)]


def _blows(s: Stage, player: Player, until: float, bat: bool) -> list[float]:
    """Swings a bat, or kicks, until then; when it lands."""

    def choose() -> str:
        kick = "high kick" if s.chance() else "low kick"
        return "bat" if bat else kick

    return s.beat(player, until, choose, 0.2, least=1)


def _machine(s: Stage) -> Script:
    """Beats or kicks a vending machine until its pane is broken and it is dark."""
    machine = s.place.fixtures["machine"]
    side = s.away_from(machine, 0.6)
    out = np.array([np.sin(np.radians(machine.yaw)), np.cos(np.radians(machine.yaw))])
    x, z, _ = machine.front(0.52, (0.42 if out[0] * side < 0.5 else 0.0) * side)
    vandal = s.enter((x, z), s.start, side, "vandal", _look(s)).toward(machine.x, machine.z, 0.35).commit(s.span)
    bat = s.chance()
    if bat:
        vandal.wear(gear.stick(0.72, 0.030, BAT))
    hits = _blows(s, vandal, s.stop - s.exit_time(vandal, side, 2.4, True), bat)
    s.flee(vandal, side, speed=2.4)

    def at_damage(share: float, tilt: float = 0.0) -> Thing:
        parts = props.vending_machine(machine.paint(), share, tilt)
        return on_floor(parts, machine.x, machine.z, machine.size, machine.yaw, tilt != 0.0)

    still = [at_damage(k / len(hits)) for k in range(len(hits) + 1)]
    front = ahead(machine.x, machine.z, machine.yaw, 0.45)
    glass = shards(s.rng, (front[0], 1.1, front[1]), 26, 0.25, (out[0], out[1]), hits[0])
    players = [vandal, *_onlooker(s, -side, depth=0.15)]

    def beaten(t: float) -> Thing:
        done = sum(hit <= t for hit in hits)
        age = t - hits[done - 1] if done else 9.0
        swing = 3.0 * float(np.exp(-7 * age) * np.cos(32 * age))
        return at_damage(done / len(hits), swing) if abs(swing) > 0.15 else still[done]

    return s.show(players, [beaten], [glass], ["machine"])


def _bins(s: Stage) -> Script:
    """Kicks bins over; rubbish spills."""
    side, count = s.side(), 2 if s.stop - s.start > 3.6 else 1
    z = s.room((-0.2, 0.2), (0.5, 0.75), need=1.2, without=["bin"])[1]
    spots = [(s.place.across(side * 0.28 * (count - 1), z) - side * 1.5 * k, z - 0.05 * k) for k in range(count)]
    tones = [s.pick(props.BINS) for _ in spots]
    stand, yaw = (spots[0][0] + side * 0.95, z + 0.05), -90.0 * side
    vandal = s.enter(stand, s.start, side, "vandal", _look(s)).toward(*spots[0], 0.3).commit(s.span)
    knocks = [_kick_over(s, vandal, spots, k, side) for k in range(count)]
    s.flee(vandal, side, speed=2.4)

    def fallen(spot: Point, tone: Colour) -> Thing:
        parts = placed(props.bin_(tone, 1.0), spot[0], 0, spot[1], yaw)
        for _ in range(5):
            x, z = ahead(*ahead(*spot, yaw, 1.25), s.between(0, 360), s.between(0.05, 0.5))
            size, turn, colour = s.between(0.09, 0.2), s.between(0, 90), s.rng.uniform(60, 220, 3)
            parts += placed(props.crate(size, colour), x, 0, z, turn)
        return Thing(parts, shadow=footprint(*ahead(*spot, yaw, 0.6), 1.0, 0.55))

    bins = list(zip(spots, tones, strict=True))
    upright = [on_floor(props.bin_(tone), *spot, (0.55, 0.55), yaw) for spot, tone in bins]
    down = [fallen(*standing) for standing in bins]
    players = [vandal, *_onlooker(s, side, [stand, *spots, *(ahead(*spot, yaw, 0.9) for spot in spots)])]

    def kicked(k: int, t: float) -> Thing:
        *rocks, falls = knocks[k]
        tip = smooth((t - falls) / 0.5) ** 1.4
        rock = max((1 - (t - when) / 0.3 for when in rocks if 0 <= t - when < 0.3), default=0.0)
        if tip >= 1 or tip + 0.07 * rock <= 0:
            return down[k] if tip >= 1 else upright[k]
        return on_floor(props.bin_(tones[k], tip + 0.07 * rock), *spots[k], (0.6, 0.6), yaw, moving=True)

    return s.show(players, [partial(kicked, k) for k in range(count)], without=["bin"])


def _kick_over(s: Stage, vandal: Player, spots: list[Point], k: int, side: int) -> list[float]:
    """Kicks bin number k until it falls; when the kicks land."""
    if k:
        x, z = spots[0][0] + side * 0.4, spots[0][1] + 0.75
        vandal.walk((x, z), (spots[k][0] + side * 0.98, spots[0][1] + 0.42), speed=1.9)
        vandal.face(-90.0 * side - side * 18, 0.2)
    knocks = []
    for _ in range(2 if k == 0 and s.stop - s.start > 3.2 else 1):
        knocks.append(vandal.play((0.22, CHAMBER), (0.15, poses.KICK)).now)
        vandal.play((0.08, poses.KICK), (0.28, GUARD))
    return knocks


def _car(s: Stage) -> Script:
    """Smashes the windows of a parked car with a bat."""
    side = s.side()
    kind = vehicles.Car(s.pick(vehicles.BODIES[:2]), s.pick(vehicles.PAINTS))
    x, z = s.room((-0.3 * side, -0.1 * side), (0.75, 0.9), need=1.2)
    face = 1 if s.chance() else -1  # which way it is parked; the camera sees its right when it looks to the right
    spots = [(x + side * 0.55, z + 1.38), (x - side * 0.35, z + 1.38)]
    vandal = s.enter(spots[0], s.start, side, "vandal", _look(s)).wear(gear.stick(0.75, 0.032, BAT))
    vandal.face(180 - side * 18, 0.35).commit(s.span)
    out = s.exit_time(vandal, side, 2.6, True)
    hits = _blows(s, vandal, (s.start + s.stop - out) / 2, True)
    first = len(hits)
    vandal.shift(0.4, spots[1], GUARD)
    hits += _blows(s, vandal, s.stop - out, True)
    s.flee(vandal, side, speed=2.6)
    names = ["front", "rear"] if side * face > 0 else ["rear", "front"]

    def broken(*panes: str) -> Thing:
        damage = vehicles.Damage(panes=frozenset(f"{pane}{-face}" for pane in panes), side=0.35 * len(panes))
        return on_floor(vehicles.car(kind, damage), x, z, (1.7, 4.1), 90.0 * face)

    breaks = hits[0], hits[first]
    car = changing(broken(), (breaks[0], broken(names[0])), (breaks[1], broken(*names)))
    glass = [shards(s.rng, (spots[k][0], 1.15, z + 0.85), 24, 0.25, (0.0, 1.0), breaks[k]) for k in (0, 1)]
    players = [vandal, *_onlooker(s, side, [*spots, (x, z), (x - 1.4, z), (x + 1.4, z)])]
    return s.show(players, [car], glass, ["car"] if s.place.kind == "street" else [])


def _window(s: Stage) -> Script:
    """Smashes a window with a bat."""
    pane, front, far = s.place.fixtures["window"], -s.place.wall_z, s.place.far
    side = s.away_from(pane)
    vandal = s.enter((pane.x + side * 0.35, front + 0.85), s.start, side, "vandal", _look(s), z=far)
    vandal.wear(gear.stick(0.75, 0.032, BAT)).face(180 + side * 28, 0.35).commit(s.span)
    hits = _blows(s, vandal, s.stop - s.exit_time(vandal, side, 2.5, True), True)
    s.flee(vandal, side, speed=2.5, z=far)
    glass = shards(s.rng, (pane.x, 1.45, front + 0.08), 36, 0.5, (0.0, 1.0), hits[0])
    players = [vandal, *_onlooker(s, side, [(pane.x, front + 0.8)])]
    return s.show(players, [window_broken_by(hits, pane.x, front)], [glass])


def _scrawl(s: Stage, x: float, y: float, side: int) -> np.ndarray:
    """A tag to be sprayed around (x, y) towards a side: points (N, 2) in the order of spraying, metres."""
    u = np.linspace(0, 1, 46)
    loops, lean = s.rng.integers(3, 5), s.rng.uniform(0.1, 0.35)
    wave = 2 * np.pi * loops * u + s.rng.uniform(0, 6)
    across = 1.25 * (u - 0.5) + 0.16 * np.cos(wave)
    up = 0.30 * np.sin(wave) * (0.6 + 0.4 * np.sin(2 * np.pi * u + s.rng.uniform(0, 6))) + lean * (u - 0.5)
    return np.stack([x + side * across, y + up], 1)


def _graffiti(s: Stage) -> Script:
    """Sprays a tag on the wall."""
    front, far, circles = -s.place.wall_z, s.place.far, s.place.obstacles()
    choices = []
    for u, side in product((-0.62, -0.3, 0.0, 0.3, 0.62), (-1, 1)):
        x = s.place.across(u, far)
        free = min(clearance((x - side * off, front + 0.62), circles) for off in (0.9, 0.4, 0.0, -0.2))
        apart = min(1.0, *(abs(x - f.x) for f in s.place.fixtures.values()))  # from doors and posters, too
        choices.append((min(free, 0.1) + 0.2 * apart + 0.01 * s.rng.random(), x, side))
    _, x, side = max(choices)
    tag, colour = _scrawl(s, x, 1.35, side), s.pick(PAINT)
    begin = (x - side * 0.62 - side * 0.25, front + 0.62)
    vandal = s.enter(begin, s.start, -side, "vandal", _look(s), z=far).face(180 - side * 48, 0.35).commit(s.span)
    vandal.wear(gear.spray_can(colour))
    wet = vandal.now + 0.35
    dry = max(s.stop - s.exit_time(vandal, side, 2.2, True) - 0.2, wet + 1.2)
    end = (begin[0] + side * 1.0, begin[1])
    vandal.play((0.35, poses.SPRAY_HIGH))
    for k in range(STROKES):
        share = (k + 1) / STROKES
        nx, ny = tag[min(int(share * 45), 45)]
        base = poses.SPRAY_HIGH if ny > 1.3 else poses.SPRAY_LOW
        arm = reaching(base, vandal, "r", (nx - side * 0.1, ny, front + 0.2))
        vandal.shift((dry - wet) / STROKES, (begin[0] + (end[0] - begin[0]) * share, begin[1]), arm)
    s.flee(vandal.play((0.2, pose(REST, r_wrist=(0.03, -0.28, 0.08)))), side, speed=2.2, z=far)
    lines = [rod((*a, front), (*b, front), 0.045, colour) for a, b in pairwise(tag)]
    stages = [Thing(lines[: 3 * k]) for k in range(1, len(lines) // 3 + 1)]

    def done(t: float) -> float:
        return float(np.clip((t - wet) / (dry - wet), 0, 1))

    def sprayed(t: float) -> Thing | None:
        return stages[min(int(done(t) * len(stages)), len(stages) - 1)] if done(t) > 0 else None

    def mist(t: float) -> list[Effect]:
        if not 0 < done(t) < 1:
            return []
        tip = vandal.skeleton(t).joints["r_hand"] + (0, 0.1, 0)
        aim = np.array([*tag[min(int(done(t) * 45), 45)], front]) - tip
        reach = float(np.linalg.norm(aim))
        return [spray(tip, aim / reach, min(reach, 0.5), colour, t)]

    return s.show([vandal, *_onlooker(s, -side, [begin, end], 0.15)], [sprayed], [mist])


def damage(s: Stage) -> Script:
    """Somebody kicks a machine or a bin, or beats it with a bat, until it gives; then walks off."""
    side, v, bat = s.side(), s.depth(0.25, 0.7), s.chance()
    x, z = s.place.spot(-side * s.between(0.15, 0.4), v)
    machine, yaw, tone = s.chance(), side * s.between(40, 75), s.pick(props.COLOURS)
    vandal = s.enter(ahead(x, z, yaw, 1.02 if machine else 0.85), s.start - 0.5, side, "vandal").toward(x, z, 0.4)
    if bat:
        vandal.wear(gear.stick(0.55, 0.025, (170, 130, 84)))
    vandal.until(s.start)
    hits: list[float] = []
    while vandal.now < s.stop - 0.9:
        if bat:
            swing = (0.3, poses.RAISE), (0.1, poses.RAISE), (0.17, poses.SMASH), (0.13, poses.SMASH), (0.3, GUARD)
            hits.append(vandal.play(*swing).now - 0.43)
        else:
            for_foot = handed("l" if s.chance(0.3) else "r")
            kick = for_foot(poses.KICK if s.chance() else poses.LOW_KICK)
            kicks = (0.22, for_foot(CHAMBER)), (0.18, kick), (0.08, kick), (0.32, for_foot(GUARD))
            hits.append(vandal.play(*kicks).now - 0.40)
        vandal.wait(s.between(0, 0.2))
    vandal.guilty(s.start, s.stop).until(s.stop - 0.3).rest(0.3)
    s.leave(vandal, side, speed=s.between(1.3, 1.7))
    still: dict[int, Thing] = {}

    def thing(t: float, hit_count: int, shake: float) -> Thing:
        if machine:
            broken = min(1.0, hit_count / max(len(hits) - 1, 1))
            parts, size = props.vending_machine(tone, broken, 4 * shake), (0.95, 0.72)
        else:
            fall = smooth((t - hits[-1]) / 0.5) if t > hits[-1] else 0.0
            parts, size = placed(props.bin_(tone, fall), yaw=180 + 6 * shake), (0.55, 0.6)
        return on_floor(parts, x, z, size, yaw, moving=shake != 0.0)

    def beaten(t: float) -> Thing:
        hit_count = sum(hit <= t for hit in hits)
        since = t - hits[hit_count - 1] if hit_count else 9.0
        shake = float(np.exp(-since * 7) * np.cos(since * 40)) if since < 0.8 else 0.0
        if shake or 0 <= t - hits[-1] < 0.8:
            return thing(t, hit_count, shake or 1e-6)
        return still.setdefault(hit_count, thing(t, hit_count, 0.0))

    return s.show([vandal, *s.others(side, vandal.position)], [beaten])
