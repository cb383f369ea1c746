"""Pictures with true boxes, to train a detector and to judge it: from the truth of videos, or a YOLO dataset."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.errors import Rejected, VigilError
from vigil.core.storage import load_arrays
from vigil.features.frames import FrameArchive, encode_jpeg
from vigil.features.quality.box_quality import BoxMatches, match_boxes
from vigil.footage.video.images import decode_image
from vigil.footage.video_table import Video

VISIBLE = 0.3  # share of a thing that must be seen to be shown to the network, or expected of it
EMPTY = 0.06  # share of the pictures to train on in which there is nothing
RARE = 0.15  # share of those that are chosen for a bag
LOW = 0.1  # share of those that are chosen for somebody who lies
LYING = 0.9  # width of such a person's box in heights, at least
QUALITY = 95  # of JPEGs that are written anew
CROWDS = (1, 2, 3, 6, 12)  # people: as many pictures with 1, 2, 3 to 5, 6 to 11 and more of them as there are
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture on disk, and the boxes of what it shows."""

    file: Path  # an archive of frames, or an image
    position: int | None  # of the frame in the archive
    source: str  # pictures of one source are alike: camera, or the picture itself
    group: str  # the video
    classes: np.ndarray  # (M,) names
    boxes: np.ndarray  # (M, 4) x0 y0 x1 y1, as shares of width and height
    visible: np.ndarray  # (M,) share that is seen
    aspect: float = 1.0  # width of the picture in heights
    quarters: int = 0  # by which the picture on disk is turned left; boxes are those of the turned one

    def is_countable(self, kind: str) -> np.ndarray:
        """Returns (M,) bool: which things are of this class, and seen well enough."""
        return (self.classes == kind) & (self.visible >= VISIBLE)

    def shows_lying(self, kind: str) -> bool:
        """Whether one of this class is about as wide as tall."""
        width, height = (self.boxes[self.is_countable(kind), 2:] - self.boxes[self.is_countable(kind), :2]).T
        return bool((width * self.aspect >= LYING * height).any())

    def turn_left(self, quarters: int) -> "Picture":
        """Returns the same picture turned left by quarters, so that who stands comes to lie."""
        boxes, aspect = self.boxes, self.aspect
        for _ in range(quarters % 4):
            x0, y0, x1, y1 = boxes.T
            boxes, aspect = np.column_stack([y0, 1 - x1, y1, 1 - x0]), 1 / aspect
        return replace(self, boxes=boxes, aspect=aspect, quarters=self.quarters + quarters)

    def match_detections(self, detector: Callable[[np.ndarray], np.ndarray], kind: str) -> BoxMatches:
        """Compares what the detector of this class finds in the picture with its true boxes."""
        image = self.image()
        return self.match_boxes(detector(image), image.shape, kind)

    def match_boxes(self, detections: np.ndarray, shape: tuple[int, ...], kind: str) -> BoxMatches:
        """Compares boxes (N, 5) that were found in the picture of `shape` with its true boxes of this class."""
        is_of_kind = self.classes == kind
        size = np.array(shape[1::-1] * 2)
        return match_boxes(detections, self.boxes[is_of_kind] * size, self.is_countable(kind)[is_of_kind])

    def image(self) -> np.ndarray:
        """Decodes the picture to (H, W, 3) uint8 RGB, turned."""
        upright = (
            _decode_file(self.file) if self.position is None else next(FrameArchive(self.file).images([self.position]))
        )
        return np.ascontiguousarray(np.rot90(upright, self.quarters))

    def save(self, stem: Path) -> Path:
        """Copies the picture to `stem` with its own extension: nobody else may write to the original."""
        if self.quarters:
            path = stem.with_name(f"{stem.name}.jpg")
            path.write_bytes(encode_jpeg(self.image(), QUALITY))
            return path
        if self.position is None:
            return Path(shutil.copyfile(self.file, stem.with_name(stem.name + self.file.suffix)))
        path = stem.with_name(f"{stem.name}.jpg")
        path.write_bytes(next(FrameArchive(self.file).jpegs([self.position])))
        return path


def _decode_file(file: Path) -> np.ndarray:
    """Decodes an image of the user's; without it a training would not be the one that was asked for."""
    try:
        return decode_image(file)
    except Rejected as error:
        raise VigilError(f"{file.parent}: {error}.") from None


def read_encoded(picture: Picture) -> bytes:
    """Reads the picture as it lies on disk, JPEG or as its file has it, not turned."""
    if picture.position is None:
        return picture.file.read_bytes()
    return next(FrameArchive(picture.file).jpegs([picture.position]))


def hash_pictures(pictures: Iterable[Picture]) -> str:
    """Digest of the pictures and of all that is known of them, in their order; where they lie does not count."""
    contents = hashlib.sha256()
    for picture in pictures:
        boxes = [picture.classes.tolist(), picture.boxes.tolist(), picture.visible.tolist()]
        contents.update(json.dumps([picture.source, boxes, picture.quarters]).encode())
        contents.update(read_encoded(picture))
    return contents.hexdigest()


def read_pictures(videos: Iterable[Video], frames: Path, truth: Path, every: int = 1) -> Iterator[Picture]:
    """Reads every `every`-th stored frame of the videos whose truth is known."""
    for video in videos:
        archive, boxes = frames / f"{video.video}.npz", truth / f"{video.video}.npz"
        if video.pictures and archive.exists() and boxes.exists():
            yield from read_video_pictures(video, archive, boxes, every)


def read_video_pictures(video: Video, archive: Path, truth: Path, every: int = 1) -> Iterator[Picture]:
    """Boxes are in pixels of the video, and frames are stored in a size of their own: shares fit both."""
    stored, labels = FrameArchive(archive), load_arrays(truth)
    size = np.array(stored.source_size * 2, np.float64)
    order = np.argsort(labels["frame"], kind="stable")
    frame_numbers = labels["frame"][order]
    for position in range(0, len(stored), every):
        low, high = np.searchsorted(frame_numbers, [stored.index[position], stored.index[position] + 1])
        rows = order[low:high]
        boxes = np.clip(labels["boxes"][rows] / size, 0, 1)
        kinds, seen, aspect = labels["class"][rows], labels["visible"][rows], float(size[0] / size[1])
        yield Picture(archive, position, video.source, video.video, kinds, boxes, seen, aspect)


def choose_pictures(pictures: Sequence[Picture], kinds: Sequence[str], count: int, seed: int) -> list[Picture]:
    """Chooses `count`: the same number of crowds of every size and, within it, of every camera and of every video.

    Crowds are of the first kind. The others are rare, and so are people who lie and pictures without anything: they
    have their share.
    """
    random = np.random.default_rng(seed)
    shuffled = [pictures[number] for number in random.permutation(len(pictures))]
    levels = (
        lambda p: np.searchsorted(CROWDS, p.is_countable(kinds[0]).sum(), "right"),
        lambda p: p.source,
        lambda p: p.group,
    )
    shares = [([p for p in shuffled if p.is_countable(kind).any()], RARE) for kind in kinds[1:]]
    shares += [
        ([p for p in shuffled if p.shows_lying(kinds[0])], LOW),
        ([p for p in shuffled if not len(p.boxes)], EMPTY),
    ]
    chosen: dict[int, Picture] = {}
    for members, share in shares:
        chosen |= {id(p): p for p in _in_turn(members, levels)[: round(share * count)]}
    people = [p for p in shuffled if p.is_countable(kinds[0]).any() and id(p) not in chosen]
    chosen |= {id(p): p for p in _in_turn(people, levels)[: count - len(chosen)]}
    return sorted(chosen.values(), key=lambda p: (p.group, p.position or 0, str(p.file)))


def turn_some(pictures: Sequence[Picture], share: float, seed: int) -> list[Picture]:
    """Returns the same pictures, `share` of them turned by a quarter to the left or to the right."""
    random = np.random.default_rng([seed, len(pictures)])
    sides = dict.fromkeys(random.permutation(len(pictures))[: round(share * len(pictures))].tolist(), 0)
    sides = {number: int(random.choice((1, 3))) for number in sides}
    return [p.turn_left(sides[number]) if number in sides else p for number, p in enumerate(pictures)]


def _in_turn(pictures: Sequence[Picture], levels: Sequence[Any]) -> list[Picture]:
    """Reorders them so that every value of the first level has its turn, and within each those of the next."""
    if not levels:
        return list(pictures)
    groups: Mapping[Any, list[Picture]] = defaultdict(list)
    for picture in pictures:
        groups[levels[0](picture)].append(picture)
    queues = [_in_turn(groups[key], levels[1:]) for key in sorted(groups)]
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def write_dataset(pictures: Iterable[Picture], classes: Sequence[str], folder: Path, split: str) -> int:
    """Writes pictures and labels as Ultralytics reads them, under `folder`; returns how many."""
    images, labels = folder / "images" / split, folder / "labels" / split
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    count = 0
    for picture in pictures:
        name = f"{count:06d}"
        picture.save(images / name)
        lines = []
        for number, kind in enumerate(classes):
            for x0, y0, x1, y1 in picture.boxes[picture.is_countable(kind)].tolist():
                lines.append(f"{number} {(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}\n")
        (labels / f"{name}.txt").write_text("".join(lines))
        count += 1
    return count


def read_yolo_dataset(path: Path) -> tuple[tuple[str, ...], list[Picture], list[Picture]]:
    """Reads classes, pictures to train on and to validate on of a user's YOLO dataset, by its data.yaml."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        description = YAML(typ="safe", pure=True).load(path)
        names = description["names"]
        classes = tuple(map(str, names.values() if isinstance(names, Mapping) else names))
        root = path.parent / description.get("path", ".")
        folders = description["train"], description.get("val") or description["validation"]
    except (OSError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise VigilError(
            f"{path}: no YOLO dataset ({type(error).__name__}: {' '.join(str(error).split())[:100]}). "
            "Expected a data.yaml with path, train, val and names."
        ) from None
    train, val = (list(_yolo_split(root, listed, classes, path)) for listed in folders)
    return classes, train, val


def _yolo_split(root: Path, listed: str | Sequence[str], classes: Sequence[str], where: Path) -> Iterator[Picture]:
    images: list[Path] = []
    for entry in [listed] if isinstance(listed, str) else listed:
        location = root / entry
        if location.is_dir():
            images += sorted(file for file in location.rglob("*") if file.suffix.lower() in SUFFIXES)
        elif location.suffix == ".txt" and location.exists():
            images += [location.parent / line.strip() for line in location.read_text().splitlines() if line.strip()]
    if not images:
        raise VigilError(f"{where}: {listed}: no pictures there ({root}). Expected a folder or a .txt that lists them.")
    for image in images:
        label = _label_path(image)
        rows = [line.split() for line in label.read_text().splitlines() if line.strip()] if label.exists() else []
        try:
            table = np.array([[float(cell) for cell in row[:5]] for row in rows], np.float64).reshape(-1, 5)
            kinds = np.array([dict(enumerate(classes))[int(number)] for number in table[:, 0]], str)
        except (ValueError, KeyError):
            raise VigilError(
                f"{label}: expected lines of class x y width height, class below {len(classes)}."
            ) from None
        middle, half = table[:, 1:3], table[:, 3:5] / 2
        boxes = np.clip(np.column_stack([middle - half, middle + half]), 0, 1)
        yield Picture(image, None, image.name, image.name, kinds, boxes, np.ones(len(table)))


def _label_path(image: Path) -> Path:
    """Where YOLO has the label of an image: the last folder `images` of its path is called `labels`."""
    parts = list(image.parts)
    for level in range(len(parts) - 1, -1, -1):
        if parts[level] == "images":
            parts[level] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
