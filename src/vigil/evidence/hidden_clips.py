"""Evidence clips in which heads are hidden: decoded, hidden frame by frame, and encoded anew with the same times."""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.evidence.hiding import HeadTimes, hide_heads
from vigil.evidence.recording import Recording
from vigil.footage.video.views import read_views

TICK = Fraction(1, 90000)  # s


@dataclass(frozen=True)
class Window:
    """A part of a recording that becomes a clip."""

    start_s: float
    stop_s: float
    path: Path


def cut_recording(source: Path, recording: Recording, windows: Sequence[Window]) -> None:
    """Writes all clips of a recording in one pass over it."""
    left = sorted(windows, key=lambda window: window.start_s)
    with ExitStack() as stack:
        clips: list[tuple[Window, TimedVideo]] = []
        for view in read_views(source) if left else ():
            now = float(view.time_s)
            while left and left[0].start_s <= now:
                window = left.pop(0)
                clips.append((window, stack.enter_context(TimedVideo(window.path))))
            due = [clip for window, clip in clips if window.start_s <= now <= window.stop_s]
            if due:
                image = recording.show(view.rgb(), now)
                for clip in due:
                    clip.write(image, view.time_s)
            if not left and all(window.stop_s < now for window, _ in clips):
                break


def hide_clip(clip: io.BytesIO, start_s: Fraction, heads: HeadTimes, size: tuple[int, int], path: Path) -> None:
    """Writes a clip that is in memory and begins at `start_s`; heads are px of frames of `size` (width, height)."""
    try:
        with av.open(clip, "r") as container, TimedVideo(path) as video:
            for frame in container.decode(video=0):
                time_s = start_s + (frame.pts or 0) * Fraction(frame.time_base or 0)
                video.write(hide_heads(frame.to_ndarray(format="rgb24"), heads.near(float(time_s)), size), time_s)
    except (av.error.FFmpegError, OSError) as error:
        raise VigilError(f"{path}: the clip cannot be written: {error.strerror or type(error).__name__}.") from None


class TimedVideo:
    """H.264 in mp4, of frames with times of their own; sides are cut to even ones. No file where no frame came."""

    def __init__(self, path: Path) -> None:
        self._path, self._stack = path, ExitStack()
        self._container: Any = None
        self._stream: Any = None
        self._begun_s = Fraction(0)
        self._last = -1

    def __enter__(self) -> Self:
        return self

    def write(self, image: np.ndarray, time_s: Fraction) -> None:
        """Append `image` (H, W, 3) uint8 RGB; times rise."""
        height, width = (side - side % 2 for side in image.shape[:2])
        if self._stream is None:
            self._open(width, height)
            self._begun_s = time_s
        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
        self._last = max(round((time_s - self._begun_s) / TICK), self._last + 1)
        frame.pts, frame.time_base = self._last, TICK
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._stack.__exit__(kind, error, at)

    def _open(self, width: int, height: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = self._stack.enter_context(replacing(self._path))
        options = {"movflags": "+faststart"}
        self._container = self._stack.enter_context(
            av.open(str(partial_path.absolute()), "w", format="mp4", options=options)
        )
        self._stream = self._container.add_stream("libx264", rate=25)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.options = {"crf": "23", "preset": "veryfast"}
        self._stream.codec_context.time_base, self._stream.codec_context.thread_count = TICK, 1
