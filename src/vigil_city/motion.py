"""What one person does: an Actor is told to walk, turn and play key poses, and then knows its state at any time."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import pi, sin
from typing import Self

import numpy as np

from vigil_city.body import ARMS, FIELD, REST, Pose, mix, part
from vigil_city.gait import RUN, STROLL, WALK, Path, Stride, pivot, smooth, stand_on, wrap
from vigil_city.look import Look
from vigil_city.scene import State

Key = tuple[float, Pose]
"""(seconds that it takes to get into the pose from the one before, the pose)."""


@dataclass(frozen=True)
class _Act:
    start: float
    stop: float
    state: Callable[[float], State]  # seconds since `start`


def track(keys: list[Key], t: float) -> Pose:
    """Pose at time t of [(seconds, pose), ...] (absolute times) joined by smooth steps."""
    if t <= keys[0][0]:
        return keys[0][1]
    for (t0, a), (t1, b) in pairwise(keys):
        if t < t1:
            return mix(a, b, smooth((t - t0) / (t1 - t0)))
    return keys[-1][1]


class Actor:
    """Starts standing at (x, z). Each order begins when the one before ends; `now` is that moment in seconds.

    >>> thief = Actor(rng, look, *place.spot(-1.2, 0.5), yaw=90).walk((0, -5)).play((0.5, REACH), (0.6, POCKET))
    """

    def __init__(
        self, rng: np.random.Generator, look: Look, x: float, z: float, yaw: float = 0.0, sway: float = 1.0
    ) -> None:
        self.look, self.now = look, 0.0
        self._rng, self._acts, self._sway = rng, list[_Act](), sway
        self._x, self._z, self._yaw, self._pose = x, z, yaw, REST
        self._phases = rng.uniform(0, 2 * pi, 10)
        self._arms: Pose | None = None
        self._names: tuple[str, ...] = ()

    @property
    def where(self) -> tuple[float, float]:
        """x, z after the orders so far."""
        return self._x, self._z

    @property
    def heading(self) -> float:
        """Yaw after the orders so far."""
        return self._yaw

    def _add(self, seconds: float, state: Callable[[float], State]) -> Self:
        self._acts.append(_Act(self.now, self.now + seconds, state))
        self.now += seconds
        return self

    def _ready(self) -> Pose:
        """Standing, with whatever the arms carry."""
        return REST if self._arms is None else part(self._arms, self._names, REST)

    def carry(self, arms: Pose | None, names: tuple[str, ...] = ARMS, blend: float = 0.4) -> Self:
        """From now on the arms (or the named parts) of this pose go with standing and walking; None lets go."""
        self._arms, self._names = arms, names
        return self.play((blend, self._ready())) if blend else self

    def walk(self, *points: tuple[float, float], speed: float = 1.25, run: bool = False) -> Self:
        """Along a line through floor points (x, z), from standing to standing; turns first when it must."""
        line = [self.where, *points]
        line = [line[0]] + [b for a, b in pairwise(line) if np.hypot(b[0] - a[0], b[1] - a[1]) > 0.05]
        if len(line) < 2:
            return self
        heading = float(np.degrees(np.arctan2(line[1][0] - line[0][0], line[1][1] - line[0][1])))
        if abs(wrap(heading - self._yaw)) > 50:
            self.face(heading, 0.25 + abs(wrap(heading - self._yaw)) / (300 if run else 190))
        gait = RUN if run else STROLL if speed < 0.8 else WALK
        path = Path(line, self._yaw)
        lead = 1 if self._rng.random() < 0.5 else -1
        stride = Stride(path, gait, self.look.height, speed, self._yaw, lead)
        before, after, arms, names = self._pose, self._ready(), self._arms, self._names

        def state(t: float) -> State:
            p, x, z, yaw = stride.body(t)
            if arms is not None:
                p = part(arms, names, p)
            start = smooth(t / 0.35)
            if start < 1:  # arms and trunk come out of the pose before
                legs = p
                p = mix(before, p, start)
                feet = stride.foot(True, stride.phase(t)), stride.foot(False, stride.phase(t))
                p = stand_on(p, feet, x, z, yaw, stride.h) if abs(before - legs).max() > 0 else legs
            return State(p, x, z, yaw)

        self._x, self._z = line[-1]
        self._yaw, self._pose = path.end_yaw, after
        return self._add(stride.seconds, state)

    def face(self, yaw: float, seconds: float = 0.7) -> Self:
        """Turns on the spot to a heading, by small steps."""
        x, z, yaw0, before, after, h = self._x, self._z, self._yaw, self._pose, self._ready(), self.look.height
        yaw1 = yaw0 + wrap(yaw - yaw0)
        if abs(yaw1 - yaw0) < 1:
            return self

        def state(t: float) -> State:
            u = smooth(t / seconds)
            feet, now = pivot(x, z, yaw0, yaw1, h, u)
            p = stand_on(mix(before, after, u), feet, x, z, now, h)
            return State(p, x, z, now)

        self._yaw, self._pose = yaw1, after
        return self._add(seconds, state)

    def toward(self, x: float, z: float, seconds: float = 0.7) -> Self:
        """Turns to a floor point."""
        return self.face(float(np.degrees(np.arctan2(x - self._x, z - self._z))), seconds)

    def play(self, *keys: Key) -> Self:
        """Goes through poses on the spot; each key is (seconds to get there, pose). The last one stays."""
        x, z, yaw = self._x, self._z, self._yaw
        line, t = [(0.0, self._pose)], 0.0
        for seconds, p in keys:
            t += seconds
            line.append((t, p))
        self._pose = line[-1][1]
        return self._add(t, lambda t: State(track(line, t), x, z, yaw))

    def wait(self, seconds: float) -> Self:
        """Stays as it is."""
        return self.play((seconds, self._pose))

    def until(self, t: float) -> Self:
        """Stays as it is until t seconds of the video."""
        return self.wait(t - self.now) if t > self.now else self

    def rest(self, seconds: float = 0.5) -> Self:
        """Back to standing, with whatever it carries."""
        return self.play((seconds, self._ready()))

    def slide(self, seconds: float, *keys: tuple[float, float, float, float, Pose]) -> Self:
        """Is moved without steps (a blow, a seat): keys (share of the time 0..1, x, z, yaw, pose), joined smoothly."""
        first = (0.0, self._x, self._z, self._yaw, self._pose)
        line = [first, *keys]

        def state(t: float) -> State:
            u = min(max(t / seconds, 0.0), 1.0)
            for a, b in pairwise(line):
                if u <= b[0]:
                    m = smooth((u - a[0]) / max(b[0] - a[0], 1e-6))
                    x, z, yaw = a[1] + (b[1] - a[1]) * m, a[2] + (b[2] - a[2]) * m, a[3] + (b[3] - a[3]) * m
                    return State(mix(a[4], b[4], m), x, z, yaw)
            return State(line[-1][4], *line[-1][1:4])

        _, self._x, self._z, self._yaw, self._pose = line[-1]
        return self._add(seconds, state)

    def state(self, t: float) -> State:
        """At t seconds of the video; before the first order it stands, after the last it stays."""
        act = next((a for a in self._acts if t < a.stop), self._acts[-1] if self._acts else None)
        if act is None:
            s = State(self._pose, self._x, self._z, self._yaw)
        else:
            s = act.state(min(max(t, act.start), act.stop) - act.start)
        return State(sway(s.pose, t, self._phases, self._sway), s.x, s.z, s.yaw)


def sway(p: Pose, t: float, phases: np.ndarray, k: float = 1.0) -> Pose:
    """Breathing, shifts of weight and unsteady hands, so that nobody stands like a statue; the feet stay."""

    def s(i: int, hz: float) -> float:
        return sin(2 * pi * hz * t + phases[i])

    q = p.copy()
    q[FIELD["spine"]] += (1.2 * k * s(0, 0.25), 1.8 * k * s(1, 0.17), 1.0 * k * s(2, 0.13))
    q[FIELD["head"]] += (5 * k * s(3, 0.11), 2 * k * s(4, 0.19))
    dx, dz = 0.006 * k * s(5, 0.13), 0.004 * k * s(6, 0.2)
    q[FIELD["root"]] += (dx, 0, dz)
    q[FIELD["l_ankle"]] -= (dx, 0, dz)
    q[FIELD["r_ankle"]] -= (-dx, 0, dz)
    q[FIELD["l_wrist"]] += (0.006 * k * s(7, 0.3), 0.006 * k * s(8, 0.23), 0.006 * k * s(9, 0.27))
    q[FIELD["r_wrist"]] += (0.006 * k * s(8, 0.31), 0.006 * k * s(9, 0.21), 0.006 * k * s(7, 0.26))
    return q
