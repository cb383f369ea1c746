"""Writing video: the same bytes for the same frames, and what browsers play."""

import hashlib
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import videos

from vigil.core.errors import VigilError
from vigil.footage.video.reading import read_frames
from vigil.footage.video.writing import VideoWriter


@pytest.mark.parametrize("size", [(320, 240), (642, 362)])
def test_the_same_frames_are_the_same_bytes(size: tuple[int, int], tmp_path: Path) -> None:
    pictures = [videos.picture(number, size) // 2 + noise(number, size) for number in range(40)]
    heap, digests = [], set()
    for _ in range(3):  # between the runs the heap changes: x264's own default is not repeatable then
        with VideoWriter(tmp_path / "a.mp4", Fraction(30000, 1001), size) as video:
            for number, image in enumerate(pictures):
                video.write(image)
                heap.append(os.urandom(1000 + 997 * (number * len(heap) % 89)))
        digests.add(hashlib.sha256((tmp_path / "a.mp4").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(30000, 1001), (96, 64)) as video:
        for number in range(20):
            video.write(videos.picture(number, (96, 64)))
    frames = list(read_frames(tmp_path / "a.mp4"))
    assert [videos.number(frame.image) for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == [Fraction(1001 * number, 30000) for number in range(20)]
    errors = [np.abs(frame.image.astype(int) - videos.picture(frame.index, (96, 64))) for frame in frames]
    assert np.mean(errors) < 4


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 100, 50)])
def test_colours_keep_their_range_here_and_for_others(colour: tuple[int, int, int], tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(10), (64, 48)) as video:
        for _ in range(3):
            video.write(np.full((48, 64, 3), colour, np.uint8))
    image = list(read_frames(tmp_path / "a.mp4"))[1].image
    assert np.abs(image.astype(int) - colour).max() <= 4
    done, other = cv2.VideoCapture(str(tmp_path / "a.mp4")).read()
    assert done
    assert np.abs(other[..., ::-1].astype(int) - colour).max() <= 6


def test_it_is_what_browsers_play(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(10), (64, 48)) as video:
        video.write(videos.picture(0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before all of it has come


def test_a_block_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after_one_frame(tmp_path / "a.mp4")
    with pytest.raises(VigilError, match="no frame was written"):
        with VideoWriter(tmp_path / "b.mp4", Fraction(10), (64, 48)):
            pass
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_odd_sides_and_other_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match="65x48 px"):
        VideoWriter(tmp_path / "a.mp4", Fraction(10), (65, 48))
    with pytest.raises(ValueError, match="in a video of 64x48"):
        fail_after_one_frame(tmp_path / "a.mp4", videos.picture(0, (48, 64)))


def fail_after_one_frame(path: Path, image: np.ndarray | None = None) -> None:
    with VideoWriter(path, Fraction(10), (64, 48)) as video:
        video.write(videos.picture(0) if image is None else image)
        raise ZeroDivisionError


def noise(seed: int, size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 12, (size[1], size[0], 3), dtype=np.uint8)
