"""Things that people hold, wear, carry, open and break; metres, built from a body or at a place on the floor."""

from collections.abc import Sequence

import numpy as np

from vigil.datasets.sample.acting import Gear
from vigil.datasets.sample.body import Skeleton
from vigil.datasets.sample.look import Look
from vigil.datasets.sample.scene import Part, Polygon
from vigil.datasets.sample.shapes import Colour, box, panel, placed, polygon, rod

METAL = (62, 64, 68)
BLADE = (205, 210, 216)
WOOD = (140, 98, 58)
RED = (190, 36, 30)


def _grip(sk: Skeleton, side: str) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a fist, and the direction in which its forearm points."""
    hand, elbow = sk.joints[side + "_hand"], sk.joints[side + "_elbow"]
    along = hand - elbow
    return sk.joints[side + "_wrist"] * 0.35 + hand * 0.65, along / max(float(np.linalg.norm(along)), 1e-6)


def muzzle(sk: Skeleton, side: str = "r") -> np.ndarray:
    """Where a gun in that hand fires from."""
    fist, along = _grip(sk, side)
    return fist + 0.27 * along + (0, 0.05, 0)


def gun(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        top = fist + (0, 0.05, 0)
        return [
            rod(fist - (0, 0.03, 0), top, 0.022, METAL),
            rod(top - 0.03 * along, top + 0.23 * along, 0.024, (34, 35, 38), 0.018),
        ]

    return hold


def rifle() -> Gear:
    """A long gun held in both hands."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        rear, front = sk.joints["r_hand"], sk.joints["l_hand"]
        along = (front - rear) / max(float(np.linalg.norm(front - rear)), 1e-6)
        return [
            rod(rear - 0.28 * along, rear + 0.2 * along, 0.034, WOOD, 0.028),
            rod(rear + 0.1 * along, rear + 0.72 * along, 0.022, METAL),
        ]

    return hold


def knife(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        tip = fist + 0.26 * along + (0, 0.06, 0)
        return [
            rod(fist - 0.04 * along, fist + 0.06 * along, 0.018, (30, 30, 30)),
            rod(fist + 0.06 * along, tip, 0.022, BLADE, 0.005),
        ]

    return hold


def stick(length: float, radius: float, colour: Colour, side: str = "r", lift: float = 0.45) -> Gear:
    """A bat, truncheon or crowbar: a bar that goes on from the fist, tilted up by `lift`."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        aim = along + (0, lift, 0)
        aim /= np.linalg.norm(aim)
        return [rod(fist - 0.10 * aim, fist + length * aim, radius * 0.7, colour, radius)]

    return hold


def crowbar(side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        aim = along + (0, 0.25, 0)
        aim /= np.linalg.norm(aim)
        tip = fist + 0.48 * aim
        return [
            rod(fist - 0.16 * aim, tip, 0.017, (160, 40, 35)),
            rod(tip, tip + 0.07 * along - (0, 0.05, 0), 0.016, BLADE, 0.008),
        ]

    return hold


def can(tilt: float = 0.0, colour: Colour = RED, side: str = "r") -> Gear:
    """A jerrycan that hangs from the hand; tilt 0..1 turns its spout down."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        hand, turn = sk.joints[side + "_hand"], 95 * tilt
        yaw = float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2])))
        body = [
            *box(0, -0.36, 0, (0.17, 0.30, 0.27), colour),
            rod((0, -0.03, -0.08), (0, -0.03, 0.08), 0.014, METAL),
            rod((0, -0.06, 0.10), (0, 0.02, 0.17), 0.022, (230, 200, 60)),
        ]
        return placed(body, *(float(v) for v in hand), yaw=yaw, pitch=turn)

    return hold


def spout(sk: Skeleton, tilt: float, side: str = "r") -> np.ndarray:
    """Where the jerrycan pours from."""
    s, c = np.sin(np.radians(95 * tilt)), np.cos(np.radians(95 * tilt))
    up, forward = 0.02 * c - 0.17 * s, 0.17 * c + 0.02 * s
    return sk.joints[side + "_hand"] + forward * sk.root[:, 2] + (0, up, 0)


def spray_can(colour: Colour, side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, _along = _grip(sk, side)
        return [
            rod(fist - (0, 0.07, 0), fist + (0, 0.10, 0), 0.032, colour),
            rod(fist + (0, 0.10, 0), fist + (0, 0.14, 0), 0.018, (235, 235, 235)),
        ]

    return hold


def cloth(colour: Colour, side: str = "r") -> Gear:
    def hold(sk: Skeleton, _: Look) -> list[Part]:
        fist, along = _grip(sk, side)
        return [rod(fist + 0.05 * along + (0, 0.05, 0), fist + 0.05 * along - (0, 0.08, 0), 0.055, colour, 0.04)]

    return hold


def packet(colour: Colour, side: str = "r", size: float = 0.055) -> Gear:
    """Something small in the hand: goods, cash, a lighter."""

    def hold(sk: Skeleton, _: Look) -> list[Part]:
        hand = sk.joints[side + "_hand"]
        return [rod(hand - (0, size * 0.6, 0), hand + (0, size, 0), size, colour)]

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
            rod(at(0, 0.026, -0.006), at(0, 0.030, -0.006), 0.0535 * h, band),
            rod(at(0, 0.036, -0.006), at(0, 0.044, -0.002), 0.0525 * h, colour, 0.046 * h),
            Polygon(crown, np.asarray(colour, np.float32)),
            rod(at(0.022, 0.018, 0.058), at(-0.022, 0.018, 0.058), 0.016 * h, (14, 14, 16)),
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

        parts: list[Part] = [rod(low(0.04, 0.005, 0), low(-0.04, 0.005, 0), 0.066 * b * h, (18, 18, 20))]
        if not vest:
            back = [up(s * 0.055, rise, -0.079 * b) for s, rise in ((1, -0.05), (-1, -0.05), (-1, -0.09), (1, -0.09))]
            return [*parts, Polygon(np.array(back), np.float32([225, 225, 228]), False)]
        for s in (1, -1):
            parts.append(
                rod(up(s * 0.048, -0.055, 0.003), low(s * 0.034, 0.06, 0), 0.071 * b * h, (214, 220, 40), 0.068 * b * h)
            )
        parts.append(rod(up(0.052, -0.125, 0.003), up(-0.052, -0.125, 0.003), 0.0735 * b * h, (225, 228, 230)))
        return parts

    return wear


def cuffs() -> Gear:
    """Handcuffs between the wrists."""

    def wear(sk: Skeleton, _: Look) -> list[Part]:
        left, right = sk.joints["l_wrist"], sk.joints["r_wrist"]
        along = np.array([0, 0.018, 0])
        return [
            rod(left - along, left + along, 0.040, BLADE),
            rod(right - along, right + along, 0.040, BLADE),
            rod(left, right, 0.012, BLADE),
        ]

    return wear


def bag(x: float, y: float, z: float, yaw: float, colour: Colour, kind: str = "holdall") -> list[Part]:
    """A bag whose bottom stands at (x, y, z); handles upwards."""
    dark = np.asarray(colour, float) * 0.6
    if kind == "holdall":
        parts: list[Part] = [
            rod((-0.19, 0.14, 0), (0.19, 0.14, 0), 0.135, colour),
            rod((-0.20, 0.14, 0), (-0.16, 0.14, 0), 0.141, dark),
            rod((0.16, 0.14, 0), (0.20, 0.14, 0), 0.141, dark),
        ]
        rise = 0.26
    elif kind == "backpack":
        parts = [
            rod((0, 0.15, 0), (0, 0.34, 0), 0.15, colour, 0.12),
            rod((0, 0.12, 0.09), (0, 0.20, 0.09), 0.10, dark, 0.08),
        ]
        rise = 0.44
    else:  # a shopping bag or handbag
        parts = [*box(0, 0, 0, (0.30, 0.28, 0.12), colour)]
        rise = 0.28
    handle = [(-0.10, rise, 0), (-0.06, rise + 0.13, 0), (0.06, rise + 0.13, 0), (0.10, rise, 0)]
    parts += [rod(a, b, 0.014, dark) for a, b in zip(handle, handle[1:], strict=False)]
    return placed(parts, x, y, z, yaw)


HANDLE = {"holdall": 0.38, "backpack": 0.56, "handbag": 0.40}  # metres, top of the handle above the bottom of the bag


def in_hand(sk: Skeleton, colour: Colour, kind: str, side: str = "r") -> list[Part]:
    """The same bag hanging from a hand."""
    hand = sk.joints[side + "_hand"]
    yaw = float(np.degrees(np.arctan2(sk.root[0, 2], sk.root[2, 2]))) + 90
    low = max(float(hand[1]) - HANDLE[kind], 0.0)
    return bag(float(hand[0]), low, float(hand[2]), yaw, colour, kind)


def bench(x: float, z: float, yaw: float, colour: Colour = WOOD) -> list[Part]:
    parts: list[Part] = [
        *box(0, 0.40, 0, (1.5, 0.06, 0.42), colour),
        *placed(box(0, 0, 0, (1.5, 0.36, 0.05), colour), 0, 0.52, -0.22, pitch=-8),
    ]
    for left in (-0.62, 0.62):
        parts += [
            rod((left, 0.02, 0.16), (left, 0.40, 0.16), 0.03, METAL),
            rod((left, 0.02, -0.2), (left, 0.55, -0.2), 0.03, METAL),
        ]
    return placed(parts, x, 0, z, yaw)


def bin_(x: float, z: float, colour: Colour, fall: float = 0.0, yaw: float = 0.0) -> list[Part]:
    """A wheelie bin; fall 0..1 tips it over towards its yaw, about its edge."""
    dark = np.asarray(colour, float) * 0.65
    parts: list[Part] = [
        *box(0, 0.05, 0.27, (0.52, 0.88, 0.50), colour),
        *box(0, 0.93, 0.29, (0.58, 0.07, 0.60), dark),
        rod((-0.24, 0.10, 0.52), (0.24, 0.10, 0.52), 0.09, (24, 24, 26)),
    ]
    tipped = placed([_back(p, -0.54) for p in parts], 0, 0, 0, pitch=90 * fall)
    return placed([_back(p, 0.27) for p in tipped], x, 0, z, yaw)


def _back(p: Part, by: float) -> Part:
    """The part moved along z."""
    return placed([p], 0, 0, by)[0]


def crate(
    x: float, z: float, size: float, yaw: float = 0.0, y: float = 0.0, colour: Colour = (168, 122, 72)
) -> list[Part]:
    """A wooden or cardboard box with a band of tape."""
    front = panel(0, 0, size / 2 + 0.006, size * 0.16, size, np.asarray(colour, float) * 0.75)
    return placed([*box(0, 0, 0, (size, size, size), colour), front], x, y, z, yaw)


def counter(x: float, z: float, yaw: float, length: float = 1.8, colour: Colour = (128, 84, 52)) -> list[Part]:
    """A shop counter with a cash register; its customers stand on the side that faces yaw."""
    parts = box(0, 0, 0, (length, 0.98, 0.55), colour)
    parts += [
        panel(0, 0.12, 0.283, length * 0.94, 0.55, np.asarray(colour, float) * 1.35),
        *box(0, 0.98, 0, (length + 0.06, 0.04, 0.62), (196, 190, 178)),
    ]
    parts += [
        *box(0.45, 1.02, -0.05, (0.36, 0.13, 0.36), (52, 54, 60)),
        *placed(box(0, 0, 0, (0.30, 0.20, 0.05), (38, 40, 46)), 0.45, 1.15, -0.1, pitch=-18),
        panel(0.45, 1.19, -0.075, 0.22, 0.10, (110, 215, 150), shade=False),
    ]
    return placed(parts, x, 0, z, yaw)


def vending_machine(
    x: float, z: float, yaw: float, colour: Colour, damage: float = 0.0, tilt: float = 0.0
) -> list[Part]:
    """A lit machine that faces yaw; `damage` 0..1 darkens and breaks its pane, tilt in degrees rocks it back."""
    goods = ((220, 180, 60), (210, 90, 80), (60, 150, 190), (100, 190, 90))
    parts = [
        *box(0, 0, 0, (0.95, 1.80, 0.72), colour),
        panel(-0.10, 0.50, 0.364, 0.66, 1.16, (20, 22, 26) if damage > 0.5 else (70, 82, 92), shade=False),
    ]
    for row in range(4):
        if damage < 0.9:
            parts += [
                panel(-0.28 + 0.18 * k, 0.58 + 0.27 * row, 0.370, 0.12, 0.17, goods[(3 * row + k) % 4], shade=False)
                for k in range(3)
            ]
    parts += [panel(0.35, 0.95, 0.366, 0.14, 0.34, (200, 204, 208)), panel(-0.10, 0.16, 0.366, 0.5, 0.2, (22, 22, 24))]
    parts += cracks((-0.10, 1.08), 0.33, 0.5, 0.378, damage)
    return placed(placed(parts, 0, 0, 0.0, pitch=-tilt), x, 0, z, yaw)


def cracks(
    centre: tuple[float, float], width: float, height: float, z: float, share: float, seed: int = 5
) -> list[Part]:
    """White rays over a broken pane around (x, y); share 0..1 of them."""
    rng = np.random.default_rng(seed)
    out: list[Part] = []
    for k, angle in enumerate(rng.uniform(0, 2 * np.pi, 11)):
        reach = rng.uniform(0.45, 1.0)
        if k < 11 * share:
            x, y = width * reach * np.cos(angle), height * reach * np.sin(angle)
            side = np.array([-np.sin(angle), np.cos(angle)]) * 0.012
            out.append(
                polygon(
                    [
                        (centre[0] + side[0], centre[1] + side[1], z),
                        (centre[0] - side[0], centre[1] - side[1], z),
                        (centre[0] + x, centre[1] + y, z),
                    ],
                    (232, 236, 240),
                    False,
                )
            )
    return out


def pool(x: float, z: float, radius: float, colour: Colour, seed: int = 0) -> list[Part]:
    """An irregular patch on the floor: petrol, soot, water."""
    rng = np.random.default_rng(seed)
    angles = np.arange(10) * np.pi / 5
    r = radius * rng.uniform(0.75, 1.0, 10)
    patch = np.stack([x + r * np.cos(angles), np.full(10, 0.006), z + 0.8 * r * np.sin(angles)], 1)
    return (
        [Polygon(np.stack([patch[k] for k in range(10)]), np.asarray(colour, np.float32), False)]
        if radius > 0.02
        else []
    )


def line(points: Sequence[Sequence[float]], radius: float, colour: Colour) -> list[Part]:
    """A chain of bars through the points."""
    return [rod(a, b, radius, colour) for a, b in zip(points, points[1:], strict=False)]
