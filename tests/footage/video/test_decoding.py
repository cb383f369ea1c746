"""Times from stamps that are missing, repeated, jittering or begin anew."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import av
from hypothesis import given
from hypothesis import strategies as st

from vigil.footage.video.decoding import Clock, Tally, _demux_packets, shrink_size

MS = Fraction(1, 1000)


def times(stamps: list[int | None], by_dts: bool = False) -> list[Fraction]:
    """What a clock makes of `stamps`, in milliseconds of a stream of 10 frames per second."""
    clock = Clock(SimpleNamespace(time_base=MS, average_rate=Fraction(10), guessed_rate=None), by_dts)
    field, other = ("dts", "pts") if by_dts else ("pts", "dts")
    return [clock.time(SimpleNamespace(**{field: stamp, other: None})) for stamp in stamps]


def test_good_stamps_are_kept_to_the_tick() -> None:
    assert times([500, 533, 567, 2000]) == [0, 33 * MS, 67 * MS, 1500 * MS]


def test_missing_stamps_follow_the_rate() -> None:
    assert times([None, None, None]) == [0, 100 * MS, 200 * MS]
    assert times([0, None, 250]) == [0, 100 * MS, 250 * MS]


def test_a_stamp_that_repeats_or_falls_back_comes_one_millisecond_later() -> None:
    assert times([0, 100, 100, 60, 300]) == [0, 100 * MS, 101 * MS, 102 * MS, 300 * MS]


def test_stamps_that_begin_anew_go_on_one_frame_later() -> None:
    assert times([9000, 10900, 0, 100]) == [0, 1900 * MS, 2000 * MS, 2100 * MS]


def test_in_an_avi_the_order_of_decoding_counts() -> None:
    clock = Clock(SimpleNamespace(time_base=MS, average_rate=Fraction(10), guessed_rate=None), by_dts=True)
    frames = [SimpleNamespace(pts=pts, dts=dts) for pts, dts in ((100, 200), (400, 300), (300, 400), (700, None))]
    assert [clock.time(frame) for frame in frames] == [0, 100 * MS, 200 * MS, 300 * MS]


def test_a_stream_that_begins_late_does_not_end_the_others() -> None:
    """PyAV raises IndexError at the first packet of a stream that it did not see on opening, and can be asked anew."""
    one, two, three, four, five = (SimpleNamespace(size=size, is_corrupt=False, pos=None) for size in range(1, 6))
    rounds = [
        [one, two, IndexError()],
        [three, IndexError()],
        [four, av.error.InvalidDataError(1, "broken here"), five],
    ]

    def demux(_: object) -> Iterator[object]:
        for packet in rounds.pop(0):
            if isinstance(packet, Exception):
                raise packet
            yield packet

    container: Any = SimpleNamespace(demux=demux, format=SimpleNamespace(name="mp4"))
    assert [packet.size for packet, _, _ in _demux_packets(container, None, Tally())] == [1, 2, 3, 4]


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1, max_size=50))
def test_time_starts_at_zero_and_only_goes_forward(stamps: list[int | None]) -> None:
    frame_times = times(stamps)
    assert frame_times[0] == 0
    assert all(a < b for a, b in pairwise(frame_times))


@given(st.integers(16, 5000), st.integers(16, 5000), st.integers(16, 1000))
def test_shrinking_keeps_the_shape_and_enlarges_nothing(width: int, height: int, size_px: int) -> None:
    new = shrink_size(width, height, size_px)
    if size_px >= min(width, height):
        assert new == (width, height)
    else:
        assert min(new) == size_px
        exact = max(width, height) * size_px / min(width, height)
        assert abs(max(new) - exact) <= 1
        assert (new[0] >= new[1]) if width > height else (new[1] >= new[0])
    assert shrink_size(width, height, None) == (width, height)
