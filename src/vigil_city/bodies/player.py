"""Players get orders, one after the other; their state is then a pure function of time.

>>> thief = Player(rng, *place.spot(-1.2, 0.5), yaw=90).walk((0, -5)).play((0.5, REACH), (0.6, POCKET))
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import cos, hypot, pi, sin

import numpy as np

from vigil_city.bodies.anatomy import ANKLE_Y, ARMS, FIELD, HIP_Y, REST, Pose, Skeleton, mix, pose, solve, with_limbs
from vigil_city.bodies.gait import RUN, STROLL, WALK, Path, Stride, pivot, stand_on
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import LIFT, Key, Point, bearing, grounded, smooth, sway, timed, track, wrap
from vigil_city.scene import GRAVITY, Figure, Part, State

Gear = Callable[[Figure, float], list[Part]]
"""What somebody holds or wears at a time, built on the body."""


class Player:
    """Starts standing at (x, z). Each order begins when the one before ends; `now` is that moment in seconds."""

    def __init__(
        self, rng: np.random.Generator, x: float, z: float, yaw: float = 0.0, role: str = "bystander", *,
        look: Look | None = None,
    ) -> None:  # fmt: skip
        self.look, self.role, self.now = look or Look.random(rng), role, 0.0
        self._rng, self._orders = rng, list[tuple[float, float, Callable[[float], State]]]()
        self._at = State(REST, x, z, yaw)  # after the orders so far
        self._phases = rng.uniform(0, 2 * pi, 10)
        self._arms: Pose | None = None
        self._carrying: tuple[str, ...] = ()
        self._guilty: list[tuple[float, float]] = []
        self._gear: list[tuple[float, float, Gear]] = []

    @property
    def position(self) -> Point:
        """x, z after the orders so far."""
        return self._at.x, self._at.z

    @property
    def heading(self) -> float:
        """Yaw after the orders so far."""
        return self._at.yaw

    @property
    def stance(self) -> Pose:
        """The pose after the orders so far."""
        return self._at.pose

    def _order(self, seconds: float, state: Callable[[float], State], end: State) -> "Player":
        """`state` takes seconds since the order began."""
        self._orders.append((self.now, self.now + seconds, state))
        self.now += seconds
        self._at = end
        return self

    def _ready(self) -> Pose:
        """Standing, with whatever the arms carry."""
        return REST if self._arms is None else with_limbs(REST, self._carrying, self._arms)

    def _turned(self, yaw: float | None) -> float:
        """A heading on the shorter way round from the present one, which None keeps."""
        return self._at.yaw if yaw is None else self._at.yaw + wrap(yaw - self._at.yaw)

    def begin(self, p: Pose) -> "Player":
        """Is found in this pose when the video starts."""
        self._at = State(grounded(p), *self.position, self.heading)
        return self

    def guilty(self, start: float, stop: float) -> "Player":
        """Does the abnormal act from start to stop, seconds."""
        self._guilty.append((start, stop))
        return self

    def commit(self, span: tuple[float, float]) -> "Player":
        """Waits for the span, and does the abnormal act in it."""
        return self.until(span[0]).guilty(*span)

    def wear(self, gear: Gear, start: float = -1.0, stop: float = 1e9) -> "Player":
        """Holds or wears a thing from start to stop, seconds."""
        self._gear.append((start, stop, gear))
        return self

    def carry(self, arms: Pose | None, names: tuple[str, ...] = ARMS, blend: float = 0.4) -> "Player":
        """From now on the arms (or the named limbs) of this pose go with standing and walking; None lets go."""
        self._arms, self._carrying = arms, names
        return self.play((blend, self._ready())) if blend else self

    def walk(self, *points: Point, speed: float = 1.25, run: bool = False) -> "Player":
        """Along a line through floor points (x, z), from standing to standing; turns first when it must."""
        line = [self.position, *points]
        line = [line[0]] + [b for a, b in pairwise(line) if np.hypot(b[0] - a[0], b[1] - a[1]) > 0.05]
        if len(line) < 2:
            return self
        heading = bearing(*line[0], *line[1])
        if abs(wrap(heading - self.heading)) > 50:
            self.face(heading, 0.25 + abs(wrap(heading - self.heading)) / (300 if run else 190))
        path, left_first = Path(line, self.heading), self._rng.random() < 0.5
        gait = RUN if run else STROLL if speed < 0.8 else WALK
        stride = Stride(path, gait, self.look.height, speed, self.heading, left_first)
        before, arms, names = self.stance, self._arms, self._carrying

        def state(t: float) -> State:
            body, start = stride.body(t), smooth(t / 0.35)
            if arms is not None:
                body = replace(body, pose=with_limbs(body.pose, names, arms))
            if start < 1 and abs(before - body.pose).max() > 0:  # arms and trunk come out of the pose before
                body = stand_on(replace(body, pose=mix(before, body.pose, start)), stride.feet(t), stride.h)
            return body

        return self._order(stride.seconds, state, State(self._ready(), *line[-1], path.end_yaw))

    def face(self, yaw: float, seconds: float = 0.7) -> "Player":
        """Turns on the spot to a heading, by small steps."""
        old, h = self._at, self.look.height
        new = State(self._ready(), old.x, old.z, self._turned(yaw))
        if abs(new.yaw - old.yaw) < 1:
            return self

        def state(t: float) -> State:
            u = smooth(t / seconds)
            feet, now = pivot(old.x, old.z, old.yaw, new.yaw, h, u)
            return stand_on(State(mix(old.pose, new.pose, u), old.x, old.z, now), feet, h)

        return self._order(seconds, state, new)

    def toward(self, x: float, z: float, seconds: float = 0.7) -> "Player":
        """Turns to a floor point."""
        return self.face(bearing(*self.position, x, z), seconds)

    def play(self, *keys: Key) -> "Player":
        """Goes through poses on the spot; the last one stays."""
        spot, line = (*self.position, self.heading), timed(self.stance, keys)
        return self._order(line[-1][0], lambda t: State(track(line, t), *spot), State(line[-1][1], *spot))

    def repeat(self, until: float, *keys: Key) -> "Player":
        """Plays the keys again and again while they fit before `until`, then waits for it."""
        while self.now + sum(seconds for seconds, _ in keys) <= until:
            self.play(*keys)
        return self.until(until)

    def wait(self, seconds: float) -> "Player":
        """Stays as it is."""
        return self.play((seconds, self.stance))

    def until(self, t: float) -> "Player":
        """Stays as it is until t seconds of the video."""
        return self.wait(t - self.now) if t > self.now else self

    def rest(self, seconds: float = 0.5) -> "Player":
        """Back to standing, with whatever it carries."""
        return self.play((seconds, self._ready()))

    def slide(self, seconds: float, *keys: tuple[float, State]) -> "Player":
        """Is moved without steps (onto a seat): keys (share of the time, state) up to 1, joined smoothly."""
        line = [(0.0, self._at), *keys]

        def state(t: float) -> State:
            u = min(max(t / seconds, 0.0), 1.0)
            (before, a), (after, b) = next(pair for pair in pairwise(line) if u <= pair[1][0])
            return a.moved(b, smooth((u - before) / (after - before)))

        return self._order(seconds, state, line[-1][1])

    def tumble(self, *keys: Key, to: Point | None = None, yaw: float | None = None, ease: float = 1.0) -> "Player":
        """Goes through poses that lie, sit or fall, on the floor at every moment, perhaps thrown to another point.

        Below 1, `ease` starts the way slowly (a fall); the first key's start is the present pose.
        """
        old, line = self._at, timed(self.stance, keys)
        total, new = line[-1][0], State(grounded(line[-1][1]), *(to or self.position), self._turned(yaw))

        def state(t: float) -> State:
            return old.moved(new, smooth(t / total) ** (1 / ease), grounded(track(line, t)))

        return self._order(total, state, new)

    def thrown(
        self, velocity: tuple[float, float, float], *keys: Key, skid: float = 5.0, yaw: float | None = None
    ) -> "Player":
        """Flies off at velocity (x, y up, z) m/s through the poses, lands, slides to rest at `skid` m/s2."""
        old, height, yaw1 = self._at, self.look.height, self._turned(yaw)
        across, up = hypot(velocity[0], velocity[2]), velocity[1]
        air = 2 * up / GRAVITY
        ground = 0.6 * across  # landing takes speed away
        slide = ground / skid
        total = max(air + slide, sum(seconds for seconds, _ in keys))
        line = timed(self.stance, keys)

        def state(t: float) -> State:
            p = grounded(track(line, t))
            p[LIFT] += max(up * t - GRAVITY / 2 * t * t, 0.0) / height
            s = min(max(t - air, 0.0), slide)
            far = (across * min(t, air) + ground * s - skid * s * s / 2) / max(across, 1e-6)
            turn = old.yaw + (yaw1 - old.yaw) * smooth(t / max(air, 0.2))
            return State(p, old.x + velocity[0] * far, old.z + velocity[2] * far, turn)

        end = state(total)
        return self._order(total, state, State(grounded(keys[-1][1]), end.x, end.z, end.yaw))

    def shift(self, seconds: float, to: Point, *poses: Pose, yaw: float | None = None) -> "Player":
        """Steps to a near point without turning to it (forwards, backwards, aside), through poses at even times."""
        old, poses = self._at, poses or (self.stance,)
        line = timed(self.stance, [(seconds / len(poses), p) for p in poses])
        new = State(poses[-1], *to, self._turned(yaw))
        steps = max(1, round(hypot(to[0] - old.x, to[1] - old.z) / 0.32))

        def state(t: float) -> State:
            p, u = track(line, t).copy(), min(max(t / seconds, 0.0), 1.0)
            step = u * steps
            foot = "l_ankle" if int(step) % 2 else "r_ankle"
            p[FIELD[foot].start + 1] += 0.05 * sin(pi * (step % 1))
            return old.moved(new, smooth(u), p)

        return self._order(seconds, state, new)

    def pedal(self, to: Point, seconds: float) -> "Player":
        """Rides a bicycle (which the scene draws) straight to a point at even speed, turning its pedals."""
        old, height = self._at, self.look.height
        distance = hypot(to[0] - old.x, to[1] - old.z)
        saddle = 0.93 / height + 0.05  # the hips, in body heights
        root = (0, saddle - HIP_Y, -0.23 / height)
        base = pose(root=root, spine=(38, 0, 0), head=(0, 4), wrists=(0.02, -0.17, 0.24))
        new = State(base, *to, bearing(*self.position, *to))
        old = replace(old, yaw=new.yaw)

        def state(t: float) -> State:
            feet = {}
            for side, phase in (("l", 0.0), ("r", pi)):
                a = distance * t / seconds * 1.15 + phase
                up, forward = (0.36 + 0.15 * cos(a)) / height - saddle, (0.17 + 0.15 * sin(a)) / height
                feet[side + "_ankle"] = (0.01, up + ANKLE_Y * 0.8, forward)
            return old.moved(new, t / seconds, pose(base, **feet))

        return self._order(seconds, state, new)

    def duration(self, points: Sequence[Point], speed: float, *, run: bool) -> float:
        """Seconds that a way takes from where the player is after its orders, turning included."""
        trial = Player(np.random.default_rng(0), *self.position, self.heading, look=self.look)
        return trial.walk(*points, speed=speed, run=run).now

    def state(self, t: float) -> State:
        """At t seconds of the video; before the first order it stands, after the last it stays."""
        s = self._at
        if self._orders:
            start, stop, order = next((order for order in self._orders if t < order[1]), self._orders[-1])
            s = order(min(max(t, start), stop) - start)
        return State(sway(s.pose, t, self._phases), s.x, s.z, s.yaw)

    def skeleton(self, t: float) -> Skeleton:
        s = self.state(t)
        return solve(s.pose, s.x, s.z, s.yaw, self.look.height)

    def show(self, t: float, person: int) -> Figure:
        """The figure for a Moment."""
        figure = Figure(self.state(t), self.look, self.role, any(a <= t < b for a, b in self._guilty), person)
        for start, stop, gear in self._gear:
            if start <= t < stop:
                figure.extra.extend(gear(figure, t))
        return figure


def cast(t: float, players: Sequence[Player]) -> list[Figure]:
    """All of them at time t, numbered in order."""
    return [player.show(t, k) for k, player in enumerate(players)]


def reaching(p: Pose, player: Player, side: str, target: Sequence[float] | np.ndarray) -> Pose:
    """The pose with the "l" or "r" hand stretched to a world point, for a player as it stands after its orders."""
    height = player.look.height
    body = solve(p, *player.position, player.heading, height)
    away = np.asarray(target, float) - body.joints[side + "_shoulder"]
    far = max(float(np.linalg.norm(away)), 1e-6)
    away *= max(1 - 0.06 * height / far, 0.2)  # the wrist stays behind the hand
    out, up, forward = (float(v) for v in body.thorax.T @ away / height)
    return pose(p, **{side + "_wrist": (out if side == "l" else -out, up, forward)})
