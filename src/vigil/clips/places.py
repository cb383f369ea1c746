"""Where in a video a model looks, and what is true there. Spans are half-open, in stored frames.

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

from vigil.clips.windows import Span, slide_windows
from vigil.core.errors import VigilError
from vigil.core.storage import read_table
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.blocks.layers import Clip

REJECTS = "rejects.csv"
POSITIVE = 0.5  # share of a window, or of the abnormal part if that is shorter, from which a window is abnormal
Classes = Mapping[str, Sequence[str]]  # name of a class -> labels of the table; in order
Reader = Callable[[int, Generator | None], tuple[Tensor, Tensor]]  # window, random numbers when training -> x, y


@dataclass(frozen=True, eq=False)
class SampleRequest:
    """The samples that a caller asks for; see `sampling.make_dataset`."""

    folder: Path
    videos: Sequence[Video]
    classes: Classes
    clip: Clip
    fps: float | None
    truth: Path | None
    train: bool
    stride: int

    def windows(self, frames: int) -> list[Span]:
        length = clip_length(self.clip, self.fps)
        return slide_windows(frames, length, self.stride or max(1, length // (4 if self.train else 2)))


@dataclass(frozen=True, eq=False)
class WindowTable:
    """The windows of a data set, one row for each."""

    videos: np.ndarray  # (N,) str
    groups: np.ndarray  # (N,) str, the sources
    spans: np.ndarray  # (N, 2) int64, stored frames; half-open
    labels: np.ndarray  # (N,) int64, class numbers

    def select_rows(self, rows: np.ndarray) -> "WindowTable":
        return WindowTable(self.videos[rows], self.groups[rows], self.spans[rows], self.labels[rows])


@dataclass(eq=False)
class WindowTableBuilder:
    """Collects windows until the table is complete."""

    videos: list[Video] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)

    def add(self, video: Video, span: Span, label: int) -> None:
        self.videos.append(video)
        self.spans.append(span)
        self.labels.append(label)

    def build(self) -> WindowTable:
        return WindowTable(
            np.array([video.video for video in self.videos], np.str_),
            np.array([video.source for video in self.videos], np.str_),
            np.array(self.spans, np.int64).reshape(-1, 2),
            np.array(self.labels, np.int64),
        )


def videos_with_features(folder: Path, videos: Sequence[Video], ending: str, stage: str) -> list[Video]:
    """Returns the videos that have features.

    Videos that the stage has rejected are named in a warning; VigilError when another one is missing.
    """
    rejects_file = folder / REJECTS
    reasons = {row["video"]: row["reason"] for row in read_table(rejects_file)} if rejects_file.exists() else {}
    present = []
    for video in videos:
        path = folder / f"{video.video}{ending}"
        if path.exists():
            present.append(video)
        elif video.video in reasons:
            print(f"warning: {video.video} is left out: not in {folder}: {reasons[video.video]}", file=sys.stderr)
        elif video.pictures:
            raise VigilError(f"{path}: not found. Run `dvc repro {stage}`.")
    return present


def clip_length(clip: Clip, fps: float | None = None) -> int:
    """Returns how many stored frames a clip spans, at `fps` stored frames per second."""
    if clip.window_s is None:
        return clip.window or clip.frames
    if fps is None:
        raise VigilError("a window in seconds needs to know how many frames are stored per second: give `fps`.")
    return max(1, round(clip.window_s * fps))


def spread_frames(span: Span, frames: int, phase: float = 0.0) -> list[int]:
    """Returns the numbers of the `frames` frames of a clip, evenly spread over `span`; some repeat when it is shorter.

    `phase` 0..1 of the distance between two of them, for training: no window is seen twice in the same frames.
    """
    start, stop = span
    return [start + min(int((number + phase) * (stop - start) / frames), stop - start - 1) for number in range(frames)]


def sample_frames(span: np.ndarray, frames: int, generator: Generator | None) -> list[int]:
    """Spreads the frames at a phase that is drawn, or at phase 0 without a generator."""
    phase = 0.0 if generator is None else float(torch.rand((), generator=generator))
    return spread_frames((int(span[0]), int(span[1])), frames, phase)


def abnormal_share(span: Span, abnormal: np.ndarray) -> float:
    """Returns the share that is abnormal: of the window, or of the abnormal part where that is shorter.

    `abnormal` is (frames,) bool. A long window that holds the whole event has 1, and so has a short one within it.
    """
    start, stop = span
    return float(abnormal[start:stop].sum() / max(1, min(stop - start, abnormal.sum())))


def label_to_class(classes: Classes) -> dict[str, int]:
    """Maps every label that a class names to the number of the class."""
    class_of_label: dict[str, int] = {}
    for number, (name, labels) in enumerate(classes.items()):
        for label in labels:
            if label in class_of_label:
                other_class = list(classes)[class_of_label[label]]
                raise VigilError(f"classes: label '{label}' is in '{other_class}' and in '{name}'. Leave it in one.")
            class_of_label[label] = number
    return class_of_label


def normal_class(classes: Classes) -> int | None:
    """Returns the number of the class of normal behaviour, None without such a class."""
    return next((number for number, labels in enumerate(classes.values()) if set(labels) & ORDINARY), None)


def evenly_spaced(total: int, count: int) -> np.ndarray:
    """Returns `count` of the numbers below `total`, evenly spread; all of them when `count` is 0."""
    return np.arange(total) if not 0 < count < total else np.arange(count) * total // count
