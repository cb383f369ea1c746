"""DVC stage `landmarks`: the 13 joints of everybody in every frame, followed from frame to frame.

Reads   <frames>/<set>/<v>.npz      JPEG frames
        <videos>, <raw>             tables of landmarks among the videos, which are brought into the same shape
        <person>                    the detector of people, for `detector: yolo`
        <pretrained>                the pose networks
Writes  <out>/<set>/<v>.csv         one row per frame and person, px of the video; see poses.py
        <out>/settings.json         what made them; see lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2

from vigil.core.lineage import record
from vigil.core.storage import raw_file, sha256_file
from vigil.engine.per_video import Item, Runtime, each, finish
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import Archive
from vigil.features.landmarks import estimators, pose_table
from vigil.footage import video_table

Params = estimators.Settings


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
    used = estimators.weights_used(params, person, pretrained)
    items = []
    for archive in sorted(frames.glob("*/*.npz")):
        name = f"{archive.parent.name}/{archive.stem}"
        detector = estimators.chosen(params, person, archive.parent.name).detector
        key = (sha256_file(archive), detector, *used)
        args = (archive, person.absolute(), pretrained.absolute(), detector)
        items.append(Item(name, key, args, (out / f"{name}.csv",)))
    outcomes = each("landmarks", track, items, params, runtime)
    outcomes += each("landmarks", convert, tables(videos, raw, out), None, runtime)
    finish("landmarks", out, outcomes)
    record(out, "landmarks", params.model_dump(mode="json") | {"weights": used}, frames)


def tables(videos: Path, raw: Path, out: Path) -> list[Item]:
    """The clips of which there are landmarks and no pictures, for `convert`."""
    return [
        Item(video.video, (video.sha256, str(video.fps)),
             (raw_file(raw / video.set / Path(video.path).name), str(video.fps)), (out / f"{video.video}.csv",))
        for video in video_table.read(videos) if not video.pictures
    ]  # fmt: skip


def track(frames: Path, person: Path, pretrained: Path, detector: str, out: Path, *, params: Params) -> dict[str, Any]:
    """Write the people of one video."""
    params = params.model_copy(update={"detector": detector})
    cv2.setNumThreads(1)
    archive = Archive(frames)
    state, found = estimators.START, []
    with estimators.opened(params, person, pretrained) as step:
        for index, time_s, image in zip(archive.index.tolist(), archive.times, archive.images(), strict=True):
            state, people = step(state, image, float(time_s))
            found += estimators.rows(people, index, time_s, archive.source_size[0] / image.shape[1])
    pose_table.write(out, found)
    return {"frames": len(archive), "rows": len(found)}


def convert(table: Path, fps: str, out: Path) -> dict[str, Any]:
    """Write the people of a clip of which there are landmarks and no pictures."""
    found = pose_table.from_table(table, Fraction(fps))
    pose_table.write(out, found)
    return {"rows": len(found)}


if __name__ == "__main__":
    run_stage("landmarks", main)
