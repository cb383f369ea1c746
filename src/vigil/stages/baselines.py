"""DVC stage `baselines`: a detector that needs no network, trees on statistics of the flow, which models have to beat.

Reads   <train>, <val>, <test>  videos of the splits; the forest is complete before the other two are opened
        <flow>/<set>/<v>.npz    statistics of the flow and people, and when each stored frame is
Writes  <out>/flow_trees.npz    the trees as arrays; see evaluation/flow_trees.py. Absent where no video has flow
        <out>/settings.json     what made them; see core/lineage.py
        <scores>/{val,test}.npz of every stored frame, how probable each label is:
            labels (L,), video (V,) str, offsets (V + 1,) int64, probability (N, L) float32; NaN: no window yet.
            A video without flow, or of a single frame, has no score, and a warning says so

A window of training has the label of its video where half of it is abnormal, or half of what is abnormal lies in it;
`normal` where it holds nothing abnormal; and is left out in between. Without times a video has its label throughout.
"""

import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.clips.labels import POSITIVE, abnormal_share
from vigil.clips.windows import evenly_spaced, inside_spans
from vigil.core import lineage
from vigil.core.storage import load_arrays
from vigil.engine.stage_runner import run_stage
from vigil.evaluation.flow_trees import Forest, ForestParams, LabelProbabilities, fit_forest, save_forest
from vigil.features.flow.window_statistics import SLACK_S, trailing_spans, trailing_windows
from vigil.features.times import read_times
from vigil.footage import video_table
from vigil.footage.video_table import NORMAL, Video

Params = ForestParams
FOREST = "flow_trees.npz"


def main(*, train: Path, val: Path, test: Path, flow: Path, out: Path, scores: Path, params: Params) -> None:
    (out / FOREST).unlink(missing_ok=True)
    forest = None
    samples = [_training_windows(video, flow, params) for video in _with_flow(video_table.read(train), flow)]
    if any(len(labels) for _, labels in samples):
        x, labels = (np.concatenate(parts) for parts in zip(*samples, strict=True))
        chosen = evenly_spaced(len(x), params.windows)
        forest = fit_forest(x[chosen], labels[chosen], params)
        save_forest(out / FOREST, forest)
        print(f"baselines: {len(chosen)} windows of {len(forest.labels)} labels")
    else:
        print("baselines: no video of the training split has flow: there are no trees")
    lineage.record(out, "baselines", params.model_dump(mode="json"), flow)
    for split, table in (("val", val), ("test", test)):
        nothing = LabelProbabilities(np.zeros(0, str), {})
        trees = nothing if forest is None else judge_videos(forest, video_table.read(table), flow, params)
        trees.write(scores / f"{split}.npz")


def judge_videos(forest: Forest, videos: Sequence[Video], flow: Path, params: Params) -> LabelProbabilities:
    """What the forest says of the videos that have flow; the others have no score, and a warning names them."""
    by_video = {}
    for video in _with_flow(videos, flow):
        statistics, times = read_statistics(flow, video)
        by_video[video.video] = forest.predict(trailing_windows(statistics, _seconds(times), params.window_s))
        if not np.isfinite(by_video[video.video]).any():
            print(f"baselines: warning: {video.video} has no score: it has no two frames in a row", file=sys.stderr)
    return LabelProbabilities(forest.labels, by_video)


def read_statistics(flow: Path, video: Video) -> tuple[np.ndarray, list[Fraction]]:
    """Returns (T, F) float32 statistics of the stored frames of a video, and when these are."""
    path = flow / f"{video.video}.npz"
    return load_arrays(path)["statistics"], read_times(path, "flow")


def _with_flow(videos: Sequence[Video], flow: Path) -> list[Video]:
    present = [video for video in videos if (flow / f"{video.video}.npz").exists()]
    for video in videos:
        if video.pictures and video not in present:
            print(f"baselines: warning: {video.video} has no score: it has no flow", file=sys.stderr)
    return present


def _seconds(times: Sequence[Fraction]) -> np.ndarray:
    return np.array([float(time_s) for time_s in times])


def _training_windows(video: Video, flow: Path, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """A window that is full every fourth of its length, and its label."""
    statistics, times = read_statistics(flow, video)
    seconds = _seconds(times)
    windows = trailing_windows(statistics, seconds, params.window_s)
    spans: list[tuple[int, int]] = []
    for span in filter(None, trailing_spans(seconds, params.window_s)):
        if not spans or seconds[span[1] - 1] - seconds[spans[-1][1] - 1] >= params.window_s / 4 - SLACK_S:
            spans.append(span)
    ends = np.array([stop - 1 for _, stop in spans], np.int64)
    if not video.abnormal or not video.spans:
        return windows[ends], np.full(len(ends), video.label)
    abnormal = inside_spans(times, video.spans)
    share = np.array([abnormal_share(span, abnormal) for span in spans])
    clear = (share >= POSITIVE) | (share == 0)
    labels = np.where(share >= POSITIVE, video.label, NORMAL)
    return windows[ends[clear]], labels[clear]


if __name__ == "__main__":
    run_stage("baselines", main)
