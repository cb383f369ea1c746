"""Renders a script before a camera: frames, and the truth about each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from vigil_city.bodies.look import dress
from vigil_city.lens import truth
from vigil_city.lens.raster import Canvas, Mark
from vigil_city.lens.sensor import Sensor
from vigil_city.lens.truth import Truth
from vigil_city.places.place import Fixture, Place
from vigil_city.places.surfaces import empty
from vigil_city.scene import Figure, Moment, Part, Script, Thing

FINE_PX = 62  # a person at least this tall in the picture has eyes, fingers and a collar
FIRST_BAG = 1000  # the id of the first bag; people count from 0
CROWD, FINE_IN_CROWD_PX = 9, 120  # more people than that: only the nearest have faces in detail
FLICKER, GLOW = 16, 10  # grey levels from frame to frame in detail finer than a tenth of the picture: fire moves
SMALL = 4  # shadows are painted at a quarter of the size
BONES = (
    ("neck", "pelvis", 0.17), ("l_hip", "l_knee", 0.09), ("l_knee", "l_ankle", 0.07), ("r_hip", "r_knee", 0.09),
    ("r_knee", "r_ankle", 0.07), ("l_shoulder", "l_wrist", 0.06), ("r_shoulder", "r_wrist", 0.06),
    ("skull", "neck", 0.10), ("l_heel", "l_toe", 0.10), ("r_heel", "r_toe", 0.10),
)  # fmt: skip


@dataclass(frozen=True)
class Still:
    """The place with everything that stands still in it."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    depth: np.ndarray  # canvas size, float32
    floor: np.ndarray  # (H, W) uint8: 255 where the bare floor is seen, which alone takes shadows


class Film:
    """Iterate over `frames` once; afterwards `truth` is complete."""

    def __init__(
        self, place: Place, script: Script, fps: Fraction, count: int, seed: tuple[int, ...],
        span: tuple[Fraction, Fraction] | None = None,
    ) -> None:  # fmt: skip
        self.place, self.script, self.fps, self.count, self.seed, self.span = place, script, fps, count, seed, span
        self.truth = Truth()
        c = place.camera
        self._ss = 2 if c.width <= 400 else 1
        self._empty = empty(place, self._ss)
        self._canvas = Canvas(c, place.light, self._ss)
        self._sensor = Sensor(c.width, c.height, place.seed, place.night)
        sun = place.light.unit()
        self._slide = (0.0, 0.0) if place.night else (-sun[0] / sun[1] * 0.45, -sun[2] / sun[1] * 0.45)
        self._stage: tuple[frozenset[str], tuple[Thing, ...]] | None = None
        self._still = Still(*self._empty)
        self._paint: np.ndarray | np.float32 = np.float32(0)  # what effects added to the frame before
        self._past: list[dict[tuple[str, int], np.ndarray]] = []

    def frames(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB, one after the other."""
        for k in range(self.count):
            yield self.frame(k)

    def frame(self, k: int) -> np.ndarray:
        """Frame number k; frames are asked for in order."""
        moment = self.script(float(k / self.fps))
        moment = replace(moment, figures=[f for f in moment.figures if self._in_view(f)])
        self._set_stage(moment)
        canvas = self._canvas
        canvas.clear()
        image = self._shadows(self._still.image, moment.figures, [t for t in moment.things if _alive(t)])
        people, bags, now = [], [], dict[tuple[str, int], np.ndarray]()
        owner, fine = 0, FINE_PX if len(moment.figures) <= CROWD else FINE_IN_CROWD_PX
        for f in moment.figures:
            owner = min(owner + 1, 254)
            look = f.look.infrared() if self.place.night else f.look
            parts = list[Part](dress(f.skeleton, look, self._tall(f) >= fine))
            people.append((f, canvas.draw(parts, owner, self._stirs(("person", f.person), parts, now))))
            if f.extra:
                canvas.draw(f.extra, 255, self._stirs(("extra", f.person), f.extra, now))
        for n, t in enumerate(moment.things):
            if _alive(t):
                owner = min(owner + 1, 254)
                mark = canvas.draw(t.parts, owner, self._stirs(("thing", n), t.parts, now))
                if t.kind == "bag":
                    bags.append((n, mark))
        image = canvas.composite(image)
        moving, clear = canvas.motion(), None
        if moment.effects:
            clear = self._clear(moment)
            image, moving = self._effects(moment, image, moving)
        else:
            self._paint = np.float32(0)
        self._note(k, moment, people, bags, moving, clear)
        self._past = [*self._past[-self._lag + 1 :], now]
        if moment.jolt != (0.0, 0.0):
            shift = np.array([[1, 0, moment.jolt[0]], [0, 1, moment.jolt[1]]], np.float32)
            image = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        return self._sensor(image, np.random.default_rng([*self.seed, k]), moment.gain)

    @property
    def _lag(self) -> int:
        """Frames over which motion is judged."""
        return max(1, round(truth.STIR_S * self.fps))

    def _stirs(self, key: tuple[str, int], parts: list[Part], now: dict[tuple[str, int], np.ndarray]) -> np.ndarray:
        """Which parts of an object move, compared with STIR_S seconds ago (or as long as it has been there)."""
        now[key] = truth.ends(parts)
        past = self._past[-self._lag :]
        for back, old in enumerate(past):
            if key in old and old[key].shape == now[key].shape:
                seconds = (len(past) - back) / float(self.fps)
                return truth.stirred(self._canvas, now[key], old[key], seconds)
        return np.full(len(parts), bool(self._past))

    def _in_view(self, f: Figure) -> bool:
        """Whether any of a person can be in the picture."""
        c = self.place.camera
        x, _, depth = c.project(np.array([[f.state.x, 0.9, f.state.z]]))[0]
        margin = c.focal * 0.8 / depth
        return bool(depth > 0.06 and -margin < x < c.width + margin)

    def _tall(self, f: Figure) -> float:
        c = self.place.camera
        depth = c.depth(np.array([[f.state.x, 0.9, f.state.z]]))[0]
        return float(c.focal * f.look.height / max(depth, 0.1))

    def _set_stage(self, moment: Moment) -> None:
        """Draws what stands still, when it is not what stood still a frame ago."""
        things = tuple(t for t in moment.things if not _alive(t))
        if self._stage == (moment.without, things):  # things are equal only to themselves
            return
        self._stage = moment.without, things
        image, depth, floor = self._empty
        fixtures = [f for name, f in self.place.fixtures.items() if name not in moment.without]
        canvas = Canvas(self.place.camera, self.place.light, self._ss)
        canvas.depth[:] = depth
        standing: list[Fixture | Thing] = [*fixtures, *things]
        prints = [solid.shadow for solid in standing if solid.shadow is not None]
        image = self._darken(image, self._mask([], prints), floor, 0.5, 3.0)
        for solid in standing:
            canvas.draw(solid.parts, 1)
        bare = np.where(canvas.part[:: self._ss, :: self._ss] > 0, np.uint8(0), floor)
        self._still = Still(canvas.composite(image), canvas.depth, bare)
        self._canvas.depth[:] = canvas.depth
        self._canvas.freeze()

    def _mask(self, figures: list[Figure], prints: list[np.ndarray]) -> np.ndarray:
        """Shadows on the floor at a quarter of the size: bodies slid along the light to y = 0, and footprints."""
        c, slide = self.place.camera, self._slide
        mask = np.zeros((c.height // SMALL, c.width // SMALL), np.uint8)
        if figures:
            pts = np.array([f.skeleton.joints[name] for f in figures for bone in BONES for name in bone[:2]])
            pts[:, 0] += slide[0] * pts[:, 1]
            pts[:, 2] += slide[1] * pts[:, 1]
            pts[:, 1] = 0
            ends = c.project(pts).reshape(len(figures) * len(BONES), 2, 3)
            radius = np.array([r for _ in figures for _, _, r in BONES])
            wide = np.maximum(c.focal * radius * 4 / ends[..., 2].sum(1) / SMALL, 1).astype(int).tolist()
            for k in np.flatnonzero(ends[..., 2].min(1) > 0.3):
                a, b = (ends[k, :, :2] / SMALL * 8).astype(int).tolist()
                cv2.line(mask, a, b, 255, wide[k], cv2.LINE_8, 3)
        for corners in prints:
            p = c.project(np.column_stack([corners[:, 0], np.zeros(len(corners)), corners[:, 1]]))
            if p[:, 2].min() > 0.3:
                cv2.fillConvexPoly(mask, np.round(p[:, :2] / SMALL * 8).astype(np.int32), 255, cv2.LINE_8, 3)
        return mask

    def _darken(
        self, image: np.ndarray, mask: np.ndarray, floor: np.ndarray, strength: float, blur: float
    ) -> np.ndarray:
        if not mask.any():
            return image
        soft = cv2.GaussianBlur(cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), (0, 0), blur)
        soft = cv2.bitwise_and(soft, floor)
        gain = cv2.merge([cv2.convertScaleAbs(soft, alpha=-strength, beta=255)] * 3)
        return cv2.multiply(image, gain, scale=1 / 255)

    def _shadows(self, image: np.ndarray, figures: list[Figure], things: list[Thing]) -> np.ndarray:
        prints = [t.shadow for t in things if t.shadow is not None]
        strength = 0.25 if self.place.night else 0.42
        return self._darken(image, self._mask(figures, prints), self._still.floor, strength, 2.5)

    def _painted(self, moment: Moment, image: np.ndarray) -> np.ndarray:
        depth = self._canvas.depth[:: self._ss, :: self._ss]
        for effect in moment.effects:
            image = effect(image, self.place.camera, depth)
        return image

    def _clear(self, moment: Moment) -> np.ndarray:
        """(H, W) 0..1: how far black and white still differ behind fire, smoke and flashes."""
        c = self.place.camera
        black, white = (np.full((c.height, c.width, 3), level, np.uint8) for level in (0, 255))
        left = cv2.subtract(self._painted(moment, white), self._painted(moment, black))
        return left.max(-1).astype(np.float32) / 255

    def _effects(self, moment: Moment, image: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        c = self.place.camera
        before = image.astype(np.int16)
        image = self._painted(moment, image)
        moving = moving[:: self._ss, :: self._ss]
        paint = (image - before).astype(np.float32)
        change = paint - self._paint
        self._paint = paint
        change -= cv2.blur(change, (c.width // GLOW, c.width // GLOW))  # light that comes and goes is no motion
        return image, moving | (np.abs(change).max(-1) > FLICKER)

    def _note(
        self, k: int, moment: Moment, people: list[tuple[Figure, Mark]], bags: list[tuple[int, Mark]],
        moving: np.ndarray, clear: np.ndarray | None,
    ) -> None:  # fmt: skip
        """Writes down what is true of frame k."""
        acting = self.span is not None and self.span[0] <= k / self.fps < self.span[1]
        for f, mark in people:
            seen = truth.clipped(self._canvas, mark, moment.jolt, clear)
            if seen is not None:
                joints = truth.joints(self._canvas, f, moment.jolt, clear)
                self.truth.rows.append((k, seen[0], joints, f.person, f.role, "person", seen[1], f.active and acting))
        for n, mark in bags:
            seen = truth.clipped(self._canvas, mark, moment.jolt, clear)
            if seen is not None:
                self.truth.rows.append((k, seen[0], truth.NO_JOINTS, FIRST_BAG + n, "bag", "bag", seen[1], False))
        self.truth.cells.append(truth.cells(moving))


def _alive(thing: Thing) -> bool:
    """Drawn anew in every frame: what moves, and what has a box of its own."""
    return thing.moving or thing.kind == "bag"
