"""Packets of a stream as they arrive, on their way from the thread that reads them to the one that decodes them."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from threading import Condition
from typing import Any

from vigil.capture.live.job import BEAT_S, Job, PieceReason
from vigil.capture.live.packet_ring import RingPacket, nanoseconds
from vigil.capture.live.stream_clock import StreamClock
from vigil.core.errors import VigilError

STAMPED_HERE = ("mjpeg",)  # pictures that do not say when they are: it is when they arrive
MICROSECOND = Fraction(1, 1_000_000)
UNSTAMPED = 25  # packets at the beginning that may lack a stamp


class JumpedError(Exception):
    """The stream goes on, but not from where it was."""

    def __init__(self, reason: PieceReason) -> None:
        super().__init__(reason)
        self.reason: PieceReason = reason


class Arrivals:
    """`read` is the whole work of the one thread; `take` and `times` are for the other."""

    def __init__(self, container: Any, stream: Any, job: Job, configuration: int, last_s: Fraction) -> None:
        self._container, self._stream, self._job, self._configuration = container, stream, job, configuration
        self._clock = StreamClock()
        self._is_stamped_here = job.source.kind in STAMPED_HERE
        self.tick: Fraction = MICROSECOND if self._is_stamped_here else Fraction(stream.time_base)
        self._tick = float(self.tick)
        self._last_s = last_s  # time of the newest frame before
        self.first_stamp: int | None = None  # dts of the first packet, and the camera's time of it
        self.begin_s = Fraction(0)
        self._queue: deque[tuple[Any, float]] = deque()
        self._condition = Condition()
        self._end: BaseException | None = None
        self._is_stopped = False
        self._skips = False

    def read(self) -> None:
        """Reads packets until told to stop."""
        try:
            packets = self._demux()
            for packet in packets if self._is_stamped_here else stamp_packets(packets, self._stream):
                if self._is_stopped:
                    return
                arrival = time.monotonic()
                if self._is_stamped_here and packet.size:
                    packet.time_base, packet.pts, packet.dts = MICROSECOND, *[round(arrival / MICROSECOND)] * 2
                if packet.size:
                    self._add(packet, arrival)
            self._finish(EOFError())
        except Exception as error:  # noqa: BLE001  it is raised where packets are taken
            self._finish(error)

    def take(self, max_lag_s: float) -> tuple[Any, bool] | None:
        """Returns the next packet to decode, and whether packets before it were passed over; None to ask again.

        Raises what ended the stream when all before it is taken.
        """
        with self._condition:
            if not self._queue and self._end is None:
                self._condition.wait(BEAT_S)
            if not self._queue:
                if self._end is not None:
                    raise self._end
                return None
            is_after_gap = False
            if max_lag_s and self._queue[-1][1] - self._queue[0][1] > max_lag_s:
                self._skips = True
            while self._skips and self._queue:
                if self._queue[0][0].is_keyframe and self._queue[-1][1] - self._queue[0][1] <= max_lag_s:
                    self._skips, is_after_gap = False, True
                    break
                self._queue.popleft()
            return (self._queue.popleft()[0], is_after_gap) if self._queue else None

    def times(self, picture: Any) -> tuple[float, float]:
        """Returns when a picture was captured, and when it is due, by the steady clock."""
        with self._condition:
            if picture.pts is None:
                return time.monotonic(), 0.0
            return self._clock.captured(picture.pts * self._tick), self._clock.due(picture.pts * self._tick)

    def stop(self) -> None:
        self._is_stopped = True

    def _demux(self) -> Iterator[Any]:
        while True:
            try:
                yield from self._container.demux(self._stream)
                return
            except IndexError:
                continue  # PyAV met a packet of another stream that began later, and goes on behind it when asked anew

    def _add(self, packet: Any, arrival: float) -> None:
        order = packet.dts * self._tick
        stamp = order if packet.pts is None else packet.pts * self._tick
        with self._condition:
            late_s = self._job.params.max_lag_s
            if self._clock.see_packet(stamp, order, arrival, time.time() - time.monotonic(), late_s):
                raise JumpedError("clock jump")
            if self.first_stamp is None:
                self.first_stamp = packet.dts
                elapsed = Fraction(round((arrival - self._job.begun_s) * 1000), 1000)
                self.begin_s = max(elapsed, self._last_s + Fraction(1, 1000))
            begin = float(self.begin_s) - self.first_stamp * self._tick
            times = (nanoseconds(begin + stamp), nanoseconds(begin + order))
            self._job.packets.write(RingPacket(*times, packet.is_keyframe, self._configuration, bytes(packet)))
            self._queue.append((packet, arrival))
            self._condition.notify()

    def _finish(self, end: BaseException) -> None:
        with self._condition:
            self._end = end
            self._condition.notify()


def stamp_packets(packets: Iterable[Any], stream: Any) -> Iterator[Any]:
    """Gives packets without a stamp one: RTSP says when packets are only from the second or third on."""
    step = max(round(1 / (Fraction(stream.average_rate or 25) * stream.time_base)), 1)
    held: list[Any] = []
    last = None
    for packet in packets:
        if not packet.size:
            continue
        if packet.dts is None and last is None:
            held.append(packet)
            if len(held) > UNSTAMPED:
                raise VigilError("its packets do not say when they are")
            continue
        if packet.dts is None:
            packet.dts = packet.pts = last + step
        last = packet.dts
        for number, early in enumerate(held):
            early.dts = early.pts = last - (len(held) - number) * step
            yield early
        held.clear()
        yield packet
