"""A folder of numbered images: order, gaps, and what is rejected by name."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import videos

from vigil.core.errors import Rejected
from vigil.footage.video.images import decode_image, list_numbered


def positions(folder: Path) -> list[tuple[int, str]]:
    return [(position, file.name) for position, file in list_numbered(folder)]


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_two_comes_before_ten_and_a_gap_stays_a_gap(tmp_path: Path) -> None:
    folder = touched(tmp_path, "img_10.png", "img_9.png", "img_12.jpg", "img_7.png", "notes.txt", ".img_8.png")
    assert positions(folder) == [(0, "img_7.png"), (2, "img_9.png"), (3, "img_10.png"), (5, "img_12.jpg")]


def test_numbers_may_count_in_steps(tmp_path: Path) -> None:
    folder = touched(tmp_path, "0000.jpg", "0010.jpg", "0020.jpg", "0040.jpg")
    assert [position for position, _ in list_numbered(folder)] == [0, 1, 2, 4]


def test_numbers_that_repeat_are_no_numbering(tmp_path: Path) -> None:
    folder = touched(tmp_path, "cam2_1.png", "cam1_2.png", "cam1_10.png", "cam1_1.png")
    assert positions(folder) == [(0, "cam1_1.png"), (1, "cam1_2.png"), (2, "cam1_10.png"), (3, "cam2_1.png")]


def test_times_of_day_are_no_numbering(tmp_path: Path) -> None:
    folder = touched(tmp_path, "1700000000123.png", "1700000000156.png", "1700000000190.png")
    assert [position for position, _ in list_numbered(folder)] == [0, 1, 2]


def test_names_without_numbers_come_by_name(tmp_path: Path) -> None:
    assert positions(touched(tmp_path, "b.png", "a.png")) == [(0, "a.png"), (1, "b.png")]


def test_a_folder_without_images_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no images in the folder"):
        list_numbered(touched(tmp_path, "notes.txt"))


def test_an_image_is_rgb(tmp_path: Path) -> None:
    file = tmp_path / "ünï.png"
    cv2.imencode(".png", np.full((20, 30, 3), (0, 0, 255), np.uint8))[1].tofile(file)
    assert decode_image(file)[5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_an_image_cut_short_is_rejected_by_name(suffix: str, share: float, tmp_path: Path) -> None:
    folder = videos.images(tmp_path / "f", [3], name="frame_{}." + suffix)
    file = videos.truncated(folder / f"frame_3.{suffix}", share)
    with pytest.raises(Rejected, match=rf"frame_3\.{suffix}: not an image"):
        decode_image(file)


def test_an_image_of_another_size_is_rejected_by_name(tmp_path: Path) -> None:
    folder = videos.images(tmp_path / "f", [3])
    with pytest.raises(Rejected, match=r"frame_3\.png: 64x48 px, the images before it 32x24"):
        decode_image(folder / "frame_3.png", (32, 24))
