"""Clips of a camera's alerts: cut as they were encoded, or, where heads are hidden, encoded anew in the background."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vigil.capture.live.camera import Camera
from vigil.core.errors import VigilError
from vigil.delivery.alert import Alert, revise
from vigil.evidence.hidden_clips import hide_clip
from vigil.evidence.hiding import HeadTimes

Put = Callable[[Alert], object]


@dataclass(frozen=True)
class PendingClip:
    """A clip to be cut when the camera's time has come to `due_s`."""

    alert: Alert
    start_s: Fraction
    due_s: Fraction

    @property
    def name(self) -> str:
        """Its path in the evidence folder."""
        return f"{self.alert.camera}/{self.alert.id}.mp4"


class ClipWriter:
    """Writes one clip at a time; an alert whose clip cannot be written stays an alert."""

    def __init__(self, heads: HeadTimes | None) -> None:
        """With `heads` they are hidden, in a thread of its own, for that takes seconds."""
        self._heads = heads
        self._pool = None if heads is None else ThreadPoolExecutor(1, "clips")
        self._running: list[tuple[PendingClip, Future[None]]] = []

    def write(self, camera: Camera, pending: PendingClip, evidence: Path, size: tuple[int, int], put: Put) -> None:
        """Cuts a clip, or begins to; `put` gets the alert with it. VigilError where nothing of it is kept.

        `size` (width, height) is that of the frames in which heads were found.
        """
        path = evidence / pending.name
        if self._pool is None or self._heads is None:
            camera.cut_clip(pending.start_s, pending.due_s, path)
            put(revise(pending.alert, clip=pending.name))
            return
        memory, clip = camera.copy_clip(pending.start_s, pending.due_s)
        heads = self._heads.between(float(clip.start_s), float(clip.stop_s))
        future = self._pool.submit(hide_clip, memory, clip.start_s, heads, size, path)
        self._running.append((pending, future))

    def settle(self, put: Put) -> None:
        """Puts the alerts whose clips have been written meanwhile."""
        done = [entry for entry in self._running if entry[1].done()]
        self._running = [entry for entry in self._running if not entry[1].done()]
        for pending, future in done:
            error = future.exception()
            if error is None:
                put(revise(pending.alert, clip=pending.name))
            elif not isinstance(error, VigilError):
                raise error

    def close(self, put: Put) -> None:
        """Waits for what is being written."""
        if self._pool is not None:
            self._pool.shutdown()
        self.settle(put)
