"""Windows cover what they should, and every score finds its frames."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.clips.windows import blend_scores, evenly_spaced, hold_scores, inside_spans, slide_windows
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
def test_without_tail_all_windows_are_whole_and_evenly_spaced(size: tuple[int, int, int]) -> None:
    frames, length, stride = size
    windows = slide_windows(frames, length, stride, tail=False)
    assert len(windows) == (0 if frames < length else (frames - length) // stride + 1)
    assert all(
        start == number * stride and stop == start + length <= frames for number, (start, stop) in enumerate(windows)
    )


def test_the_last_window_ends_with_the_video() -> None:
    assert slide_windows(10, 4, 4) == [(0, 4), (4, 8), (6, 10)]
    assert slide_windows(8, 4, 4) == [(0, 4), (4, 8)]
    assert slide_windows(3, 4, 4) == [(0, 3)]
    assert slide_windows(0, 4, 4) == []
    assert slide_windows(10, 4, 4, tail=False) == [(0, 4), (4, 8)]


@given(sizes, st.data())
def test_hold_is_the_newest_window_that_has_ended(size: tuple[int, int, int], data: st.DataObject) -> None:
    frames, length, stride = size
    windows = slide_windows(frames, length, stride)
    scores = data.draw(st.lists(st.floats(0, 1), min_size=len(windows), max_size=len(windows)))
    held = hold_scores(scores, windows, frames)
    assert len(held) == frames
    for frame in range(frames):
        ended = [score for score, (_, stop) in zip(scores, windows, strict=True) if stop <= frame + 1]
        assert held[frame] == ended[-1] if ended else np.isnan(held[frame])


@given(st.integers(20, 100), st.integers(1, 20), st.integers(1, 20), st.integers(1, 19))
def test_hold_says_the_same_of_a_video_that_goes_on(frames: int, length: int, stride: int, cut: int) -> None:
    """Scores known by frame t are those of the first t + 1 frames alone, but for the window moved back at an end."""
    windows = slide_windows(frames, length, stride, tail=False)
    scores = np.arange(len(windows)) / 100
    before = [window for window in windows if window[1] <= frames - cut]
    short = hold_scores(scores[: len(before)], before, frames - cut)
    assert np.array_equal(short, hold_scores(scores, windows, frames)[: frames - cut], equal_nan=True)


def test_hold_and_blend_on_paper() -> None:
    windows = [(0, 4), (2, 6), (4, 8)]
    nan = np.nan
    assert np.array_equal(hold_scores([1, 5, 3], windows, 9), [nan, nan, nan, 1, 1, 5, 5, 3, 3], equal_nan=True)
    assert np.array_equal(blend_scores([1, 5, 3], windows, 9), [1, 1, 3, 3, 4, 4, 3, 3, nan], equal_nan=True)


@given(sizes)
def test_blend_of_equal_scores_is_that_score(size: tuple[int, int, int]) -> None:
    frames, length, stride = size
    windows = slide_windows(frames, length, min(length, stride))
    assert blend_scores(np.full(len(windows), 0.25), windows, frames).tolist() == [0.25] * frames


@pytest.mark.parametrize("stitch", [hold_scores, blend_scores])
def test_scores_of_another_video_are_refused(stitch: object) -> None:
    for scores, windows, frames in (([1.0], [(0, 4), (4, 8)], 8), ([1.0, 2.0], [(0, 4), (4, 9)], 8)):
        with pytest.raises(VigilError):
            stitch(scores, windows, frames)  # type: ignore[operator]
    with pytest.raises(VigilError, match="order"):
        stitch([1.0, 2.0], [(4, 8), (0, 4)], 8)  # type: ignore[operator]


def test_windows_need_a_length_and_a_stride() -> None:
    for length, stride in ((0, 1), (1, 0)):
        with pytest.raises(VigilError, match="1 or more"):
            slide_windows(5, length, stride)


def test_spans_of_seconds_are_half_open() -> None:
    times = [Fraction(n, 2) for n in range(6)]
    parts = [(Fraction(1, 2), Fraction(1)), (Fraction(2), Fraction(9))]
    assert inside_spans(times, parts).tolist() == [False, True, False, False, True, True]
    assert inside_spans(times, []).tolist() == [False] * 6


@given(st.integers(1, 200), st.integers(0, 250))
def test_thinning_keeps_the_order_and_the_number(count: int, limit: int) -> None:
    numbers = evenly_spaced(count, limit)
    assert len(numbers) == (min(count, limit) or count)
    assert (np.diff(numbers) > 0).all() and numbers[0] == 0
