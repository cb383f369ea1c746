"""Where a model looks, and what a window is called."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footage import CLASSES
from vigil.clips.places import abnormal_share, clip_length, evenly_spaced, label_to_class, spread_frames
from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Clip


@given(st.integers(1, 80), st.integers(1, 40), st.floats(0, 1 - 2**-24))
def test_frames_are_in_the_window_and_in_order(length: int, count: int, phase: float) -> None:
    numbers = spread_frames((5, 5 + length), count, phase)
    assert len(numbers) == count and numbers == sorted(numbers)
    assert numbers[0] >= 5 and numbers[-1] < 5 + length
    assert phase or numbers[0] == 5
    steps = np.diff(numbers)
    assert steps.size == 0 or steps.max() - steps.min() <= 1  # evenly


def test_frames_of_a_window_that_is_longer_than_the_clip() -> None:
    assert spread_frames((10, 40), 10) == [10, 13, 16, 19, 22, 25, 28, 31, 34, 37]
    assert spread_frames((10, 40), 10, 0.4)[:3] == [11, 14, 17]
    assert spread_frames((0, 4), 8) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_window_in_seconds_needs_the_rate() -> None:
    assert clip_length(Clip(16, window_s=4.0), fps=8) == 32
    assert clip_length(Clip(16, window=30)) == 30
    assert clip_length(Clip(16)) == 16
    with pytest.raises(VigilError, match="frames are stored per second"):
        clip_length(Clip(16, window_s=4.0))


def test_what_is_abnormal_in_a_window() -> None:
    event = np.zeros(40, bool)
    event[10:20] = True
    assert abnormal_share((0, 40), event) == 1.0  # holds all of it
    assert abnormal_share((12, 16), event) == 1.0  # lies in it
    assert abnormal_share((0, 10), event) == 0.0
    assert abnormal_share((6, 14), event) == 0.5  # 4 of 8


def test_a_label_belongs_to_one_class() -> None:
    assert label_to_class(CLASSES) == {"normal": 0, "static": 0, "Arson": 1, "Fighting": 1}
    with pytest.raises(VigilError, match="label 'a' is in 'x' and in 'y'"):
        label_to_class({"x": ["a"], "y": ["a"]})


@given(st.integers(1, 200), st.integers(0, 250))
def test_thinning_keeps_the_order_and_the_number(count: int, limit: int) -> None:
    numbers = evenly_spaced(count, limit)
    assert len(numbers) == (min(count, limit) or count)
    assert (np.diff(numbers) > 0).all() and numbers[0] == 0
