"""Which camera films what and when. A video depends on the seed and its own name alone, never on the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from zlib import crc32

import numpy as np

from vigil_city.acts.catalogue import ABNORMAL, CRIMES, CROWDS, ORDINARY
from vigil_city.places.kinds import make_place
from vigil_city.places.place import Place

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
        return make_place(self.kind, crc32(f"{seed}/{self.name}".encode()), self.size, self.night)


_CAMERAS = {  # of each split: kind of place and number, frames a second
    "train": "shop-1 12, shop-2 10 night, street-1 12.5, street-2 12 night, carpark-1 10, lobby-1 15, bank-1 12.5, "
    "plaza-1 12 large, house-1 10, platform-1 12",
    "val": "shop-3 12.5, street-3 10, carpark-2 12 night, lobby-2 12, plaza-2 15, house-2 10, bank-3 12, "
    "platform-3 12.5, shop-5 12 night, street-5 15, carpark-4 10, lobby-4 12.5 night",
    "test": "shop-4 10, street-4 12, carpark-3 15, lobby-3 12 night, bank-2 12, plaza-3 12.5, house-3 10 night, "
    "platform-2 12, shop-6 12.5 night, street-6 10, carpark-5 12, plaza-4 15 night",
}


def _lens(split: str, name: str, fps: str, *more: str) -> Lens:
    kind, size = name.split("-", maxsplit=1)[0], LARGE if "large" in more else SMALL
    return Lens(name, split, kind, Fraction(fps), size, "night" in more)


CAMERAS = tuple(_lens(split, *entry.split()) for split, row in _CAMERAS.items() for entry in row.split(", "))


Counts = dict[str, tuple[int, int, int]]
"""Videos in train, val and test: of a scene that is named, of every other "act", and "normal" ones of each camera."""

LARGEST: Counts = {
    "act": (4, 2, 2), "panic": (2, 2, 3), "crowd": (6, 3, 3), "static": (2, 1, 1), "normal": (2, 2, 2),
}  # fmt: skip
STANDARD: Counts = {
    "act": (2, 1, 1), "panic": (2, 2, 2), "crowd": (2, 1, 1), "static": (1, 1, 1), "normal": (2, 1, 1),
}  # fmt: skip
SCALES = {"standard": STANDARD, "large": LARGEST}  # each a part of the largest, with the same videos
HEAD, TAIL = Fraction(3, 2), Fraction(1)  # seconds that a scene needs before and after its act
MISSED = 0.1, 0.2  # of the act, at most, before the film begins and after it has ended
TINY = (  # label, scene, camera
    ("normal", "walk", "street-1"), ("normal", "look_and_put_back", "shop-1"), ("theft", "theft", "shop-1"),
    ("panic", "panic", "platform-1"), ("normal", "talk", "house-2"), ("assault", "assault", "street-3"),
    ("normal", "wait", "house-3"), ("Robbery", "Robbery", "shop-4"),
)  # fmt: skip


@dataclass(frozen=True)
class Video:
    """One planned video."""

    stem: str
    lens: Lens
    label: str
    scene: str  # key of ORDINARY, CROWDS or ABNORMAL; "static": nobody is there
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
    """All videos of a scale ("tiny", or a key of SCALES), sorted by stem."""
    entries = _tiny() if scale == "tiny" else _city(SCALES[scale])
    return sorted((_timed(scale, seed, *entry) for entry in entries), key=lambda v: v.stem)


def _timed(scale: str, seed: int, stem: str, lens: Lens, label: str, scene: str) -> Video:
    """Lengths and times come from the same distributions for every label, and tell nothing of what is to be seen.

    The act may lie anywhere in the film and be under way when it begins or ends, so that no moment of a film is much
    more often abnormal than another.
    """
    rng = np.random.default_rng([seed, crc32(stem.encode()), 1])
    shortest, longest = (5.5, 6.5) if scale == "tiny" else (7.0, 10.0)
    frames = round(rng.uniform(shortest, longest) * float(lens.fps))
    if scene not in ABNORMAL:
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
    for label, scene, camera in TINY:
        yield f"{camera}-{_word(label, scene)}", lenses[camera], label, scene


def _city(counts: Counts) -> Iterator[tuple[str, Lens, str, str]]:
    """Cameras are given out as in the largest city, so that a smaller one has a part of its videos."""
    for column, split in enumerate(SPLITS):
        lenses = [lens for lens in CAMERAS if lens.split == split]
        kinds = {scene: kinds for scene, (_, kinds) in {**ABNORMAL, "crowd": CROWDS["crowd"]}.items()}
        kinds["static"] = tuple(lens.kind for lens in lenses)
        busy = dict.fromkeys(lenses, 0)
        for scene in sorted(kinds, key=lambda s: (len(kinds[s]), s)):  # choosy first
            label = "normal" if scene == "crowd" else scene
            used = dict.fromkeys((lens for lens in lenses if lens.kind in kinds[scene]), 0)
            for k in range(LARGEST.get(scene, LARGEST["act"])[column]):
                lens = min(used, key=lambda x: (used[x], busy[x], crc32(f"{scene}{x.name}".encode())))
                used[lens] += 1
                busy[lens] += 1
                if k < counts.get(scene, counts["act"])[column]:
                    yield f"{lens.name}-{_word(label, scene)}-{k}", lens, label, scene
        seen: dict[str, int] = {}
        for lens in lenses:
            fitting = sorted(name for name, (_, kinds_of_place) in ORDINARY.items() if lens.kind in kinds_of_place)
            for k in range(LARGEST["normal"][column]):
                # what this split has seen least, and then by a fixed shuffle
                scene = min(fitting, key=lambda s: (seen.get(s, 0), crc32(f"{lens.name}{s}{k}".encode())))
                seen[scene] = seen.get(scene, 0) + 1
                if k < counts["normal"][column]:
                    yield f"{lens.name}-{_word('normal', scene)}-{k}", lens, "normal", scene


def _word(label: str, scene: str) -> str:
    """The middle of a stem: `assault` is the pose class, `crime-assault` the UCF one."""
    if label == "normal":
        return f"normal-{scene.replace('_', '-')}"
    return f"crime-{label.lower()}" if label in CRIMES else label
