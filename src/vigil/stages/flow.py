"""DVC stage `flow`: dense optical flow and people heatmap of every video, computed once.

Reads   <videos>                    table of videos
        <raw>/<set>/                the videos, or pointers to them: flow is estimated at their own rate
        <frames>/<set>/<v>.npz      which frames are stored, and when they are
        <landmarks>/<set>/<v>.boxes.npz     boxes of people; a video without is dropped, with a warning
Writes  <out>/<set>/<v>.npy         int8 (T, 3, H, W) of the T stored frames: dx, dy since the stored frame before, in
                                    pixels per second, and people; see features/flow/dense.py
        <out>/<set>/<v>.npz         when each of them is, see features/times.py; and
            statistics (T, F) float32   motion in numbers, the columns of `names` (F,); NaN at the first frame of a
                                    piece of the recording; see features/flow/motion_statistics.py
        <out>/settings.json         what made them; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from vigil.core.clock import exact_fraction
from vigil.core.errors import Rejected
from vigil.core.lineage import record
from vigil.core.skipping import read_rejects
from vigil.core.storage import raw_file, read_table, sha256_file
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.flow import dense, heatmap
from vigil.features.flow.motion_statistics import NAMES, measure_people
from vigil.features.frames import FrameArchive, make_sampler
from vigil.features.landmarks import people_boxes
from vigil.features.landmarks.people_boxes import read_boxes
from vigil.features.times import write_times
from vigil.footage.video import reading

Params = dense.Settings


def main(
    *, videos: Path, raw: Path, frames: Path, landmarks: Path, out: Path, params: Params, runtime: Runtime
) -> None:
    reasons = read_rejects(landmarks)
    items = []
    for row in sorted(read_table(videos), key=lambda row: row["video"]):
        name = row["video"]
        archive, boxes = frames / f"{name}.npz", landmarks / f"{name}{people_boxes.SUFFIX}"
        if not archive.exists():
            continue
        if boxes.exists():
            source = raw_file(raw / PurePosixPath(name).parts[0] / PurePosixPath(row["path"]).name)
            key = (row["sha256"], row["fps"], sha256_file(archive), sha256_file(boxes))
            outputs = (out / f"{name}.npy", out / f"{name}.npz")
            items.append(Item(name, key, (source, row["fps"], archive, boxes), outputs))
        else:
            reason = reasons.get(name, "run stage `landmarks` for it")
            print(f"flow: warning: {name} is left out: it has no landmarks: {reason}", file=sys.stderr)
    finish_folder("flow", out, run_per_video("flow", write_planes, items, params, runtime))
    record(out, "flow", params.model_dump(mode="json"), landmarks)


def write_planes(
    source: Path, fps: str, frames: Path, people: Path, out: Path, times: Path, *, params: Params
) -> dict[str, Any]:
    """Write one video's planes, a frame at a time, and its statistics; `fps` is for folders of images."""
    cv2.setNumThreads(1)
    archive = FrameArchive(frames)
    statistics = np.full((len(archive), len(NAMES)), np.nan, np.float32)
    shape = (len(archive), 3, params.size, params.size)
    with out.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|i1", "fortran_order": False, "shape": shape})
        motions = stored_motion(source, Fraction(fps), archive, params)
        for position, (boxes, motion) in enumerate(zip(read_boxes(people), motions, strict=True)):
            heat = heatmap.people_density(boxes, archive.source_size, params.size)
            file.write(dense.quantise(motion.flow, heat, params.clip).tobytes())
            if motion.statistics is not None:
                velocity = motion.flow.transpose(1, 2, 0) / np.float32(params.size)
                statistics[position] = np.concatenate([motion.statistics, measure_people(velocity, heat)])
    write_times(times, archive.times, statistics=statistics, names=np.array(NAMES))
    return {"frames": len(archive)}


def stored_motion(source: Path, fps: Fraction, archive: FrameArchive, params: Params) -> Iterator[dense.Motion]:
    """Yields the motion of each stored frame. Stored frames are looked at even where `params.fps` would skip them."""
    stored, is_sampled = set(archive.times), make_sampler(exact_fraction(params.fps))
    width, height = archive.source_size
    state, yielded = None, 0

    def is_due(time_s: Fraction) -> bool:
        return is_sampled(time_s) or time_s in stored

    if not stored:
        return
    for frame in reading.read_frames(source, is_due=is_due, fps=fps, grey_px=params.size):
        state = dense.update(state, frame.image, float(frame.time_s), params, width / height)
        if frame.time_s in stored:
            state, motion = dense.take(state, params)
            yielded += 1
            yield motion
    if yielded != len(archive):
        raise Rejected(f"{yielded} of its {len(archive)} stored frames decode: run `dvc repro frames`")


if __name__ == "__main__":
    run_stage("flow", main)
