"""Lateness, jumps and bursts, on clocks that tests set."""

import numpy as np

from vigil.capture.live.stream_clock import StreamClock


def feed(clock: StreamClock, stamps: list[float], arrivals: list[float], utc_offset: float = 0.0) -> list[bool]:
    return [
        clock.see_packet(stamp, stamp, arrival, utc_offset, 1.0)
        for stamp, arrival in zip(stamps, arrivals, strict=True)
    ]


def test_the_least_delay_says_when_a_picture_was_captured() -> None:
    random = np.random.default_rng(0)
    stamps = np.arange(0, 20, 0.04)
    arrivals = np.maximum.accumulate(stamps + 100.0 + random.exponential(0.05, len(stamps)))
    clock = StreamClock()
    assert not any(feed(clock, stamps.tolist(), arrivals.tolist()))
    assert abs(clock.captured(10.0) - 110.0) < 0.005
    assert abs(clock.lateness(20.0, 120.5) - 0.5) < 0.005


def test_clocks_that_drift_apart_make_no_lateness() -> None:
    stamps = np.arange(0, 7200, 0.5)  # two hours, 200 ppm
    clock = StreamClock()
    assert not any(feed(clock, stamps.tolist(), (stamps * 1.0002).tolist()))
    assert clock.lateness(float(stamps[-1]), float(stamps[-1]) * 1.0002) < 0.07
    clock = StreamClock()
    assert not any(feed(clock, stamps.tolist(), (stamps * 0.9998).tolist()))
    assert abs(clock.lateness(float(stamps[-1]), float(stamps[-1]) * 0.9998)) < 0.07


def test_a_camera_that_sends_nothing_for_long_has_not_jumped() -> None:
    assert not any(feed(StreamClock(), [0, 1, 2, 60, 61], [10, 11, 12, 70, 71]))


def test_a_stall_and_the_burst_after_it_are_lateness_not_a_jump() -> None:
    stamps = [n / 10 for n in range(100)]
    arrivals = [10 + max(stamp, 5.0) if stamp > 2 else 10 + stamp for stamp in stamps]
    clock = StreamClock()
    assert not any(feed(clock, stamps, arrivals))
    assert abs(clock.lateness(2.1, 15.0) - 2.9) < 0.01


def test_a_clock_that_is_set_jumps() -> None:
    assert feed(StreamClock(), [0, 1, 2, 3600, 3601], [10, 11, 12, 13, 14])[3]
    assert feed(StreamClock(), [100, 101, 102, 3, 4], [10, 11, 12, 13, 14])[3]


def test_a_clock_that_stood_still_is_noticed_within_seconds() -> None:
    stamps = [n / 10 for n in range(200)]
    arrivals = [10 + stamp + (4.0 if stamp > 5 else 0.0) for stamp in stamps]  # late for good, and nothing waits
    jumps = feed(StreamClock(), stamps, arrivals)
    assert not any(jumps[:90])
    assert any(jumps[:120])


def test_utc_that_is_set_is_a_jump() -> None:
    clock = StreamClock()
    assert not clock.see_packet(0.0, 0.0, 10.0, 1000.0, 1.0)
    assert not clock.see_packet(1.0, 1.0, 11.0, 1000.4, 1.0)
    assert clock.see_packet(2.0, 2.0, 12.0, 4600.0, 1.0)


def test_what_comes_in_bursts_is_shown_evenly() -> None:
    clock = StreamClock()
    stamps = [n / 10 for n in range(200)]
    arrivals = [10 + 2 * (stamp // 2 + 1) for stamp in stamps]  # segments of 2 s, each when it is whole
    assert not any(feed(clock, stamps, arrivals))
    due = np.array([clock.due(stamp) for stamp in stamps])
    assert np.allclose(np.diff(due), 0.1)
    assert (due >= np.array(arrivals) - 1e-9).all()
    assert abs(clock.captured(19.9) - 30.0) < 1e-9
