"""Who stands where, who comes and goes when: the moves that several scenes share."""

from dataclasses import replace
from math import hypot

import numpy as np

from vigil.datasets.sample.acting import Player, bearing
from vigil.datasets.sample.body import Pose, pose
from vigil.datasets.sample.look import Look
from vigil.datasets.sample.places import Place
from vigil.datasets.sample.poses import (
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
    SHOVE,
    TEXT,
)
from vigil.datasets.sample.postures import DOWNWARD_BLOW, DUCK, KICK_BACK, KICK_LOW, WIND_UP

Point = tuple[float, float]
Span = tuple[float, float]

BLOWS: dict[str, tuple[float, tuple[tuple[float, Pose], ...]]] = {  # seconds until it lands, the keys
    "jab": (0.22, ((0.10, GUARD), (0.12, JAB), (0.07, JAB), (0.22, GUARD))),
    "cross": (0.26, ((0.12, GUARD), (0.14, CROSS), (0.07, CROSS), (0.24, GUARD))),
    "shove": (0.26, ((0.10, GUARD), (0.16, SHOVE), (0.10, SHOVE), (0.26, GUARD))),
    "kick": (0.42, ((0.26, KICK_BACK), (0.16, KICK_LOW), (0.08, KICK_LOW), (0.28, GUARD))),
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


def duration(player: Player, to: Point, speed: float, run: bool) -> float:
    """About how long a way takes, turning included."""
    (x, z), way = player.where, bearing(*player.where, *to)
    turn = abs((way - player.heading + 180) % 360 - 180)
    return hypot(to[0] - x, to[1] - z) / speed + 0.75 + (0.25 + turn / (300 if run else 190) if turn > 50 else 0)


def arrive(
    rng: np.random.Generator, place: Place, to: Point, by: float, side: int, *, role: str, look: Look | None = None,
    speed: float = 1.25, z: float | None = None,
) -> Player:  # fmt: skip
    """Somebody who walks in from one side and stands at `to` in time; begins on the way there when time is short."""
    start = place.outside(side, to[1] if z is None else z)
    way = hypot(to[0] - start[0], to[1] - start[1])
    reach = max(by - 0.9, 0.2) * speed
    if way > reach:
        share = reach / way
        start = to[0] + (start[0] - to[0]) * share, to[1] + (start[1] - to[1]) * share
    player = Player(rng, *start, bearing(*start, *to), role, look=look)
    player.wait(max(by - 0.9 - min(way, reach) / speed, 0.0))
    player.walk(to, speed=speed)
    return player


def leave(
    player: Player, place: Place, side: int, *, speed: float = 1.3, run: bool = False, z: float | None = None
) -> Player:
    """Out of the picture on one side."""
    _, floor = player.where
    player.walk(place.outside(side, floor if z is None else z), speed=speed, run=run)
    return player


def exit_time(player: Player, place: Place, side: int, speed: float, run: bool = False) -> float:
    """Seconds that `leave` will take from where the player is now."""
    return duration(player, place.outside(side, player.where[1]), speed, run)


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


def apart(a: Player, distance: float, side: int, depth: float = 0.0) -> Point:
    """A point beside someone, left (-1) or right (+1) in the picture."""
    x, z = a.where
    return x + side * distance, z + depth
