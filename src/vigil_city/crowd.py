"""Crowds: 12 to 25 people who walk in lanes, and the same crowd when it flees from something."""

from collections.abc import Callable
from math import atan2, cos, degrees, hypot, pi, sin

import numpy as np

from vigil_city.acting import Player, cast
from vigil_city.blocking import Span, pass_time, side_of
from vigil_city.body import pose
from vigil_city.gait import wrap
from vigil_city.look import Look
from vigil_city.places import Place
from vigil_city.poses import COVER, LOOK_L, LOOK_R
from vigil_city.scene import Moment, Script

CLEAR = 0.6  # metres that a crowd keeps from the furniture at the back
FLINCH = pose(COVER, root=(0, -0.09, -0.02), head=(20, 8))


class Walker:
    """One of a crowd before anything happens: walks along a lane at a steady speed, or stands and waits."""

    def __init__(self, rng: np.random.Generator, x: float, z: float, way: int, speed: float, look: Look) -> None:
        self.x, self.z, self.way, self.speed, self.look = x, z, way, speed, look
        self.lane_yaw = way * 90.0 + float(rng.uniform(-2, 2))

    def at(self, t: float) -> tuple[float, float]:
        return self.x + self.way * self.speed * t, self.z


def lanes(rng: np.random.Generator, place: Place, seconds: float) -> list[Walker]:
    """12 to 25 people in view, in lanes of alternate direction and one speed each, so nobody is overtaken."""
    room = place.near - place.far - CLEAR
    depths = np.linspace(place.near - 0.1, place.far + CLEAR, int(np.clip(room / 0.8, 3, 8)))
    widths = np.array([_width(place, float(z)) for z in depths])
    want, first = int(rng.integers(12, 26)), side_of(rng)
    gap = max(float(widths.sum()) / want, 0.95)
    out: list[Walker] = []
    for k, z in enumerate(depths):
        way, speed = first * (1 if k % 2 else -1), float(rng.uniform(0.9, 1.5))
        start = place.outside(-way, float(z))[0]
        ahead = int(widths[k] / gap) + 1
        behind = int(speed * seconds / gap) + 1
        for i in range(-behind, ahead):
            x = start + way * gap * (i + float(rng.uniform(-0.22, 0.22)))
            out.append(Walker(rng, x, float(z) + float(rng.uniform(-0.1, 0.1)), way, speed, Look.random(rng)))
    return out


def _width(place: Place, z: float) -> float:
    return place.outside(1, z)[0] - place.outside(-1, z)[0]


def _walked(rng: np.random.Generator, place: Place, w: Walker, until: float) -> Player | None:
    """The walker as a player who keeps walking until then; None if never in view."""
    left, right = place.outside(-1, w.z, 0.9)[0], place.outside(1, w.z, 0.9)[0]
    enter, leave = sorted(
        (
            ((left if w.way > 0 else right) - w.x) / w.way / w.speed,
            ((right if w.way > 0 else left) - w.x) / w.way / w.speed,
        )
    )
    if leave <= 0 or enter >= until:
        return None
    start = max(enter, -1.0)
    player = Player(rng, *w.at(start), w.lane_yaw, role="crowd", look=w.look)
    player.now = start
    stop = min(leave, until)
    player.walk(w.at(stop), speed=w.speed)
    return player


def walking(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """A crowd goes its ways; a few stand and wait."""
    players = [p for w in lanes(rng, place, seconds) if (p := _walked(rng, place, w, seconds + 3)) is not None]
    return lambda t: Moment(cast(t, players))


def panic(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """A crowd goes its ways, then flees from a point beside the picture; after the span people walk again."""
    start, stop = span
    side = side_of(rng)
    source = place.spot(side * float(rng.uniform(1.3, 2.2)), float(rng.uniform(0.3, 0.7)))
    players = []
    for w in lanes(rng, place, seconds):
        x, z = w.at(start)
        reacts = start + min(hypot(x - source[0], z - source[1]) * 0.05, 0.4) + float(rng.uniform(0, 0.25))
        player = _walked(rng, place, w, reacts - 0.4)
        if player is not None:
            _flee(rng, place, player, source, reacts, stop, seconds)
            players.append(player)
    for at in np.arange(start + 0.5, stop - 1.0, 0.28):  # more come running from there
        players.append(_late(rng, place, side, float(at), stop, float(rng.uniform(2.2, 3.5)), run=True))
    for at in np.arange(stop - 0.3, seconds, 0.45):
        players.append(_late(rng, place, side_of(rng), float(at), seconds + 2, float(rng.uniform(0.9, 1.4)), run=False))
    return lambda t: Moment(cast(t, players))


def _late(
    rng: np.random.Generator, place: Place, side: int, at: float, stop: float, speed: float, *, run: bool
) -> Player:
    """Comes in on `side` at that time and crosses the picture, at a walk once the span is over."""
    z = float(rng.uniform(place.far + CLEAR, place.near - 0.1))
    begin, end = place.outside(side, z), place.outside(-side, z)
    player = Player(rng, *begin, -side * 90.0, role="crowd")
    player.until(at)
    if run and abs(end[0] - begin[0]) > speed * (stop - at):
        player.guilty(at, stop)
        player.walk((begin[0] - side * speed * (stop - at), z), speed=speed, run=True)
        return player.walk(end, speed=1.3)
    if run:
        player.guilty(at, stop)
    return player.walk(end, speed=speed, run=run)


def _flee(
    rng: np.random.Generator,
    place: Place,
    player: Player,
    source: tuple[float, float],
    at: float,
    stop: float,
    seconds: float,
) -> None:
    x, z = player.where
    if not place.outside(-1, z)[0] < x < place.outside(1, z)[0]:
        return  # has left, or has not come yet
    player.play((0.18, FLINCH))
    away = atan2(x - source[0], z - source[1]) + float(rng.uniform(-0.3, 0.3))
    away = _sideways(away)
    speed = float(rng.uniform(2.2, 3.5))
    player.guilty(at, stop)
    far = speed * max(stop - player.now - 0.3, 0.5)
    to = x + sin(away) * far, float(np.clip(z + cos(away) * far, place.far + CLEAR, place.near - 0.1))
    player.walk(to, speed=speed, run=True)
    edge = place.outside(-1, to[1])[0], place.outside(1, to[1])[0]
    if edge[0] < to[0] < edge[1]:
        back = degrees(atan2(source[0] - to[0], source[1] - to[1]))
        if rng.random() < 0.5:
            player.face(player.heading + float(np.clip(wrap(back - player.heading), -120, 120)), 0.6)
            pass_time(rng, player, seconds + 1)
        else:
            player.play((0.5, LOOK_L), (0.4, LOOK_R))
            player.walk((to[0] + np.sign(sin(away)) * 4, to[1]), speed=float(rng.uniform(1.1, 1.5)))


def _sideways(angle: float) -> float:
    """The heading turned towards the sides, where there is room to run."""
    side = 1 if sin(angle) >= 0 else -1
    return (
        side * pi / 2 + (angle - side * pi / 2) * 0.45
        if cos(angle) >= 0
        else side * pi / 2 + (angle - side * pi / 2) * 0.6
    )


Scene = Callable[[np.random.Generator, Place, float, Span], Script]
WIDE = ("plaza", "platform", "street")
CROWDS: dict[str, tuple[Scene, tuple[str, ...]]] = {"crowd": (walking, WIDE), "panic": (panic, WIDE)}
