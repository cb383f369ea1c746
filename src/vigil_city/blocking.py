"""Who stands where, who comes and goes when: the moves that several scenes share."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np

from vigil_city.acting import Player, bearing
from vigil_city.body import LEG, Pose, pose
from vigil_city.floor import NONE, Point, gate, length, obstacles, way
from vigil_city.look import Look
from vigil_city.places import Place
from vigil_city.poses import (
    CROSS,
    CROSSED,
    GESTURE_A,
    GESTURE_B,
    GUARD,
    HIPS,
    JAB,
    LOOK_L,
    LOOK_R,
    PHONE,
    RAISE,
    SHOVE,
    SMASH,
    TEXT,
)
from vigil_city.postures import DOWNWARD_BLOW, DUCK, KICK_BACK, KICK_LOW, WIND_UP

Span = tuple[float, float]

CLUB = pose(SMASH, spine=(46, 14, 0), r_wrist=(-0.05, -0.14, 0.28), l_wrist=(-0.08, -0.12, 0.24))
PUNCH = pose(CROSS, r_ankle=(0.05, LEG + 0.082, -0.15))
BLOWS: dict[str, tuple[float, tuple[tuple[float, Pose], ...]]] = {  # seconds until it lands, the keys
    "jab": (0.22, ((0.10, GUARD), (0.12, JAB), (0.07, JAB), (0.22, GUARD))),
    "cross": (0.26, ((0.12, GUARD), (0.14, PUNCH), (0.07, PUNCH), (0.24, GUARD))),
    "shove": (0.26, ((0.10, GUARD), (0.16, SHOVE), (0.10, SHOVE), (0.26, GUARD))),
    "kick": (0.42, ((0.26, KICK_BACK), (0.16, KICK_LOW), (0.08, KICK_LOW), (0.28, GUARD))),
    "club": (0.46, ((0.28, RAISE), (0.18, CLUB), (0.08, CLUB), (0.26, GUARD))),
    "hammer": (0.42, ((0.26, WIND_UP), (0.16, DOWNWARD_BLOW), (0.08, DOWNWARD_BLOW), (0.28, GUARD))),
}


def side_of(rng: np.random.Generator) -> int:
    return -1 if rng.random() < 0.5 else 1


def clothed(rng: np.random.Generator, **fixed: object) -> Look:
    """A random look with some things given."""
    return replace(Look.random(rng), **fixed)  # type: ignore[arg-type]


def dark_clothes(rng: np.random.Generator, mask: bool = False) -> Look:
    grey = float(rng.uniform(28, 62))
    legs = float(rng.uniform(30, 60))
    return clothed(
        rng,
        shirt=(grey, grey, grey + 6),
        trousers=(legs, legs, legs + 8),
        long_sleeves=True,
        shorts=False,
        hat=False,
        mask=mask,
        zipper=None,
    )


def officer(rng: np.random.Generator, vest: bool) -> dict[str, object]:
    """What an officer wears, as changes of a Look."""
    shade = float(rng.uniform(0.8, 1.2))
    navy = (28 * shade, 34 * shade, 58 * shade)
    return {
        "shirt": navy, "trousers": (24 * shade, 28 * shade, 46 * shade), "shoes": (18.0, 18.0, 20.0), "hat": False,
        "mask": False, "coat": False, "long_sleeves": True, "shorts": False, "zipper": None, "long_hair": False,
        "build": 1.1 if vest else 1.05,
    }  # fmt: skip


def duration(player: Player, points: Sequence[Point], speed: float, run: bool) -> float:
    """How long a way takes, turning included."""
    trial = Player(np.random.default_rng(0), *player.where, player.heading, look=player.look)
    trial.walk(*points, speed=speed, run=run)
    return trial.now


def arrive(
    rng: np.random.Generator, place: Place, to: Point, by: float, side: int, *, role: str, look: Look | None = None,
    speed: float = 1.25, z: float | None = None, without: frozenset[str] = NONE, avoid: Sequence[Point] = (),
) -> Player:  # fmt: skip
    """Somebody who walks in from one side and stands at `to` in time; begins on the way there when time is short.

    Walks round the furniture of the place (but for `without`) and round the points of `avoid`.
    """
    circles = np.array([*obstacles(place, without), *((x, z, 0.5) for x, z in avoid)])
    start = gate(place, side, to, to[1] if z is None else z, circles)
    points = way(start, to, circles)
    spare = length(start, points) - max(by - 0.9, 0.2) * speed
    while spare > 0:  # too far: start further along
        step = hypot(points[0][0] - start[0], points[0][1] - start[1])
        if step <= spare and len(points) > 1:
            start, spare = points.pop(0), spare - step
        else:
            share = min(spare / max(step, 1e-6), 1.0)
            start = start[0] + (points[0][0] - start[0]) * share, start[1] + (points[0][1] - start[1]) * share
            break
    player = Player(rng, *start, bearing(*start, *points[0]), role, look=look)
    player.wait(max(by - 0.9 - length(start, points) / speed, 0.0))
    player.walk(*points, speed=speed)
    return player


def way_out(
    player: Player, place: Place, side: int, z: float | None = None, without: frozenset[str] = NONE
) -> list[Point]:
    """From where the player stands to out of view on one side."""
    circles = obstacles(place, without)
    out = gate(place, side, player.where, player.where[1] if z is None else z, circles)
    return way(player.where, out, circles)


def leave(
    player: Player, place: Place, side: int, *, speed: float = 1.3, run: bool = False, z: float | None = None,
    without: frozenset[str] = NONE,
) -> Player:  # fmt: skip
    """Out of the picture on one side."""
    player.walk(*way_out(player, place, side, z, without), speed=speed, run=run)
    return player


def flee(player: Player, place: Place, side: int, by: float, *, speed: float = 2.6, z: float | None = None) -> None:
    """Runs out of the picture if that is over by then; else stays until then, and only walks away."""
    points = way_out(player, place, side, z)
    run = player.now + duration(player, points, speed, True) <= by + 0.35
    if not run:
        player.until(by)
    player.walk(*points, speed=speed if run else 1.35, run=run)


def exit_time(player: Player, place: Place, side: int, speed: float, run: bool = False) -> float:
    """Seconds that `leave` will take from where the player is now."""
    return duration(player, way_out(player, place, side), speed, run)


def pass_time(rng: np.random.Generator, player: Player, until: float) -> Player:
    """Stands about: phone, arms crossed, looking round."""
    habits = (
        (PHONE, pose(PHONE, head=(-25, 5))),
        (TEXT, pose(TEXT, head=(18, 10))),
        (CROSSED, pose(CROSSED, head=(-30, 6))),
        (HIPS, LOOK_L),
        (LOOK_R, LOOK_L),
    )
    first, second = habits[rng.integers(len(habits))]
    player.repeat(until, (0.6, first), (float(rng.uniform(0.5, 1.2)), first), (0.6, second), (0.5, second))
    return player


def chat(rng: np.random.Generator, player: Player, until: float) -> Player:
    """Talks with the hands."""
    order = [(GESTURE_A, GESTURE_B, CROSSED, HIPS)[k] for k in rng.permutation(4)]
    player.repeat(until, *((0.55, p) for p in order[:3]))
    return player


def panic(rng: np.random.Generator, player: Player, place: Place, at: float, side: int) -> Player:
    """Ducks at `at`, then runs out on one side."""
    player.until(at)
    player.play((0.25, DUCK), (float(rng.uniform(0.2, 0.5)), DUCK), (0.2, pose(DUCK, root=(0, -0.1, 0))))
    return leave(player, place, side, speed=float(rng.uniform(2.5, 3.2)), run=True)


def beat(
    rng: np.random.Generator, player: Player, until: float, kinds: tuple[str, ...], pause: float = 0.25
) -> list[float]:
    """Blow after blow until then; the times at which they land."""
    hits: list[float] = []
    while True:
        lands, keys = BLOWS[kinds[rng.integers(len(kinds))]]
        if player.now + sum(seconds for seconds, _ in keys) > until:
            return hits
        hits.append(player.now + lands)
        player.play(*keys)
        player.wait(float(rng.uniform(0, pause)))
