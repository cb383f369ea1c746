"""DVC stage `frames`: every video at one rate and one size, as JPEG with exact timestamps.

Reads   <videos>                table of videos
        <raw>/<set>/            the videos, or pointers to them
Writes  <out>/<set>/<v>.npz     see features/frames.py
        <out>/settings.json     what made them; see core/lineage.py
        <out>/rejects.csv       videos that could not be read, when there are any
"""

from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from vigil.core.clock import exact_fraction
from vigil.core.lineage import record
from vigil.core.storage import raw_file, read_table
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import Settings, encode_jpeg, make_sampler, save_frames
from vigil.footage.video import reading

Params = Settings


def main(videos: Path, raw: Path, out: Path, params: Params, runtime: Runtime) -> None:
    rows = [row for row in read_table(videos) if not row["path"].endswith(".csv")]  # landmarks have no pictures
    finish_folder(
        "frames", out, run_per_video("frames", sample_video, [_item(row, raw, out) for row in rows], params, runtime)
    )
    record(out, "frames", params.model_dump(mode="json"))


def sample_video(source: Path, fps: str, size: tuple[int, int], out: Path, *, params: Params) -> dict[str, Any]:
    """Write one archive; `fps` is for folders of images, `size` is the video's own."""
    frames = reading.read_frames(source, params.size, make_sampler(exact_fraction(params.fps)), fps=Fraction(fps))
    count = save_frames(
        out, ((frame.index, frame.time_s, encode_jpeg(frame.image, params.quality)) for frame in frames), size
    )
    return {"frames": count}


def _item(row: dict[str, str], raw: Path, out: Path) -> Item:
    name = PurePosixPath(row["video"])
    size = (int(row["width"]), int(row["height"]))
    source = raw_file(raw / name.parts[0] / PurePosixPath(row["path"]).name)
    key = (row["sha256"], row["fps"], f"{size[0]}x{size[1]}")
    return Item(str(name), key, (source, row["fps"], size), (out / f"{name}.npz",))


if __name__ == "__main__":
    run_stage("frames", main)
