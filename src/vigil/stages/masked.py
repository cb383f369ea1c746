"""DVC stage `masked`: the stored frames with people hidden, or with nothing but people, for models that ask for it.

Reads   <videos>                    table of videos
        <frames>/<set>/<v>.npz      JPEG frames
        <landmarks>/<set>/<v>.csv   tracked people
Writes  <out>/<set>/<v>.npz         the same frames, masked; see features/frames.py and features/masks.py
        <out>/settings.json         what made them; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
        <out>/skipped.json          instead of all these, where `masked.hide` is null
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.core import lineage
from vigil.core.skipping import FILE, skip_folder
from vigil.core.storage import sha256_file
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.landmarks.pose_table import read_along
from vigil.features.masks import Hidden, Settings, hide, mask_people
from vigil.footage import video_table

Params = Settings


def main(*, videos: Path, frames: Path, landmarks: Path, out: Path, params: Params, runtime: Runtime) -> None:
    if params.hide is None:
        finish_folder("masked", out, [])
        skip_folder(out, "masked.hide is null in params.yaml: set it to people or background")
    else:
        (out / FILE).unlink(missing_ok=True)
        items = []
        for video in video_table.read(videos):
            paths = frames / f"{video.video}.npz", landmarks / f"{video.video}.csv"
            if all(path.exists() for path in paths):
                key = tuple(sha256_file(path) for path in paths)
                items.append(Item(video.video, key, paths, (out / f"{video.video}.npz",)))
        finish_folder("masked", out, run_per_video("masked", mask_frames, items, params, runtime))
    lineage.record(out, "masked", params.model_dump(mode="json"), landmarks)


def mask_frames(frames: Path, landmarks: Path, out: Path, *, params: Params) -> dict[str, Any]:
    """Writes the masked frames of one video."""
    assert params.hide is not None
    archive = FrameArchive(frames)
    return {"frames": save_frames(out, _masked_frames(archive, landmarks, params, params.hide), archive.source_size)}


def _masked_frames(
    archive: FrameArchive, landmarks: Path, params: Params, hidden: Hidden
) -> Iterator[tuple[int, Fraction, bytes]]:
    numbers = archive.index.tolist()
    people = read_along(landmarks, numbers)
    for number, time_s, image, poses in zip(numbers, archive.times, archive.images(), people, strict=True):
        mask = mask_people(poses, image.shape[:2], archive.source_size, params.shape, params.margin)
        yield number, time_s, encode_jpeg(hide(image, mask, hidden), params.quality)


if __name__ == "__main__":
    run_stage("masked", main)
