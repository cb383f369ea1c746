"""Windows cover what they should."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.clips.windows import evenly_spaced, inside_spans, slide_windows
from vigil.core.errors import VigilError

sizes = st.tuples(st.integers(0, 300), st.integers(1, 64), st.integers(1, 64))


@given(sizes)
def test_every_frame_is_in_some_window(size: tuple[int, int, int]) -> None:
    frames, length, stride = size
    stride = min(stride, length)
    covered = np.zeros(frames, int)
    for start, stop in slide_windows(frames, length, stride):
        covered[start:stop] += 1
        assert stop - start == min(length, frames)
    assert (covered > 0).all()


@given(sizes)
def test_all_windows_but_the_last_are_evenly_spaced(size: tuple[int, int, int]) -> None:
    frames, length, stride = size
    windows = slide_windows(frames, length, stride)
    even_count = 0 if frames < length else (frames - length) // stride + 1
    assert windows[:even_count] == [(number * stride, number * stride + length) for number in range(even_count)]
    assert len(windows) <= even_count + 1


def test_the_last_window_ends_with_the_video() -> None:
    assert slide_windows(10, 4, 4) == [(0, 4), (4, 8), (6, 10)]
    assert slide_windows(8, 4, 4) == [(0, 4), (4, 8)]
    assert slide_windows(3, 4, 4) == [(0, 3)]
    assert slide_windows(0, 4, 4) == []


def test_windows_need_a_length_and_a_stride() -> None:
    for length, stride in ((0, 1), (1, 0)):
        with pytest.raises(VigilError, match="1 or more"):
            slide_windows(5, length, stride)


def test_spans_of_seconds_are_half_open() -> None:
    times = [Fraction(n, 2) for n in range(6)]
    spans = [(Fraction(1, 2), Fraction(1)), (Fraction(2), Fraction(9))]
    assert inside_spans(times, spans).tolist() == [False, True, False, False, True, True]
    assert inside_spans(times, []).tolist() == [False] * 6


@given(st.integers(1, 200), st.integers(0, 250))
def test_thinning_keeps_the_order_and_the_number(count: int, limit: int) -> None:
    numbers = evenly_spaced(count, limit)
    assert len(numbers) == (min(count, limit) or count)
    assert (np.diff(numbers) > 0).all() and numbers[0] == 0
