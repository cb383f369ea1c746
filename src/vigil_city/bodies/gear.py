"""What people hold and wear: weapons, tools, uniforms, bags; built from the body that has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from vigil_city.bodies.anatomy import Skeleton
from vigil_city.bodies.player import Gear
from vigil_city.places.props import HANDLE, METAL, WOOD, bag
from vigil_city.places.shapes import Colour, box, placed, polygon, rod
from vigil_city.scene import Figure, Part

BLADE = (205, 210, 216)
CAP, BAND = (24, 30, 48), (215, 215, 215)
UP = np.array([0.0, 1.0, 0.0])
Bar = tuple[Sequence[float], Sequence[float], float, Colour, float]
"""From, to (see `held`), radius, colour, radius at the far end."""


def _unit(v: np.ndarray) -> np.ndarray:
    return v / max(float(np.linalg.norm(v)), 1e-6)


def _fist(sk: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the right fist, and the direction in which its forearm points."""
    hand = sk.joints["r_hand"]
    return sk.joints["r_wrist"] * 0.35 + hand * 0.65, _unit(hand - sk.joints["r_elbow"])


def held(*bars: Bar, lift: float = 0.0) -> Gear:
    """Bars in the right fist.

    Their ends are metres ahead, up and along the forearm; ahead is the forearm's direction, tilted up by `lift`.
    """

    def hold(figure: Figure, _: float) -> list[Part]:
        fist, arm = _fist(figure.skeleton)
        ahead = _unit(arm + lift * UP)

        def at(far: float, up: float = 0.0, on: float = 0.0) -> np.ndarray:
            return fist + far * ahead + on * arm + up * UP

        return [rod(at(*a), at(*b), radius, colour, tip) for a, b, radius, colour, tip in bars]

    return hold


gun = held(
    ((0, -0.03), (0, 0.05), 0.022, METAL, 0.022), ((-0.03, 0.05), (0.23, 0.05), 0.024, (34, 35, 38), 0.018)
)  # fmt: skip
knife = held(((-0.04,), (0.06,), 0.018, (30, 30, 30), 0.018), ((0.06,), (0.26, 0.06), 0.022, BLADE, 0.005))
crowbar = held(
    ((-0.16,), (0.48,), 0.017, (160, 40, 35), 0.017), ((0.48,), (0.48, -0.05, 0.07), 0.016, BLADE, 0.008), lift=0.25
)


def stick(length: float, radius: float, colour: Colour, lift: float = 0.45) -> Gear:
    """A bat, truncheon or tongs: a bar that goes on from the fist, tilted up by `lift`."""
    return held(((-0.10,), (length,), radius * 0.7, colour, radius), lift=lift)


def spray_can(colour: Colour) -> Gear:
    return held(((0, -0.07), (0, 0.10), 0.032, colour, 0.032), ((0, 0.10), (0, 0.14), 0.018, (235, 235, 235), 0.018))


def cloth(colour: Colour) -> Gear:
    return held(((0.05, 0.05), (0.05, -0.08), 0.055, colour, 0.04))


def muzzle(sk: Skeleton) -> np.ndarray:
    """Where a gun fires from."""
    fist, along = _fist(sk)
    return fist + 0.27 * along + 0.05 * UP


def barrel(sk: Skeleton) -> np.ndarray:
    """Where a long gun fires from."""
    rear = sk.joints["r_hand"]
    return rear + 0.74 * _unit(sk.joints["l_hand"] - rear)


def rifle(figure: Figure, _: float) -> list[Part]:
    """A long gun held in both hands."""
    rear = figure.skeleton.joints["r_hand"]
    along = _unit(figure.skeleton.joints["l_hand"] - rear)
    stock = rod(rear - 0.28 * along, rear + 0.2 * along, 0.034, WOOD, 0.028)
    return [stock, rod(rear + 0.1 * along, rear + 0.72 * along, 0.022, METAL)]


def packet(colour: Colour, side: str, size: float = 0.055) -> Gear:
    """Something small in the hand: goods, cash, a lighter."""

    def hold(figure: Figure, _: float) -> list[Part]:
        hand = figure.skeleton.joints[side + "_hand"]
        return [rod(hand - size * 0.6 * UP, hand + size * UP, size, colour)]

    return hold


def broom(figure: Figure, _: float) -> list[Part]:
    """Held in both hands, the left above; its foot is on the floor."""
    upper, lower = figure.skeleton.joints["l_hand"], figure.skeleton.joints["r_hand"]
    along = _unit(lower - upper) * 0.5 + np.array([0, -0.8, 0])
    foot = lower + along * (max(float(lower[1]), 0.05) - 0.03) / max(-float(along[1]), 0.2)
    brush = rod(foot + (-0.14, 0.02, 0), foot + (0.14, 0.02, 0), 0.04, (150, 60, 50))
    return [rod(upper - along * 0.25, foot, 0.014, (176, 140, 92)), brush]


def _facing(sk: Skeleton) -> float:
    """The yaw of a body in degrees."""
    return float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2])))


@dataclass(frozen=True)
class Jet:
    """What pours from a can between two times: its colour, radius, way ahead in metres, and fall.

    The fall is a u + b u^2 at share u of the way: metres, or shares of the height of the spout where it reaches the
    floor.
    """

    start: float
    stop: float
    colour: Colour
    radius: float
    ahead: float
    fall: tuple[float, float]
    to_floor: bool
    points: int

    def parts(self, sk: Skeleton, turn: float) -> list[Part]:
        s, c, ahead = np.sin(np.radians(turn)), np.cos(np.radians(turn)), sk.root[:, 2]
        spout = sk.joints["r_hand"] + (0.17 * c + 0.02 * s) * ahead + (0.02 * c - 0.17 * s) * UP
        (a, b), high = self.fall, spout[1] if self.to_floor else 1.0
        shares = np.linspace(0, 1, self.points)
        line = [spout - (a * u + b * u * u) * high * UP + self.ahead * u * ahead for u in shares]
        return [rod(p, q, self.radius, self.colour) for p, q in pairwise(line)]


def can(colour: Colour, tilt: Callable[[float], float], jet: Jet) -> Gear:
    """A jerrycan that hangs from the right hand; `tilt` (of the time) 0..1 turns its spout down."""
    body = [
        *box(0, -0.36, 0, (0.17, 0.30, 0.27), colour),
        rod((0, -0.03, -0.08), (0, -0.03, 0.08), 0.014, METAL),
        rod((0, -0.06, 0.10), (0, 0.02, 0.17), 0.022, (230, 200, 60)),
    ]

    def hold(figure: Figure, t: float) -> list[Part]:
        sk, turn = figure.skeleton, 95 * tilt(t)
        x, y, z = (float(v) for v in sk.joints["r_hand"])
        return placed(body, x, y, z, _facing(sk), turn) + (jet.parts(sk, turn) if jet.start < t < jet.stop else [])

    return hold


def cap(figure: Figure, _: float) -> list[Part]:
    """A police officer's peaked cap."""
    h, at = figure.look.height, partial(figure.skeleton.at, "skull")
    ring = np.arange(8) * np.pi / 4
    crown = [at(0.070 * np.cos(a), 0.076 + 0.012 * np.sin(a), 0.070 * np.sin(a)) for a in ring]
    return [
        rod(at(0, 0.026, -0.006), at(0, 0.030, -0.006), 0.0535 * h, BAND),
        rod(at(0, 0.036, -0.006), at(0, 0.044, -0.002), 0.0525 * h, CAP, 0.046 * h),
        polygon(np.array(crown), CAP),
        rod(at(0.022, 0.018, 0.058), at(-0.022, 0.018, 0.058), 0.016 * h, (14, 14, 16)),
    ]


def uniform(vest: bool) -> Gear:
    """What marks an officer: a yellow vest, or a belt and a light patch on the back."""

    def wear(figure: Figure, _: float) -> list[Part]:
        h, b = figure.look.height, figure.look.build
        up, low = (partial(figure.skeleton.at, joint) for joint in ("neck", "pelvis"))
        parts: list[Part] = [rod(low(0.04, 0.005, 0), low(-0.04, 0.005, 0), 0.066 * b * h, (18, 18, 20))]
        if not vest:
            back = [up(s * 0.055, rise, -0.079 * b) for s, rise in ((1, -0.05), (-1, -0.05), (-1, -0.09), (1, -0.09))]
            return [*parts, polygon(np.array(back), (225, 225, 228), shade=False)]
        for s in (1, -1):
            ends = up(s * 0.048, -0.055, 0.003), low(s * 0.034, 0.06, 0)
            parts.append(rod(*ends, 0.071 * b * h, (214, 220, 40), 0.068 * b * h))
        return [*parts, rod(up(0.052, -0.125, 0.003), up(-0.052, -0.125, 0.003), 0.0735 * b * h, (225, 228, 230))]

    return wear


def cuffs(figure: Figure, _: float) -> list[Part]:
    """Handcuffs between the wrists."""
    left, right = figure.skeleton.joints["l_wrist"], figure.skeleton.joints["r_wrist"]
    rings = [rod(wrist - 0.018 * UP, wrist + 0.018 * UP, 0.040, BLADE) for wrist in (left, right)]
    return [*rings, rod(left, right, 0.012, BLADE)]


def in_hand(sk: Skeleton, colour: Colour, kind: str, side: str) -> list[Part]:
    """A bag hanging from a hand."""
    x, y, z = (float(v) for v in sk.joints[side + "_hand"])
    return placed(bag(colour, kind), x, max(y - HANDLE[kind], 0.0), z, _facing(sk) + 90)
