"""Samples of stored frames: the class of a window or of a bag of them, or the map of what moves at a window's end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from vigil.clips.class_windows import Recording, class_windows
from vigil.clips.labels import label_to_class
from vigil.clips.ticks import Sample, Ticks, draw_sample, picture_ticks
from vigil.clips.window_table import Reader, SampleRequest, WindowTable, WindowTableBuilder, videos_with_features
from vigil.core.errors import VigilError
from vigil.features.frames import FrameArchive
from vigil.features.motion_truth import read_motion_truth
from vigil.features.pictures import Squares, coarsen_truth, moving_cells, normalise_squares
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

CELL_PX = 32  # px of a model's picture that one cell of its map covers
STILL_EVERY = 4  # windows for one sample that is made from a single picture, which does not move by definition
STILL_NOISE = 6.0  # grey levels, the deviation of the strongest sensor noise between its frames


def picture_samples(request: SampleRequest) -> tuple[WindowTable, Reader]:
    """Cuts windows of data/frames/<set>/<v>.npz as pictures, with their class or the map of what moves."""
    videos = videos_with_features(request.folder, request.videos, ".npz", "frames")
    sources = {video.video: _open_frames(request, video) for video in videos}
    if request.clip.size is None:
        raise VigilError("a model that looks at frames must say their size.")
    squares = Squares(request.clip.size)
    if request.clip.target == "cells":
        windows = _map_windows(request, videos, sources)
        truth = {video.video: _read_truth(request, video, sources[video.video].archive) for video in videos}
        return windows, _MapReader(request.clip, squares, sources, windows, truth)
    recordings = []
    for video in videos:
        source = sources[video.video]
        recordings.append(Recording(video, source.archive.times, source.ticks))
    windows = class_windows(request, recordings)
    return windows, _PictureReader(request.clip, squares, sources, windows)


@dataclass(frozen=True, eq=False)
class _FrameSource:
    """The stored frames of one video, and the ticks at which a model sees them."""

    archive: FrameArchive
    ticks: Ticks

    def frames(self, sample: Sample) -> list[int]:
        """Returns the numbers of the stored frames that a sample shows."""
        return [int(self.ticks.frames[sample.newest_frame(tick)]) for tick in sample.ticks]


def _open_frames(request: SampleRequest, video: Video) -> _FrameSource:
    archive = FrameArchive(request.folder / f"{video.video}.npz")
    return _FrameSource(archive, request.ticks(archive.times, picture_ticks))


@dataclass(frozen=True, eq=False)
class _PictureReader:
    clip: Clip
    squares: Squares
    sources: dict[str, _FrameSource]
    windows: WindowTable

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        source = self.sources[str(self.windows.videos[window])]
        sample = draw_sample(self.windows.spans[window], self.clip, generator)
        squares = self.squares(source.archive, source.frames(sample))
        return normalise_squares(squares, self.clip.layout), torch.tensor(self.windows.labels[window])


def _map_windows(request: SampleRequest, videos: Sequence[Video], sources: dict[str, _FrameSource]) -> WindowTable:
    """Lists windows; in training a sample of a single picture, one tick long, follows every few of them."""
    class_of_label, builder = label_to_class(request.classes), WindowTableBuilder()
    for video in videos:
        for start, stop in request.windows(sources[video.video].ticks):
            builder.add(video, (start, stop), class_of_label[video.label])
            if request.train and len(builder.labels) % (STILL_EVERY + 1) == STILL_EVERY:
                middle = (start + stop) // 2
                builder.add(video, (middle, middle + 1), 0)
    return builder.build()


def _read_truth(request: SampleRequest, video: Video, archive: FrameArchive) -> np.ndarray | None:
    """Returns (T, h, w) uint8: what has moved since the stored frame before; None where no truth is known."""
    if request.truth is None:
        return None
    return read_motion_truth(request.truth / f"{video.video}.npz", archive.index, archive.times)


@dataclass(frozen=True, eq=False)
class _MapReader:
    """Reads windows with the map of what moves at their end; class 0 is what does not move.

    The map is that of the newest frame shown, of what has moved since the camera's frame before: from the truth where
    it is known; else nothing moves in class 0, and in others what differs from the frame shown before.
    """

    clip: Clip
    squares: Squares
    sources: dict[str, _FrameSource]
    windows: WindowTable
    truth: dict[str, np.ndarray | None]

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        video, (start, stop) = str(self.windows.videos[window]), self.windows.spans[window].tolist()
        source, sample = self.sources[video], draw_sample(self.windows.spans[window], self.clip, generator)
        frame_indices = source.frames(sample)
        squares = self.squares(source.archive, frame_indices)
        side = squares.shape[1] // CELL_PX
        truth, last = self.truth[video], frame_indices[-1]
        earlier = [number for number, frame_index in enumerate(frame_indices) if frame_index != last]
        if stop - start == 1:
            y = np.zeros((side, side), np.uint8)
            squares = squares if generator is None else _add_sensor_noise(squares, generator)
        elif truth is not None:
            before = source.ticks.frames[max(start, sample.newest_frame(sample.ticks[-1]) - sample.every)]
            y = coarsen_truth(truth[min(int(before) + 1, last) : last + 1].max(axis=0), side)
        elif not self.windows.labels[window] or not earlier:
            y = np.zeros((side, side), np.uint8)
        else:
            y = moving_cells(squares[earlier[-1]], squares[-1], side)
        return normalise_squares(squares, self.clip.layout), torch.from_numpy(y).to(torch.float32)[None]


def _add_sensor_noise(squares: np.ndarray, generator: Generator) -> np.ndarray:
    """Adds sensor noise of its own to every frame, of a strength that is drawn."""
    deviation = STILL_NOISE * float(torch.rand((), generator=generator))
    noise = torch.randn((*squares.shape[:3], 1), generator=generator).mul_(deviation)  # of brightness
    return torch.from_numpy(squares).add(noise).round_().clamp_(0, 255).to(torch.uint8).numpy()
