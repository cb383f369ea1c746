"""Where in a video a model looks, and what is true there. Places are stored frames; spans are half-open.

What a window is called follows from where the abnormal part of its video is known to be. A window that holds half of
that part, or lies half in it, is of the video's class; one that holds nothing of it is normal; what is between is left
out of training.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from vigil.clips.windows import Span, spans
from vigil.core.errors import VigilError
from vigil.core.storage import read_table
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.blocks.layers import Clip

REJECTS = "rejects.csv"
POSITIVE = 0.5  # share of a window, or of the abnormal part if that is shorter, from which a window is abnormal
Classes = Mapping[str, Sequence[str]]  # name of a class -> labels of the table; in order
Reader = Callable[[int, Generator | None], tuple[Tensor, Tensor]]  # window, random numbers when training -> x, y


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is asked for; see clips.dataset."""

    folder: Path
    videos: Sequence[Video]
    classes: Classes
    clip: Clip
    fps: float | None
    truth: Path | None
    train: bool
    stride: int

    def windows(self, frames: int) -> list[Span]:
        length = span(self.clip, self.fps)
        return spans(frames, length, self.stride or max(1, length // (4 if self.train else 2)))


@dataclass(frozen=True, eq=False)
class Listing:
    """The windows there are, one row each."""

    videos: np.ndarray  # (N,) str
    groups: np.ndarray  # (N,) str, the sources
    places: np.ndarray  # (N, 2) int64
    labels: np.ndarray  # (N,) int64, class numbers

    def part(self, rows: np.ndarray) -> "Listing":
        return Listing(self.videos[rows], self.groups[rows], self.places[rows], self.labels[rows])


@dataclass(eq=False)
class Rows:
    """A listing in the making."""

    videos: list[Video] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)

    def add(self, video: Video, place: Span, label: int) -> None:
        self.videos.append(video)
        self.places.append(place)
        self.labels.append(label)

    def listing(self) -> Listing:
        return Listing(
            np.array([video.video for video in self.videos], np.str_),
            np.array([video.source for video in self.videos], np.str_),
            np.array(self.places, np.int64).reshape(-1, 2),
            np.array(self.labels, np.int64),
        )


def there(folder: Path, videos: Sequence[Video], ending: str, stage: str) -> list[Video]:
    """The videos that have features. Which ones the stage has lost, and why, is told; others must not be missing."""
    lost = folder / REJECTS
    reasons = {row["video"]: row["reason"] for row in read_table(lost)} if lost.exists() else {}
    kept = []
    for video in videos:
        path = folder / f"{video.video}{ending}"
        if path.exists():
            kept.append(video)
        elif video.video in reasons:
            print(f"warning: {video.video} is left out: not in {folder}: {reasons[video.video]}", file=sys.stderr)
        elif video.pictures:
            raise VigilError(f"{path}: not found. Run `dvc repro {stage}`.")
    return kept


def span(clip: Clip, fps: float | None = None) -> int:
    """Frames in a row of which a clip is made, at `fps` stored frames per second."""
    if clip.window_s is None:
        return clip.window or clip.frames
    if fps is None:
        raise VigilError("a window in seconds needs to know how many frames are stored per second: give `fps`.")
    return max(1, round(clip.window_s * fps))


def taken(place: Span, frames: int, phase: float = 0.0) -> list[int]:
    """The `frames` places of a clip, evenly spread over `place`; some repeat when it is shorter.

    `phase` 0..1 of the distance between two of them, for training: no window is seen twice in the same frames.
    """
    start, stop = place
    return [start + min(int((number + phase) * (stop - start) / frames), stop - start - 1) for number in range(frames)]


def shown(place: np.ndarray, frames: int, generator: Generator | None) -> list[int]:
    """`taken`, at a phase that is drawn when there is a generator."""
    phase = 0.0 if generator is None else float(torch.rand((), generator=generator))
    return taken((int(place[0]), int(place[1])), frames, phase)


def share(place: Span, abnormal: np.ndarray) -> float:
    """How much is abnormal: of the window, or of the abnormal part where that is shorter. `abnormal` (frames,) bool.

    1 for a long window that holds the whole event, and for a short one within it.
    """
    start, stop = place
    return float(abnormal[start:stop].sum() / max(1, min(stop - start, abnormal.sum())))


def ids(classes: Classes) -> dict[str, int]:
    """Class number of every label that is named."""
    found: dict[str, int] = {}
    for number, (name, labels) in enumerate(classes.items()):
        for label in labels:
            if label in found:
                other = list(classes)[found[label]]
                raise VigilError(f"classes: label '{label}' is in '{other}' and in '{name}'. Leave it in one.")
            found[label] = number
    return found


def ordinary(classes: Classes) -> int | None:
    """Class number of what is not abnormal, where there is such a class."""
    return next((number for number, labels in enumerate(classes.values()) if set(labels) & ORDINARY), None)


def thinned(count: int, wanted: int) -> np.ndarray:
    """`wanted` of `count` numbers, evenly spread; all of them for 0."""
    return np.arange(count) if not 0 < wanted < count else np.arange(wanted) * count // wanted
