"""Walking and running with planted feet.

Feet follow footprints on the path: a foot that stands does not move at all, whatever the body does; a swinging foot
travels from one footprint to the next. Phases are in metres of path, so speed does not matter to the geometry.
"""

from dataclasses import dataclass, replace
from math import cos, floor, pi, sin, sqrt

import numpy as np

from vigil_city.bodies.anatomy import ANKLE_Y, FIELD, HIP_X, HIP_Y, LEG, REST, SHIN, THIGH, Pose, about_y, pose
from vigil_city.bodies.motion import smooth, wrap
from vigil_city.scene import State


@dataclass(frozen=True)
class Gait:
    """Lengths in body heights."""

    duty: float  # share of the cycle that a foot stands
    fore: float  # how far before the body it lands
    aft: float  # how far behind the body it leaves the floor
    lift: float
    run: bool = False

    @property
    def cycle(self) -> float:
        """Path per two steps."""
        return (self.fore + self.aft) / self.duty


STROLL = Gait(0.62, 0.145, 0.145, 0.04)
WALK = Gait(0.60, 0.18, 0.18, 0.05)
HEEL_UP, HEEL_DOWN = 0.042, 24.0  # body heights and degrees: a foot as it leaves the floor
RUN = Gait(0.36, 0.16, 0.24, 0.21, run=True)


@dataclass(frozen=True)
class Foot:
    """Where one foot is: floor point, rise of the ankle, toes down, heading; metres and degrees."""

    x: float
    z: float
    up: float
    down: float
    yaw: float


class Path:
    """A smoothed line through floor points; arc length in metres gives position and heading."""

    def __init__(self, points: list[tuple[float, float]], yaw0: float) -> None:
        line = np.asarray(points, float)
        step = np.hypot(*np.diff(line, axis=0).T)
        arc = np.concatenate([[0], np.cumsum(step)])
        n = max(int(arc[-1] / 0.05), 2) + 1
        dense = np.stack([np.interp(np.linspace(0, arc[-1], n), arc, line[:, k]) for k in (0, 1)], 1)
        if len(points) > 2:
            for _ in range(60):  # corners are rounded over about half a metre
                dense[1:-1] = (dense[:-2] + 2 * dense[1:-1] + dense[2:]) / 4
        self._points = dense
        self._arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(dense, axis=0).T))])
        self.length = float(self._arc[-1])
        self._mid = (self._arc[1:] + self._arc[:-1]) / 2
        self._heading = np.degrees(np.unwrap(np.arctan2(*np.diff(dense, axis=0).T)))
        self._heading += yaw0 + wrap(self._heading[0] - yaw0) - self._heading[0]
        self.end_yaw = float(self._heading[-1])

    def at(self, s: float) -> tuple[float, float, float]:
        """x, z, heading in degrees."""
        x, z = (float(np.interp(s, self._arc, self._points[:, k])) for k in (0, 1))
        return x, z, float(np.interp(s, self._mid, self._heading))


class Stride:
    """One walk along a path from standing to standing, for a person of some height at some speed."""

    def __init__(self, path: Path, gait: Gait, height: float, speed: float, yaw0: float, left_first: bool) -> None:
        self.path, self.gait, self.h, self.speed = path, gait, height, speed
        self.yaw0, self.left_first = yaw0, left_first
        steps = max(1, round(2 * path.length / (gait.cycle * height)))
        self.cycle = 2 * path.length / steps  # so that a whole number of steps ends on the last point
        k = self.cycle / gait.cycle  # in metres, the gait's lengths stretched to fit
        self.fore, self.aft = gait.fore * k, gait.aft * k
        self.swing = (1 - gait.duty) * self.cycle
        self.first = self.swing + self.fore - self.cycle / 2  # the first foot leaves this far before the body
        self.ease = max(self.first, 0.1)
        self.seconds = (path.length + self.first + self.cycle / 2 - self.fore + self.ease) / speed

    def phase(self, t: float) -> float:
        return t * self.speed - self.first

    def along(self, phase: float) -> float:
        """Arc length of the body: starts and stops gently."""
        w = self.ease

        def ramp(p: float) -> float:
            return 0.0 if p < -w else p if p > w else (p + w) ** 2 / (4 * w)

        return min(ramp(phase) - ramp(phase - self.path.length), self.path.length)

    def foot(self, left: bool, phase: float) -> Foot:
        run, off = self.gait.run, self._offset(left)
        u = (phase - off) / self.cycle  # a stance begins at whole numbers
        k = floor(u)
        s = (u - k) / self.gait.duty
        stands_at, lands_at = ((k + i) * self.cycle + off + self.fore for i in (0, 1))  # the footprints, metres of path
        (x0, z0, y0), (x1, z1, y1) = self._print(stands_at, left), self._print(lands_at, left)
        reach = min(float(np.hypot(x1 - x0, z1 - z0)) / (0.7 * self.cycle), 1.0)
        end = self.path.length + 0.01
        if s <= 1:  # standing; the heel rises before it leaves
            heel = smooth((s - 0.66) / 0.34) * reach
            toe = -14 * smooth(1 - s / 0.15) * (0 < stands_at <= end)
            return Foot(x0, z0, HEEL_UP * heel * self.h, HEEL_DOWN * heel + toe * (not run), y0)
        s = (u - k - self.gait.duty) / (1 - self.gait.duty)
        up = HEEL_UP * (1 - s) ** 2 + self.gait.lift * sin(pi * s ** (0.8 if run else 1.0))
        m = smooth(s)
        down = (HEEL_DOWN * (1 - s) ** 1.5 + (35 if run else 12) * sin(pi * s)) * reach
        down -= 14 * m * (reach * (lands_at <= end)) * (not run)
        return Foot(x0 + (x1 - x0) * m, z0 + (z1 - z0) * m, up * reach * self.h, down, y0 + wrap(y1 - y0) * m)

    def _offset(self, left: bool) -> float:
        """Metres of path at which the cycle of a foot begins."""
        return self.swing - self.first + (0 if left == self.left_first else self.cycle / 2)

    def _print(self, s: float, left: bool) -> tuple[float, float, float]:
        """x, z, heading of a footprint; those before the first and after the last stand where these do."""
        s = min(max(s, 0.0), self.path.length)
        x, z, yaw = self.path.at(s)
        rests = s < 1e-6 or s > self.path.length - 1e-6
        yaw = self.yaw0 if s < 1e-6 else yaw
        across = about_y(yaw)[:, 0] * ((1 if left else -1) * (HIP_X + (0.012 if rests else 0.0)) * self.h)
        return x + float(across[0]), z + float(across[2]), yaw

    def feet(self, t: float) -> list[Foot]:
        return [self.foot(left, self.phase(t)) for left in (True, False)]

    def body(self, t: float) -> State:
        """With legs on the footprints and swinging arms."""
        phase = self.phase(t)
        s = self.along(phase)
        x, z, yaw = self.path.at(s)
        yaw = self.yaw0 + wrap(yaw - self.yaw0) * smooth(s / max(self.cycle * 0.4, 1e-6))
        ends = self.path.length + self.cycle / 2 - self.fore
        go = smooth((phase + self.first) / (self.cycle * 0.3)) * smooth((ends - phase) / (self.cycle * 0.3))
        u = (phase - self._offset(True)) / self.cycle
        upper = _running(u) if self.gait.run else _walking(u, self.fore / self.h)
        p = REST + (upper - REST) * go
        return stand_on(State(p, x, z, yaw), self.feet(t), self.h)


def stand_on(body: State, feet: list[Foot], height: float) -> State:
    """The body with its ankles put on feet, left and right, that are fixed in the world."""
    back, root = about_y(-body.yaw), body.pose[FIELD["root"]]
    changes: dict[str, tuple[float, ...]] = {}
    for name, sign, foot in zip("lr", (1, -1), feet, strict=True):
        rel = back @ (foot.x - body.x, 0.0, foot.z - body.z) / height
        up = ANKLE_Y + foot.up / height - HIP_Y - root[1]
        changes[name + "_ankle"] = (sign * (rel[0] - root[0]) - HIP_X, up, rel[2] - root[2])
        changes[name + "_foot"] = (foot.down, 10 + sign * wrap(foot.yaw - body.yaw))
    return replace(body, pose=pose(body.pose, **changes))


def _walking(u: float, fore: float) -> Pose:
    """Trunk and arms of a walker at phase u of the left foot's cycle, who lands `fore` body heights ahead."""
    swing = cos(2 * pi * (u - 0.05))
    low = max(-LEG - sqrt((THIGH + SHIN) ** 2 - fore * fore), 0.004)  # so that the leg just reaches where it lands
    drop = -(low + 0.004) / 2 - (low - 0.004) / 2 * cos(4 * pi * u)
    arms = 0.12 * min(fore / WALK.fore, 1.3)
    wrists = {f"{n}_wrist": (0.035, -0.29, 0.04 - sign * arms * swing) for n, sign in (("l", 1), ("r", -1))}
    return pose(root=(0.008 * sin(2 * pi * u), drop, 0), spine=(5, 7 * swing, 0), head=(-4 * swing, 2), **wrists)


def _running(u: float) -> Pose:
    swing = cos(2 * pi * (u - 0.05))
    bounce = -0.012 - 0.022 * cos(4 * pi * (u - 0.16))
    arms = {
        f"{n}_wrist": (-0.02 - 0.03 * s, -0.12 + 0.06 * s, 0.10 + 0.15 * s) for n, s in (("l", -swing), ("r", swing))
    }
    trunk = pose(root=(0, bounce, 0), spine=(16, 12 * swing, 0), head=(-8 * swing, 0), elbows=(0.4, -0.4, -1.0))
    return pose(trunk, **arms)


def standing(x: float, z: float, yaw: float, height: float) -> list[Foot]:
    """The two feet of somebody who stands at rest."""
    across = about_y(yaw)[:, 0] * ((HIP_X + 0.012) * height)
    return [Foot(x + sign * across[0], z + sign * across[2], 0.0, 0.0, yaw) for sign in (1, -1)]


def pivot(x: float, z: float, yaw0: float, yaw1: float, height: float, u: float) -> tuple[list[Foot], float]:
    """Feet and heading at share u of a turn on the spot: small steps, first with the foot on the inside of the turn."""
    steps = max(1, round(abs(yaw1 - yaw0) / 70))
    stage = min(int(u * steps), steps - 1)
    a, b = (yaw0 + (yaw1 - yaw0) * (stage + i) / steps for i in (0, 1))
    local = u * steps - stage
    before, after = standing(x, z, a, height), standing(x, z, b, height)
    feet = []
    for f, g, left in zip(before, after, (True, False), strict=True):
        m = smooth(local * 2 if left == (yaw1 > yaw0) else local * 2 - 1)
        up = 0.025 * height * sin(pi * m) * min(abs(b - a) / 40, 1.0)
        feet.append(Foot(f.x + (g.x - f.x) * m, f.z + (g.z - f.z) * m, up, 12 * sin(pi * m), a + (b - a) * m))
    return feet, yaw0 + (yaw1 - yaw0) * u
