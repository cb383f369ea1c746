"""What is passed over where decoding is slow, and packets without stamps."""

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from videos import film

from vigil.capture.live.arrivals import Arrivals, stamp_packets
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.live.frame_ring import FrameRing
from vigil.capture.live.job import Job
from vigil.capture.live.packet_ring import PacketRing
from vigil.capture.live.shared_memory import SharedMemory
from vigil.capture.sources import parse_source
from vigil.core.errors import VigilError

GOP = 10


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    path = film(tmp_path / "camera.mp4", frames=80, fps=10, options={"bf": "0", "g": str(GOP)})
    with av.open(str(path)) as container:
        yield container, container.streams.video[0]


@pytest.fixture
def job() -> Iterator[Job]:
    frames, packets, beat = FrameRing(), PacketRing(1 << 20), SharedMemory(8)
    listen, bell = os.pipe()
    yield Job(parse_source("rtsp://cam/1"), CameraParams(), frames, packets, beat, bell, time.monotonic(), 0)
    os.close(listen)
    os.close(bell)
    for memory in (frames.memory, packets.memory, beat):
        memory.close()


def packets_of(container: Any, stream: Any) -> list[Any]:
    return [packet for packet in container.demux(stream) if packet.size]


def test_nothing_is_passed_over_where_nothing_waits(opened: tuple[Any, Any], job: Job) -> None:
    arrivals = Arrivals(*opened, job, 1, Fraction(-1))
    for number, packet in enumerate(packets_of(*opened)):
        arrivals._add(packet, job.begun_s + number / 10)
        assert arrivals.take(1.0) == (packet, False)


def test_what_waits_too_long_is_passed_over_to_the_newest_key_picture(opened: tuple[Any, Any], job: Job) -> None:
    arrivals = Arrivals(*opened, job, 1, Fraction(-1))
    packets = packets_of(*opened)
    for number, packet in enumerate(packets[:37]):  # 3.7 s that nobody has decoded
        arrivals._add(packet, job.begun_s + number / 10)
    assert arrivals.take(1.0) == (packets[30], True)
    assert arrivals.take(1.0) == (packets[31], False)
    assert len(job.packets.packets(0, 1 << 62)) == 37  # clips lack nothing


def test_without_a_key_picture_that_is_new_enough_it_waits_for_one(opened: tuple[Any, Any], job: Job) -> None:
    arrivals = Arrivals(*opened, job, 1, Fraction(-1))
    packets = packets_of(*opened)
    for number, packet in enumerate(packets[:39]):
        arrivals._add(packet, job.begun_s + number / 10)
    assert arrivals.take(0.5) is None
    arrivals._add(packets[39], job.begun_s + 3.9)
    assert arrivals.take(0.5) is None
    arrivals._add(packets[40], job.begun_s + 4.0)
    assert arrivals.take(0.5) == (packets[40], True)


def test_paced_streams_are_decoded_whole(opened: tuple[Any, Any], job: Job) -> None:
    arrivals = Arrivals(*opened, job, 1, Fraction(-1))
    packets = packets_of(*opened)
    for number, packet in enumerate(packets):
        arrivals._add(packet, job.begun_s + number / 10)
    taken = [arrivals.take(0) for _ in packets]
    assert taken == [(packet, False) for packet in packets]


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_packets_without_stamps_get_those_that_fit(opened: tuple[Any, Any], missing: int) -> None:
    container, stream = opened
    packets = packets_of(container, stream)
    expected = [packet.dts for packet in packets]
    for packet in [*packets[:missing], packets[20]]:
        packet.dts = packet.pts = None
    assert [packet.dts for packet in stamp_packets(packets, stream)] == expected
    assert all(packet.pts is not None for packet in packets)


def test_a_stream_that_never_says_when_is_refused(opened: tuple[Any, Any]) -> None:
    container, stream = opened
    packets = packets_of(container, stream)
    for packet in packets:
        packet.dts = packet.pts = None
    with pytest.raises(VigilError, match="do not say when"):
        list(stamp_packets(packets, stream))


def test_pauses_grow_and_are_by_chance() -> None:
    params = CameraParams(first_pause_s=1.0, longest_pause_s=30.0)
    for failures, longest in ((0, 1), (1, 2), (3, 8), (5, 30), (10_000, 30)):
        pauses = [params.pause_s(failures) for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
