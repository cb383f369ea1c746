"""Samples of the features that are arrays already: flow, changes, segments of people, clips that were attended to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from vigil.clips.class_windows import Recording, all_windows, class_windows
from vigil.clips.labels import label_to_class
from vigil.clips.ticks import Sample, Ticks, change_pace, draw_pace, draw_sample, flow_ticks
from vigil.clips.window_table import Reader, SampleRequest, WindowTable, WindowTableBuilder, videos_with_features
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json
from vigil.features.flow.dense import LEVELS
from vigil.features.pictures import normalise_squares
from vigil.features.times import read_times
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.blocks.layers import Clip

ATTENDED, ATTENDED_TEST = "anomalies.json", "test.json"  # of stage `attend`: its clips of train and val, and of test
BYSTANDER = "bystander"  # has nothing to do with the deed; who has another role is neither normal nor the doer


def flow_samples(request: SampleRequest) -> tuple[WindowTable, Reader]:
    """Cuts windows of data/flow/<set>/<v>.npy: x (T, 3, H, W), dx and dy in -1..1 and people in 0..1."""
    recordings = _open_recordings(request, "flow", lambda path: _map_planes(path, request.clip.size))
    windows = (class_windows if request.clip.target == "class" else all_windows)(request, recordings)
    return windows, _FlowReader(request.folder, request.clip, windows, _ticks_by_video(recordings))


def change_samples(request: SampleRequest) -> tuple[WindowTable, Reader]:
    """Cuts windows of data/trunk/<set>/<v>.npy: x (T, 2 C), NaN where nothing is known."""
    recordings = _open_recordings(request, "trunk", lambda path: _map_array(path, "trunk"))
    windows = class_windows(request, recordings)
    return windows, _ChangeReader(request.folder, request.clip, windows, _ticks_by_video(recordings))


def _open_recordings(request: SampleRequest, stage: str, map_rows: Callable[[Path], np.ndarray]) -> list[Recording]:
    """Opens data/<stage>/<set>/<v>.npy of each video, which `map_rows` checks, and the times beside it."""
    recordings = []
    for video in videos_with_features(request.folder, request.videos, ".npy", stage):
        path = request.folder / f"{video.video}.npy"
        times, rows = read_times(path.with_suffix(".npz"), stage), len(map_rows(path))
        if len(times) != rows:
            raise VigilError(f"{path}: {rows} rows and {len(times)} times. Delete it and run stage `{stage}`.")
        recordings.append(Recording(video, times, request.ticks(times, flow_ticks)))
    return recordings


def _ticks_by_video(recordings: Sequence[Recording]) -> dict[str, Ticks]:
    return {recording.video.video: recording.ticks for recording in recordings}


@dataclass(frozen=True, eq=False)
class _TickReader:
    """Reads windows of an array that has a time for each row; subclasses say what is read."""

    folder: Path
    clip: Clip
    windows: WindowTable
    ticks: dict[str, Ticks]

    def locate(self, window: int, generator: Generator | None) -> tuple[Path, Ticks, Sample]:
        """Returns the file and the ticks of the window's video, and which of them make the sample."""
        video = str(self.windows.videos[window])
        sample = draw_sample(self.windows.spans[window], self.clip, generator)
        return self.folder / f"{video}.npy", self.ticks[video], sample


class _FlowReader(_TickReader):
    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """Returns what a camera tells: the mean motion since its frame before, and the people of its newest frame."""
        path, ticks, sample = self.locate(window, generator)
        planes = _map_planes(path, self.clip.size)
        pace = draw_pace(self.clip, sample.window, ticks.piece_of(sample.window[0]), generator)
        if pace == 1:
            values = _read_flow(planes, ticks.frames, sample)
        else:
            before, after, share = change_pace(sample, pace)
            values = _read_flow(planes, ticks.frames, before)
            values = values + share[:, None, None, None] * (_read_flow(planes, ticks.frames, after) - values)
            values = np.clip(values * np.array([pace, pace, 1.0])[:, None, None], -LEVELS, LEVELS)
        x = torch.from_numpy(values).to(torch.float32).div_(LEVELS)
        return x, torch.tensor(self.windows.labels[window])


def _read_flow(planes: np.ndarray, frames: np.ndarray, sample: Sample) -> np.ndarray:
    """Reads (T, 3, H, W) of the ticks of a sample, as its camera tells them; `frames` are those of the ticks."""
    if sample.every == 1:
        return planes[frames[sample.ticks]].astype(np.float32)
    groups = [planes[frames[slice(*sample.since_frame_before(tick))]] for tick in sample.ticks]
    return np.stack([np.concatenate([group[:, :2].mean(axis=0), group[-1, 2:]]) for group in groups])


def _map_planes(path: Path, size: int | None) -> np.ndarray:
    """Maps (T, 3, H, W) int8 into memory; nothing is read before it is used."""
    planes = _map_array(path, "flow")
    if planes.dtype != np.int8 or planes.ndim != 4 or planes.shape[1] != 3 or not len(planes):
        raise VigilError(f"{path}: expected (T, 3, H, W) int8, found {planes.shape} {planes.dtype}. Run stage `flow`.")
    if size is not None and planes.shape[2:] != (size, size):
        actual_size = "x".join(str(side) for side in planes.shape[2:])
        raise VigilError(
            f"{path}: flow of {actual_size} px, the model looks at {size}: set flow.size or the model's size."
        )
    return planes


class _ChangeReader(_TickReader):
    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        path, ticks, sample = self.locate(window, generator)
        changes = _map_array(path, "trunk")
        x = torch.from_numpy(changes[ticks.frames[sample.ticks]].astype(np.float32)).flatten(1)
        return x, torch.tensor(self.windows.labels[window])


def segment_samples(request: SampleRequest) -> tuple[WindowTable, Reader]:
    """Reads data/segments/<split>.npz: x (T, F) is what one person did.

    In training, who has a role in the deed and is not doing it is left out while it goes on: a victim is no example of
    normal behaviour, and neither is the doer, half a second before.
    """
    path = request.folder / f"{request.videos[0].split}.npz"
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro segments`.")
    arrays = load_arrays(path)
    x, labels, names = (arrays.get(name, np.empty(0)) for name in ("x", "label", "video"))
    if x.ndim != 3 or not len(x) == len(labels) == len(names):
        raise VigilError(f"{path}: expected x (N, T, F) and N labels, found {x.shape} and {len(labels)}.")
    if x.shape[1] != request.clip.frames:
        raise VigilError(
            f"{path}: segments of {x.shape[1]} frames, the model looks at {request.clip.frames}: "
            "set segments.frames or the model's frames."
        )
    class_of_label, by_name = label_to_class(request.classes), {video.video: video for video in request.videos}
    chosen_rows, builder = [], WindowTableBuilder()
    for row, (label, name) in enumerate(zip(labels.tolist(), names.tolist(), strict=True)):
        video = by_name.get(name)
        if video is None or label not in class_of_label or (request.train and is_involved(arrays, row, video)):
            continue
        chosen_rows.append(row)
        builder.add(video, (int(arrays["start"][row]), int(arrays["stop"][row])), class_of_label[label])
    windows = builder.build()
    return windows, _SegmentReader(torch.from_numpy(x[chosen_rows]), torch.from_numpy(windows.labels))


def is_involved(arrays: dict[str, np.ndarray], row: int, video: Video) -> bool:
    """Tells whether a segment is of someone with a role in the deed who is not doing it, while it goes on."""
    role, label = str(arrays["role"][row]), str(arrays["label"][row])
    if not video.abnormal or label not in ORDINARY or role in ("", BYSTANDER):
        return False
    start, stop = float(arrays["start_s"][row]), float(arrays["stop_s"][row])
    return not video.spans or any(start < float(end) and stop >= float(begin) for begin, end in video.spans)


@dataclass(frozen=True, eq=False)
class _SegmentReader:
    x: Tensor  # (N, T, F) float32
    y: Tensor  # (N,)

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.x[window], self.y[window]


def attended_samples(request: SampleRequest) -> tuple[WindowTable, Reader]:
    """Reads the clips of data/attended/<set>/<v>.npy as pictures; see stages/attend.py."""
    path = request.folder / ATTENDED
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro attend`.")
    clips_of_video, class_of_label = read_json(path)["videos"], label_to_class(request.classes)
    clip_numbers, builder = [], WindowTableBuilder()
    for video in videos_with_features(request.folder, request.videos, ".npy", "attend"):
        for number, clip in enumerate(clips_of_video[video.video]["clips"]):
            builder.add(video, (clip["start"], clip["stop"]), class_of_label[video.label])
            clip_numbers.append(number)
    windows = builder.build()
    return windows, _AttendedReader(request.folder, request.clip, windows, clip_numbers)


@dataclass(frozen=True, eq=False)
class _AttendedReader:
    folder: Path
    clip: Clip
    windows: WindowTable
    clip_numbers: list[int]  # of each window, within its video

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        path = self.folder / f"{self.windows.videos[window]}.npy"
        squares = _map_array(path, "attend")
        size = self.clip.size or squares.shape[-2]
        if squares.dtype != np.uint8 or squares.shape[1:] != (self.clip.frames, size, size, 3):
            raise VigilError(
                f"{path}: clips {squares.shape[1:]} {squares.dtype}, the model looks at "
                f"{(self.clip.frames, size, size, 3)}: give it the gate's frames and size."
            )
        x = normalise_squares(np.array(squares[self.clip_numbers[window]]), self.clip.layout)
        return x, torch.tensor(self.windows.labels[window])


def _map_array(path: Path, stage: str) -> np.ndarray:
    """Maps the array of an .npy into memory; nothing is read before it is used."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise VigilError(f"{path}: not a readable array ({error}). Delete it and run stage `{stage}`.") from None
