"""Crowds: 12 to 25 people who walk in lanes, and the same crowd when it flees from something."""

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

import numpy as np

from vigil_city.acts.staging import Stage
from vigil_city.bodies import poses
from vigil_city.bodies.anatomy import pose
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import bearing, wrap
from vigil_city.bodies.player import Player
from vigil_city.places.place import Point
from vigil_city.scene import Script

CLEAR = 0.6  # metres that a crowd keeps from the furniture at the back
FLINCH = pose(poses.COVER, root=(0, -0.09, -0.02), head=(20, 8))


@dataclass(frozen=True)
class Walker:
    """One of a crowd before anything happens: walks along a lane at a steady speed."""

    x: float
    z: float
    velocity: float  # m/s along x
    look: Look
    yaw: float

    def at(self, t: float) -> Point:
        return self.x + self.velocity * t, self.z

    def play(self, s: Stage, until: float) -> Player | None:
        """The walker as a player who keeps walking until then; None if never in view."""
        left, right = s.place.outside(-1, self.z, 0.9)[0], s.place.outside(1, self.z, 0.9)[0]
        enter, leave = sorted((edge - self.x) / self.velocity for edge in (left, right))
        if leave <= 0 or enter >= until:
            return None
        start = max(enter, -1.0)
        player = s.person(self.at(start), self.yaw, "crowd", self.look)
        player.now = start
        return player.walk(self.at(min(leave, until)), speed=abs(self.velocity))


def lanes(s: Stage) -> list[Walker]:
    """12 to 25 people in view, in lanes of alternate direction and one speed each, so nobody is overtaken."""
    near, far = s.place.near, s.place.far
    depths = np.linspace(near - 0.1, far + CLEAR, int(np.clip((near - far - CLEAR) / 0.8, 3, 8)))
    widths = np.array([s.place.outside(1, float(z))[0] - s.place.outside(-1, float(z))[0] for z in depths])
    count, first = int(s.rng.integers(12, 26)), s.side()
    gap = max(float(widths.sum()) / count, 0.95)
    walkers: list[Walker] = []
    for k, z in enumerate(depths):
        way, speed = first * (1 if k % 2 else -1), s.between(0.9, 1.5)
        start = s.place.outside(-way, float(z))[0]
        for i in range(-(int(speed * s.seconds / gap) + 1), int(widths[k] / gap) + 1):
            x = start + way * gap * (i + s.between(-0.22, 0.22))
            depth, look = float(z) + s.between(-0.1, 0.1), Look.random(s.rng)
            walkers.append(Walker(x, depth, way * speed, look, way * 90.0 + s.between(-2, 2)))
    return walkers


def crowd(s: Stage) -> Script:
    """A crowd goes its ways."""
    return s.show([p for walker in lanes(s) if (p := walker.play(s, s.seconds + 3)) is not None])


def panic(s: Stage) -> Script:
    """A crowd goes its ways, then flees from a point beside the picture; after the span people walk again."""
    side = s.side()
    source = s.place.spot(side * s.between(1.3, 2.2), s.between(0.3, 0.7))
    players = []
    for walker in lanes(s):
        x, z = walker.at(s.start)
        reacts = s.start + min(hypot(x - source[0], z - source[1]) * 0.05, 0.4) + s.between(0, 0.25)
        player = walker.play(s, reacts - 0.4)
        if player is not None:
            _flee(s, player, source, reacts)
            players.append(player)
    for begins in np.arange(s.start + 0.5, s.stop - 1.0, 0.28):  # more come running from there
        players.append(_late(s, side, float(begins), s.between(2.2, 3.5), run=True))
    for begins in np.arange(s.stop - 0.3, s.seconds, 0.45):
        players.append(_late(s, s.side(), float(begins), s.between(0.9, 1.4), run=False))
    return s.show(players)


def _late(s: Stage, side: int, begins: float, speed: float, *, run: bool) -> Player:
    """Comes in on `side` at that time and crosses the picture, at a walk once the span is over."""
    z = s.between(s.place.far + CLEAR, s.place.near - 0.1)
    begin, end = s.place.outside(side, z), s.place.outside(-side, z)
    player = s.person(begin, -side * 90.0, "crowd").until(begins)
    if run:
        player.guilty(begins, s.stop)
    if run and abs(end[0] - begin[0]) > speed * (s.stop - begins):
        return player.walk((begin[0] - side * speed * (s.stop - begins), z), speed=speed, run=True).walk(end, speed=1.3)
    return player.walk(end, speed=speed, run=run)


def _flee(s: Stage, player: Player, source: Point, reacts: float) -> None:
    x, z = player.position
    if not s.place.outside(-1, z)[0] < x < s.place.outside(1, z)[0]:
        return  # has left, or has not come yet
    player.play((0.18, FLINCH))
    angle = atan2(x - source[0], z - source[1]) + s.between(-0.3, 0.3)
    aside = pi / 2 if sin(angle) >= 0 else -pi / 2  # where there is room to run
    away, speed = aside + (angle - aside) * (0.45 if cos(angle) >= 0 else 0.6), s.between(2.2, 3.5)
    player.guilty(reacts, s.stop)
    far = speed * max(s.stop - player.now - 0.3, 0.5)
    to = x + sin(away) * far, float(np.clip(z + cos(away) * far, s.place.far + CLEAR, s.place.near - 0.1))
    player.walk(to, speed=speed, run=True)
    if s.place.outside(-1, to[1])[0] < to[0] < s.place.outside(1, to[1])[0]:
        back = bearing(*to, *source)
        if s.chance():
            player.face(player.heading + float(np.clip(wrap(back - player.heading), -120, 120)), 0.6)
            s.pass_time(player, s.seconds + 1)
        else:
            player.play((0.5, poses.LOOK_L), (0.4, poses.LOOK_R))
            player.walk((to[0] + np.sign(sin(away)) * 4, to[1]), speed=s.between(1.1, 1.5))
