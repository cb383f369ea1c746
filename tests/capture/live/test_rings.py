"""The rings in shared memory: the newest is found, what is overwritten is not, and a writer may die at any moment."""

import multiprocessing
import os
import signal
import time
from fractions import Fraction

import pytest
from ring_writers import is_whole, packet, ring_frame, write_frames, write_packets

from vigil.capture.live.frame_ring import FrameRing
from vigil.capture.live.packet_ring import PacketRing


def test_the_newest_frame_is_read_once() -> None:
    ring = FrameRing()
    assert ring.newest() is None
    for number in range(1, 8):
        ring.write(ring_frame(number))
    newest = ring.newest()
    assert newest is not None
    assert (newest.number, newest.time_s, newest.piece) == (7, Fraction(7, 25), 0)
    assert is_whole(newest)
    assert newest.square is not None
    assert ring.newest(after=7) is None
    ring.write(ring_frame(8, (30, 40)))
    resized = ring.newest(after=7)
    assert resized is not None
    assert resized.image.shape == (30, 40, 3)
    assert is_whole(resized)


def test_frames_are_whole_while_a_writer_writes_and_is_killed() -> None:
    ring, context = FrameRing(), multiprocessing.get_context("spawn")
    seen = 0
    for _ in range(2):
        writer = context.Process(target=write_frames, args=(ring,), daemon=True)
        writer.start()
        until = None
        while until is None or time.monotonic() < until:
            assert writer.is_alive()
            frame = ring.newest(after=seen)
            if frame is not None:
                until = until or time.monotonic() + 1
                assert is_whole(frame)
                seen = frame.number
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        frame = ring.newest()
        assert frame is None or is_whole(frame)
    assert seen > 100


def test_packets_begin_with_a_key_packet() -> None:
    ring = PacketRing(1 << 16)
    for number in range(100):
        assert ring.write(packet(number))
    taken = ring.packets(35_000, 52_000)
    assert [one.dts // 1000 for one in taken] == list(range(30, 52))
    assert taken[0].is_key
    assert taken[7] == packet(37)
    assert ring.span() == (0, 99_000)


@pytest.mark.parametrize("size", [1, 100, 901])
def test_what_does_not_fit_is_overwritten_and_nothing_else(size: int) -> None:
    ring = PacketRing(10_000)
    for number in range(1000):
        ring.write(packet(number, size))
    taken = ring.packets(0, 10**9)
    newest = [one.dts // 1000 for one in taken]
    assert newest == list(range(newest[0], 1000))
    assert all(one == packet(one.dts // 1000, size) for one in taken)
    assert len(taken) >= min(10_000 // size - 10, 990) > 0


def test_a_packet_larger_than_the_ring_is_left_out() -> None:
    ring = PacketRing(1000)
    assert not ring.write(packet(0, 1001))
    assert ring.packets(0, 10**9) == []
    assert ring.span() is None


def test_packets_are_whole_while_a_writer_writes() -> None:
    ring, context = PacketRing(100_000), multiprocessing.get_context("spawn")
    writer = context.Process(target=write_packets, args=(ring,), daemon=True)
    writer.start()
    until = None
    while until is None or time.monotonic() < until:
        assert writer.is_alive()
        taken = ring.packets(0, 1 << 62)
        until = until or (time.monotonic() + 1 if taken else None)
        assert all(one == packet(one.dts // 1000, 50 + one.dts // 1000 % 1000) for one in taken)
    writer.kill()
    writer.join()
    assert ring.packets(0, 1 << 62)
