"""Which stored frames a clip shows, whatever the rate of the camera."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vigil.clips.ticks import Sample, clip_length, draw_sample, flow_ticks, picture_ticks, spread_frames
from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Clip


def test_at_the_rate_of_the_clock_every_frame_is_a_tick() -> None:
    times = [Fraction(number, 8) for number in range(20)]
    for ticks in (picture_ticks(times, 8.0), flow_ticks(times, 8.0)):
        assert ticks.frames.tolist() == list(range(20))
        assert ticks.slide_windows(8, 8) == [(0, 8), (8, 16), (12, 20)]


def test_at_half_the_rate_a_picture_is_held_and_flow_is_that_of_both_ticks() -> None:
    times = [Fraction(number, 4) for number in range(4)]
    assert picture_ticks(times, 8.0).frames.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert flow_ticks(times, 8.0).frames.tolist() == [0, 1, 1, 2, 2, 3, 3]


def test_no_window_crosses_a_pause() -> None:
    times = [*(Fraction(number, 8) for number in range(10)), *(60 + Fraction(number, 4) for number in range(4))]
    ticks = picture_ticks(times, 8.0)
    assert ticks.pieces == ((0, 10), (10, 17))
    assert ticks.slide_windows(8, 4) == [(0, 8), (2, 10), (10, 17)]
    assert ticks.frames[10:].tolist() == [10, 10, 11, 11, 12, 12, 13]


def test_a_slower_camera_holds_its_pictures_and_its_flow_is_what_happened_since() -> None:
    """A frame at every third tick, the first at the second one: at 11, 14 and 17 of a window from 10 to 18."""
    sample = Sample((10, 18), list(range(10, 18)), every=3, offset=1)
    assert [sample.newest_frame(tick) for tick in sample.ticks] == [10, 11, 11, 11, 14, 14, 14, 17]
    spans = [sample.since_frame_before(tick) for tick in sample.ticks]
    assert spans == [(10, 12), (10, 12), (12, 15), (12, 15), (12, 15), (15, 18), (15, 18), (15, 18)]
    same = Sample((10, 18), list(range(10, 18)))
    assert [same.newest_frame(tick) for tick in same.ticks] == same.ticks
    assert [same.since_frame_before(tick) for tick in same.ticks] == [(tick, tick + 1) for tick in same.ticks]


def test_as_many_training_samples_as_are_asked_for_are_of_slower_cameras() -> None:
    span, generator = np.array([0, 16]), torch.Generator().manual_seed(1)
    samples = [draw_sample(span, Clip(16, slower=0.3), generator) for _ in range(1000)]
    rates = [sample.every for sample in samples]
    assert set(rates) == {1, 2, 3}
    assert np.mean(np.array(rates) > 1) == pytest.approx(0.3, abs=0.04)
    assert {sample.offset for sample in samples if sample.every == 3} == {0, 1, 2}
    assert all(draw_sample(span, Clip(16), generator).every == 1 for _ in range(100))
    assert draw_sample(span, Clip(16, slower=1.0), None).every == 1  # what is judged is as it is


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
    with pytest.raises(VigilError, match="how many ticks a second has"):
        clip_length(Clip(16, window_s=4.0))
