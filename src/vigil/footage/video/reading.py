"""Reading video with exact timestamps, and writing it for browsers. Files and folders of numbered images alike.

Times are the stream's own, as fractions of a second from its first picture, and never go back. Pictures come as they
are to be shown: turned and mirrored as the file asks, all of the first one's size. Pixels stay as they are stored: the
few files whose pixels are not square look as stretched here as they do to OpenCV, and annotations in pixels hold.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from vigil.core.errors import Rejected, VigilError
from vigil.core.storage import replacing
from vigil.footage.video import damage, decoding, images

SMALLEST_PX = 16  # shorter side: in less no person can be seen
RATES = [*map(Fraction, range(1, 241)), *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))]


@dataclass(frozen=True)
class Probe:
    """What decodes, as opposed to what the container claims. `fps` is the average; width and height as shown."""

    fps: Fraction
    frames: int
    width: int
    height: int
    duration_s: Fraction
    claimed_frames: int | None


@dataclass(frozen=True)
class Frame:
    """One picture as shown: `image` (H, W, 3) uint8 RGB. `index` counts all pictures; `time_s` starts at 0."""

    index: int
    time_s: Fraction
    image: np.ndarray


def probe(path: Path, fps: Fraction = images.FPS) -> Probe:
    """Decode to the end. Rejected says what is wrong, and what to do. A folder has the `fps` that it is given."""
    if images.is_folder(path):
        return _probe_folder(path, fps)
    first: Any = None
    last = Fraction(0)
    tally = damage.Tally()
    with decoding.complaints() as log, decoding.opened(path, 1) as (container, stream):
        for time, frame in decoding.decoded(container, stream, tally):
            first, last = first or frame, time
        claimed = decoding.claimed(container, stream)
        indexed = sum(1 for entry in stream.index_entries if entry.size)
        rates = [stream.average_rate, stream.guessed_rate]
        tick = Fraction(stream.time_base or 0)
        complaints = sum(1 for _, name, _ in log if name == "matroska,webm")
    reason = damage.reason(path, tally, claimed, indexed, complaints)
    if reason:
        raise Rejected(reason)
    width, height = decoding.Picture(first).size if first else (0, 0)
    _refuse(tally.frames, width, height)
    rate = _rate(tally.frames, last, tick, [rate for rate in rates if rate])
    return Probe(rate, tally.frames, width, height, last + 1 / rate, claimed)


def read(
    path: Path,
    size_px: int | None = None,
    wanted: Callable[[Fraction], bool] | None = None,
    threads: int = 1,
    fps: Fraction = images.FPS,
) -> Iterator[Frame]:
    """Frames in order, in constant memory.

    `size_px` shrinks the shorter side to it, the longer one in proportion to an even number; nothing is enlarged.
    `wanted` is asked once for the time of every frame, in order; the others cost their decoding and no more.
    Damaged stretches are passed over: what may not be damaged is probed first.
    """
    if images.is_folder(path):
        yield from _read_folder(path, size_px, wanted, fps)
        return
    tally = damage.Tally()
    with decoding.opened(path, threads) as (container, stream):
        picture: decoding.Picture | None = None
        for index, (time, frame) in enumerate(decoding.decoded(container, stream, tally)):
            picture = picture or decoding.Picture(frame, size_px)
            if wanted is None or wanted(time):
                yield Frame(index, time, picture(frame))
    if not tally.frames:
        raise Rejected("no frame decodes: the file is damaged; fetch it again")


class Writer:
    """H.264 in mp4 that browsers play: `with Writer(path, fps, (width, height)) as video`. Width and height are even.

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
            part = stack.enter_context(replacing(self._path))
            options = {"movflags": "+faststart"}
            self._container: Any = stack.enter_context(
                av.open(str(part.absolute()), "w", format="mp4", options=options)
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
        """Append `image` (H, W, 3) uint8 RGB."""
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


def _rate(frames: int, last: Fraction, tick: Fraction, rates: list[Fraction]) -> Fraction:
    """Average rate; a rate that the container names or that is usual, where the stamps cannot tell them apart."""
    mean = (frames - 1) / last
    near = [rate for rate in [*rates, *RATES] if abs(rate - mean) * last <= 2 * tick * mean]
    return min(near, key=lambda rate: abs(rate - mean), default=Fraction(round(mean * 1000), 1000))


def _refuse(frames: int, width: int, height: int) -> None:
    if not frames:
        raise Rejected("no frame decodes: the file is damaged; fetch it again")
    if frames == 1:
        raise Rejected("only 1 frame decodes: a still picture is no video")
    if min(width, height) < SMALLEST_PX:
        raise Rejected(f"{width}x{height} px: too small to see a person (at least {SMALLEST_PX} px)")


def _probe_folder(folder: Path, fps: Fraction) -> Probe:
    numbered = images.numbered(folder)
    size: tuple[int, int] | None = None
    for _, file in numbered:
        height, width = images.decode(file, size).shape[:2]
        size = (width, height)
    _refuse(len(numbered), width, height)
    positions = numbered[-1][0] + 1
    return Probe(Fraction(fps), len(numbered), width, height, positions / Fraction(fps), positions)


def _read_folder(
    folder: Path, size_px: int | None, wanted: Callable[[Fraction], bool] | None, fps: Fraction
) -> Iterator[Frame]:
    size: tuple[int, int] | None = None
    for index, (position, file) in enumerate(images.numbered(folder)):
        time = position / Fraction(fps)
        if wanted is None or wanted(time):
            image = images.decode(file, size)
            size = (image.shape[1], image.shape[0])
            small = decoding.shrunk(*size, size_px)
            if small != size:
                image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            yield Frame(index, time, image)
