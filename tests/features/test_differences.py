"""Frames that differ differ where something has moved."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigil.features.differences import READINGS, difference_maps
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames


def test_a_square_that_appears_is_in_its_cell_alone(tmp_path: Path) -> None:
    still = np.full((80, 80, 3), 100, np.uint8)
    moved = still.copy()
    moved[40:60, 20:40] = 220  # the cell in row 2 and column 1 of 4
    pictures = [still, still, moved]
    rows = [(3 * number, Fraction(number, 8), encode_jpeg(picture, 95)) for number, picture in enumerate(pictures)]
    save_frames(tmp_path / "v.npz", rows, (80, 80))
    first, same, changed = difference_maps(FrameArchive(tmp_path / "v.npz"), [0, 3, 6], 4)
    assert first.shape == (len(READINGS), 4, 4)
    assert not first.any() and not same.any()
    assert [np.unravel_index(reading.argmax(), (4, 4)) for reading in changed] == [(2, 1)] * 3
    assert changed[0, 2, 1] == pytest.approx(120, rel=0.2) and changed[2, 2, 1] > 0.9
    assert changed[0, 0].max() < 2


def test_nothing_has_moved_since_before_a_pause(tmp_path: Path) -> None:
    pictures = [np.full((80, 80, 3), level, np.uint8) for level in (50, 90, 200, 240)]
    times = [Fraction(0), Fraction(1, 8), Fraction(600), Fraction(4801, 8)]
    rows = [(index, times[index], encode_jpeg(picture, 95)) for index, picture in enumerate(pictures)]
    save_frames(tmp_path / "v.npz", rows, (80, 80))
    maps = difference_maps(FrameArchive(tmp_path / "v.npz"), [0, 1, 2, 3], 4)
    assert [bool(changed.any()) for changed in maps] == [False, True, False, True]
