"""Stored frames as small pictures."""

import base64
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vigil.features import frames
from vigil.report.film import Film, overlay, shrunk


def seen(address: str) -> np.ndarray:
    data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def stored(path: Path, count: int = 8) -> Film:
    """Frame number 3 k at k seconds, ever brighter."""
    images = (np.full((48, 64, 3), 30 * number, np.uint8) for number in range(count))
    each = ((3 * number, Fraction(number), frames.encode(image, 90)) for number, image in enumerate(images))
    frames.save(path / "set/a.npz", each, (64, 48))
    return Film(path)


def test_a_strip_is_evenly_over_the_video(tmp_path: Path) -> None:
    film = stored(tmp_path)
    assert [time for time, _ in film.strip("set/a", 4)] == [1.0, 3.0, 5.0, 7.0]
    assert len(film.strip("set/a", 100)) == 8
    assert film.strip("set/a", 0) == film.strip("set/missing", 4) == []


def test_a_moment_is_the_frame_that_is_shown_then(tmp_path: Path) -> None:
    film = stored(tmp_path)
    for time_s, level in ((0.0, 0), (2.0, 60), (2.9, 60), (99.0, 210)):
        address = film.moment("set/a", time_s)
        assert address is not None
        assert abs(float(seen(address).mean()) - level) < 3
    assert film.moment("set/missing", 1.0) is None


def test_frames_are_found_by_number_and_by_place(tmp_path: Path) -> None:
    film = stored(tmp_path)
    numbered = film.numbered("set/a", 7)  # 6 is the last stored before it
    assert numbered is not None and abs(float(numbered.mean()) - 60) < 3
    assert film.placed("set/a", 8) is None and film.numbered("set/missing", 0) is None


def test_a_map_is_warm_where_it_is_high_and_outlined_where_it_is_true() -> None:
    image = np.full((100, 100, 3), 128, np.uint8)
    cells, true = np.zeros((10, 10)), np.zeros((10, 10), np.int8)
    cells[:5] = 1.0
    true[7:9, 2:5] = 1
    shown = seen(overlay(image, cells, true)).astype(int)
    assert shown[20, 50, 0] - shown[20, 50, 2] > 60
    assert abs(shown[60, 90, 0] - shown[60, 90, 2]) < 12
    assert np.ptp(shown[65:95, 15:55].sum(-1)) > 150  # the outline


def test_pictures_are_shrunk_and_never_enlarged() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    assert shrunk(image, 32).shape == (24, 32, 3)
    assert shrunk(image, 640) is image
