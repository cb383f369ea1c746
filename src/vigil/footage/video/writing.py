"""Writes video that browsers play, the same bytes for the same frames."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from vigil.core.errors import VigilError
from vigil.core.storage import replacing


class VideoWriter:
    """H.264 in mp4 that browsers play: `with VideoWriter(path, fps, (width, height)) as video`, both sides even.

    One thread and x264's `cpu-independent` make the same frames the same bytes, at every size. (Its fast macroblock
    tree is not repeatable without it, not even at 320x240.) A block that fails leaves no file.
    """

    def __init__(self, path: Path, fps: Fraction, size: tuple[int, int]) -> None:
        width, height = size
        if width % 2 or height % 2 or min(size) < 2 or fps <= 0:
            raise VigilError(f"{path}: cannot write {width}x{height} px at {fps} fps: sides must be even, fps above 0.")
        self._path, self._fps, self._size = path, Fraction(fps), size
        self._frames = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            options = {"movflags": "+faststart"}
            self._container: Any = stack.enter_context(
                av.open(str(temporary.absolute()), "w", format="mp4", options=options)
            )
            self._stream: Any = self._container.add_stream("libx264", rate=self._fps)
            self._stream.width, self._stream.height = self._size
            self._stream.pix_fmt = "yuv420p"
            self._stream.options = {"crf": "20", "preset": "veryfast", "x264-params": "cpu-independent=1:threads=1"}
            context = self._stream.codec_context
            context.thread_count = 1
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU601
            stack.push(self._finish)
            self._stack = stack.pop_all()
        return self

    def write(self, image: np.ndarray) -> None:
        """Appends `image` (H, W, 3) uint8 RGB."""
        if image.shape != (self._size[1], self._size[0], 3) or image.dtype != np.uint8:
            raise ValueError(f"a frame of {image.shape} {image.dtype} in a video of {self._size[0]}x{self._size[1]} px")
        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = self._frames, 1 / self._fps
        self._frames += 1
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            if not self._frames:
                raise VigilError(f"{self._path}: no frame was written: a video needs at least one.")
            self._container.mux(self._stream.encode(None))
