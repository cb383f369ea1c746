"""DVC stage `context`: what every judgement of a video is laid out on, and what a trivial detector would look at.

Reads   <videos>                table of videos
        <frames>/<set>/<v>.npz  when each stored frame is
        <landmarks>, <flow>     people and motion; a video without is kept, and they are unknown in it
        <train>                 videos of the training split: the flow of normal ones says what is usual
Writes  <out>/<set>/<v>.npz     of T stored frames (of landmarks without pictures: of the rows that there are):
            frame (T,) int32    number in the video
            pts (T,) int64, time_base (2,) int64: time_s = pts * time_base[0] / time_base[1], exactly
            people (T,) int16   who are followed in it; -1 unknown
            motion (T,) float32 mean length of the flow, as a share of flow.clip; NaN unknown
            unusual (T,) float32    deviations from what is usual where; see features/flow/usual.py; NaN unknown
        <out>/settings.json     what made them; see core/lineage.py
        <out>/rejects.csv       videos that could not be read, when there are any
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.lineage import FILE, record
from vigil.core.storage import save_arrays, sha256_file
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.flow import usual
from vigil.features.flow.dense import LEVELS
from vigil.features.frames import FrameArchive
from vigil.features.landmarks import pose_table
from vigil.footage import video_table
from vigil.footage.video_table import Video


def main(videos: Path, train: Path, frames: Path, landmarks: Path, flow: Path, out: Path, runtime: Runtime) -> None:
    norm = learn_usual_flow(video_table.read(train), flow)
    items = [item for video in video_table.read(videos) if (item := _item(video, frames, landmarks, flow, norm, out))]
    finish_folder("context", out, run_per_video("context", context, items, None, runtime))
    record(out, "context", {}, flow if (flow / FILE).exists() else frames)


def learn_usual_flow(train: list[Video], flow: Path) -> usual.Norm | None:
    """What is usual in normal video; None where no normal video has flow."""
    paths = [path for video in train if not video.abnormal and (path := flow / f"{video.video}.npy").exists()]
    return usual.learn_norm(np.load(path, allow_pickle=False) for path in paths) if paths else None


def context(
    frames: Path | None, landmarks: Path | None, flow: Path | None, norm: usual.Norm | None, out: Path
) -> dict[str, Any]:
    """Writes what is known of one video."""
    if frames is None:
        assert landmarks is not None
        clock = sorted({pose.frame: pose.time_s for pose in pose_table.read_poses(landmarks)}.items())
        numbers, times = [frame for frame, _ in clock], [time_s for _, time_s in clock]
    else:
        archive = FrameArchive(frames)
        numbers, times = archive.index.tolist(), archive.times
    base = int(np.lcm.reduce([time.denominator for time in times] or [1], dtype=object))
    people = [-1] * len(numbers)
    if landmarks is not None:
        people = [len(poses) for poses in pose_table.read_along(landmarks, numbers)]
    unknown = np.full(len(numbers), np.nan, np.float32)
    save_arrays(
        out,
        frame=np.array(numbers, np.int32),
        pts=np.array([int(time * base) for time in times], np.int64),
        time_base=np.array([1, base], np.int64),
        people=np.array(people, np.int16),
        motion=unknown if flow is None else motion(flow),
        unusual=unknown if flow is None or norm is None else unusual(norm, flow),
    )
    return {"frames": len(numbers)}


def motion(flow: Path) -> np.ndarray:
    return _measure_planes(flow, lambda plane: np.hypot(*plane[:2].astype(np.float32)).mean() / LEVELS)


def unusual(norm: usual.Norm, flow: Path) -> np.ndarray:
    return _measure_planes(flow, lambda plane: usual.score_unusual(norm, plane[None])[0])


def _measure_planes(flow: Path, measure: Callable[[np.ndarray], float]) -> np.ndarray:
    """(T,) float32 of an array (T, 3, H, W) int8, read a frame at a time."""
    planes = np.load(flow, mmap_mode="r", allow_pickle=False)
    return np.array([measure(plane) for plane in planes], np.float32)


def _item(video: Video, frames: Path, landmarks: Path, flow: Path, norm: usual.Norm | None, out: Path) -> Item | None:
    paths = [folder / f"{video.video}{end}" for folder, end in ((frames, ".npz"), (landmarks, ".csv"), (flow, ".npy"))]
    existing = [path if path.exists() else None for path in paths]
    if existing[0] is None and (video.pictures or existing[1] is None):
        return None
    norm_bytes = b"" if norm is None else norm.mean.tobytes() + norm.deviation.tobytes()
    key = (*("" if path is None else sha256_file(path) for path in existing), hashlib.sha256(norm_bytes).hexdigest())
    return Item(video.video, key, (*existing, norm), (out / f"{video.video}.npz",))


if __name__ == "__main__":
    run_stage("context", main)
