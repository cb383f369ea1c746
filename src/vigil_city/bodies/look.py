"""What people look like: their colours and clothes, and the capsules that a skeleton wears."""

from dataclasses import dataclass, replace

import numpy as np

from vigil_city.bodies.anatomy import Skeleton

Rgb = tuple[float, float, float]
Capsule = tuple[np.ndarray, float, np.ndarray, float, np.ndarray, float, bool]
"""(p0 (3,), r0, p1 (3,), r1, rgb float32 (3,), strength of cloth folds 0..1, part of the trunk); world metres."""

SKINS: tuple[Rgb, ...] = ((212, 168, 140), (200, 158, 128), (190, 142, 108), (152, 106, 76), (112, 76, 52))
HAIRS: tuple[Rgb, ...] = ((30, 25, 25), (55, 40, 32), (88, 60, 40), (128, 94, 58), (92, 90, 90))
TOPS: tuple[Rgb, ...] = (
    (48, 45, 45), (50, 70, 95), (60, 110, 150), (150, 60, 60), (70, 110, 70), (205, 200, 200), (155, 150, 150),
    (170, 120, 60), (110, 70, 120), (120, 90, 50), (200, 190, 175), (95, 50, 40), (60, 125, 120), (200, 170, 60),
)  # fmt: skip
BOTTOMS: tuple[Rgb, ...] = (
    (35, 45, 60), (45, 65, 95), (52, 50, 50), (130, 120, 110), (42, 40, 40), (65, 90, 120), (90, 75, 60),
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """One person's appearance; colours are RGB 0..255."""

    height: float = 1.75  # metres
    build: float = 1.0  # girth
    skin: Rgb = SKINS[1]
    hair: Rgb = HAIRS[1]
    shirt: Rgb = (150, 70, 60)
    trousers: Rgb = (45, 60, 80)
    shoes: Rgb = (45, 40, 40)
    long_sleeves: bool = True
    shorts: bool = False
    coat: bool = False
    hat: bool = False
    mask: bool = False  # a balaclava
    zipper: Rgb | None = (210, 210, 210)
    long_hair: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Look":
        def vary(colour: Rgb, k: float) -> Rgb:
            r, g, b = np.clip(np.asarray(colour) * rng.uniform(0.85, 1.15) + rng.uniform(-k, k, 3), 15, 245)
            return float(r), float(g), float(b)

        skin = SKINS[rng.integers(len(SKINS))]
        grey = float(rng.uniform(30, 220))
        return cls(
            height=float(rng.uniform(1.6, 1.88)), build=float(rng.uniform(0.92, 1.15)), skin=skin,
            hair=HAIRS[rng.integers(2 if skin[0] < 160 else len(HAIRS))], shirt=vary(TOPS[rng.integers(len(TOPS))], 15),
            trousers=vary(BOTTOMS[rng.integers(len(BOTTOMS))], 8), shoes=vary((grey, grey, grey), 12),
            long_sleeves=bool(rng.random() < 0.6), shorts=bool(rng.random() < 0.1), coat=bool(rng.random() < 0.25),
            hat=bool(rng.random() < 0.08), zipper=vary((200, 200, 200), 20) if rng.random() < 0.5 else None,
            long_hair=bool(rng.random() < 0.22),
        )  # fmt: skip

    def infrared(self) -> "Look":
        """Seen by an infrared lamp: any skin is bright (melanin hardly absorbs it), hair and cloth are dark."""

        def grey(colour: Rgb, k: float) -> Rgb:
            y = (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) * k
            return y, y, y

        return replace(
            self, skin=(196.0, 196.0, 196.0), hair=grey(self.hair, 0.3), shirt=grey(self.shirt, 0.38),
            trousers=grey(self.trousers, 0.32), shoes=grey(self.shoes, 0.6),
            zipper=None if self.zipper is None else grey(self.zipper, 0.6),
        )  # fmt: skip


def dark(colour: Rgb, k: float) -> Rgb:
    return colour[0] * k, colour[1] * k, colour[2] * k


class _Tailor:
    """Cuts capsules between world points; their radii are body heights."""

    def __init__(self, sk: Skeleton, look: Look, fine: bool) -> None:
        self.sk, self.at, self.joints = sk, sk.at, sk.joints
        self.look, self.fine, self.out = look, fine, list[Capsule]()

    def cap(
        self, p0: np.ndarray, r0: float, p1: np.ndarray, r1: float, rgb: Rgb, texture: float = 0.0, torso: bool = False
    ) -> None:
        h = self.look.height
        self.out.append((p0, r0 * h, p1, r1 * h, np.asarray(rgb, np.float32), texture, torso))

    def trunk(self) -> None:
        """A bundle of upright capsules and two yokes, so that it is wider than deep."""
        at, cap, look, b = self.at, self.cap, self.look, self.look.build
        cap(self.joints["l_hip"], 0.064 * b, self.joints["r_hip"], 0.064 * b, look.trousers, 0.8, True)
        for s in (1, -1):
            chest = at("neck", s * 0.050, -0.085, 0.004)
            cap(at("pelvis", s * 0.030, 0.035, 0), 0.060 * b, chest, 0.066 * b, look.shirt, 1, True)
            cap(chest, 0.066 * b, at("neck", s * 0.062, -0.045, 0), 0.050 * b, look.shirt, 1, True)
            yoke = at("neck", s * 0.098, -0.020, -0.002)
            cap(at("neck", 0, 0.016, -0.008), 0.036, yoke, 0.034 * b, look.shirt, 0.6, True)
            if look.coat:
                low = at("pelvis", s * 0.046, -0.10, 0.006)
                cap(at("pelvis", s * 0.044, 0.04, 0), 0.078 * b, low, 0.084 * b, look.shirt, 1, True)
        belly = at("pelvis", 0, 0.04, 0.004)
        cap(at("neck", 0, -0.09, 0.006), 0.066 * b, belly, 0.062 * b, look.shirt, 1, True)
        if not self.fine:
            return
        left, right = (at("pelvis", s * 0.035, 0.030, 0) for s in (1, -1))
        cap(left, 0.060 * b, right, 0.060 * b, look.shirt, 0.8, True)
        if look.zipper is not None:
            middle = at("neck", 0, -0.09, 0.068 * b)
            cap(at("neck", 0, -0.02, 0.050), 0.006, middle, 0.006, look.zipper)
            cap(middle, 0.006, at("pelvis", 0, 0.03, 0.064 * b), 0.006, look.zipper)
        left, right = (at("neck", s * 0.024, 0.010, 0.030) for s in (1, -1))
        cap(left, 0.012, right, 0.012, dark(look.shirt, 0.9))  # collar

    def arms(self) -> None:
        cap, j, look, b = self.cap, self.joints, self.look, self.look.build
        for n, s in (("l_", 1), ("r_", -1)):
            elbow, wrist, hand = j[n + "elbow"], j[n + "wrist"], j[n + "hand"]
            cap(j[n + "shoulder"], 0.037 * b, elbow, 0.028 * b, look.shirt, 1)
            if not look.long_sleeves and self.fine:
                cap(elbow * 0.55 + j[n + "shoulder"] * 0.45, 0.028 * b, elbow, 0.0255 * b, look.skin)
            sleeve, folds = (look.shirt, 0.8) if look.long_sleeves else (look.skin, 0)
            cap(elbow, 0.027 * b, wrist, 0.020 * b, sleeve, folds)
            if not self.fine:
                cap(wrist, 0.017, hand, 0.015, look.skin)
                continue
            mid = wrist * 0.45 + hand * 0.55
            cap(wrist, 0.016, mid, 0.020, look.skin)
            cap(mid, 0.019, hand, 0.011, dark(look.skin, 0.95))
            thumb = mid + self.sk.thorax @ (np.array([-0.012 * s, 0.004, 0.022]) * look.height)
            cap(mid, 0.008, thumb, 0.006, look.skin)

    def legs(self) -> None:
        cap, j, look, b = self.cap, self.joints, self.look, self.look.build
        for n in ("l_", "r_"):
            knee, ankle, heel, toe = j[n + "knee"], j[n + "ankle"], j[n + "heel"], j[n + "toe"]
            cap(j[n + "hip"], 0.062 * b, knee, 0.041 * b, look.trousers, 1)
            cap(knee, 0.040 * b, ankle, 0.027 * b, look.skin if look.shorts else look.trousers, 0.8)
            if not self.fine:
                cap(heel, 0.025, toe, 0.020, look.shoes)
                continue
            ball = toe * 0.62 + heel * 0.38
            cap(heel, 0.024, ball, 0.025, look.shoes)
            cap(ball, 0.025, toe, 0.017, look.shoes)
            cap(ankle, 0.025, ball, 0.020, look.shoes)

    def head(self) -> None:
        """Neck, face and hair: what the detector looks for first."""
        look = self.look
        face = (38.0, 38.0, 42.0) if look.mask else look.skin

        def on(a: tuple[float, ...], ra: float, b: tuple[float, ...], rb: float, rgb: Rgb, texture: float = 0) -> None:
            """Between two points (left, up, forward) of the head's centre."""
            self.cap(self.at("skull", *a), ra, self.at("skull", *b), rb, rgb, texture)

        nape = self.at("neck", 0, 0.004, -0.002)
        self.cap(nape, 0.031 * look.build, self.at("skull", 0, -0.045, -0.008), 0.028, dark(face, 0.9))
        on((0, 0.018, -0.004), 0.047, (0, -0.012, 0.008), 0.044, face)  # cranium and face
        on((0, -0.012, 0.012), 0.041, (0, -0.043, 0.022), 0.024, face)  # jaw and chin
        on((0, 0.024, -0.010), 0.0505, (0, 0.008, -0.020), 0.0465, face if look.mask else look.hair, 0.5)
        if look.long_hair and not look.mask:
            on((0, 0.01, -0.026), 0.045, (0, -0.07, -0.035), 0.034, look.hair, 0.5)
        if look.hat:
            on((0, 0.030, -0.004), 0.051, (0, 0.036, -0.004), 0.050, look.shirt)
            on((0, 0.032, 0.04), 0.018, (0, 0.028, 0.075), 0.015, dark(look.shirt, 0.8))
        if not self.fine:
            return
        on((0, 0.006, 0.050), 0.007, (0, -0.012, 0.058), 0.0095, dark(face, 1.04))  # nose
        on((0.013, -0.031, 0.044), 0.0045, (-0.013, -0.031, 0.044), 0.0045, (140, 70, 70))  # mouth
        for s in (1, -1):  # white of the eye, pupil, brow, ear
            on((s * 0.0180, 0.009, 0.0405), 0.0085, (s * 0.0195, 0.009, 0.0400), 0.0085, (182, 172, 165))
            on((s * 0.0180, 0.009, 0.0440), 0.0062, (s * 0.0190, 0.009, 0.0435), 0.0062, (25, 25, 30))
            on((s * 0.010, 0.0235, 0.0475), 0.0042, (s * 0.029, 0.0225, 0.0425), 0.0040, dark(look.hair, 0.7))
            on((s * 0.045, 0.008, -0.002), 0.010, (s * 0.044, -0.014, 0), 0.007, dark(face, 0.92))


def dress(sk: Skeleton, look: Look, fine: bool) -> list[Capsule]:
    """The capsules of one person; `fine` adds what only shows when the person is tall in the picture."""
    tailor = _Tailor(sk, look, fine)
    for cut in (tailor.trunk, tailor.arms, tailor.legs, tailor.head):
        cut()
    return tailor.out
