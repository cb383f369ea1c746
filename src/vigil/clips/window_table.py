"""The windows of a data set: the request of a caller, and the table that answers it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from torch import Generator, Tensor

from vigil.clips.labels import Classes
from vigil.clips.ticks import Ticks, clip_length
from vigil.clips.windows import Span
from vigil.core.errors import VigilError
from vigil.core.skipping import read_rejects
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

JUDGED_STEP = 0.25  # windows, from one that is judged to the next; as calibrate.step in params.yaml is shipped
LONE = -1  # in place of the number of a bag
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

    def ticks(self, times: Sequence[Fraction], make_ticks: Callable[[Sequence[Fraction], float], Ticks]) -> Ticks:
        """Returns the ticks of a video whose stored frames are at `times`; `make_ticks` is one of ticks.py."""
        if self.fps is None:
            raise VigilError("clips are counted in ticks of the clock: give `fps`, how many there are in a second.")
        return make_ticks(times, self.fps)

    def windows(self, ticks: Ticks) -> list[Span]:
        length = clip_length(self.clip, self.fps)
        return ticks.slide_windows(length, self.stride or max(1, length // (4 if self.train else 2)))

    def judged_windows(self, ticks: Ticks) -> list[Span]:
        """Returns the windows that a judge looks at when it does so every `JUDGED_STEP`; see judging/judges.py."""
        length = clip_length(self.clip, self.fps)
        return ticks.slide_windows(length, self.stride or max(1, round(JUDGED_STEP * length)))


@dataclass(frozen=True, eq=False)
class WindowTable:
    """The windows of a data set, one row for each."""

    videos: np.ndarray  # (N,) str
    groups: np.ndarray  # (N,) str, the sources
    spans: np.ndarray  # (N, 2) int64, half-open; see sampling.ClipDataset
    labels: np.ndarray  # (N,) int64, class numbers
    bags: np.ndarray  # (N,) int64, the bag of each, whose windows stand in a row; LONE: in none

    def samples(self) -> list[np.ndarray]:
        """Returns the rows of each sample: one of a lone window, all of a bag."""
        changes = (self.bags[1:] != self.bags[:-1]) | (self.bags[1:] == LONE)
        return np.split(np.arange(len(self.bags)), np.flatnonzero(changes) + 1) if len(self.bags) else []


@dataclass(eq=False)
class WindowTableBuilder:
    """Collects windows until the table is complete."""

    videos: list[Video] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    bags: list[int] = field(default_factory=list)

    def add(self, video: Video, span: Span, label: int, bag: int = LONE) -> None:
        self.videos.append(video)
        self.spans.append(span)
        self.labels.append(label)
        self.bags.append(bag)

    def add_bag(self, video: Video, spans: Sequence[Span], label: int) -> None:
        """Adds windows of which `label` is true together."""
        bag = max(self.bags, default=LONE) + 1
        for span in spans:
            self.add(video, span, label, bag)

    def build(self) -> WindowTable:
        return WindowTable(
            np.array([video.video for video in self.videos], np.str_),
            np.array([video.source for video in self.videos], np.str_),
            np.array(self.spans, np.int64).reshape(-1, 2),
            np.array(self.labels, np.int64),
            np.array(self.bags, np.int64),
        )


def videos_with_features(folder: Path, videos: Sequence[Video], ending: str, stage: str) -> list[Video]:
    """Returns the videos that have features.

    Videos that the stage has rejected are named in a warning; VigilError when another one is missing.
    """
    reasons = read_rejects(folder)
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
