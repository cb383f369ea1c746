"""Stored frames as small pictures."""

import base64
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vigil.features import frames
from vigil.report.film import Film, overlay, shrink


def decode(address: str) -> np.ndarray:
    data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def write_film(path: Path, count: int = 8) -> Film:
    """Frame number 3 k at k seconds, ever brighter."""
    images = (np.full((48, 64, 3), 30 * number, np.uint8) for number in range(count))
    encoded = ((3 * number, Fraction(number), frames.encode_jpeg(image, 90)) for number, image in enumerate(images))
    frames.save_frames(path / "set/a.npz", encoded, (64, 48))
    return Film(path)


def test_a_strip_is_evenly_over_the_video(tmp_path: Path) -> None:
    film = write_film(tmp_path)
    assert [time for time, _ in film.strip("set/a", 4)] == [1.0, 3.0, 5.0, 7.0]
    assert len(film.strip("set/a", 100)) == 8
    assert film.strip("set/a", 0) == film.strip("set/missing", 4) == []


def test_a_moment_is_the_frame_that_is_shown_then(tmp_path: Path) -> None:
    film = write_film(tmp_path)
    for time_s, level in ((0.0, 0), (2.0, 60), (2.9, 60), (99.0, 210)):
        address = film.address_at_time("set/a", time_s)
        assert address is not None
        assert abs(float(decode(address).mean()) - level) < 3
    assert film.address_at_time("set/missing", 1.0) is None


def test_frames_are_read_by_number_and_by_index(tmp_path: Path) -> None:
    film = write_film(tmp_path)
    numbered = film.find_frame("set/a", 7)  # 6 is the last stored before it
    assert numbered is not None and abs(float(numbered.mean()) - 60) < 3
    assert film.address_at("set/a", 8) is None and film.find_frame("set/missing", 0) is None


def test_a_map_is_warm_where_it_is_high_and_outlined_where_it_is_true() -> None:
    image = np.full((100, 100, 3), 128, np.uint8)
    cells, true = np.zeros((10, 10)), np.zeros((10, 10), np.int8)
    cells[:5] = 1.0
    true[7:9, 2:5] = 1
    picture = decode(overlay(image, cells, true)).astype(int)
    assert picture[20, 50, 0] - picture[20, 50, 2] > 60
    assert abs(picture[60, 90, 0] - picture[60, 90, 2]) < 12
    assert np.ptp(picture[65:95, 15:55].sum(-1)) > 150  # the outline


def test_pictures_are_shrunk_and_never_enlarged() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    assert shrink(image, 32).shape == (24, 32, 3)
    assert shrink(image, 640) is image
