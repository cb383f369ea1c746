"""How bodies touch the floor, sway and pass from pose to pose; and where things lie as seen by somebody who stands."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import atan2, cos, degrees, pi, radians, sin

import numpy as np

from vigil_city.bodies.anatomy import FIELD, Pose, mix, solve

Point = tuple[float, float]
Key = tuple[float, Pose]
"""(seconds that it takes to get into the pose from the one before, the pose)."""

_TOUCH = {  # how far each joint lies above the skin below it, in body heights
    "l_heel": 0.016, "r_heel": 0.016, "l_toe": 0.013, "r_toe": 0.013, "l_knee": 0.041, "r_knee": 0.041, "l_hip": 0.064,
    "r_hip": 0.064, "pelvis": 0.066, "waist": 0.066, "neck": 0.055, "l_shoulder": 0.038, "r_shoulder": 0.038,
    "l_elbow": 0.028, "r_elbow": 0.028, "l_hand": 0.012, "r_hand": 0.012, "skull": 0.050,
}  # fmt: skip
LIFT = FIELD["root"].start + 1


def smooth(u: float) -> float:
    """0 to 1 with flat ends."""
    u = min(max(u, 0.0), 1.0)
    return u * u * (3 - 2 * u)


def wrap(degrees: float) -> float:
    """The same angle in (-180, 180]."""
    return -((180 - degrees) % 360 - 180)


def grounded(p: Pose) -> Pose:
    """The pose moved up or down until its lowest point touches the floor."""
    joints = solve(p, 0, 0, 0, 1.0).joints
    out = p.copy()
    out[LIFT] -= min(float(joints[name][1]) - skin for name, skin in _TOUCH.items())
    return out


def bearing(x: float, z: float, to_x: float, to_z: float) -> float:
    """The yaw in degrees at which a person at (x, z) looks at the other point."""
    return degrees(atan2(to_x - x, to_z - z))


def ahead(x: float, z: float, yaw: float, forward: float, left: float = 0.0) -> Point:
    """The floor point so many metres ahead and to the left of someone."""
    s, c = sin(radians(yaw)), cos(radians(yaw))
    return x + s * forward + c * left, z + c * forward - s * left


def turned_away(yaw: float, heading: float) -> bool:
    """Whether somebody with that heading looks against a push in direction `yaw`, and falls on the back."""
    return abs(wrap(yaw - heading)) > 90


def track(keys: list[Key], t: float) -> Pose:
    """Pose at time t of [(seconds, pose), ...] (absolute times) joined by smooth steps."""
    if t <= keys[0][0]:
        return keys[0][1]
    for (t0, a), (t1, b) in pairwise(keys):
        if t < t1:
            return mix(a, b, smooth((t - t0) / (t1 - t0)))
    return keys[-1][1]


def timed(first: Pose, keys: Sequence[Key]) -> list[Key]:
    """The keys with absolute times, after the pose from which they start."""
    times = accumulate((seconds for seconds, _ in keys), initial=0.0)
    return list(zip(times, [first, *(p for _, p in keys)], strict=True))


def sway(p: Pose, t: float, phases: np.ndarray) -> Pose:
    """Breathing, shifts of weight and unsteady hands, so that nobody stands like a statue; the feet stay."""

    def s(i: int, hz: float) -> float:
        return sin(2 * pi * hz * t + phases[i])

    q = p.copy()
    q[FIELD["spine"]] += (1.2 * s(0, 0.25), 1.8 * s(1, 0.17), 1.0 * s(2, 0.13))
    q[FIELD["head"]] += (5 * s(3, 0.11), 2 * s(4, 0.19))
    dx, dz = 0.006 * s(5, 0.13), 0.004 * s(6, 0.2)
    q[FIELD["root"]] += (dx, 0, dz)
    q[FIELD["l_ankle"]] -= (dx, 0, dz)
    q[FIELD["r_ankle"]] -= (-dx, 0, dz)
    q[FIELD["l_wrist"]] += (0.006 * s(7, 0.3), 0.006 * s(8, 0.23), 0.006 * s(9, 0.27))
    q[FIELD["r_wrist"]] += (0.006 * s(8, 0.31), 0.006 * s(9, 0.21), 0.006 * s(7, 0.26))
    return q
