"""Where a model looks, and what a window is called."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footage import CLASSES
from vigil.clips.places import ids, share, span, taken, thinned
from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Clip


@given(st.integers(1, 80), st.integers(1, 40), st.floats(0, 1 - 2**-24))
def test_frames_are_in_the_window_and_in_order(length: int, count: int, phase: float) -> None:
    found = taken((5, 5 + length), count, phase)
    assert len(found) == count and found == sorted(found)
    assert found[0] >= 5 and found[-1] < 5 + length
    assert phase or found[0] == 5
    steps = np.diff(found)
    assert steps.size == 0 or steps.max() - steps.min() <= 1  # evenly


def test_frames_of_a_window_that_is_longer_than_the_clip() -> None:
    assert taken((10, 40), 10) == [10, 13, 16, 19, 22, 25, 28, 31, 34, 37]
    assert taken((10, 40), 10, 0.4)[:3] == [11, 14, 17]
    assert taken((0, 4), 8) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_window_in_seconds_needs_the_rate() -> None:
    assert span(Clip(16, window_s=4.0), fps=8) == 32
    assert span(Clip(16, window=30)) == 30
    assert span(Clip(16)) == 16
    with pytest.raises(VigilError, match="frames are stored per second"):
        span(Clip(16, window_s=4.0))


def test_what_is_abnormal_in_a_window() -> None:
    event = np.zeros(40, bool)
    event[10:20] = True
    assert share((0, 40), event) == 1.0  # holds all of it
    assert share((12, 16), event) == 1.0  # lies in it
    assert share((0, 10), event) == 0.0
    assert share((6, 14), event) == 0.5  # 4 of 8


def test_a_label_belongs_to_one_class() -> None:
    assert ids(CLASSES) == {"normal": 0, "static": 0, "Arson": 1, "Fighting": 1}
    with pytest.raises(VigilError, match="label 'a' is in 'x' and in 'y'"):
        ids({"x": ["a"], "y": ["a"]})


@given(st.integers(1, 200), st.integers(0, 250))
def test_thinning_keeps_the_order_and_the_number(count: int, wanted: int) -> None:
    found = thinned(count, wanted)
    assert len(found) == (min(count, wanted) or count)
    assert (np.diff(found) > 0).all() and found[0] == 0
