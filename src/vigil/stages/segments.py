"""DVC stage `segments`: what each tracked person did in some seconds, scaled and labelled, by split.

Reads   <train>, <val>, <test>      videos of each split
        <frames>/<set>/<v>.npz      which frames are stored, and when they are
        <landmarks>/<set>/<v>.csv   tracked people; a video without is dropped, with a warning
        <truth>/<set>/<v>.npz       who does the deed, where that is known
Writes  <out>/<split>.npz           named arrays, N segments of T ticks:
            x (N, T, F) float32     features, the columns of `names` (F,); see features/segments/columns.py
            mask (N, T) bool        the person was found in `frame`; else the last pose is held
            seen (N, T, 13) bool    the joint was found in `frame`
            near (N, T, 2) float32  px to the nearest other person, and px a second that the two close in by
            poses (N, T, 13, 2) float32 px of the video, and source_size (N, 2) int32, beside the two above and time_s:
                                    what x is made of
            time_s (N, T) float64   of the tick, and frame (N, T) int32: the stored frame with which it was fed;
            of the newest tick: stop = frame + 1, stop_s = its time; of the oldest: start, start_s (all (N,))
            label (N,)              the video's class where the person does it for most of the segment, else `normal`
            video (N,), person (N,) int32, role (N,): the person's part by the truth, else empty
        <out>/scaler.json           range of each coordinate over the training split
        <out>/settings.json         what made them, the scaler included; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any

Where the truth is known only the person who does the deed is abnormal, and bystanders are normal. Where it is not,
everybody is abnormal within the video's spans, and throughout when there are no spans either.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vigil.clips.windows import inside_spans
from vigil.core import settings
from vigil.core.lineage import record
from vigil.core.skipping import read_rejects
from vigil.core.storage import load_arrays, save_arrays, sha256_file, write_json
from vigil.engine.per_video import Item, Outcome, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import FrameArchive
from vigil.features.landmarks.pose_table import JOINTS, read_along, read_poses
from vigil.features.segments import columns, segments
from vigil.features.segments.actors import Actor, match_actors
from vigil.features.segments.segments import Segment
from vigil.footage import video_table
from vigil.footage.video_table import NORMAL, ORDINARY, SPLITS, Video

Params = segments.Settings
Arrays = dict[str, np.ndarray]
FEW = 500  # segments to train on; with fewer a pose model learns its examples by heart


def main(
    *,
    train: Path,
    val: Path,
    test: Path,
    frames: Path,
    landmarks: Path,
    truth: Path,
    out: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    videos_of_split = {split: video_table.read(path) for split, path in zip(SPLITS, (train, val, test), strict=True)}
    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home()) as folder:
        usable = {split: _with_features(videos, frames, landmarks) for split, videos in videos_of_split.items()}
        parts = Path(folder)
        items = [_make_item(video, frames, landmarks, truth, parts) for split in SPLITS for video in usable[split]]
        outcomes = run_per_video("segments", cut_segments, items, params, runtime)
        finish_folder("segments", out, outcomes)
        merged = {split: _merge_videos(usable[split], outcomes, params) for split in SPLITS}
    scaler = columns.fit_scaler(columns.picture_shares(merged["train"]["poses"], merged["train"]["source_size"]))
    write_json(out / "scaler.json", scaler.ranges)
    record(out, "segments", params.model_dump(mode="json") | {"scaler": scaler.ranges}, landmarks)
    for split, arrays in merged.items():
        x = columns.segment_features(arrays, params, scaler)
        save_arrays(out / f"{split}.npz", **arrays, x=x, names=np.array(columns.feature_names(params)))
        counts = ", ".join(f"{label} {count}" for label, count in sorted(Counter(arrays["label"].tolist()).items()))
        print(f"segments: {split}: {len(x)} of {params.frames} ticks: {counts or 'none'}")
    if (count := len(merged["train"]["label"])) < FEW:
        print(
            f"segments: warning: {count} segments to train on; a pose model needs {FEW} or more: "
            "add videos, or lower segments.stride_s",
            file=sys.stderr,
        )


def cut_segments(
    landmarks: Path,
    frames: Path | None,
    truth: Path | None,
    label: str,
    spans: Sequence[tuple[str, str]],
    out: Path,
    *,
    params: Params,
) -> dict[str, Any]:
    """Write one video's segments, not yet scaled."""
    if frames is None:  # a table of landmarks is all there is
        clock = sorted({pose.frame: pose.time_s for pose in read_poses(landmarks)}.items())
    else:
        archive = FrameArchive(frames)
        clock = list(zip(archive.index.tolist(), archive.times, strict=True))
    state, video_segments = segments.START, []
    for (frame, time_s), people in zip(clock, read_along(landmarks, [frame for frame, _ in clock]), strict=True):
        state, complete = segments.update(state, frame, time_s, people, params)
        video_segments += complete
    video_segments.sort(key=lambda segment: (segment.person, int(segment.frame[0])))
    actors = None if truth is None else match_actors(read_poses(landmarks), load_arrays(truth))
    flags = inside_spans([time for _, time in clock], [(Fraction(start), Fraction(stop)) for start, stop in spans])
    abnormal = {frame for (frame, _), flag in zip(clock, flags, strict=True) if flag or not spans}
    labels, roles = _label_segments(video_segments, label, abnormal, actors)
    arrays = _stack_segments(video_segments, params.frames)
    save_arrays(out, **arrays, label=np.array(labels, np.str_), role=np.array(roles, np.str_))
    return {"segments": len(video_segments)}


def _label_segments(
    video_segments: Sequence[Segment], label: str, abnormal: set[int], actors: Mapping[tuple[int, int], Actor] | None
) -> tuple[list[str], list[str]]:
    """Returns label and role of each segment, by the majority of its ticks at which the person was found."""
    labels, roles = [], []
    for segment in video_segments:
        shown_frames = segment.frame[segment.mask].tolist()
        actors_shown = [(actors or {}).get((frame, segment.person)) for frame in shown_frames]
        if actors is None:
            acting = [frame in abnormal for frame in shown_frames]
        else:
            acting = [actor is not None and actor.active for actor in actors_shown]
        normal_label = label if label in ORDINARY else NORMAL
        labels.append(label if 2 * sum(acting) > len(acting) else normal_label)
        roles_seen = Counter(actor.role for actor in actors_shown if actor)
        roles.append(min(roles_seen, key=lambda role: (-roles_seen[role], role)) if roles_seen else "")
    return labels, roles


def _with_features(videos: Sequence[Video], frames: Path, landmarks: Path) -> list[Video]:
    """Returns the videos that have all features, and warns of those that an earlier stage has rejected."""
    complete = []
    reasons = {folder: read_rejects(folder) for folder in (frames, landmarks)}
    for video in videos:
        needed = {landmarks: f"{video.video}.csv"} | ({frames: f"{video.video}.npz"} if video.pictures else {})
        lost = [folder for folder, name in needed.items() if not (folder / name).exists()]
        if lost:
            reason = reasons[lost[-1]].get(video.video, "run that stage")
            print(f"segments: warning: {video.video} is left out: not in {lost[-1]}: {reason}", file=sys.stderr)
        else:
            complete.append(video)
    return complete


def _make_item(video: Video, frames: Path, landmarks: Path, truth: Path, parts: Path) -> Item:
    table = landmarks / f"{video.video}.csv"
    archive = frames / f"{video.video}.npz" if video.pictures else None
    truth_file = truth / f"{video.video}.npz"
    actors = truth_file if truth_file.exists() else None
    spans = tuple((str(start), str(stop)) for start, stop in video.spans)
    key = (
        sha256_file(table),
        sha256_file(archive) if archive else "",
        sha256_file(actors) if actors else "",
        video.label,
        repr(spans),
    )
    return Item(video.video, key, (table, archive, actors, video.label, spans), (parts / f"{video.video}.npz",))


def _merge_videos(videos: Sequence[Video], outcomes: Sequence[Outcome], params: Params) -> Arrays:
    """Joins the arrays of a split, videos in the order of their names, persons and times in order within."""
    parts = {outcome.item.name: outcome.item.outputs[0] for outcome in outcomes if outcome.reason is None}
    rows = [_stack_segments([], params.frames) | {name: np.empty(0, "<U1") for name in ("label", "role", "video")}]
    rows[0]["source_size"] = np.empty((0, 2), np.int32)
    for video in sorted(videos, key=lambda video: video.video):
        if video.video in parts:
            arrays = load_arrays(parts[video.video])
            count = len(arrays["label"])
            size = np.tile(np.array([video.width, video.height], np.int32), (count, 1))
            rows.append(arrays | {"source_size": size, "video": np.array([video.video] * count, np.str_)})
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _stack_segments(video_segments: Sequence[Segment], length: int) -> Arrays:
    def stack(name: str, shape: tuple[int, ...], kind: type) -> np.ndarray:
        return np.array([getattr(segment, name) for segment in video_segments], kind).reshape(-1, length, *shape)

    frame, time_s = stack("frame", (), np.int32), stack("time_s", (), np.float64)
    return {
        "frame": frame,
        "mask": stack("mask", (), np.bool_),
        "near": stack("near", (2,), np.float32),
        "person": np.array([segment.person for segment in video_segments], np.int32),
        "poses": stack("poses", (len(JOINTS), 2), np.float32),
        "seen": stack("seen", (len(JOINTS),), np.bool_),
        "start": frame[:, 0],
        "start_s": time_s[:, 0],
        "stop": frame[:, -1] + 1,
        "stop_s": time_s[:, -1],
        "time_s": time_s,
    }


if __name__ == "__main__":
    run_stage("segments", main)
