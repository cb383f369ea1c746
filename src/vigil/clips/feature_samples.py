"""Samples of the features that are arrays already: flow, segments of people, clips that the gate attended to."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from vigil.clips.places import Listing, Reader, Rows, Wanted, ids, shown, there
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json
from vigil.features.pictures import normalised
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.blocks.layers import Clip

LEVELS = 127  # int8 steps of stored flow
BYSTANDER = "bystander"  # who has no part in the deed; everybody else with a part is neither normal nor the doer


def flow(wanted: Wanted) -> tuple[Listing, Reader]:
    """Windows of data/flow/<set>/<v>.npy: x (T, 3, H, W), dx, dy in -1..1 and people in 0..1."""
    numbers, rows = ids(wanted.classes), Rows()
    for video in there(wanted.folder, wanted.videos, ".npy", "flow"):
        path = wanted.folder / f"{video.video}.npy"
        for place in wanted.windows(len(_planes(path, wanted.clip.size))):
            rows.add(video, place, numbers[video.label])
    listing = rows.listing()
    return listing, _Flow(wanted.folder, wanted.clip, listing)


@dataclass(frozen=True, eq=False)
class _Flow:
    folder: Path
    clip: Clip
    listing: Listing

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        planes = _planes(self.folder / f"{self.listing.videos[window]}.npy", self.clip.size)
        wanted = shown(self.listing.places[window], self.clip.frames, generator)
        x = torch.from_numpy(planes[wanted]).to(torch.float32).div_(LEVELS)
        return x, torch.tensor(self.listing.labels[window])


def _planes(path: Path, size: int | None) -> np.ndarray:
    """(T, 3, H, W) int8, not read yet."""
    planes = _array(path, "flow")
    if planes.dtype != np.int8 or planes.ndim != 4 or planes.shape[1] != 3 or not len(planes):
        raise VigilError(f"{path}: expected (T, 3, H, W) int8, found {planes.shape} {planes.dtype}. Run stage `flow`.")
    if size is not None and planes.shape[2:] != (size, size):
        found = "x".join(str(side) for side in planes.shape[2:])
        raise VigilError(f"{path}: flow of {found} px, the model looks at {size}: set flow.size or the model's size.")
    return planes


def segments(wanted: Wanted) -> tuple[Listing, Reader]:
    """data/segments/<split>.npz: x (T, F) of one person.

    In training, who has a part in the deed and is not doing it is left out while it goes on: a victim is no example of
    normal behaviour, and neither is the doer, half a second before.
    """
    path = wanted.folder / f"{wanted.videos[0].split}.npz"
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro segments`.")
    arrays = load_arrays(path)
    x, labels, names = (arrays.get(name, np.empty(0)) for name in ("x", "label", "video"))
    if x.ndim != 3 or not len(x) == len(labels) == len(names):
        raise VigilError(f"{path}: expected x (N, T, F) and N labels, found {x.shape} and {len(labels)}.")
    if x.shape[1] != wanted.clip.frames:
        raise VigilError(
            f"{path}: segments of {x.shape[1]} frames, the model looks at {wanted.clip.frames}: "
            "set segments.frames or the model's frames."
        )
    numbers, by_name = ids(wanted.classes), {video.video: video for video in wanted.videos}
    kept, rows = [], Rows()
    for row, (label, name) in enumerate(zip(labels.tolist(), names.tolist(), strict=True)):
        video = by_name.get(name)
        if video is None or label not in numbers or (wanted.train and _involved(arrays, row, video)):
            continue
        kept.append(row)
        rows.add(video, (int(arrays["start"][row]), int(arrays["stop"][row])), numbers[label])
    listing = rows.listing()
    return listing, _Segments(torch.from_numpy(x[kept]), torch.from_numpy(listing.labels))


def _involved(arrays: dict[str, np.ndarray], row: int, video: Video) -> bool:
    role, label = str(arrays["role"][row]), str(arrays["label"][row])
    if not video.abnormal or label not in ORDINARY or role in ("", BYSTANDER):
        return False
    start, stop = float(arrays["start_s"][row]), float(arrays["stop_s"][row])
    return not video.spans or any(start < float(end) and stop >= float(begin) for begin, end in video.spans)


@dataclass(frozen=True, eq=False)
class _Segments:
    x: Tensor  # (N, T, F) float32
    y: Tensor  # (N,)

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.x[window], self.y[window]


def attended(wanted: Wanted) -> tuple[Listing, Reader]:
    """Clips of data/attended/<set>/<v>.npy as pictures; see stages/attend.py."""
    path = wanted.folder / "anomalies.json"
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro attend`.")
    told, numbers, rows, nth = read_json(path)["videos"], ids(wanted.classes), Rows(), []
    for video in there(wanted.folder, wanted.videos, ".npy", "attend"):
        for number, clip in enumerate(told[video.video]["clips"]):
            rows.add(video, (clip["start"], clip["stop"]), numbers[video.label])
            nth.append(number)
    listing = rows.listing()
    return listing, _Attended(wanted.folder, wanted.clip, listing, nth)


@dataclass(frozen=True, eq=False)
class _Attended:
    folder: Path
    clip: Clip
    listing: Listing
    nth: list[int]  # clip of its video

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        path = self.folder / f"{self.listing.videos[window]}.npy"
        squares = _array(path, "attend")
        size = self.clip.size or squares.shape[-2]
        if squares.dtype != np.uint8 or squares.shape[1:] != (self.clip.frames, size, size, 3):
            raise VigilError(
                f"{path}: clips {squares.shape[1:]} {squares.dtype}, the model looks at "
                f"{(self.clip.frames, size, size, 3)}: give it the gate's frames and size."
            )
        x = normalised(np.array(squares[self.nth[window]]), self.clip.layout)
        return x, torch.tensor(self.listing.labels[window])


def _array(path: Path, stage: str) -> np.ndarray:
    """The array of an .npy, not read yet."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise VigilError(f"{path}: not a readable array ({error}). Delete it and run stage `{stage}`.") from None
