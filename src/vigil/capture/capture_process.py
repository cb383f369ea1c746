"""The process that captures one camera: it connects, again and again, and never waits for whoever looks at the frames.

A thread reads packets as they arrive and puts them into the ring from which clips are cut; the other decodes them and
puts the frames into the ring of the newest. Where decoding does not keep up, packets are passed over to the next key
picture, so that what is decoded is never older than `max_lag_s`. Messages go to the process that started this one.
"""

import itertools
import os
import signal
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from threading import Condition, Thread
from typing import Any, Literal

import av

from vigil.capture.addresses import explain_status, renew
from vigil.capture.camera_params import CameraParams
from vigil.capture.clips import pack_configuration
from vigil.capture.frame_ring import FrameRing, RingFrame
from vigil.capture.network import open_stream
from vigil.capture.packet_ring import PacketRing, RingPacket, nanoseconds
from vigil.capture.shared_memory import SharedMemory
from vigil.capture.sources import Source
from vigil.capture.stream_clock import StreamClock
from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.engine.workers import die_with_parent
from vigil.footage.video import decoding

BEAT = struct.Struct("<d")  # when this process was last known to be alive, by the steady clock
BEAT_S = 0.2
STEADY_S = 10.0  # a connection that lasts this long was a good one: the next failure is the first again
PACED = ("hls", "page")  # come in bursts
STAMPED_HERE = ("mjpeg",)  # pictures that do not say when they are: it is when they arrive
MICROSECOND = Fraction(1, 1_000_000)
HUNG = 3  # exit code
UNSTAMPED = 25  # packets at the beginning that may lack a stamp
PieceReason = Literal["clock jump", "size change", "reconnect"]


@dataclass(frozen=True)
class Job:
    """What the process needs to know."""

    source: Source
    params: CameraParams
    frames: FrameRing
    packets: PacketRing
    beat: SharedMemory
    bell: int  # a byte is written to this pipe with every frame
    begun_s: float  # time 0 of the camera, by the steady clock
    piece: int  # number of the first piece

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "bell": DupFd(self.bell)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "bell": state["bell"].detach()})


@dataclass(frozen=True)
class Opened:
    """A connection stands: how its packets are decoded, for who cuts clips."""

    configuration: int
    template: bytes


@dataclass(frozen=True)
class Failed:
    reason: str
    is_refusal: bool


@dataclass(frozen=True)
class Begun:
    """A piece begins; its first frame follows."""

    piece: int
    reason: PieceReason | None  # None for the first of all
    time_s: Fraction


class _JumpedError(Exception):
    """The stream goes on, but not from where it was."""

    def __init__(self, reason: PieceReason) -> None:
        super().__init__(reason)
        self.reason: PieceReason = reason


def run(job: Job, connection: Connection) -> None:
    """The life of the process; it ends when it is killed, or with the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    die_with_parent()
    settings.prepare(threads=1)
    capture = _Capture(job, connection)
    reason: PieceReason | None = "reconnect" if capture.number else None
    failures = 0
    while True:
        connected_s = time.monotonic()
        try:
            with open_stream(renew(job.source), job.params.timeout_s, job.params.timeout_s) as (container, stream):
                capture.follow(container, stream, reason)
        except _JumpedError as jump:
            reason = jump.reason
            failed = None
        except (av.error.FFmpegError, VigilError, OSError) as error:
            failed = _explain(job.source, error)
        else:
            failed = Failed("the stream ended", is_refusal=False)
        failures = 0 if time.monotonic() - connected_s > STEADY_S else failures
        if failed:
            connection.send(failed)
            reason = "reconnect" if capture.number else None
        if failed or failures:  # a stream that jumps all the time is not opened all the time
            capture.rest(job.params.pause_s(failures))
        failures += 1


class _Capture:
    """What is known from one connection to the next."""

    def __init__(self, job: Job, connection: Connection) -> None:
        self._job, self._connection = job, connection
        self._piece = job.piece - 1
        newest = job.frames.newest()  # of a process before this one
        self._last_s = newest.time_s if newest else Fraction(-1)
        self.number = newest.number if newest else 0
        self._configurations = itertools.count(1 + time.monotonic_ns() % (1 << 30))
        self.beat()

    def beat(self) -> None:
        BEAT.pack_into(self._job.beat.view, 0, time.monotonic())

    def rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.beat()
            time.sleep(min(left, BEAT_S))

    def follow(self, container: Any, stream: Any, reason: PieceReason | None) -> None:
        """Captures until the stream ends, fails, or jumps."""
        configuration = next(self._configurations)
        self._connection.send(Opened(configuration, pack_configuration(stream)))
        arrivals = _Arrivals(container, stream, self._job, configuration, self._last_s)
        thread = Thread(target=arrivals.read, daemon=True)
        thread.start()
        try:
            self._decode(stream, arrivals, reason)
        finally:
            arrivals.stop()
            thread.join(self._job.params.timeout_s + 1)
            if thread.is_alive():
                os._exit(HUNG)  # it hangs in a library, and so would closing the stream

    def _decode(self, stream: Any, arrivals: "_Arrivals", reason: PieceReason | None) -> None:
        picture: decoding.Picture | None = None
        clock = decoding.Clock(stream, by_dts=False)
        is_paced = self._job.source.kind in PACED
        size, is_whole = (0, 0), False
        while True:
            self.beat()
            taken = arrivals.take(0 if is_paced else self._job.params.max_lag_s)
            if taken is None:
                continue
            packet, is_after_gap = taken
            if is_after_gap:
                stream.codec_context.flush_buffers()
            is_whole = packet.is_keyframe or (is_whole and not is_after_gap and not packet.is_corrupt)
            try:
                pictures = packet.decode()
            except av.error.FFmpegError:
                is_whole = False
                continue
            for decoded in pictures:
                if not is_whole or decoded.is_corrupt:
                    is_whole = is_whole and not decoded.is_corrupt
                    continue
                if picture is None:
                    size, picture = (decoded.width, decoded.height), decoding.Picture(decoded, self._job.params.size_px)
                    clock.start, clock.tick = arrivals.first_stamp, arrivals.tick
                    self._begin(reason, arrivals.begin_s)
                elif (decoded.width, decoded.height) != size:
                    raise _JumpedError("size change")
                time_s = arrivals.begin_s + clock.time(decoded)
                captured_s, due_s = arrivals.times(decoded)
                while is_paced and (early_s := due_s - time.monotonic()) > 0:
                    self.beat()
                    time.sleep(min(early_s, BEAT_S))
                self._publish(time_s, captured_s, picture(decoded))

    def _begin(self, reason: PieceReason | None, begin_s: Fraction) -> None:
        self._piece += 1
        self._connection.send(Begun(self._piece, reason, begin_s))

    def _publish(self, time_s: Fraction, captured_s: float, image: Any) -> None:
        self.number += 1
        self._job.frames.write(RingFrame(self.number, time_s, captured_s, self._piece, image))
        self._last_s = time_s
        with suppress(BlockingIOError):  # nobody has listened for long; the frame is there all the same
            os.write(self._job.bell, b".")


class _Arrivals:
    """Packets as they arrive, on their way from the thread that reads them to the one that decodes them."""

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
        """Reads packets until told to stop; the thread's whole work."""
        try:
            packets = self._container.demux(self._stream)
            for packet in packets if self._is_stamped_here else stamp_packets(packets, self._stream):
                if self._is_stopped:
                    return
                arrival = time.monotonic()
                if self._is_stamped_here and packet.size:
                    packet.time_base, packet.pts, packet.dts = MICROSECOND, *[round(arrival / MICROSECOND)] * 2
                if packet.size:
                    self._add(packet, arrival)
            self._finish(EOFError())
        except (av.error.FFmpegError, OSError, VigilError, _JumpedError) as error:
            self._finish(error)

    def take(self, max_lag_s: float) -> tuple[Any, bool] | None:
        """Returns the next packet to decode, and whether packets before it were passed over; None to ask again.

        Raises what ended the stream when all before it is taken.
        """
        with self._condition:
            if not self._queue and self._end is None:
                self._condition.wait(BEAT_S)
            if not self._queue:
                if isinstance(self._end, EOFError):
                    raise av.error.EOFError(0, "the stream ended")
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

    def _add(self, packet: Any, arrival: float) -> None:
        order = packet.dts * self._tick
        stamp = order if packet.pts is None else packet.pts * self._tick
        with self._condition:
            late_s = self._job.params.max_lag_s
            if self._clock.see_packet(stamp, order, arrival, time.time() - time.monotonic(), late_s):
                raise _JumpedError("clock jump")
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


def _explain(source: Source, error: Exception) -> Failed:
    """Says why a camera cannot be read, without anything secret."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return Failed(explain_status(401, ""), is_refusal=True)
    if isinstance(error, av.error.HTTPNotFoundError):
        return Failed(explain_status(404, ""), is_refusal=True)
    if isinstance(error, av.error.ExitError):
        return Failed("no packet came in time", is_refusal=False)
    if isinstance(error, VigilError):
        return Failed(source.hide_secrets(str(error)), is_refusal=False)
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Failed(source.hide_secrets(words), is_refusal=False)
