"""Samples of stored frames: the class of a window, or the map of what moves at its end.

Where an abnormal video's abnormal part is not known, its label is true of the video as a whole and of no window of it
(the reading of multiple-instance learning): its one sample is spread over all of it. Then every video of the split,
normal ones too, gives such a sample, and shorter windows are used only if some are known to be abnormal: else how far
apart the frames lie would tell the class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from vigil.clips.places import POSITIVE, Listing, Reader, Rows, Wanted, ids, ordinary, share, shown, there
from vigil.clips.windows import inside
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.features.frames import Archive
from vigil.features.pictures import Squares, coarse, moving, normalised
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

CELL_PX = 32  # px of a model's picture that one cell of its map covers
STILL_EVERY = 4  # windows for one sample that is made from a single picture, which does not move by definition
STILL_NOISE = 6.0  # grey levels, the deviation of the strongest sensor noise between its frames


def frames(wanted: Wanted) -> tuple[Listing, Reader]:
    """Windows of data/frames/<set>/<v>.npz as pictures, with the class of the window or the map of what moves."""
    videos = there(wanted.folder, wanted.videos, ".npz", "frames")
    archives = {video.video: Archive(wanted.folder / f"{video.video}.npz") for video in videos}
    if wanted.clip.size is None:
        raise VigilError("a model that looks at frames must say their size.")
    squares = Squares(wanted.clip.size)
    if wanted.clip.target == "cells":
        listing = _mapped(wanted, videos, archives)
        truth = {video.video: _truth(wanted, video, archives[video.video]) for video in videos}
        return listing, _Maps(wanted.clip, squares, archives, listing, truth)
    listing = _classed(wanted, videos, archives)
    return listing, _Pictures(wanted.clip, squares, archives, listing)


def _classed(wanted: Wanted, videos: Sequence[Video], archives: dict[str, Archive]) -> Listing:
    numbers, normal, rows = ids(wanted.classes), ordinary(wanted.classes), Rows()
    blind = any(video.abnormal and not video.spans for video in videos)
    short = not blind or any(video.abnormal and video.spans for video in videos)
    for video in videos:
        archive = archives[video.video]
        whole, number = (0, len(archive)), numbers[video.label]
        if blind:
            rows.add(video, whole, number)
        if not short or (video.abnormal and not video.spans):
            continue
        abnormal = inside(archive.times, video.spans)
        for place in wanted.windows(len(archive)):
            held = share(place, abnormal) if video.abnormal else 1.0
            if blind and place == whole:
                continue
            if held >= POSITIVE:
                rows.add(video, place, number)
            elif normal is not None and (not held or not wanted.train):
                rows.add(video, place, normal)
    return rows.listing()


@dataclass(frozen=True, eq=False)
class _Pictures:
    clip: Clip
    squares: Squares
    archives: dict[str, Archive]
    listing: Listing

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        archive = self.archives[str(self.listing.videos[window])]
        squares = self.squares(archive, shown(self.listing.places[window], self.clip.frames, generator))
        return normalised(squares, self.clip.layout), torch.tensor(self.listing.labels[window])


def _mapped(wanted: Wanted, videos: Sequence[Video], archives: dict[str, Archive]) -> Listing:
    """In training with one sample of a single picture for every few windows; its place is one frame long."""
    numbers, rows = ids(wanted.classes), Rows()
    for video in videos:
        for start, stop in wanted.windows(len(archives[video.video])):
            rows.add(video, (start, stop), numbers[video.label])
            if wanted.train and len(rows.labels) % (STILL_EVERY + 1) == STILL_EVERY:
                middle = (start + stop) // 2
                rows.add(video, (middle, middle + 1), 0)
    return rows.listing()


def _truth(wanted: Wanted, video: Video, archive: Archive) -> np.ndarray | None:
    """(T, h, w) uint8: what has moved since the stored frame before, where that is known."""
    path = None if wanted.truth is None else wanted.truth / f"{video.video}.npz"
    cells = load_arrays(path).get("cells") if path is not None and path.exists() else None
    if cells is None:
        return None
    last = int(archive.index[-1])
    if cells.ndim != 3 or len(cells) <= last:
        raise VigilError(f"{path}: maps {cells.shape}, the video has {last + 1} frames. Run `dvc repro download`.")
    since = np.concatenate([[0], archive.index[:-1] + 1])
    return np.maximum.reduceat(cells[: last + 1], since, axis=0)


@dataclass(frozen=True, eq=False)
class _Maps:
    """Class 0 is what does not move.

    The map is that of the newest frame shown: from the truth where it is known; else nothing moves in class 0, and in
    others what differs from the frame shown before.
    """

    clip: Clip
    squares: Squares
    archives: dict[str, Archive]
    listing: Listing
    truth: dict[str, np.ndarray | None]

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        video, (start, stop) = str(self.listing.videos[window]), self.listing.places[window].tolist()
        places = shown(self.listing.places[window], self.clip.frames, generator)
        squares = self.squares(self.archives[video], places)
        side = squares.shape[1] // CELL_PX
        truth, last = self.truth[video], places[-1]
        before = [number for number, place in enumerate(places) if place != last]
        if stop - start == 1:
            y = np.zeros((side, side), np.uint8)
            squares = squares if generator is None else _noisy(squares, generator)
        elif truth is not None:
            y = coarse(truth[last], side)
        elif not self.listing.labels[window] or not before:
            y = np.zeros((side, side), np.uint8)
        else:
            y = moving(squares[before[-1]], squares[-1], side)
        return normalised(squares, self.clip.layout), torch.from_numpy(y).to(torch.float32)[None]


def _noisy(squares: np.ndarray, generator: Generator) -> np.ndarray:
    """With sensor noise of its own in every frame, of a strength that is drawn."""
    deviation = STILL_NOISE * float(torch.rand((), generator=generator))
    noise = torch.randn((*squares.shape[:3], 1), generator=generator).mul_(deviation)  # of brightness
    return torch.from_numpy(squares).add(noise).round_().clamp_(0, 255).to(torch.uint8).numpy()
