"""Renders a script before a camera: frames, and the truth about each."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np

from vigil_city.bodies.look import dress
from vigil_city.lens import truth
from vigil_city.lens.camera import HIPS, Sensor
from vigil_city.lens.raster import Canvas, Mark
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


class Film:
    """Iterate over `frames` once; afterwards `truth` is complete."""

    def __init__(
        self, place: Place, script: Script, fps: Fraction, count: int, seed: tuple[int, ...],
        span: tuple[Fraction, Fraction] | None = None,
    ) -> None:  # fmt: skip
        self.place, self.script, self.fps, self.count, self.seed, self.span = place, script, fps, count, seed, span
        self.truth = Truth()
        c, sun = place.camera, place.light.unit()
        self._ss = 2 if c.width <= 400 else 1
        self._canvas = Canvas(c, place.light, self._ss)
        self._sensor = Sensor(c.width, c.height, place.seed, place.night)
        self._slide = (0.0, 0.0) if place.night else (-sun[0] / sun[1] * 0.45, -sun[2] / sun[1] * 0.45)
        self._stage: tuple[frozenset[str], tuple[Thing, ...]] | None = None
        # the place with everything that stands still in it: picture, and 255 where the bare floor takes shadows
        self._still, self._floor = np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8)
        self._paint: np.ndarray | np.float32 = np.float32(0)  # what effects added to the frame before
        # the ends of all that moves, of the frames over which motion is judged and of the present one
        self._ends = deque[dict[tuple[str, int], np.ndarray]](maxlen=max(1, round(truth.STIR_S * fps)) + 1)

    def frames(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB, one after the other."""
        for k in range(self.count):
            yield self.frame(k)

    def frame(self, k: int) -> np.ndarray:
        """Frame number k; frames are asked for in order."""
        moment = self.script(float(k / self.fps))
        moment = replace(moment, figures=[f for f in moment.figures if self._in_view(f)])
        self._set_stage(moment)
        self._canvas.clear()
        self._ends.append({})
        moving_things = [thing for thing in moment.things if thing.redrawn]
        shadows, strength = self._mask(moment.figures, moving_things), 0.25 if self.place.night else 0.42
        image = _darken(self._still, self._floor, shadows, strength, 2.5)
        marks = self._draw(moment)
        image, moving, clear = self._effects(moment, self._canvas.composite(image), self._canvas.motion())
        self._note(k, moment, marks, clear)
        self.truth.cells.append(truth.cells(moving))
        if moment.jolt != (0.0, 0.0):
            shift = np.array([[1, 0, moment.jolt[0]], [0, 1, moment.jolt[1]]], np.float32)
            image = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        return self._sensor(image, np.random.default_rng([*self.seed, k]), moment.gain)

    def _draw(self, moment: Moment) -> list[tuple[Mark, Figure | None, int]]:
        """Draws people, what they hold, and what moves; the marks of people and of bags (no figure), with their ids."""
        marks: list[tuple[Mark, Figure | None, int]] = []
        owner, fine = 0, FINE_PX if len(moment.figures) <= CROWD else FINE_IN_CROWD_PX
        for f in moment.figures:
            owner = min(owner + 1, 254)
            clothes = dress(f.skeleton, f.look.infrared() if self.place.night else f.look, self._tall(f) >= fine)
            marks.append((self._draw_one("person", f.person, clothes, owner), f, f.person))
            if f.extra:
                self._draw_one("extra", f.person, f.extra, 255)
        for n, t in enumerate(moment.things):
            if t.redrawn:
                owner = min(owner + 1, 254)
                mark = self._draw_one("thing", n, t.parts, owner)
                if t.kind == "bag":
                    marks.append((mark, None, FIRST_BAG + n))
        return marks

    def _draw_one(self, kind: str, number: int, parts: Sequence[Part], owner: int) -> Mark:
        """Draws an object and marks the parts that have moved in STIR_S seconds, or as long as it is in the film."""
        key, now = (kind, number), truth.ends(parts)
        self._ends[-1][key] = now
        *past, _ = self._ends
        moving = np.full(len(parts), bool(past))
        for k, before in enumerate(past):
            if key in before and before[key].shape == now.shape:
                moving = truth.stirred(self._canvas, now, before[key], (len(past) - k) / float(self.fps))
                break
        return self._canvas.draw(parts, owner, moving)

    def _in_view(self, f: Figure) -> bool:
        """Whether any of a person can be in the picture."""
        c = self.place.camera
        x, _, depth = c.project(np.array([[f.state.x, HIPS, f.state.z]]))[0]
        margin = c.focal * 0.8 / depth
        return bool(depth > 0.06 and -margin < x < c.width + margin)

    def _tall(self, f: Figure) -> float:
        """Pixels."""
        c = self.place.camera
        return float(c.focal * f.look.height / max(c.depth(np.array([[f.state.x, HIPS, f.state.z]]))[0], 0.1))

    def _set_stage(self, moment: Moment) -> None:
        """Draws what stands still, when it is not what stood still a frame ago."""
        things = tuple(thing for thing in moment.things if not thing.redrawn)
        if self._stage == (moment.without, things):  # things are equal only to themselves
            return
        self._stage = moment.without, things
        fixtures = [f for name, f in self.place.fixtures.items() if name not in moment.without]
        image, depth, floor = empty(self.place, self._ss)
        self._canvas.freeze(depth)
        standing: list[Fixture | Thing] = [*fixtures, *things]
        for solid in standing:
            self._canvas.draw(solid.parts, 1)
        self._still = self._canvas.composite(_darken(image, floor, self._mask([], standing), 0.5, 3.0))
        self._floor = np.where(self._canvas.part_number[:: self._ss, :: self._ss] > 0, np.uint8(0), floor)
        self._canvas.freeze(self._canvas.depth)

    def _mask(self, figures: list[Figure], solids: Sequence[Fixture | Thing]) -> np.ndarray:
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
        for x, z in [solid.shadow.T for solid in solids if solid.shadow is not None]:
            p = c.project(np.column_stack([x, np.zeros(len(x)), z]))
            if p[:, 2].min() > 0.3:
                cv2.fillConvexPoly(mask, np.round(p[:, :2] / SMALL * 8).astype(np.int32), 255, cv2.LINE_8, 3)
        return mask

    def _painted(self, moment: Moment, image: np.ndarray) -> np.ndarray:
        depth = self._canvas.depth[:: self._ss, :: self._ss]
        for effect in moment.effects:
            image = effect(image, self.place.camera, depth)
        return image

    def _effects(
        self, moment: Moment, image: np.ndarray, moving: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The picture with its effects; where something moves, fire and smoke included; and what they leave clear.

        That is (H, W) 0..1, how far black and white still differ behind them.
        """
        if not moment.effects:
            self._paint = np.float32(0)
            return image, moving, np.ones(image.shape[:2], np.float32)
        black, white = (self._painted(moment, np.full_like(image, level)) for level in (0, 255))
        before = image.astype(np.int16)
        image = self._painted(moment, image)
        paint = (image - before).astype(np.float32)
        change, size = paint - self._paint, self.place.camera.width // GLOW
        self._paint = paint
        change -= cv2.blur(change, (size, size))  # light that comes and goes is no motion
        moving = moving[:: self._ss, :: self._ss] | (np.abs(change).max(-1) > FLICKER)
        return image, moving, cv2.subtract(white, black).max(-1).astype(np.float32) / 255

    def _note(self, k: int, moment: Moment, marks: list[tuple[Mark, Figure | None, int]], clear: np.ndarray) -> None:
        """Writes down what is true of the people and bags of frame k."""
        acting = self.span is not None and self.span[0] <= k / self.fps < self.span[1]
        for mark, f, number in marks:
            seen = truth.clipped(self._canvas, mark, moment.jolt, clear)
            if seen is None:
                continue
            if f is None:
                self.truth.rows.append((k, seen[0], truth.NO_JOINTS, number, "bag", "bag", seen[1], False))
            else:
                joints = truth.joints(self._canvas, f, moment.jolt, clear)
                self.truth.rows.append((k, seen[0], joints, number, f.role, "person", seen[1], f.active and acting))


def _darken(image: np.ndarray, floor: np.ndarray, mask: np.ndarray, strength: float, blur: float) -> np.ndarray:
    """The picture with a mask of shadows laid on its floor."""
    if not mask.any():
        return image
    soft = cv2.GaussianBlur(cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), (0, 0), blur)
    gain = cv2.merge([cv2.convertScaleAbs(cv2.bitwise_and(soft, floor), alpha=-strength, beta=255)] * 3)
    return cv2.multiply(image, gain, scale=1 / 255)
