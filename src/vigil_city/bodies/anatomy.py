"""Bodies: proportions, the algebra of poses, and inverse kinematics from a pose to joints in the world.

Every length is a fraction of the body height. Body axes: x = left, y = up, z = forward.
A pose is one flat vector (33,), so that mixing two is one operation; `FIELD` names its limbs.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import cos, radians, sin, sqrt

import numpy as np

HIP_Y, HIP_X = 0.52, 0.052  # height and half width of the hip joints
LUMBAR, THORAX = 0.12, 0.165  # hips to mid spine, mid spine to shoulder line
SHOULDER_X, UPPER_ARM, FOREARM, HAND = 0.112, 0.172, 0.150, 0.075
ACROMION = 0.035  # from the centre of the shoulder up to its top, at 0.818 of the height, which annotators mark
THIGH, SHIN, ANKLE_Y = 0.240, 0.240, 0.042
HEEL, TOE = 0.035, 0.115
LEG = ANKLE_Y - HIP_Y  # the ankle below the hip when standing

Pose = np.ndarray  # (33,) float64

_STANDING: dict[str, tuple[float, ...]] = {
    "root": (0, 0, 0),  # offset of the hips (left, up, forward) from standing
    "turn": (0, 0, 0),  # the whole body about the hips: yaw left, pitch forward, roll to the left; degrees
    "spine": (2, 0, 0),  # bend forward, twist left, to the side; degrees
    "head": (0, 4),  # yaw left, pitch down; degrees
    "l_wrist": (0.035, -0.305, 0.045),  # (out, up, forward) of the shoulder
    "r_wrist": (0.035, -0.305, 0.045),
    "l_elbow": (0.35, -0.3, -1),  # the direction in which the elbow points (out, up, forward)
    "r_elbow": (0.35, -0.3, -1),
    "l_ankle": (0.012, LEG, 0),  # (out, up, forward) of the hip
    "r_ankle": (0.012, LEG, 0),
    "l_foot": (0, 12),  # toes down, toes out; degrees
    "r_foot": (0, 12),
}
_ENDS = accumulate(len(values) for values in _STANDING.values())
FIELD = {name: slice(end - len(_STANDING[name]), end) for name, end in zip(_STANDING, _ENDS, strict=True)}
REST: Pose = np.concatenate([np.asarray(v, float) for v in _STANDING.values()])
ARMS = ("l_wrist", "r_wrist", "l_elbow", "r_elbow")
LEFT_ARM, RIGHT_ARM = ("l_wrist", "l_elbow"), ("r_wrist", "r_elbow")
PAIRS = {"wrists": ARMS[:2], "elbows": ARMS[2:], "ankles": ("l_ankle", "r_ankle"), "feet": ("l_foot", "r_foot")}


def pose(base: Pose = REST, /, **changes: tuple[float, ...]) -> Pose:
    """`base` with some of its limbs replaced; wrists, elbows, ankles and feet name the left and right one."""
    out = base.copy()
    for name, value in changes.items():
        for side in PAIRS.get(name, (name,)):
            out[FIELD[side]] = value
    return out


def feet(
    left_up: float, left_ahead: float, right_up: float, right_ahead: float, left_out: float = 0.03,
    right_out: float = 0.05,
) -> dict[str, tuple[float, ...]]:  # fmt: skip
    """The ankles of a pose: how far each is raised to the hips, is ahead of them and out of them."""
    left, right = (left_out, LEG + left_up, left_ahead), (right_out, LEG + right_up, right_ahead)
    return {"l_ankle": left, "r_ankle": right}


def mix(a: Pose, b: Pose, s: float) -> Pose:
    return a + (b - a) * s


def with_limbs(base: Pose, names: tuple[str, ...], source: Pose) -> Pose:
    """`base` with the named limbs of `source`: carrying arms on a walking body."""
    return pose(base, **{name: tuple(source[FIELD[name]]) for name in names})


def mirror(p: Pose) -> Pose:
    """Left and right exchanged."""
    out = p.copy()
    for name in ("wrist", "elbow", "ankle", "foot"):
        left, right = FIELD["l_" + name], FIELD["r_" + name]
        out[left], out[right] = p[right], p[left]
    out[FIELD["root"]] *= (-1, 1, 1)
    out[FIELD["turn"]] *= (-1, 1, -1)
    out[FIELD["spine"]] *= (1, -1, -1)
    out[FIELD["head"]] *= (-1, 1)
    return out


def about_x(degrees: float) -> np.ndarray:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def about_y(degrees: float) -> np.ndarray:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def about_z(degrees: float) -> np.ndarray:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def two_bone(
    start: np.ndarray, target: np.ndarray, upper: float, lower: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint of a limb that reaches for target as far as it can, bending towards pole."""
    d = target - start
    dist = sqrt(d @ d) + 1e-9
    u = d / dist
    dist = min(max(dist, abs(upper - lower) + 1e-3), (upper + lower) * 0.999)
    along = (upper * upper - lower * lower + dist * dist) / (2 * dist)
    off = sqrt(max(upper * upper - along * along, 0.0))
    side = pole - u * (pole @ u)
    side = side / (sqrt(side @ side) + 1e-9)
    return start + u * along + side * off, start + u * dist


@dataclass(frozen=True)
class Skeleton:
    """Joints in world metres, and the world rotations (columns left, up, forward) of trunk, head and hips."""

    joints: dict[str, np.ndarray]
    thorax: np.ndarray
    head: np.ndarray
    root: np.ndarray
    height: float  # metres

    def at(self, joint: str, *offset: float) -> np.ndarray:
        """A point (left, up, forward) of neck, skull or pelvis, in body heights, as that is turned."""
        turned = {"neck": self.thorax, "skull": self.head, "pelvis": self.root}[joint]
        return self.joints[joint] + turned @ (np.asarray(offset) * self.height)


def solve(p: Pose, x: float, z: float, yaw: float, height: float) -> Skeleton:
    """The body in pose p that stands at floor point (x, z); yaw 0 looks along +Z, 90 along +X."""
    get = {name: p[field] for name, field in FIELD.items()}
    heading = about_y(yaw)
    whole = get["turn"]
    root = heading @ about_y(whole[0]) @ about_x(whole[1]) @ about_z(whole[2]) if whole.any() else heading
    bend, twist, side = get["spine"]
    half = about_y(twist / 2) @ about_x(bend / 2) @ about_z(side / 2)
    lumbar = root @ half
    thorax = lumbar @ half
    head = thorax @ about_y(get["head"][0]) @ about_x(get["head"][1] - 0.6 * bend)
    pelvis = heading @ (get["root"] + (0, HIP_Y, 0))
    waist = pelvis + lumbar @ (0, LUMBAR, -0.005)
    neck = waist + thorax @ (0, THORAX, -0.008)
    skull = neck + thorax @ (0, 0.040, 0.008) + head @ (0, 0.068, 0.012)  # the centre of the head
    j = {"pelvis": pelvis, "waist": waist, "neck": neck, "skull": skull, "nose": skull + head @ (0, -0.010, 0.063)}
    for s, sign in (("l_", 1.0), ("r_", -1.0)):
        out = np.array([sign, 1.0, 1.0])
        shoulder = neck + thorax @ (sign * SHOULDER_X, -0.022, 0)
        reach = shoulder + thorax @ (get[s + "wrist"] * out)
        elbow, wrist = two_bone(shoulder, reach, UPPER_ARM, FOREARM, thorax @ (get[s + "elbow"] * out))
        hip = pelvis + root @ (sign * HIP_X, 0, 0)
        step = hip + root @ (get[s + "ankle"] * out)
        knee, ankle = two_bone(hip, step, THIGH, SHIN, root @ (sign * 0.12, 0, 1))
        down, outwards = get[s + "foot"]
        foot = root @ about_y(sign * outwards) @ about_x(down)
        j[s + "shoulder"], j[s + "elbow"], j[s + "wrist"] = shoulder, elbow, wrist
        j[s + "hand"] = wrist + (wrist - elbow) * (HAND / FOREARM)
        j[s + "hip"], j[s + "knee"], j[s + "ankle"] = hip, knee, ankle
        j[s + "heel"] = ankle + foot @ (0, -ANKLE_Y * 0.62, -HEEL)
        j[s + "toe"] = ankle + foot @ (0, -ANKLE_Y * 0.68, TOE)
        j[s + "shoulder_mark"] = shoulder + thorax @ (0, ACROMION, 0)
    foot = np.array([x, 0.0, z])
    return Skeleton({name: v * height + foot for name, v in j.items()}, thorax, head, root, height)
