"""Reading video with exact timestamps and writing it for browsers, files and folders of images alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np

from vigil.errors import Rejected

SMALLEST_PX = 16  # shorter side; below it no person can be seen


@dataclass(frozen=True)
class Probe:
    """What decodes, as opposed to what the container claims; width and height as shown."""

    fps: Fraction
    frames: int
    width: int
    height: int
    duration_s: Fraction
    claimed_frames: int | None


@dataclass(frozen=True)
class Frame:
    """One picture as shown: `image` (H, W, 3) uint8 RGB; `time_s` starts at 0."""

    index: int
    time_s: Fraction
    image: np.ndarray


def probe(path: Path) -> Probe:
    """Decode to the end; Rejected says what is wrong with the file and what to do."""
    first: Fraction | None = None
    last: Fraction | None = None
    width = height = frames = 0
    for frame in read(path, wanted=lambda _: True):
        first, last, frames = frame.time_s if first is None else first, frame.time_s, frames + 1
        height, width = frame.image.shape[:2]
    if first is None or last is None:
        raise Rejected("no frame decodes: the file is empty or damaged; fetch it again")
    fps = Fraction(frames - 1) / (last - first) if frames > 1 else Fraction(10)
    return Probe(fps, frames, width, height, last + 1 / fps, None)


def read(
    path: Path, size_px: int | None = None, wanted: Callable[[Fraction], bool] | None = None, threads: int = 1
) -> Iterator[Frame]:
    """Frames in order; `size_px` shrinks the shorter side; unwanted times are decoded and not converted."""
    try:
        container: Any
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Rejected("no video stream")
            stream: Any = container.streams.video[0]
            stream.thread_type = "AUTO" if threads > 1 else "NONE"
            stream.codec_context.thread_count = threads
            first: Any = None
            for index, frame in enumerate(container.decode(stream)):
                stamp = (frame.pts if frame.pts is not None else frame.dts) * frame.time_base
                first = stamp if first is None else first
                if wanted is None or wanted(stamp - first):
                    yield Frame(index, stamp - first, _picture(frame, size_px))
    except av.error.FFmpegError as error:
        raise Rejected(f"{error.strerror}: the file is damaged or no video; fetch it again") from None


def _picture(frame: Any, size_px: int | None) -> np.ndarray:
    width, height = frame.width, frame.height
    if size_px is not None and size_px < min(width, height):
        scale = Fraction(size_px, min(width, height))
        width, height = (max(size_px, 2 * round(side * scale / 2)) for side in (width, height))
    image = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))


class Writer:
    """H.264 in mp4 that browsers play; width and height even. Use with `with`."""

    def __init__(self, path: Path, fps: Fraction, size: tuple[int, int]) -> None:
        self._container: Any = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: Any = self._container.add_stream("libx264", rate=Fraction(fps))
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        self._next = 0
        self._time_base = 1 / Fraction(fps)

    def write(self, image: np.ndarray) -> None:
        """Append `image` (H, W, 3) uint8 RGB."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = self._next, self._time_base
        self._next += 1
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
