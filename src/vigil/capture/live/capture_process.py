"""The process that captures one camera: it connects, again and again, and never waits for whoever looks at the frames.

A thread reads packets as they arrive and puts them into the ring from which clips are cut; the other decodes them and
puts the frames into the ring of the newest. Where decoding does not keep up, packets are passed over to the next key
picture, so that what is decoded is never older than `max_lag_s`. Messages go to the process that started this one.
"""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import Any

import av

from vigil.capture.addresses import AddressRefused, explain_status, look_up, renew
from vigil.capture.live.arrivals import Arrivals, JumpedError
from vigil.capture.live.clips import pack_configuration
from vigil.capture.live.frame_ring import RingFrame
from vigil.capture.live.job import BEAT_S, Begun, Connected, Failed, Job, PieceReason
from vigil.capture.network import open_stream
from vigil.capture.sources import Source
from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.processes import end_with_parent
from vigil.footage.video import decoding

STEADY_S = 10.0  # a connection that lasts this long was a good one: the next failure is the first again
PACED = ("hls", "page")  # come in bursts
LOOK_UP_S = 120.0  # that a page may take to say where its stream is
HUNG = 3  # exit code


def run(job: Job, connection: Connection) -> None:
    """The life of the process; it ends when it is killed, or with the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    end_with_parent()
    settings.prepare(threads=1)
    capture = _Capture(job, connection)
    reason: PieceReason | None = "reconnect" if capture.number else None
    failures = 0
    while True:
        connected_s = time.monotonic()
        try:
            with capture.beating(LOOK_UP_S):
                source = renew(look_up(job.source))
            if not source.is_live:
                ended = "its live stream has ended; what the page has now is a recording"
                raise VigilError(ended if source.page else "what its address serves is a recording, and no camera")
            capture.source = source
            with open_stream(source, job.params.timeout_s, job.params.timeout_s) as (container, stream):
                capture.follow(container, stream, reason)
        except JumpedError as jump:
            reason = jump.reason
            failed = None
        except Exception as error:  # noqa: BLE001  libraries raise what they like at what a camera may send
            failed = _explain(job.source, error)
        failures = 0 if time.monotonic() - connected_s > STEADY_S else failures
        if failed:
            connection.send(failed)
            reason = "reconnect" if capture.number else None
        if failed or failures:  # a stream that jumps all the time is not opened all the time
            is_refusal = failed is not None and failed.is_refusal  # cameras lock out who tries too often
            capture.rest(job.params.longest_pause_s if is_refusal else job.params.pause_s(failures))
        failures += 1


class _Capture:
    """What is known from one connection to the next."""

    def __init__(self, job: Job, connection: Connection) -> None:
        self._job, self._connection = job, connection
        self.source = job.source  # as it was looked up for this connection
        self._piece = job.piece - 1
        newest = job.frames.newest()  # of a process before this one
        self._last_s = newest.time_s if newest else Fraction(-1)
        self.number = newest.number if newest else 0
        self._configurations = itertools.count(1 + time.monotonic_ns() % (1 << 30))
        self.beat()

    def beat(self) -> None:
        self._job.beat.store(0, time.monotonic_ns())

    @contextmanager
    def beating(self, longest_s: float) -> Iterator[None]:
        """Gives signs of life during what takes long, for at most so many seconds."""
        is_done, until = Event(), time.monotonic() + longest_s

        def beat() -> None:
            while not is_done.wait(BEAT_S) and time.monotonic() < until:
                self.beat()

        Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            is_done.set()

    def rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.beat()
            time.sleep(min(left, BEAT_S))

    def follow(self, container: Any, stream: Any, reason: PieceReason | None) -> None:
        """Captures until the stream ends, fails, or jumps."""
        configuration = next(self._configurations)
        self._connection.send(Connected(configuration, pack_configuration(stream)))
        arrivals = Arrivals(container, stream, replace(self._job, source=self.source), configuration, self._last_s)
        thread = Thread(target=arrivals.read, daemon=True)
        thread.start()
        try:
            self._decode(stream, arrivals, reason)
        finally:
            arrivals.stop()
            thread.join(self._job.params.timeout_s + 1)
            if thread.is_alive():
                os._exit(HUNG)  # it hangs in a library, and so would closing the stream

    def _decode(self, stream: Any, arrivals: "Arrivals", reason: PieceReason | None) -> None:
        picture: decoding.Picture | None = None
        square: decoding.Picture | None = None
        clock = decoding.Clock(stream, by_dts=False)
        is_paced = self.source.kind in PACED
        size, is_whole = (0, 0), False
        while True:
            self.beat()
            arrival = arrivals.take(0 if is_paced else self._job.params.max_lag_s)
            if arrival is None:
                continue
            packet, is_after_gap = arrival
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
                    size, params = (decoded.width, decoded.height), self._job.params
                    picture = decoding.Picture(decoded, params.size_px)
                    square = None if params.square_px is None else decoding.Picture(decoded, None, params.square_px)
                    whole = decoding.Picture(decoded).size
                    clock.start, clock.tick = arrivals.first_stamp, arrivals.tick
                    self._begin(reason, arrivals.begin_s)
                elif (decoded.width, decoded.height) != size:
                    raise JumpedError("size change")
                time_s = arrivals.begin_s + clock.time(decoded)
                captured_s, due_s = arrivals.times(decoded)
                while is_paced and (early_s := due_s - time.monotonic()) > 0:
                    self.beat()
                    time.sleep(min(early_s, BEAT_S))
                grey = None if square is None else square(decoded)
                frame = RingFrame(self.number + 1, time_s, captured_s, self._piece, whole, picture(decoded), grey)
                self._publish(frame)

    def _begin(self, reason: PieceReason | None, begin_s: Fraction) -> None:
        self._piece += 1
        self._connection.send(Begun(self._piece, reason, begin_s))

    def _publish(self, frame: RingFrame) -> None:
        self._job.frames.write(frame)
        self.number, self._last_s = frame.number, frame.time_s
        with suppress(BlockingIOError):  # nobody has listened for long; the frame is there all the same
            os.write(self._job.bell, b".")


def _explain(source: Source, error: Exception) -> Failed:
    """Says why a camera cannot be read, without anything secret."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return Failed(explain_status(401, ""), is_refusal=True)
    if isinstance(error, av.error.HTTPNotFoundError):
        return Failed(explain_status(404, ""), is_refusal=True)
    if isinstance(error, EOFError):
        return Failed("the stream ended", is_refusal=False)
    if isinstance(error, av.error.ExitError):
        return Failed("no packet came in time", is_refusal=False)
    if isinstance(error, VigilError):
        reason = str(error).removeprefix(f"{source.address}: ").partition(" Is it on?")[0].rstrip(".")
        return Failed(source.hide_secrets(reason), is_refusal=isinstance(error, AddressRefused))
    words = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    return Failed(source.hide_secrets(words), is_refusal=False)
