"""A camera, or any stream without end: captured by a process of its own, started anew whenever it fails.

    with Camera(source, CameraParams(size_px=360)) as camera:
        while (item := camera.read(timeout_s=1)) is None or ...:
            # a Frame, the newest there is; or an Event: Gone, Back, Piece, Frozen, Black, Covered, Moved
        clip = camera.cut_clip(frame.time_s - 10, frame.time_s, Path("evidence.mp4"))

    for camera, item in read_cameras(cameras, timeout_s=1): ...      # whatever there is of several

Events come in their order, and an event before the frames that it is about. Who reads rarely gets fewer frames, never
older ones. Read at least every few seconds: a process that hangs is noticed then. The thread that makes a camera must
live as long as the camera does.
"""

import io
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vigil.capture.frames import Back, Event, Frame, Gone, Piece
from vigil.capture.health.monitor import HealthParams, HealthState, update_health
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.live.capture_process import run
from vigil.capture.live.clips import NS, Clip, copy_clip, write_clip
from vigil.capture.live.frame_ring import FrameRing
from vigil.capture.live.job import Begun, Connected, Failed, Job
from vigil.capture.live.packet_ring import PacketRing
from vigil.capture.live.shared_memory import SharedMemory
from vigil.capture.sources import Source
from vigil.engine.workers import single_threaded_children

START_S = 120.0  # for a process to import what it needs, on a machine that has much to do
TEMPLATES = 64  # connections that may be found in a clip


@dataclass(frozen=True)
class Figures:
    """How a camera does. Lags are of the newest frame that was read, and the greatest since the last look."""

    captured: int  # frames
    read: int  # frames, of these
    lag_s: float
    longest_lag_s: float
    is_gone: bool
    failures: int  # connections that failed or ended
    restarts: int  # of the process, after it hung or died
    kept_s: float  # how far back clips reach


class Camera:
    """The camera; it is captured from `with` on, or from `start`, until it is closed."""

    def __init__(self, source: Source, params: CameraParams | None = None, health: HealthParams | None = None) -> None:
        if not source.is_live:
            raise ValueError(f"{source.name}: a source of kind {source.kind} is no camera")
        self.source, self.params = source, params or CameraParams()
        self._frames, self._packets = FrameRing(), PacketRing(self.params.packet_mib << 20)
        self._beat = SharedMemory(8)
        self._listen, self._bell = os.pipe()
        os.set_blocking(self._listen, False)
        os.set_blocking(self._bell, False)
        self._begun_s, self._begun_utc = time.monotonic(), datetime.now(UTC)
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._started_s = self._start_at_s = 0.0  # by the steady clock
        self._events: deque[Event] = deque()
        self._templates: dict[int, bytes] = {}
        self._health, self._health_params = HealthState(), health or HealthParams()
        self._piece = self._seen = self._read = self._failures = self._restarts = self._crashes = 0
        self._piece = -1
        self._gone_since_s: float | None = None
        self._lag_s = self._longest_lag_s = 0.0
        self._last_utc_s = 0.0
        self._is_closed = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process; `read` starts it again whenever it has died."""
        context, self._started_s = get_context("spawn"), time.monotonic()
        self._connection, theirs = context.Pipe(duplex=False)
        job = Job(
            self.source,
            self.params,
            self._frames,
            self._packets,
            self._beat,
            self._bell,
            self._begun_s,
            self._piece + 1,
        )
        self._process = context.Process(target=run, args=(job, theirs), name=f"vigil-{self.source.name}", daemon=True)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a child inherits it: Ctrl-C is for us
        try:
            with single_threaded_children():
                self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()

    def close(self) -> None:
        """Ends the process and lets go of the memory. Clips can no longer be cut."""
        if self._is_closed:
            return
        self._is_closed = True
        self._end_process()
        os.close(self._listen)
        os.close(self._bell)
        for memory in (self._frames.memory, self._packets.memory, self._beat):
            memory.close()

    def read(self, timeout_s: float = 1.0) -> Frame | Event | None:
        """Returns the next event, else the newest frame that was not read yet; None when nothing came in time."""
        until = time.monotonic() + timeout_s
        while True:
            self._watch_over()
            if self._events:
                return self._events.popleft()
            frame = self._newest_frame()
            if frame is not None:
                self._health, ailments = update_health(self._health, frame, self._health_params)
                self._events.extend(ailments)
                return frame
            left = until - time.monotonic()
            if left <= 0:
                return None
            wait(self.waitables(), min(left, 1.0))

    def waitables(self) -> Sequence[Any]:
        """What to wait for with `multiprocessing.connection.wait`: afterwards `read` may have something."""
        process = [self._process.sentinel] if self._process is not None else []
        return [self._listen, *process, *([self._connection] if self._connection is not None else [])]

    def cut_clip(self, start_s: Fraction, stop_s: Fraction, path: Path) -> Clip:
        """Writes what the camera sent from `start_s` to `stop_s`, of its own time, as MP4, as it was encoded.

        It works while the camera is gone, too. VigilError where nothing of it is kept.
        """
        self._receive()
        packets = self._packets.packets(round(start_s * NS), round(stop_s * NS))
        return write_clip(path, packets, self._templates, start_s, stop_s)

    def copy_clip(self, start_s: Fraction, stop_s: Fraction) -> tuple[io.BytesIO, Clip]:
        """The same in memory: for who must change it before it is written."""
        self._receive()
        packets = self._packets.packets(round(start_s * NS), round(stop_s * NS))
        return copy_clip(self.source.name, packets, self._templates, start_s, stop_s)

    def figures(self) -> Figures:
        """Says how the camera does, and begins anew to look for the greatest lag."""
        span = self._packets.span()
        longest, self._longest_lag_s = self._longest_lag_s, 0.0
        return Figures(
            self._frames.newest_number,
            self._read,
            self._lag_s,
            longest,
            self._gone_since_s is not None,
            self._failures,
            self._restarts,
            (span[1] - span[0]) / NS if span else 0.0,
        )

    def _newest_frame(self) -> Frame | None:
        try:
            while len(os.read(self._listen, 1 << 16)) == 1 << 16:
                pass
        except BlockingIOError:
            pass
        found = self._frames.newest(after=self._seen)
        if found is None or found.piece != self._piece:
            return None  # of a piece before, or of one that is announced in a moment
        self._seen, self._read = found.number, self._read + 1
        now_s = time.monotonic()
        self._lag_s = now_s - found.captured_s
        self._longest_lag_s = max(self._longest_lag_s, self._lag_s)
        self._last_utc_s = max(time.time() - self._lag_s, self._last_utc_s)
        utc = datetime.fromtimestamp(self._last_utc_s, UTC)
        return Frame(found.number - 1, found.time_s, utc, found.image, found.piece, found.size, found.square)

    def _watch_over(self) -> None:
        """Takes messages, kills a process that hangs and starts one that died."""
        self._receive()
        now_s = time.monotonic()
        process = self._process
        if process is None:
            if now_s >= self._start_at_s:
                self.start()
            return
        beaten_s = self._beat.load(0) / NS
        patience_s = self.params.hang_s if beaten_s > self._started_s else START_S
        beaten_s = max(beaten_s, self._started_s)
        if process.is_alive() and now_s - beaten_s <= patience_s:
            return
        hangs = process.is_alive()
        self._end_process()
        code = process.exitcode or 0
        how = f"gave no sign of life for {now_s - beaten_s:.0f} s" if hangs else f"ended with code {code}"
        self._crashes = 0 if now_s - self._started_s > 10 * self.params.longest_pause_s else self._crashes
        self._start_at_s = now_s + self.params.pause_s(self._crashes)
        self._crashes += 1
        self._restarts += 1
        self._lose(f"the process that captures it {how}", is_refusal=False)

    def _end_process(self) -> None:
        process, connection = self._process, self._connection
        if process is not None:
            process.kill()
            process.join()
        self._receive()
        if connection is not None:
            connection.close()
        self._process = self._connection = None

    def _receive(self) -> None:
        """Takes all messages of the process."""
        while self._connection is not None and self._connection.poll():
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                return  # it is dead, or dying
            if isinstance(message, Connected):
                self._templates[message.configuration] = message.template
                while len(self._templates) > TEMPLATES:
                    del self._templates[next(iter(self._templates))]
            elif isinstance(message, Begun):
                self._begin(message)
            elif isinstance(message, Failed):
                self._failures += 1
                self._lose(message.reason, is_refusal=message.is_refusal)

    def _begin(self, begun: Begun) -> None:
        self._piece, self._last_utc_s = begun.piece, 0.0
        now = datetime.now(UTC)
        if self._gone_since_s is not None:
            self._events.append(Back(now, begun.time_s, time.monotonic() - self._gone_since_s))
            self._gone_since_s = None
        if begun.reason:
            self._events.append(Piece(now, begun.time_s, begun.piece, begun.reason))

    def _lose(self, reason: str, *, is_refusal: bool) -> None:
        """Says that the camera is gone, once, until it is back."""
        if self._gone_since_s is None:
            self._gone_since_s = time.monotonic()
            elapsed = Fraction(round((self._gone_since_s - self._begun_s) * 1000), 1000)
            self._events.append(Gone(datetime.now(UTC), elapsed, reason, is_refusal))


def read_cameras(cameras: Sequence[Camera], timeout_s: float = 1.0) -> Iterable[tuple[Camera, Frame | Event]]:
    """Returns what there is, one item of each camera that has any; waits for the first where there is nothing."""
    until = time.monotonic() + timeout_s
    while True:
        items = [(camera, item) for camera in cameras if (item := camera.read(0)) is not None]
        left = until - time.monotonic()
        if items or left <= 0:
            return items
        wait([waitable for camera in cameras for waitable in camera.waitables()], min(left, 1.0))
