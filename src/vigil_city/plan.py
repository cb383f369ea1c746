"""Which camera films what and when. A video depends on the seed and its own name alone, never on the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from zlib import crc32

import numpy as np

from vigil_city.chores import CHORES
from vigil_city.crimes import NORMALS, SCENES
from vigil_city.crowd import CROWDS
from vigil_city.deeds import DEEDS, HONEST
from vigil_city.everyday import EVERYDAY
from vigil_city.places import Place
from vigil_city.views import place

SMALL, LARGE = (320, 240), (640, 480)
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Lens:
    """One camera of the city: the `source` of its videos."""

    name: str
    split: str
    kind: str
    fps: Fraction
    size: tuple[int, int] = SMALL
    night: bool = False

    def place(self, seed: int) -> Place:
        return place(self.kind, crc32(f"{seed}/{self.name}".encode()), self.size, self.night)


TEN, TWELVE, HALF, FIFTEEN = Fraction(10), Fraction(12), Fraction(25, 2), Fraction(15)
CAMERAS = (
    Lens("shop-1", "train", "shop", TWELVE),
    Lens("shop-2", "train", "shop", TEN, night=True),
    Lens("street-1", "train", "street", HALF),
    Lens("street-2", "train", "street", TWELVE, night=True),
    Lens("carpark-1", "train", "carpark", TEN),
    Lens("lobby-1", "train", "lobby", FIFTEEN),
    Lens("bank-1", "train", "bank", HALF),
    Lens("plaza-1", "train", "plaza", TWELVE, LARGE),
    Lens("house-1", "train", "house", TEN),
    Lens("platform-1", "train", "platform", TWELVE),
    Lens("shop-3", "val", "shop", HALF),
    Lens("street-3", "val", "street", TEN),
    Lens("carpark-2", "val", "carpark", TWELVE, night=True),
    Lens("lobby-2", "val", "lobby", TWELVE),
    Lens("plaza-2", "val", "plaza", FIFTEEN),
    Lens("house-2", "val", "house", TEN),
    Lens("shop-4", "test", "shop", TEN),
    Lens("street-4", "test", "street", TWELVE),
    Lens("carpark-3", "test", "carpark", FIFTEEN),
    Lens("lobby-3", "test", "lobby", TWELVE, night=True),
    Lens("bank-2", "test", "bank", TWELVE),
    Lens("plaza-3", "test", "plaza", HALF),
    Lens("house-3", "test", "house", TEN, night=True),
    Lens("platform-2", "test", "platform", TWELVE),
)
PER_CLASS = {"train": 4, "val": 2, "test": 2}
PANICS = {"train": 2, "val": 2, "test": 3}
CROWD_WALKS = {"train": 6, "val": 3, "test": 3}
STATICS = {"train": 2, "val": 1, "test": 1}
NORMAL_PER_CAMERA = 2
ORDINARY = {**EVERYDAY, **CHORES, **HONEST, **NORMALS}
ACTS = {**DEEDS, **SCENES, "panic": CROWDS["panic"]}
HEAD, TAIL = Fraction(3, 2), Fraction(1)  # seconds that a scene needs before and after its act
MISSED = 0.1, 0.2  # of the act, at most, before the film begins and after it has ended
TINY = (  # split, label, scene, camera
    ("train", "normal", "walk", "street-1"),
    ("train", "normal", "look_and_put_back", "shop-1"),
    ("train", "theft", "theft", "shop-1"),
    ("train", "panic", "panic", "platform-1"),
    ("val", "normal", "talk", "house-2"),
    ("val", "assault", "assault", "street-3"),
    ("test", "normal", "wait", "house-3"),
    ("test", "Robbery", "Robbery", "shop-4"),
)


@dataclass(frozen=True)
class Video:
    """One planned video."""

    stem: str
    lens: Lens
    label: str
    scene: str  # key of ORDINARY, CROWDS or ACTS; "static": nobody is there
    frames: int
    act: tuple[Fraction, Fraction] | None = None  # the abnormal act, seconds of the scene
    cut: Fraction = Fraction(0)  # seconds of the scene that are over when the film begins

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.lens.fps

    @property
    def span(self) -> tuple[Fraction, Fraction] | None:
        """What is filmed of the act, seconds of the film."""
        if self.act is None:
            return None
        return max(Fraction(0), self.act[0] - self.cut), min(self.seconds, self.act[1] - self.cut)

    @property
    def scene_seconds(self) -> Fraction:
        """How long the scene goes on, at least until the film ends."""
        return max(self.cut + self.seconds, self.act[1] + TAIL if self.act else Fraction(0))

    def seeds(self, seed: int) -> tuple[int, int]:
        return seed, crc32(self.stem.encode())


def planned(scale: str, seed: int) -> list[Video]:
    """All videos of a scale, sorted by stem."""
    chosen = _tiny() if scale == "tiny" else _full()
    return sorted((_timed(scale, seed, *entry) for entry in chosen), key=lambda v: v.stem)


def _timed(scale: str, seed: int, stem: str, lens: Lens, label: str, scene: str) -> Video:
    """Lengths and times come from the same distributions for every label, and tell nothing of what is to be seen.

    The act may lie anywhere in the film and be under way when it begins or ends, so that no moment of a film is much
    more often abnormal than another.
    """
    rng = np.random.default_rng([seed, crc32(stem.encode()), 1])
    shortest, longest = (5.5, 6.5) if scale == "tiny" else (7.0, 10.0)
    frames = round(rng.uniform(shortest, longest) * float(lens.fps))
    if scene not in ACTS:
        return Video(stem, lens, label, scene, frames)
    lasts = rng.uniform(2.5, 3.0) if scale == "tiny" else rng.uniform(3.0, 4.2)
    earliest, latest = -MISSED[0] * lasts, frames / float(lens.fps) - (1 - MISSED[1]) * lasts
    begins = earliest + (latest - earliest) * rng.beta(0.5, 0.5)  # rather early or late than in the middle
    start = max(HEAD, _tenths(begins))
    return Video(stem, lens, label, scene, frames, (start, start + _tenths(lasts)), start - _tenths(begins))


def _tenths(seconds: float) -> Fraction:
    return Fraction(round(seconds * 10), 10)


def _tiny() -> Iterator[tuple[str, Lens, str, str]]:
    lenses = {lens.name: lens for lens in CAMERAS}
    for _, label, scene, camera in TINY:
        yield f"{camera}-{_word(label, scene)}", lenses[camera], label, scene


def _full() -> Iterator[tuple[str, Lens, str, str]]:
    for split in SPLITS:
        lenses = [lens for lens in CAMERAS if lens.split == split]
        wanted = [(name, name, kinds, PER_CLASS[split]) for name, (_, kinds) in ACTS.items() if name != "panic"]
        wanted.append(("panic", "panic", CROWDS["panic"][1], PANICS[split]))
        wanted.append(("normal", "crowd", CROWDS["crowd"][1], CROWD_WALKS[split]))
        wanted.append(("static", "static", tuple(lens.kind for lens in lenses), STATICS[split]))
        busy = dict.fromkeys(lenses, 0)
        for label, scene, kinds, count in sorted(wanted, key=lambda w: (len(w[2]), w[1])):  # the choosy ones first
            used = dict.fromkeys((lens for lens in lenses if lens.kind in kinds), 0)
            for k in range(count):
                lens = min(used, key=lambda x: (used[x], busy[x], crc32(f"{scene}{x.name}".encode())))
                used[lens] += 1
                busy[lens] += 1
                yield f"{lens.name}-{_word(label, scene)}-{k}", lens, label, scene
        seen: dict[str, int] = {}
        for lens in lenses:
            fitting = sorted(name for name, (_, kinds) in ORDINARY.items() if lens.kind in kinds)
            for k in range(NORMAL_PER_CAMERA):  # what this split has seen least, and then by a fixed shuffle
                scene = min(fitting, key=lambda s: (seen.get(s, 0), crc32(f"{lens.name}{s}{k}".encode())))
                seen[scene] = seen.get(scene, 0) + 1
                yield f"{lens.name}-{_word('normal', scene)}-{k}", lens, "normal", scene


def _word(label: str, scene: str) -> str:
    """The middle of a stem: `assault` is the pose class, `crime-assault` the UCF one."""
    if label == "normal":
        return f"normal-{scene.replace('_', '-')}"
    return f"crime-{label.lower()}" if label in SCENES else label
