"""Actors of the crime scenes: they fall, lie, shift their ground, hold gear, and know when they are guilty."""

from collections.abc import Callable, Sequence
from math import atan2, cos, degrees, hypot, pi, radians, sin

import numpy as np

from vigil_city.body import ANKLE_Y, FIELD, HIP_Y, Pose, Skeleton, mix, pose, solve
from vigil_city.gait import smooth, wrap
from vigil_city.look import Look
from vigil_city.motion import Actor, Key, track
from vigil_city.scene import Figure, Part, State

GRAVITY = 9.81
Gear = Callable[[Skeleton, Look], list[Part]]
"""What somebody holds or wears, built on the body."""

_TOUCH = {  # how far each joint lies above the skin below it, in body heights
    "l_heel": 0.016, "r_heel": 0.016, "l_toe": 0.013, "r_toe": 0.013, "l_knee": 0.041, "r_knee": 0.041, "l_hip": 0.064,
    "r_hip": 0.064, "pelvis": 0.066, "waist": 0.066, "neck": 0.055, "l_shoulder": 0.038, "r_shoulder": 0.038,
    "l_elbow": 0.028, "r_elbow": 0.028, "l_hand": 0.012, "r_hand": 0.012, "skull": 0.050,
}  # fmt: skip
_LIFT = FIELD["root"].start + 1


def grounded(p: Pose) -> Pose:
    """The pose moved up or down until its lowest point touches the floor."""
    joints = solve(p, 0, 0, 0, 1.0).joints
    out = p.copy()
    out[_LIFT] -= min(float(joints[name][1]) - skin for name, skin in _TOUCH.items())
    return out


def bearing(x: float, z: float, to_x: float, to_z: float) -> float:
    """The yaw in degrees at which a person at (x, z) looks at the other point."""
    return degrees(atan2(to_x - x, to_z - z))


def ahead(x: float, z: float, yaw: float, forward: float, left: float = 0.0) -> tuple[float, float]:
    """The floor point so many metres ahead and to the left of someone."""
    s, c = sin(radians(yaw)), cos(radians(yaw))
    return x + s * forward + c * left, z + c * forward - s * left


class Player(Actor):
    """An actor with a role; what it does between `guilty` moments is the abnormal act."""

    def __init__(
        self,
        rng: np.random.Generator,
        x: float,
        z: float,
        yaw: float,
        role: str = "bystander",
        *,
        look: Look | None = None,
    ) -> None:
        super().__init__(rng, look or Look.random(rng), x, z, yaw)
        self.role = role
        self._guilty: list[tuple[float, float]] = []
        self._gear: list[tuple[float, float, Gear]] = []

    @property
    def stance(self) -> Pose:
        """The pose after the orders so far."""
        return self._pose

    def begin(self, p: Pose) -> "Player":
        """Is found in this pose when the video starts."""
        self._pose = grounded(p)
        return self

    def guilty(self, start: float, stop: float) -> "Player":
        """Does the abnormal act from start to stop, seconds."""
        self._guilty.append((start, stop))
        return self

    def wear(self, gear: Gear, start: float = -1.0, stop: float = 1e9) -> "Player":
        """Holds or wears a thing from start to stop, seconds."""
        self._gear.append((start, stop, gear))
        return self

    def tumble(
        self, *keys: Key, to: tuple[float, float] | None = None, yaw: float | None = None, ease: float = 1.0
    ) -> "Player":
        """Goes through poses that lie, sit or fall, on the floor at every moment, perhaps thrown to another point.

        Below 1, `ease` starts the way slowly (a fall); the first key's start is the present pose.
        """
        x0, z0, yaw0 = self._x, self._z, self._yaw
        x1, z1 = to or (x0, z0)
        yaw1 = yaw0 if yaw is None else yaw0 + wrap(yaw - yaw0)
        times = np.cumsum([0.0, *(seconds for seconds, _ in keys)])
        poses = [self._pose, *(p for _, p in keys)]
        total = float(times[-1])

        def state(t: float) -> State:
            k = int(np.clip(np.searchsorted(times, t, "right"), 1, len(keys)))
            u = min(max((t - times[k - 1]) / (times[k] - times[k - 1]), 0.0), 1.0)
            s = smooth(t / total) ** (1 / ease)
            return State(
                grounded(mix(poses[k - 1], poses[k], smooth(u))),
                x0 + (x1 - x0) * s,
                z0 + (z1 - z0) * s,
                yaw0 + (yaw1 - yaw0) * s,
            )

        self._x, self._z, self._yaw, self._pose = x1, z1, yaw1, grounded(poses[-1])
        self._add(total, state)
        return self

    def thrown(
        self, velocity: tuple[float, float, float], *keys: Key, skid: float = 5.0, yaw: float | None = None
    ) -> "Player":
        """Flies off at velocity (x, y up, z) m/s through the poses, lands, slides to rest at `skid` m/s2."""
        x0, z0, yaw0, height = self._x, self._z, self._yaw, self.look.height
        yaw1 = yaw0 if yaw is None else yaw0 + wrap(yaw - yaw0)
        across, up = hypot(velocity[0], velocity[2]), velocity[1]
        air = 2 * up / GRAVITY
        ground = 0.6 * across  # landing takes speed away
        slide = ground / skid
        total = max(air + slide, sum(seconds for seconds, _ in keys))
        line = [(0.0, self._pose), *zip(np.cumsum([seconds for seconds, _ in keys]), (p for _, p in keys), strict=True)]

        def gone(t: float) -> float:
            s = min(max(t - air, 0.0), slide)
            return across * min(t, air) + ground * s - skid * s * s / 2

        def state(t: float) -> State:
            p = grounded(track(line, t))
            p[_LIFT] += max(up * t - GRAVITY / 2 * t * t, 0.0) / height
            far = gone(t) / max(across, 1e-6)
            turn = yaw0 + (yaw1 - yaw0) * smooth(t / max(air, 0.2))
            return State(p, x0 + velocity[0] * far, z0 + velocity[2] * far, turn)

        end = state(total)
        self._x, self._z, self._yaw, self._pose = end.x, end.z, end.yaw, grounded(keys[-1][1])
        self._add(total, state)
        return self

    def shift(self, seconds: float, to: tuple[float, float], *poses: Pose, yaw: float | None = None) -> "Player":
        """Steps to a near point without turning to it (forwards, backwards, aside), through poses at even times."""
        x0, z0, yaw0 = self._x, self._z, self._yaw
        yaw1 = yaw0 if yaw is None else yaw0 + wrap(yaw - yaw0)
        line = [self._pose, *(poses or (self._pose,))]
        steps = max(1, round(hypot(to[0] - x0, to[1] - z0) / 0.32))

        def state(t: float) -> State:
            u = min(max(t / seconds, 0.0), 1.0)
            k = min(int(u * (len(line) - 1)), len(line) - 2)
            p = mix(line[k], line[k + 1], smooth(u * (len(line) - 1) - k))
            step = u * steps
            foot = "l_ankle" if int(step) % 2 else "r_ankle"
            p[FIELD[foot].start + 1] += 0.05 * sin(pi * (step % 1))
            s = smooth(u)
            return State(p, x0 + (to[0] - x0) * s, z0 + (to[1] - z0) * s, yaw0 + (yaw1 - yaw0) * s)

        (self._x, self._z), self._yaw, self._pose = to, yaw1, line[-1]
        self._add(seconds, state)
        return self

    def pedal(self, to: tuple[float, float], seconds: float) -> "Player":
        """Rides a bicycle (which the scene draws) straight to a point at even speed, turning its pedals."""
        x0, z0 = self._x, self._z
        yaw, height, distance = bearing(x0, z0, *to), self.look.height, hypot(to[0] - x0, to[1] - z0)
        saddle = 0.93 / height + 0.05  # the hips, in body heights
        base = pose(
            root=(0, saddle - HIP_Y, -0.23 / height),
            spine=(38, 0, 0),
            head=(0, 4),
            l_wrist=(0.02, -0.17, 0.24),
            r_wrist=(0.02, -0.17, 0.24),
        )

        def state(t: float) -> State:
            s = distance * t / seconds
            feet = {}
            for side, phase in (("l", 0.0), ("r", pi)):
                a = s * 1.15 + phase
                up, forward = (0.36 + 0.15 * cos(a)) / height - saddle, (0.17 + 0.15 * sin(a)) / height
                feet[side + "_ankle"] = (0.01, up + ANKLE_Y * 0.8, forward)
            return State(pose(base, **feet), x0 + (to[0] - x0) * t / seconds, z0 + (to[1] - z0) * t / seconds, yaw)

        (self._x, self._z), self._yaw, self._pose = to, yaw, base
        self._add(seconds, state)
        return self

    def repeat(self, until: float, *keys: Key) -> "Player":
        """Plays the keys again and again while they fit before `until`, then waits for it."""
        total = sum(seconds for seconds, _ in keys)
        while self.now + total <= until:
            self.play(*keys)
        self.until(until)
        return self

    def toward_player(self, other: Actor, seconds: float = 0.5) -> "Player":
        """Turns to where another actor is after its orders so far."""
        self.toward(*other.where, seconds)
        return self

    def skeleton(self, t: float) -> Skeleton:
        s = self.state(t)
        return solve(s.pose, s.x, s.z, s.yaw, self.look.height)

    def show(self, t: float, person: int) -> Figure:
        """The figure for a Moment."""
        figure = Figure(self.state(t), self.look, self.role, any(a <= t < b for a, b in self._guilty), person)
        for start, stop, make in self._gear:
            if start <= t < stop:
                figure.extra.extend(make(figure.skeleton, self.look))
        return figure


def cast(t: float, players: Sequence[Player]) -> list[Figure]:
    """All of them at time t, numbered in order."""
    return [player.show(t, k) for k, player in enumerate(players)]


def reaching(p: Pose, player: Player, side: str, target: Sequence[float] | np.ndarray) -> Pose:
    """The pose with the "l" or "r" hand stretched to a world point, for a player as it stands after its orders."""
    (x, z), height = player.where, player.look.height
    sk = solve(p, x, z, player.heading, height)
    away = np.asarray(target, float) - sk.joints[side + "_shoulder"]
    far = max(float(np.linalg.norm(away)), 1e-6)
    away *= max(1 - 0.06 * height / far, 0.2)  # the wrist stays behind the hand
    out, up, forward = (float(v) for v in sk.thorax.T @ away / height)
    return pose(p, **{side + "_wrist": (out if side == "l" else -out, up, forward)})
