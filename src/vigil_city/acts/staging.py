"""The stage of an act: its chance, who comes, stands about, strikes and leaves, and what is shown of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import hypot
from typing import TypeVar

import numpy as np

from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import LEG, Pose, mirror, pose
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import bearing
from vigil_city.bodies.player import Player, cast
from vigil_city.places import props
from vigil_city.places.place import Fixture, Place, Point, clearance, length, rest_of_way, way
from vigil_city.places.shapes import Colour, footprint, placed
from vigil_city.scene import Effect, Moment, Part, Script, Thing

ANY = ("shop", "street", "carpark", "lobby", "bank", "plaza", "house", "platform")
CLUB = pose(poses.SMASH, spine=(46, 14, 0), r_wrist=(-0.05, -0.14, 0.28), l_wrist=(-0.08, -0.12, 0.24))
PUNCH = pose(poses.CROSS, r_ankle=(0.05, LEG + 0.082, -0.15))
BLOWS = {  # seconds and pose of the backswing and of the blow, seconds that it stays and that it takes back to GUARD
    "jab": ((0.10, poses.GUARD), (0.12, poses.JAB), 0.07, 0.22),
    "cross": ((0.12, poses.GUARD), (0.14, PUNCH), 0.07, 0.24),
    "shove": ((0.10, poses.GUARD), (0.16, poses.SHOVE), 0.10, 0.26),
    "kick": ((0.26, poses.KICK_BACK), (0.16, poses.KICK_LOW), 0.08, 0.28),
    "club": ((0.28, poses.RAISE), (0.18, CLUB), 0.08, 0.26),
    "hammer": ((0.26, poses.WIND_UP), (0.16, poses.DOWNWARD_BLOW), 0.08, 0.28),
    "bat": ((0.30, poses.RAISE), (0.18, poses.SMASH), 0.10, 0.30),
    "high kick": ((0.20, poses.CHAMBER), (0.15, poses.KICK), 0.08, 0.30),
    "low kick": ((0.20, poses.CHAMBER), (0.15, poses.LOW_KICK), 0.08, 0.30),
}
HABITS = (  # what people do who stand about
    (poses.PHONE, pose(poses.PHONE, head=(-25, 5))),
    (poses.TEXT, pose(poses.TEXT, head=(18, 10))),
    (poses.CROSSED, pose(poses.CROSSED, head=(-30, 6))),
    (poses.HIPS, poses.LOOK_L),
    (poses.LOOK_R, poses.LOOK_L),
)
FLASH_S = 0.09  # a flash lasts for a frame
Option = TypeVar("Option")
ThingAt = Callable[[float], Thing | None]
"""What is seen of a thing at a time, if anything."""
EffectsAt = Callable[[float], list[Effect]]


@dataclass(frozen=True, eq=False)
class Stage:
    """Where one act is played, the chance that plays it, and when: seconds in all, and the span of the deed.

    Acts call their stage `s`.
    """

    rng: np.random.Generator
    place: Place
    seconds: float
    start: float
    stop: float

    @property
    def span(self) -> tuple[float, float]:
        return self.start, self.stop

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, options: Sequence[Option]) -> Option:
        return options[int(self.rng.integers(len(options)))]

    def perhaps(self, share: float, make: Callable[[], Player]) -> list[Player]:
        """Sometimes somebody else."""
        return [make()] if self.chance(share) else []

    def side(self) -> int:
        return -1 if self.chance() else 1

    def hand(self) -> str:
        return "l" if self.chance() else "r"

    def clothed(self, **fixed: object) -> Look:
        """A random look with some things fixed."""
        return replace(Look.random(self.rng), **fixed)  # type: ignore[arg-type]

    def dark_clothes(self, mask: bool = False) -> Look:
        grey, legs = self.between(28, 62), self.between(30, 60)
        return self.clothed(
            shirt=(grey, grey, grey + 6), trousers=(legs, legs, legs + 8), long_sleeves=True, shorts=False, hat=False,
            mask=mask, zipper=None,
        )  # fmt: skip

    def depth(self, low: float = 0.15, high: float = 0.7) -> float:
        """A v at which people are large enough to read: near in a wide place."""
        return self.between(low, high) * min(1.0, 2.6 / (self.place.near - self.place.far))

    def behind(self, v: float, metres: float) -> float:
        """The v of a way that passes so many metres behind depth v, or before it when they are negative."""
        return min(max(v + metres / (self.place.near - self.place.far), 0.05), 1.0)

    def away_from(self, fixture: Fixture, v: float = 1.0) -> int:
        """The side of the picture, at depth v, that is farther from a fixture."""
        return 1 if fixture.x < self.place.spot(0, v)[0] else -1

    def room(self, across: Point, depth: Point, *, need: float = 0.7, without: Collection[str] = ()) -> Point:
        """A spot drawn from ranges of u and v with `need` metres of room round it, or the best of a dozen."""
        circles, spots = self.place.obstacles(without), list[tuple[float, Point]]()
        while len(spots) < 12 and (not spots or spots[-1][0] < need):
            u = self.between(min(across), max(across))
            spot = self.place.spot(u, self.place.shallow(self.between(*depth)))
            spots.append((clearance(spot, circles), spot))
        return max(spots, key=lambda scored: scored[0])[1]

    def aside(self, u: float, v: float, occupied: Sequence[Point] = (), without: Collection[str] = ()) -> Point:
        """The spot near (u, v) where nothing and nobody of `occupied` stands."""
        people = [(x, z, 0.75) for x, z in occupied] or [(0.0, 0.0, -1.0)]
        circles = np.concatenate([self.place.obstacles(without), people])
        shifts = sorted(product((0, -0.2, 0.2, -0.4, 0.4), repeat=2), key=lambda d: hypot(*d))
        spots = [self.place.spot(u + du, self.place.shallow(float(np.clip(v + dv, 0, 1)))) for du, dv in shifts]
        return max(spots, key=lambda spot: min(clearance(spot, circles), 0.05))  # the first of those that are free

    def person(self, spot: Point, yaw: float, role: str = "bystander", look: Look | None = None) -> Player:
        return Player(self.rng, *spot, yaw, role, look=look)

    def enter(
        self, to: Point, by: float, side: int, role: str = "bystander", look: Look | None = None, *,
        speed: float = 1.25, z: float | None = None, avoid: Sequence[Point] = (),
    ) -> Player:  # fmt: skip
        """Somebody who walks in from one side and stands at `to` in time; begins on the way when time is short.

        Walks round the furniture of the place and round the points of `avoid`.
        """
        circles = np.array([*self.place.obstacles(), *((x, y, 0.5) for x, y in avoid)])
        start = self.place.gate(side, to, to[1] if z is None else z, circles)
        points = way(start, to, circles)
        start, *points = rest_of_way(start, points, length(start, points) - max(by - 0.9, 0.2) * speed)
        player = self.person(start, bearing(*start, *points[0]), role, look)
        return player.wait(max(by - 0.9 - length(start, points) / speed, 0.0)).walk(*points, speed=speed)

    def officer(self, to: Point, by: float, side: int, vest: bool, heights: tuple[float, ...] = ()) -> Player:
        """A police officer who comes in like `enter`, perhaps of a height from a range."""
        shade = self.between(0.8, 1.2)
        height = {"height": self.between(*heights)} if heights else {}
        look = self.clothed(
            shirt=(28 * shade, 34 * shade, 58 * shade), trousers=(24 * shade, 28 * shade, 46 * shade),
            shoes=(18.0, 18.0, 20.0), hat=False, mask=False, coat=False, long_sleeves=True, shorts=False, zipper=None,
            long_hair=False, build=1.1 if vest else 1.05, **height,
        )  # fmt: skip
        return self.enter(to, by, side, "officer", look).wear(gear.cap).wear(gear.uniform(vest))

    def stander(self, spot: Point, yaw: float, until: float | None = None) -> Player:
        """Somebody who stands about until then, or to the end."""
        return self.pass_time(self.person(spot, yaw), self.seconds if until is None else until)

    def others(self, side: int, spot: Point) -> list[Player]:
        """Nobody, somebody who stands about, or somebody who passes a spot: the same for thieves and customers."""
        draw = self.rng.random()
        if draw < 0.4:
            return []
        if draw < 0.7:
            x, z = self.place.spot(side * 0.75, self.depth(0.1, 0.8))
            in_the_way = abs(z - spot[1]) < 0.65
            return [] if in_the_way else [self.stander((x, z), -side * self.between(-40, 60))]
        near = self.place.near
        z = spot[1] + 0.85 if spot[1] + 0.85 < near else spot[1] - 0.9
        v = (near - z) / (near - self.place.far)
        return [self.crossing(v, self.side(), self.between(-1, 4), self.between(1, 1.4))]

    def lanes(self, count: int) -> list[float]:
        """The v of ways across the picture, at least 0.75 m apart, near ones first."""
        deep = self.place.near - self.place.far
        room = min(deep, 3.2 if count > 1 else 2.6)
        count = min(count, 1 + int(room / 0.65))
        step = min(0.75, room / count)
        first = self.between(0.1, max(room - step * (count - 1), 0.12))
        return [(first + step * k) / deep for k in range(count)]

    def crossing(self, v: float, side: int, start: float, speed: float, run: bool = False) -> Player:
        """Comes in on `side` at `start` seconds (before 0: is already on the way) and goes out on the other."""
        z = self.place.spot(0, v)[1]
        a, b = self.place.outside(side, z), self.place.outside(-side, z + self.between(-0.2, 0.2))
        if start < 0:
            a, b = rest_of_way(a, [b], min(-start * speed, 0.8 * length(a, [b])))
        return self.person(a, -side * 90.0).until(max(start, 0.0)).walk(b, speed=speed, run=run)

    def way_out(self, player: Player, side: int, z: float | None = None) -> list[Point]:
        """From where the player stands to out of view on one side."""
        circles = self.place.obstacles()
        out = self.place.gate(side, player.position, player.position[1] if z is None else z, circles)
        return way(player.position, out, circles)

    def leave(
        self, player: Player, side: int, *, speed: float = 1.3, run: bool = False, z: float | None = None
    ) -> Player:
        """Out of the picture on one side."""
        return player.walk(*self.way_out(player, side, z), speed=speed, run=run)

    def flee(self, player: Player, side: int, *, speed: float = 2.6, z: float | None = None) -> Player:
        """Runs out of the picture if that is over when the deed is; else stays until then, and only walks away."""
        points = self.way_out(player, side, z)
        run = player.now + player.duration(points, speed, run=True) <= self.stop + 0.35
        if not run:
            player.until(self.stop)
        return player.walk(*points, speed=speed if run else 1.35, run=run)

    def exit_time(self, player: Player, side: int, speed: float, run: bool = False) -> float:
        """Seconds that `leave` will take from where the player is now."""
        return player.duration(self.way_out(player, side), speed, run=run)

    def pass_time(self, player: Player, until: float) -> Player:
        """Stands about: phone, arms crossed, looking round."""
        first, second = self.pick(HABITS)
        return player.repeat(until, (0.6, first), (self.between(0.5, 1.2), first), (0.6, second), (0.5, second))

    def chat(self, player: Player, until: float) -> Player:
        """Talks with the hands."""
        gestures = (poses.GESTURE_A, poses.GESTURE_B, poses.CROSSED, poses.HIPS)
        return player.repeat(until, *((0.55, gestures[k]) for k in self.rng.permutation(4)[:3]))

    def panic(self, player: Player, when: float, side: int) -> Player:
        """Ducks at `when`, then runs out on one side."""
        duck = poses.DUCK
        player.until(when).play((0.25, duck), (self.between(0.2, 0.5), duck), (0.2, pose(duck, root=(0, -0.1, 0))))
        return self.leave(player, side, speed=self.between(2.5, 3.2), run=True)

    def beat(
        self, player: Player, until: float, kinds: "Sequence[str] | Callable[[], str]", pause: float, least: int = 0
    ) -> list[float]:
        """Blow after blow (at least so many) until then; the times at which they land."""
        hits: list[float] = []
        while True:
            backswing, blow, stays, back = BLOWS[kinds() if callable(kinds) else self.pick(kinds)]
            keys = backswing, blow, (stays, blow[1]), (back, poses.GUARD)
            if player.now + sum(seconds for seconds, _ in keys) > until and len(hits) >= least:
                return hits
            hits.append(player.now + (backswing[0] + blow[0]))
            player.play(*keys).wait(self.between(0, pause))

    def show(
        self, players: Sequence[Player], things: Sequence[Thing | ThingAt] = (), effects: Sequence[EffectsAt] = (),
        without: Collection[str] = (), jolt: Callable[[float], Point] = lambda _: (0.0, 0.0),
        gain: Callable[[float], float] = lambda _: 1.0,
    ) -> Script:  # fmt: skip
        """The script of these players, with things that stand there or depend on the time, as all else does."""
        hidden = frozenset(without)

        def moment(t: float) -> Moment:
            shown = [thing(t) if callable(thing) else thing for thing in things]
            painted = [effect for paint in effects for effect in paint(t)]
            solid = [thing for thing in shown if thing is not None]
            return Moment(cast(t, players), solid, painted, jolt(t), gain(t), hidden)

        return moment


def changing(first: Thing | ThingAt | None, *later: tuple[float, Thing | ThingAt | None]) -> ThingAt:
    """What is shown at first, and from each of the times on what stands beside it; None is nothing."""

    def current(t: float) -> Thing | None:
        shown = [first, *(thing for begins, thing in later if begins <= t)][-1]
        return shown(t) if callable(shown) else shown

    return current


def window_broken_by(hits: Sequence[float], x: float, front: float) -> ThingAt:
    """What is left of the window at x in the wall at z = front after each of the hits."""
    left = [Thing(placed(props.broken_window((k + 1) / len(hits)), x, 0, front)) for k in range(len(hits))]
    return changing(None, *zip(hits, left, strict=True))


def flashing(times: Sequence[float]) -> Callable[[float], bool]:
    """Whether one of the flashes that begin at these times is bright."""
    return lambda t: any(begins <= t < begins + FLASH_S for begins in times)


def handed(hand: str) -> Callable[[Pose], Pose]:
    """Turns poses of the right hand into those of the hand "l" or "r"."""
    return mirror if hand == "l" else lambda p: p


def on_floor(
    parts: list[Part], x: float, z: float, size: tuple[float, float], yaw: float = 0.0, moving: bool = False
) -> Thing:
    """A thing that stands on the floor and faces yaw, with its shadow; its parts are built about the origin."""
    return Thing(placed(parts, x, 0, z, yaw), moving=moving, shadow=footprint(x, z, *size, yaw))


def bag_in_hand(player: Player, colour: Colour, kind: str, hand: str = "r") -> ThingAt:
    return lambda t: Thing(gear.in_hand(player.skeleton(t), colour, kind, hand), "bag", moving=True)
