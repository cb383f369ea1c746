"""Vandalism with a spray can."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vigil_city import gear
from vigil_city.acting import Player, cast, reaching
from vigil_city.blocking import Span, arrive, clothed, dark_clothes, exit_time, flee, pass_time
from vigil_city.body import REST, pose
from vigil_city.effects import spray
from vigil_city.floor import Point, aside, clearance, obstacles
from vigil_city.look import Look
from vigil_city.places import Place
from vigil_city.postures import SPRAY_HIGH, SPRAY_LOW
from vigil_city.scene import Effect, Moment, Script, Thing
from vigil_city.shapes import rod

PAINT = ((215, 40, 45), (40, 90, 215), (235, 195, 40), (30, 160, 80), (220, 60, 170), (20, 20, 24))


def vandal_look(rng: np.random.Generator) -> Look:
    return dark_clothes(rng) if rng.random() < 0.4 else clothed(rng, hat=bool(rng.random() < 0.5))


def onlooker(
    rng: np.random.Generator,
    place: Place,
    side: int,
    seconds: float,
    *,
    taken: Sequence[Point] = (),
    depth: float = 0.8,
) -> list[Player]:
    """Sometimes somebody who stands by on the other side, away from the points taken."""
    if rng.random() < 0.6:
        return []
    spot = aside(place, -side * 0.9, depth, taken=taken)
    other = Player(rng, *spot, side * 60.0)
    pass_time(rng, other, seconds)
    return [other]


def scrawl(rng: np.random.Generator, x: float, y: float) -> np.ndarray:
    """A tag to be sprayed around (x, y): points (N, 2) in the order of spraying, metres."""
    u = np.linspace(0, 1, 46)
    loops, lean = rng.integers(3, 5), rng.uniform(0.1, 0.35)
    wave = 2 * np.pi * loops * u + rng.uniform(0, 6)
    across = 1.25 * (u - 0.5) + 0.16 * np.cos(wave)
    up = 0.30 * np.sin(wave) * (0.6 + 0.4 * np.sin(2 * np.pi * u + rng.uniform(0, 6))) + lean * (u - 0.5)
    return np.stack([x + across, y + up], 1)


def graffiti(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Sprays a tag on the wall."""
    start, stop = span
    front, circles = -place.wall_z, obstacles(place)
    shown = [f.x for f in place.fixtures.values()]  # doors and posters, too
    choices = []
    for u in (-0.62, -0.3, 0.0, 0.3, 0.62):
        for side in (-1, 1):
            x = place.across(u, place.far)
            free = min(clearance((x - side * off, front + 0.62), circles) for off in (0.9, 0.4, 0.0, -0.2))
            apart = min(1.0, *(abs(x - b) for b in shown))
            choices.append((min(free, 0.1) + 0.2 * apart + 0.01 * rng.random(), x, side))
    _, x, side = max(choices)
    tag = scrawl(rng, x, 1.35)
    if side < 0:
        tag[:, 0] = 2 * x - tag[:, 0]
    colour = PAINT[int(rng.integers(len(PAINT)))]
    begin = (x - side * 0.62 - side * 0.25, front + 0.62)
    vandal = arrive(rng, place, begin, start, -side, role="vandal", look=vandal_look(rng), z=place.far)
    vandal.face(180 - side * 48, 0.35)
    vandal.until(start)
    vandal.guilty(start, stop)
    vandal.wear(gear.spray_can(colour))
    out = exit_time(vandal, place, side, 2.2, True)
    wet = vandal.now + 0.35
    dry = max(stop - out - 0.2, wet + 1.2)
    strokes = 7
    end = (begin[0] + side * 1.0, begin[1])
    vandal.play((0.35, SPRAY_HIGH))
    for k in range(strokes):
        s = (k + 1) / strokes
        nx, ny = tag[min(int(s * 45), 45)]
        where = begin[0] + (end[0] - begin[0]) * s, begin[1]
        base = SPRAY_HIGH if ny > 1.3 else SPRAY_LOW
        vandal.shift((dry - wet) / strokes, where, reaching(base, vandal, "r", (nx - side * 0.1, ny, front + 0.2)))
    vandal.play((0.2, pose(REST, r_wrist=(0.03, -0.28, 0.08))))
    flee(vandal, place, side, stop, speed=2.2, z=place.far)
    lines = [rod((*a, front + 0.0), (*b, front + 0.0), 0.045, colour) for a, b in pairwise(tag)]
    stages = [Thing(lines[: 3 * k]) for k in range(1, len(lines) // 3 + 1)]
    players = [vandal, *onlooker(rng, place, -side, seconds, taken=[begin, end], depth=0.15)]

    def script(t: float) -> Moment:
        done = float(np.clip((t - wet) / (dry - wet), 0, 1))
        things, painted = [], list[Effect]()
        if done > 0:
            things.append(stages[min(int(done * len(stages)), len(stages) - 1)])
        if 0 < done < 1:
            sk = vandal.skeleton(t)
            tip = sk.joints["r_hand"] + (0, 0.1, 0)
            aim = np.array([*tag[min(int(done * 45), 45)], front]) - tip
            far = float(np.linalg.norm(aim))
            painted.append(spray(tip, aim / max(far, 1e-6), min(far, 0.5), colour, t))
        return Moment(cast(t, players), things, painted)

    return script
