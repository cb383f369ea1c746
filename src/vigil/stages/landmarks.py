"""DVC stage `landmarks`: the 13 joints of everybody in every frame, followed from frame to frame.

Reads   <frames>/<set>/<v>.npz      JPEG frames
        <videos>, <raw>             tables of landmarks among the videos, which are brought into the same shape
        <person>                    the detector of people, where stage `person` made one
        <pretrained>                the networks that find people and say how they stand
Writes  <out>/<set>/<v>.csv         one row per frame and person, px of the video; see features/landmarks/pose_table.py
        <out>/<set>/<v>.boxes.npz   boxes of the people in every frame, where there are pictures; see people_boxes.py
        <out>/settings.json         what made them; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
"""

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.lineage import record
from vigil.core.storage import raw_file, sha256_file
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import FrameArchive
from vigil.features.landmarks import choices, estimators, people_boxes, pose_table
from vigil.features.landmarks.pose_table import Pose
from vigil.features.persons.detector import why_nobody
from vigil.footage import video_table

Params = choices.Settings


def main(
    *,
    videos: Path,
    raw: Path,
    frames: Path,
    person: Path,
    pretrained: Path,
    out: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    weights_digests = choices.weights_digests(params, person, pretrained)
    if params.backend == params.detector == "auto" and not choices.has_networks(pretrained):
        print(
            f"landmarks: {pretrained} has no networks that know filmed people (weights.people): BlazePose serves",
            file=sys.stderr,
        )
    params = choices.choose_backend(params, pretrained)
    if params.backend in ("networks", "topdown") and params.detector == "auto" and (reason := why_nobody(person)):
        print(f"landmarks: {reason}: published networks find people", file=sys.stderr)
    items = []
    for archive in sorted(frames.glob("*/*.npz")):
        name = f"{archive.parent.name}/{archive.stem}"
        detector = choices.choose_detector(params, person, pretrained, archive.parent.name).detector
        key = (sha256_file(archive), detector, *weights_digests)
        args = (archive, person.absolute(), pretrained.absolute(), detector)
        outputs = (out / f"{name}.csv", out / f"{name}{people_boxes.SUFFIX}")
        items.append(Item(name, key, args, outputs))
    outcomes = run_per_video("landmarks", track_people, items, params, runtime)
    outcomes += run_per_video("landmarks", convert_table, list_tables(videos, raw, out), None, runtime)
    finish_folder("landmarks", out, outcomes)
    record(out, "landmarks", params.model_dump(mode="json") | {"weights": weights_digests}, frames)


def list_tables(videos: Path, raw: Path, out: Path) -> list[Item]:
    """Lists the clips of which there are landmarks and no pictures, for `convert_table`."""
    return [
        Item(video.video, (video.sha256, str(video.fps)),
             (raw_file(raw / video.set / Path(video.path).name), str(video.fps)), (out / f"{video.video}.csv",))
        for video in video_table.read(videos) if not video.pictures
    ]  # fmt: skip


def track_people(
    frames: Path, person: Path, pretrained: Path, detector: str, out: Path, boxes: Path, *, params: Params
) -> dict[str, Any]:
    """Writes the people of one video, and their boxes."""
    params = params.model_copy(update={"detector": detector})
    cv2.setNumThreads(1)
    archive = FrameArchive(frames)
    state, poses, boxes_of_frames = estimators.START, list[Pose](), list[np.ndarray]()
    with estimators.open_people(params, person, pretrained) as finder:
        for index, time_s, image in zip(archive.index.tolist(), archive.times, archive.images(), strict=True):
            scale = archive.source_size[0] / image.shape[1]
            state, people, of_frame = estimators.find_people(state, image, float(time_s), finder)
            poses += estimators.poses_of_frame(people, index, time_s, scale)
            boxes_of_frames.append(people_boxes.scale_boxes(of_frame, scale))
    pose_table.write_poses(out, poses)
    people_boxes.write_boxes(boxes, boxes_of_frames)
    return {"frames": len(archive), "rows": len(poses)}


def convert_table(table: Path, fps: str, out: Path) -> dict[str, Any]:
    """Write the people of a clip of which there are landmarks and no pictures."""
    poses = pose_table.poses_from_table(table, Fraction(fps))
    pose_table.write_poses(out, poses)
    return {"rows": len(poses)}


if __name__ == "__main__":
    run_stage("landmarks", main)
