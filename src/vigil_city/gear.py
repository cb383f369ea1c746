"""What people hold and wear: weapons, tools, uniforms, bags; built from the body that has it."""

import numpy as np

from vigil_city.acting import Gear
from vigil_city.body import Skeleton
from vigil_city.look import Look
from vigil_city.props import HANDLE, METAL, WOOD, bag, bar
from vigil_city.scene import Part, Polygon
from vigil_city.shapes import Colour, box, placed

BLADE = (205, 210, 216)


RED = (190, 36, 30)
UP = np.array([0.0, 1.0, 0.0])


def _grip(sk: Skeleton, side: str) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a fist, and the direction in which its forearm points."""
    hand, elbow = sk.joints[side + "_hand"], sk.joints[side + "_elbow"]
    along = hand - elbow
    return sk.joints[side + "_wrist"] * 0.35 + hand * 0.65, along / max(float(np.linalg.norm(along)), 1e-6)


def muzzle(sk: Skeleton, side: str = "r") -> np.ndarray:
    """Where a gun in that hand fires from."""
    fist, along = _grip(sk, side)
    return fist + 0.27 * along + 0.05 * UP


def gun(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        top = fist + 0.05 * UP
        return [
            bar(fist - 0.03 * UP, top, 0.022, METAL),
            bar(top - 0.03 * along, top + 0.23 * along, 0.024, (34, 35, 38), 0.018),
        ]

    return hold


def barrel(sk: Skeleton) -> np.ndarray:
    """Where a long gun fires from."""
    rear, front = sk.joints["r_hand"], sk.joints["l_hand"]
    return rear + 0.74 * (front - rear) / max(float(np.linalg.norm(front - rear)), 1e-6)


def rifle() -> Gear:
    """A long gun held in both hands."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        rear, front = sk.joints["r_hand"], sk.joints["l_hand"]
        along = (front - rear) / max(float(np.linalg.norm(front - rear)), 1e-6)
        return [
            bar(rear - 0.28 * along, rear + 0.2 * along, 0.034, WOOD, 0.028),
            bar(rear + 0.1 * along, rear + 0.72 * along, 0.022, METAL),
        ]

    return hold


def knife(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        tip = fist + 0.26 * along + 0.06 * UP
        return [
            bar(fist - 0.04 * along, fist + 0.06 * along, 0.018, (30, 30, 30)),
            bar(fist + 0.06 * along, tip, 0.022, BLADE, 0.005),
        ]

    return hold


def stick(length: float, radius: float, colour: Colour, side: str = "r", lift: float = 0.45) -> Gear:
    """A bat, truncheon or crowbar: a bar that goes on from the fist, tilted up by `lift`."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        aim = along + lift * UP
        aim /= np.linalg.norm(aim)
        return [bar(fist - 0.10 * aim, fist + length * aim, radius * 0.7, colour, radius)]

    return hold


def crowbar(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        aim = along + 0.25 * UP
        aim /= np.linalg.norm(aim)
        tip = fist + 0.48 * aim
        return [
            bar(fist - 0.16 * aim, tip, 0.017, (160, 40, 35)),
            bar(tip, tip + 0.07 * along - 0.05 * UP, 0.016, BLADE, 0.008),
        ]

    return hold


def can(tilt: float = 0.0, colour: Colour = RED, side: str = "r") -> Gear:
    """A jerrycan that hangs from the hand; tilt 0..1 turns its spout down."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        hand, turn = sk.joints[side + "_hand"], 95 * tilt
        yaw = float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2])))
        body = [
            *box(0, -0.36, 0, (0.17, 0.30, 0.27), colour),
            bar((0, -0.03, -0.08), (0, -0.03, 0.08), 0.014, METAL),
            bar((0, -0.06, 0.10), (0, 0.02, 0.17), 0.022, (230, 200, 60)),
        ]
        return placed(body, float(hand[0]), float(hand[1]), float(hand[2]), yaw, turn)

    return hold


def spout(sk: Skeleton, tilt: float, side: str = "r") -> np.ndarray:
    """Where the jerrycan pours from."""
    s, c = np.sin(np.radians(95 * tilt)), np.cos(np.radians(95 * tilt))
    up, forward = 0.02 * c - 0.17 * s, 0.17 * c + 0.02 * s
    return sk.joints[side + "_hand"] + forward * sk.root[:, 2] + up * UP


def spray_can(colour: Colour, side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, _along = _grip(sk, side)
        return [
            bar(fist - 0.07 * UP, fist + 0.10 * UP, 0.032, colour),
            bar(fist + 0.10 * UP, fist + 0.14 * UP, 0.018, (235, 235, 235)),
        ]

    return hold


def cloth(colour: Colour, side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        return [bar(fist + 0.05 * along + 0.05 * UP, fist + 0.05 * along - 0.08 * UP, 0.055, colour, 0.04)]

    return hold


def packet(colour: Colour, side: str = "r", size: float = 0.055) -> Gear:
    """Something small in the hand: goods, cash, a lighter."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        hand = sk.joints[side + "_hand"]
        return [bar(hand - size * 0.6 * UP, hand + size * UP, size, colour)]

    return hold


def cap(colour: Colour = (24, 30, 48), band: Colour = (215, 215, 215)) -> Gear:
    """A police officer's peaked cap."""

    def wear(sk: Skeleton, look: Look) -> list[Part]:
        h, skull = look.height, sk.joints["skull"]

        def at(left: float, up: float, forward: float) -> np.ndarray:
            return skull + sk.head @ (np.array([left, up, forward]) * h)

        ring = np.arange(8) * np.pi / 4
        crown = np.stack(
            [at(0.070 * c, 0.076 + 0.012 * s, 0.070 * s) for c, s in zip(np.cos(ring), np.sin(ring), strict=True)]
        )
        return [
            bar(at(0, 0.026, -0.006), at(0, 0.030, -0.006), 0.0535 * h, band),
            bar(at(0, 0.036, -0.006), at(0, 0.044, -0.002), 0.0525 * h, colour, 0.046 * h),
            Polygon(crown, np.asarray(colour, np.float32)),
            bar(at(0.022, 0.018, 0.058), at(-0.022, 0.018, 0.058), 0.016 * h, (14, 14, 16)),
        ]

    return wear


def uniform(vest: bool) -> Gear:
    """What marks an officer: a yellow vest, or a belt and a light patch on the back."""

    def wear(sk: Skeleton, look: Look) -> list[Part]:
        h, b = look.height, look.build
        neck, pelvis = sk.joints["neck"], sk.joints["pelvis"]

        def up(left: float, rise: float, forward: float) -> np.ndarray:
            return neck + sk.thorax @ (np.array([left, rise, forward]) * h)

        def low(left: float, rise: float, forward: float) -> np.ndarray:
            return pelvis + sk.root @ (np.array([left, rise, forward]) * h)

        parts: list[Part] = [bar(low(0.04, 0.005, 0), low(-0.04, 0.005, 0), 0.066 * b * h, (18, 18, 20))]
        if not vest:
            back = [up(s * 0.055, rise, -0.079 * b) for s, rise in ((1, -0.05), (-1, -0.05), (-1, -0.09), (1, -0.09))]
            return [*parts, Polygon(np.array(back), np.array([225, 225, 228], np.float32), False)]
        for s in (1, -1):
            parts.append(
                bar(up(s * 0.048, -0.055, 0.003), low(s * 0.034, 0.06, 0), 0.071 * b * h, (214, 220, 40), 0.068 * b * h)
            )
        parts.append(bar(up(0.052, -0.125, 0.003), up(-0.052, -0.125, 0.003), 0.0735 * b * h, (225, 228, 230)))
        return parts

    return wear


def cuffs() -> Gear:
    """Handcuffs between the wrists."""

    def wear(sk: Skeleton, _: Look) -> list[Part]:
        left, right = sk.joints["l_wrist"], sk.joints["r_wrist"]
        along = np.array([0, 0.018, 0])
        return [
            bar(left - along, left + along, 0.040, BLADE),
            bar(right - along, right + along, 0.040, BLADE),
            bar(left, right, 0.012, BLADE),
        ]

    return wear


def in_hand(sk: Skeleton, colour: Colour, kind: str, side: str = "r") -> list[Part]:
    """The same bag hanging from a hand."""
    hand = sk.joints[side + "_hand"]
    yaw = float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2]))) + 90
    low = max(float(hand[1]) - HANDLE[kind], 0.0)
    return bag(float(hand[0]), low, float(hand[2]), yaw, colour, kind=kind)
