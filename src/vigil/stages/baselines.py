"""DVC stage `baselines`: a detector that needs no network, trees on statistics of the flow, which models have to beat.

Reads   <train>, <val>, <test>  videos of the splits; the forest is complete before the other two are opened
        <flow>/<set>/<v>.npy    optical flow and people; a video without is left out
        <frames>/<set>/<v>.npz  when each stored frame is
Writes  <out>/flow_trees.npz    the trees as arrays; see evaluation/flow_trees.py. Absent where no video has flow
        <out>/settings.json     what made them; see core/lineage.py
        <scores>/{val,test}.npz of every stored frame, how probable each label is:
            labels (L,), video (V,) str, offsets (V + 1,) int64, probability (N, L) float32; NaN: no window yet

A window of training has the label of its video where half of it is abnormal, or half of what is abnormal lies in it;
`normal` where it holds nothing abnormal; and is left out in between. Without times a video has its label throughout.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vigil.clips.places import POSITIVE, abnormal_share, evenly_spaced
from vigil.clips.windows import inside_spans
from vigil.core import lineage, settings
from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.evaluation.flow_trees import ForestParams, LabelProbabilities, fit_forest, save_forest
from vigil.features.flow.window_statistics import frame_statistics, trailing_windows
from vigil.features.frames import FrameArchive
from vigil.footage import video_table
from vigil.footage.video_table import Video

Params = ForestParams
NORMAL = "normal"
FOREST = "flow_trees.npz"


def main(
    *,
    train: Path,
    val: Path,
    test: Path,
    flow: Path,
    frames: Path,
    out: Path,
    scores: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    made_with = lineage.read(flow)
    length = max(1, round(params.window_s * made_with["frames"]["fps"]))
    (out / FOREST).unlink(missing_ok=True)
    forest = None
    samples = [
        _training_windows(video, windows, frames, length)
        for video, windows in _read_windows(video_table.read(train), flow, length, runtime)
    ]
    if samples:
        x, labels = (np.concatenate(parts) for parts in zip(*samples, strict=True))
        chosen = evenly_spaced(len(x), params.windows)
        forest = fit_forest(x[chosen], labels[chosen], params)
        save_forest(out / FOREST, forest)
        print(f"baselines: {len(chosen)} windows of {len(forest.labels)} labels")
    else:
        print("baselines: no video of the training split has flow: there are no trees")
    lineage.record(out, "baselines", params.model_dump(mode="json"), flow)
    for split, table in (("val", val), ("test", test)):
        known = [] if forest is None else _read_windows(video_table.read(table), flow, length, runtime)
        by_video = {} if forest is None else {video.video: forest.predict(windows) for video, windows in known}
        labels = np.zeros(0, str) if forest is None else forest.labels
        LabelProbabilities(labels, by_video).write(scores / f"{split}.npz")


def write_statistics(flow: Path, out: Path) -> dict[str, Any]:
    """Writes the statistics of the frames of one video."""
    statistics = frame_statistics(np.load(flow, mmap_mode="r", allow_pickle=False))
    np.save(out, statistics, allow_pickle=False)
    return {"frames": len(statistics)}


def _read_windows(videos: Sequence[Video], flow: Path, length: int, runtime: Runtime) -> list[tuple[Video, np.ndarray]]:
    """The windows of every video that has flow, one for each of its stored frames."""
    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home()) as folder:
        present = [video for video in videos if (flow / f"{video.video}.npy").exists()]
        items = [
            Item(video.video, (sha256_file(path),), (path,), (Path(folder) / f"{video.video}.npy",))
            for video in present
            for path in [flow / f"{video.video}.npy"]
        ]
        outcomes = run_per_video("baselines", write_statistics, items, None, runtime)
        return [
            (video, trailing_windows(np.load(outcome.item.outputs[0], allow_pickle=False), length))
            for video, outcome in zip(present, outcomes, strict=True)
            if outcome.reason is None
        ]


def _training_windows(video: Video, windows: np.ndarray, frames: Path, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Every fourth of a window's length a window that is full, and its label."""
    count = len(windows)
    length = min(length, count)
    ends = np.arange(length, count + 1, max(1, length // 4)) if count else np.zeros(0, np.int64)
    if not video.abnormal or not video.spans:
        return windows[ends - 1], np.full(len(ends), video.label)
    times = FrameArchive(frames / f"{video.video}.npz").times
    if len(times) != count:
        raise VigilError(f"{video.video}: {count} frames of flow, {len(times)} stored frames. Run `dvc repro`.")
    abnormal = inside_spans(times, video.spans)
    share = np.array([abnormal_share((int(end) - length, int(end)), abnormal) for end in ends])
    clear = (share >= POSITIVE) | (share == 0)
    labels = np.where(share >= POSITIVE, video.label, NORMAL)
    return windows[ends[clear] - 1], labels[clear]


if __name__ == "__main__":
    run_stage("baselines", main)
