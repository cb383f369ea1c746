"""The masked frames are those of the archive, with people hidden where the landmarks have them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenes import entry

from vigil.core.lineage import read, record
from vigil.core.skipping import why_skipped
from vigil.engine.per_video import Runtime
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.landmarks.pose_table import Pose, write_poses
from vigil.features.masks import GREY
from vigil.footage import video_table
from vigil.stages.masked import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
VIDEOS, FRAMES, LANDMARKS, OUT = (Path("data") / name for name in ("videos.csv", "frames", "landmarks", "masked"))
WHITE = 250


@pytest.fixture(autouse=True)
def footage() -> None:
    """Five white pictures of 64x48 px of a video twice as large; somebody is at the left in all but the last."""
    video_table.write(
        VIDEOS, [entry("s/a", label="normal"), entry("s/poses", label="normal", path="data/raw/s/poses.csv")]
    )
    white = encode_jpeg(np.full((48, 64, 3), WHITE, np.uint8), 95)
    save_frames(FRAMES / "s/a.npz", ((3 * n, Fraction(n, 8), white) for n in range(5)), (128, 96))
    joints = np.column_stack([np.linspace(20, 30, 13), np.linspace(20, 80, 13)])
    poses = [Pose(3 * n, Fraction(n, 8), 1, 1.0, 1.0, joints, np.ones(13)) for n in range(4)]
    write_poses(LANDMARKS / "s/a.csv", poses)
    record(FRAMES, "frames", {"fps": 8.0})
    record(LANDMARKS, "landmarks", {}, FRAMES)


def run(**changes: Any) -> Path:
    params = Params(**({"hide": "people", "shape": "box", "margin": 0.0, "quality": 95} | changes))
    main(videos=VIDEOS, frames=FRAMES, landmarks=LANDMARKS, out=OUT, params=params, runtime=SERIAL)
    return OUT / "s/a.npz"


def test_people_are_hidden_and_times_and_numbers_stay() -> None:
    masked, archive = FrameArchive(run()), FrameArchive(FRAMES / "s/a.npz")
    assert (masked.times, masked.index.tolist(), masked.source_size) == (
        archive.times,
        archive.index.tolist(),
        (128, 96),
    )
    images = list(masked.images())
    assert all(abs(int(image[25, 12, 0]) - GREY) < 8 for image in images[:4]), "who is at 25, 50 in the video"
    assert all(image[25, 50, 0] > 240 for image in images) and images[4][25, 12, 0] > 240
    assert read(OUT)["masked"]["hide"] == "people" and read(OUT)["frames"] == {"fps": 8.0}


def test_all_but_people_is_hidden() -> None:
    images = list(FrameArchive(run(hide="background", shape="body")).images())
    assert images[0][25, 12, 0] > 240 and abs(int(images[0][25, 50, 0]) - GREY) < 8
    assert abs(int(images[4].mean()) - GREY) < 8, "nobody is there"


def test_without_a_wish_nothing_is_made_and_with_one_again_it_is() -> None:
    run()
    assert not run(hide=None).exists()
    assert "masked.hide is null" in str(why_skipped(OUT))
    assert run().exists() and why_skipped(OUT) is None
