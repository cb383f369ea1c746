"""What people hold and wear: weapons, tools, uniforms, bags; built from the body that has it."""

import numpy as np

from vigil_city.bodies.anatomy import Skeleton
from vigil_city.bodies.look import Look
from vigil_city.bodies.player import Gear
from vigil_city.places.props import HANDLE, METAL, WOOD, bag
from vigil_city.places.shapes import Colour, box, placed, rod
from vigil_city.scene import Part, Polygon

BLADE = (205, 210, 216)
CAP, BAND = (24, 30, 48), (215, 215, 215)
UP = np.array([0.0, 1.0, 0.0])


def _unit(v: np.ndarray) -> np.ndarray:
    return v / max(float(np.linalg.norm(v)), 1e-6)


def _fist(sk: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the right fist, and the direction in which its forearm points."""
    hand = sk.joints["r_hand"]
    return sk.joints["r_wrist"] * 0.35 + hand * 0.65, _unit(hand - sk.joints["r_elbow"])


def muzzle(sk: Skeleton) -> np.ndarray:
    """Where a gun fires from."""
    fist, along = _fist(sk)
    return fist + 0.27 * along + 0.05 * UP


def gun(sk: Skeleton, _: Look) -> list[Part]:
    fist, along = _fist(sk)
    top = fist + 0.05 * UP
    slide = rod(top - 0.03 * along, top + 0.23 * along, 0.024, (34, 35, 38), 0.018)
    return [rod(fist - 0.03 * UP, top, 0.022, METAL), slide]


def barrel(sk: Skeleton) -> np.ndarray:
    """Where a long gun fires from."""
    rear, front = sk.joints["r_hand"], sk.joints["l_hand"]
    return rear + 0.74 * (front - rear) / max(float(np.linalg.norm(front - rear)), 1e-6)


def rifle(sk: Skeleton, _: Look) -> list[Part]:
    """A long gun held in both hands."""
    rear = sk.joints["r_hand"]
    along = _unit(sk.joints["l_hand"] - rear)
    stock = rod(rear - 0.28 * along, rear + 0.2 * along, 0.034, WOOD, 0.028)
    return [stock, rod(rear + 0.1 * along, rear + 0.72 * along, 0.022, METAL)]


def knife(sk: Skeleton, _: Look) -> list[Part]:
    fist, along = _fist(sk)
    hilt = fist + 0.06 * along
    blade = rod(hilt, fist + 0.26 * along + 0.06 * UP, 0.022, BLADE, 0.005)
    return [rod(fist - 0.04 * along, hilt, 0.018, (30, 30, 30)), blade]


def _aimed(along: np.ndarray, lift: float) -> np.ndarray:
    aim = along + lift * UP
    aim /= np.linalg.norm(aim)
    return aim


def stick(length: float, radius: float, colour: Colour, lift: float = 0.45) -> Gear:
    """A bat, truncheon or tongs: a bar that goes on from the fist, tilted up by `lift`."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _fist(sk)
        aim = _aimed(along, lift)
        return [rod(fist - 0.10 * aim, fist + length * aim, radius * 0.7, colour, radius)]

    return hold


def crowbar(sk: Skeleton, _: Look) -> list[Part]:
    fist, along = _fist(sk)
    aim = _aimed(along, 0.25)
    tip = fist + 0.48 * aim
    claw = rod(tip, tip + 0.07 * along - 0.05 * UP, 0.016, BLADE, 0.008)
    return [rod(fist - 0.16 * aim, tip, 0.017, (160, 40, 35)), claw]


def _facing(sk: Skeleton) -> float:
    """The yaw of a body in degrees."""
    return float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2])))


def can(sk: Skeleton, tilt: float, colour: Colour) -> list[Part]:
    """A jerrycan that hangs from the right hand; tilt 0..1 turns its spout down."""
    body = [
        *box(0, -0.36, 0, (0.17, 0.30, 0.27), colour),
        rod((0, -0.03, -0.08), (0, -0.03, 0.08), 0.014, METAL),
        rod((0, -0.06, 0.10), (0, 0.02, 0.17), 0.022, (230, 200, 60)),
    ]
    x, y, z = (float(v) for v in sk.joints["r_hand"])
    return placed(body, x, y, z, _facing(sk), 95 * tilt)


def spout(sk: Skeleton, tilt: float) -> np.ndarray:
    """Where the jerrycan pours from."""
    s, c = np.sin(np.radians(95 * tilt)), np.cos(np.radians(95 * tilt))
    return sk.joints["r_hand"] + (0.17 * c + 0.02 * s) * sk.root[:, 2] + (0.02 * c - 0.17 * s) * UP


def spray_can(colour: Colour) -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, top = _fist(sk)[0], _fist(sk)[0] + 0.10 * UP
        return [rod(fist - 0.07 * UP, top, 0.032, colour), rod(top, fist + 0.14 * UP, 0.018, (235, 235, 235))]

    return hold


def cloth(colour: Colour) -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _fist(sk)
        middle = fist + 0.05 * along
        return [rod(middle + 0.05 * UP, middle - 0.08 * UP, 0.055, colour, 0.04)]

    return hold


def packet(colour: Colour, side: str = "r", size: float = 0.055) -> Gear:
    """Something small in the hand: goods, cash, a lighter."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        hand = sk.joints[side + "_hand"]
        return [rod(hand - size * 0.6 * UP, hand + size * UP, size, colour)]

    return hold


def cap(sk: Skeleton, look: Look) -> list[Part]:
    """A police officer's peaked cap."""
    h = look.height

    def at(left: float, up: float, forward: float) -> np.ndarray:
        return sk.joints["skull"] + sk.head @ (np.array([left, up, forward]) * h)

    ring = np.arange(8) * np.pi / 4
    circle = zip(np.cos(ring), np.sin(ring), strict=True)
    crown = np.stack([at(0.070 * c, 0.076 + 0.012 * s, 0.070 * s) for c, s in circle])
    return [
        rod(at(0, 0.026, -0.006), at(0, 0.030, -0.006), 0.0535 * h, BAND),
        rod(at(0, 0.036, -0.006), at(0, 0.044, -0.002), 0.0525 * h, CAP, 0.046 * h),
        Polygon(crown, np.asarray(CAP, np.float32)),
        rod(at(0.022, 0.018, 0.058), at(-0.022, 0.018, 0.058), 0.016 * h, (14, 14, 16)),
    ]


def uniform(vest: bool) -> Gear:
    """What marks an officer: a yellow vest, or a belt and a light patch on the back."""

    def wear(sk: Skeleton, look: Look) -> list[Part]:
        h, b = look.height, look.build

        def up(*offset: float) -> np.ndarray:
            return sk.joints["neck"] + sk.thorax @ (np.array(offset) * h)

        def low(*offset: float) -> np.ndarray:
            return sk.joints["pelvis"] + sk.root @ (np.array(offset) * h)

        parts: list[Part] = [rod(low(0.04, 0.005, 0), low(-0.04, 0.005, 0), 0.066 * b * h, (18, 18, 20))]
        if not vest:
            back = [up(s * 0.055, rise, -0.079 * b) for s, rise in ((1, -0.05), (-1, -0.05), (-1, -0.09), (1, -0.09))]
            return [*parts, Polygon(np.array(back), np.array([225, 225, 228], np.float32), False)]
        for s in (1, -1):
            ends = up(s * 0.048, -0.055, 0.003), low(s * 0.034, 0.06, 0)
            parts.append(rod(*ends, 0.071 * b * h, (214, 220, 40), 0.068 * b * h))
        return [*parts, rod(up(0.052, -0.125, 0.003), up(-0.052, -0.125, 0.003), 0.0735 * b * h, (225, 228, 230))]

    return wear


def cuffs(sk: Skeleton, _: Look) -> list[Part]:
    """Handcuffs between the wrists."""
    left, right, half = sk.joints["l_wrist"], sk.joints["r_wrist"], np.array([0, 0.018, 0])
    rings = [rod(wrist - half, wrist + half, 0.040, BLADE) for wrist in (left, right)]
    return [*rings, rod(left, right, 0.012, BLADE)]


def in_hand(sk: Skeleton, colour: Colour, kind: str, side: str = "r") -> list[Part]:
    """A bag hanging from a hand."""
    x, y, z = (float(v) for v in sk.joints[side + "_hand"])
    return bag(x, max(y - HANDLE[kind], 0.0), z, _facing(sk) + 90, colour, kind=kind)
