"""The clock: pauses, how long frames last, and ticks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.clock import (
    START,
    WATCHED_S,
    arrival_frames,
    frame_ends,
    held_frames,
    piece_starts,
    pieces,
    tick_counts,
    update_pace,
)

steps = st.lists(st.one_of(st.floats(0.01, 0.5), st.floats(0.5, 5000)), max_size=60)


def test_two_pieces_an_hour_apart_are_not_an_hour_of_video():
    times = np.append(np.arange(40) / 8, 3600 + np.arange(40) / 8)
    assert pieces(times) == [(0, 40), (40, 80)]
    assert (frame_ends(times, 1.0) - times).sum() == pytest.approx(10.0)


def test_a_few_lost_frames_are_no_pause():
    times = np.delete(np.arange(100) / 25, slice(50, 70))  # 0.84 s
    assert pieces(times) == [(0, 80)]
    assert frame_ends(times, 1.0)[49] == times[50]


def test_a_slow_camera_is_one_piece():
    assert pieces(np.arange(0, 100, 2.5)) == [(0, 1), (1, 40)]  # after the first step it is known to be slow
    assert pieces(np.arange(30) * 1.0) == [(0, 30)]


def test_a_camera_that_becomes_slow_for_good_is_soon_no_pause():
    times = np.append(np.arange(50) / 10, 5 + 3.0 * np.arange(1, 51))
    starts = piece_starts(times)
    assert 50 in starts
    assert starts[-1] <= 50 + 5


@pytest.mark.parametrize(
    ("times", "watched_s"),
    [
        ([0.0, 0.125, 3600.0], 0.125 + 0.125 + 0.125),
        ([0.0, 3600.0, 3600.125], 1.0 + 0.125 + 0.125),
        ([0.0, 3600.0, 3600.125, 7200.125, 7200.25], 1.0 + 0.125 + 0.125 + 0.125 + 0.125),
    ],
)
def test_a_pause_never_tells_how_long_a_frame_lasts(times, watched_s):
    assert (frame_ends(times, 1.0) - times).sum() == pytest.approx(watched_s)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=40))
def test_pieces_of_few_frames_hours_apart_are_never_a_slow_camera(sizes):
    times = np.concatenate([3600.0 * index + np.arange(size) / 8 for index, size in enumerate(sizes)])
    assert [stop - start for start, stop in pieces(times)] == sizes
    assert (frame_ends(times, 1.0) - times).max() <= WATCHED_S


def test_the_last_frame_lasts_as_long_as_usual_and_a_single_one_as_it_is_told():
    assert frame_ends([0.0, 0.1, 0.2], 1.0).tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert frame_ends([4.0], 0.25).tolist() == [4.25]
    assert len(frame_ends([], 1.0)) == len(piece_starts([])) == len(pieces([])) == 0


@given(steps)
def test_frame_by_frame_the_pieces_are_those_of_the_whole(steps):
    times = np.cumsum([0.0, *steps])
    pace, starts = START, []
    for index, time_s in enumerate(times.tolist()):
        pace, paused = update_pace(pace, time_s)
        if paused or index == 0:
            starts.append(index)
    assert starts == piece_starts(times).tolist()


@given(steps)
def test_no_frame_lasts_longer_than_a_slow_camera_takes_for_one(steps):
    times = np.cumsum([0.0, *steps])
    durations = frame_ends(times, 1.0) - times
    assert (durations > 0).all()
    assert (durations <= WATCHED_S + 1e-6).all()


@given(st.lists(st.lists(st.floats(0.02, 0.24), min_size=1, max_size=4), min_size=1, max_size=20))
def test_however_many_pauses_the_frame_before_one_lasts_as_long_as_those_of_its_piece(pieces):
    times = np.cumsum([0.0, *(step for steps in pieces for step in [*steps, 60.0])])[:-1]
    assert (frame_ends(times, 1.0) - times).max() <= 0.24 + 1e-9


def test_a_frame_of_a_camera_of_half_the_rate_stands_for_two_ticks():
    assert tick_counts([Fraction(number, 4) for number in range(6)], Fraction(8)).tolist() == [1, 2, 2, 2, 2, 2]


def test_six_frames_a_second_are_eight_ticks_a_second():
    counts = tick_counts([Fraction(number, 6) for number in range(61)], Fraction(8))
    assert counts.sum() == 81
    assert set(counts.tolist()) == {1, 2}


def test_stored_at_the_rate_of_the_clock_every_frame_is_one_tick():
    times = [Fraction(-(-number * 25 // 8), 25) for number in range(200)]  # of 25 a second the first at each tick
    assert tick_counts(times, Fraction(8)).tolist() == [1] * 200


def test_a_pause_has_no_ticks():
    times = [Fraction(0), Fraction(1, 8), Fraction(600), Fraction(4801, 8)]
    assert tick_counts(times, Fraction(8)).tolist() == [1, 1, 1, 1]


def test_of_a_faster_source_some_frames_stand_for_no_tick():
    counts = tick_counts([Fraction(number, 30) for number in range(31)], Fraction(8))
    assert counts.sum() == 9
    assert set(counts.tolist()) == {0, 1}


def test_a_picture_is_held_until_the_next_and_flow_is_what_happened_since():
    counts = np.array([1, 2, 1, 3, 0, 1])
    assert arrival_frames(counts).tolist() == [0, 1, 1, 2, 3, 3, 3, 5]
    assert held_frames(counts).tolist() == [0, 0, 1, 2, 2, 2, 3, 5]
    assert arrival_frames(np.empty(0, int)).tolist() == held_frames(np.empty(0, int)).tolist() == []


def test_no_tick_of_a_piece_shows_the_piece_before():
    times = [Fraction(number, 4) for number in (0, 1, 2, 400, 401)]
    counts = tick_counts(times, Fraction(8))
    assert held_frames(counts).tolist() == [0, 0, 1, 1, 2, 3, 3, 4]
