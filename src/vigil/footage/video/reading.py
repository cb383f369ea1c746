"""Reads video with exact timestamps, from files and from folders of numbered images alike.

Times are the stream's own, as fractions of a second from its first picture, and never go back. Pictures come as they
are to be shown: turned and mirrored as the file asks, all of the first one's size. Pixels stay as they are stored: the
few files whose pixels are not square look as stretched here as they do to OpenCV, and annotations in pixels hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import Rejected
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
    """Decodes to the end. Rejected says what is wrong, and what to do. A folder has the `fps` that it is given."""
    if images.is_folder(path):
        return _probe_folder(path, fps)
    first: Any = None
    last = Fraction(0)
    tally = damage.Tally()
    with decoding.collect_complaints() as log, decoding.open_video(path, 1) as (container, stream):
        for time, frame in decoding.decode_pictures(container, stream, tally):
            first, last = first or frame, time
        claimed = decoding.claimed_frame_count(container, stream)
        indexed = sum(1 for entry in stream.index_entries if entry.size)
        rates = [stream.average_rate, stream.guessed_rate]
        tick = Fraction(stream.time_base or 0)
        complaints = sum(1 for _, name, _ in log if name == "matroska,webm")
    reason = damage.explain_damage(path, tally, claimed, indexed, complaints)
    if reason:
        raise Rejected(reason)
    width, height = decoding.Picture(first).size if first else (0, 0)
    _refuse_unusable(tally.frames, width, height)
    rate = _choose_rate(tally.frames, last, tick, [rate for rate in rates if rate])
    return Probe(rate, tally.frames, width, height, last + 1 / rate, claimed)


def read_frames(
    path: Path,
    size_px: int | None = None,
    is_due: Callable[[Fraction], bool] | None = None,
    threads: int = 1,
    fps: Fraction = images.FPS,
) -> Iterator[Frame]:
    """Yields the frames in order, in constant memory.

    `size_px` shrinks the shorter side to it, the longer one in proportion to an even number; nothing is enlarged.
    `is_due` is asked once for the time of every frame, in order; the others cost their decoding and no more.
    Damaged stretches are passed over: what may not be damaged is probed first.
    """
    if images.is_folder(path):
        yield from _read_folder(path, size_px, is_due, fps)
        return
    tally = damage.Tally()
    with decoding.open_video(path, threads) as (container, stream):
        picture: decoding.Picture | None = None
        for index, (time, frame) in enumerate(decoding.decode_pictures(container, stream, tally)):
            picture = picture or decoding.Picture(frame, size_px)
            if is_due is None or is_due(time):
                yield Frame(index, time, picture(frame))
    if not tally.frames:
        raise Rejected("no frame decodes: the file is damaged; fetch it again")


def _choose_rate(frames: int, last: Fraction, tick: Fraction, rates: list[Fraction]) -> Fraction:
    """Returns the average rate, or a usual or named one where the stamps cannot tell them apart."""
    mean = (frames - 1) / last
    near = [rate for rate in [*rates, *RATES] if abs(rate - mean) * last <= 2 * tick * mean]
    return min(near, key=lambda rate: abs(rate - mean), default=Fraction(round(mean * 1000), 1000))


def _refuse_unusable(frames: int, width: int, height: int) -> None:
    if not frames:
        raise Rejected("no frame decodes: the file is damaged; fetch it again")
    if frames == 1:
        raise Rejected("only 1 frame decodes: a still picture is no video")
    if min(width, height) < SMALLEST_PX:
        raise Rejected(f"{width}x{height} px: too small to see a person (at least {SMALLEST_PX} px)")


def _probe_folder(folder: Path, fps: Fraction) -> Probe:
    numbered = images.list_numbered(folder)
    size: tuple[int, int] | None = None
    for _, file in numbered:
        height, width = images.decode_image(file, size).shape[:2]
        size = (width, height)
    _refuse_unusable(len(numbered), width, height)
    positions = numbered[-1][0] + 1
    return Probe(Fraction(fps), len(numbered), width, height, positions / Fraction(fps), positions)


def _read_folder(
    folder: Path, size_px: int | None, is_due: Callable[[Fraction], bool] | None, fps: Fraction
) -> Iterator[Frame]:
    size: tuple[int, int] | None = None
    for index, (position, file) in enumerate(images.list_numbered(folder)):
        time = position / Fraction(fps)
        if is_due is None or is_due(time):
            image = images.decode_image(file, size)
            size = (image.shape[1], image.shape[0])
            small = decoding.shrink_size(*size, size_px)
            if small != size:
                image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            yield Frame(index, time, image)
