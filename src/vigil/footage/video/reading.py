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
from vigil.footage.video.timeline import Pauses, Timeline

SMALLEST_PX = 16  # shorter side: in less no person can be seen


@dataclass(frozen=True)
class Probe:
    """The measures of what decodes, whatever the container claims. Width and height are as shown."""

    fps: Fraction  # the average within the pieces of the recording
    frames: int  # sound ones
    width: int
    height: int
    duration_s: Fraction  # from the first frame to the end of the last, pauses and all
    pauses: Pauses = ()
    damage: str = ""  # what is lost of a damaged recording

    @property
    def watched_s(self) -> Fraction:
        return self.duration_s - sum((stop - start for start, stop in self.pauses), Fraction(0))


@dataclass(frozen=True)
class Frame:
    """One picture as shown: `image` (H, W, 3) uint8 RGB. `index` counts all pictures; `time_s` starts at 0."""

    index: int
    time_s: Fraction
    image: np.ndarray


def probe(path: Path, fps: Fraction = images.FPS) -> Probe:
    """Decodes to the end. Rejected says what is wrong, and what to do. A folder has the `fps` that it is given.

    A damaged recording is what is sound of it, and `damage` says what is not.
    """
    if images.is_folder(path):
        return _probe_folder(path, fps)
    first: Any = None
    timeline = Timeline()
    tally = decoding.Tally()
    with decoding.open_video(path) as (container, stream):
        for decoded in decoding.decode_pictures(container, stream, tally):
            first = first or decoded.picture
            timeline.add(decoded.time_s, decoded.after_loss)
        losses = explain_losses(path, container, stream, tally)
        named_rates = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
        tick = Fraction(stream.time_base or 0)
    width, height = decoding.Picture(first).size if first else (0, 0)
    _refuse_unusable(tally.sound, width, height, losses)
    rate = timeline.rate(tick, named_rates)
    return Probe(rate, tally.sound, width, height, timeline.last_s + 1 / rate, timeline.pauses(rate), damage=losses)


def explain_losses(path: Path, container: Any, stream: Any, tally: decoding.Tally) -> str:
    """Says what is lost of a file that was read to its end, or ''; it must still be open."""
    losses = damage.Losses(
        sound=tally.sound,
        lost=tally.distorted + tally.refused,
        packets=tally.packets,
        is_cut=tally.is_cut,
        claimed=decoding.claimed_frame_count(container, stream),
        indexed=sum(1 for entry in stream.index_entries if entry.size),
        complaints=tally.complaints,
    )
    return damage.explain_damage(path, losses)


def read_frames(
    path: Path,
    size_px: int | None = None,
    is_due: Callable[[Fraction], bool] | None = None,
    fps: Fraction = images.FPS,
    grey_px: int | None = None,
) -> Iterator[Frame]:
    """Yields the frames in order, in constant memory.

    `size_px` shrinks the shorter side to it, the longer one in proportion to an even number; nothing is enlarged.
    With `grey_px` a picture is a grey square (grey_px, grey_px) instead, which costs half as much as RGB and less.
    `is_due` is asked once for the time of every frame, in order; the others cost their decoding and no more.
    Damaged stretches are passed over, down to the last picture that is built upon a damaged one.
    """
    if images.is_folder(path):
        yield from _read_folder(path, size_px, is_due, fps, grey_px)
        return
    tally = decoding.Tally()
    with decoding.open_video(path) as (container, stream):
        picture: decoding.Picture | None = None
        for decoded in decoding.decode_pictures(container, stream, tally):
            picture = picture or decoding.Picture(decoded.picture, size_px, grey_px)
            if is_due is None or is_due(decoded.time_s):
                yield Frame(decoded.index, decoded.time_s, picture(decoded.picture))
    if not tally.sound:
        raise Rejected("no frame decodes: the file is damaged; fetch it again")


def frame_times(path: Path, fps: Fraction) -> Iterator[tuple[int, Fraction]]:
    """Yields the index and the time of every frame, as `read_frames` has them."""
    if images.is_folder(path):
        yield from ((index, position / fps) for index, (position, _) in enumerate(images.list_numbered(path)))
        return
    with decoding.open_video(path) as (container, stream):
        for decoded in decoding.decode_pictures(container, stream, decoding.Tally()):
            yield decoded.index, decoded.time_s


def _refuse_unusable(frames: int, width: int, height: int, losses: str = "") -> None:
    if not frames:
        raise Rejected(f"{losses or 'no frame decodes: the file is damaged'}; fetch it again")
    if frames == 1:
        raise Rejected(f"{losses}; fetch it again" if losses else "only 1 frame decodes: a still picture is no video")
    refuse_tiny(width, height)


def refuse_tiny(width: int, height: int) -> None:
    """Raises Rejected where a picture is too small for what it shows to be seen."""
    if min(width, height) < SMALLEST_PX:
        raise Rejected(f"{width}x{height} px: too small to see a person (at least {SMALLEST_PX} px)")


def _probe_folder(folder: Path, fps: Fraction) -> Probe:
    numbered = images.list_numbered(folder)
    size: tuple[int, int] | None = None
    for _, file in numbered:
        height, width = images.decode_image(file, size).shape[:2]
        size = (width, height)
    _refuse_unusable(len(numbered), width, height)
    timeline = Timeline()
    for position, _ in numbered:
        timeline.add(position / Fraction(fps))
    duration_s = (numbered[-1][0] + 1) / Fraction(fps)
    return Probe(Fraction(fps), len(numbered), width, height, duration_s, timeline.pauses(Fraction(fps)))


def _read_folder(
    folder: Path, size_px: int | None, is_due: Callable[[Fraction], bool] | None, fps: Fraction, grey_px: int | None
) -> Iterator[Frame]:
    size: tuple[int, int] | None = None
    for index, (position, file) in enumerate(images.list_numbered(folder)):
        time = position / Fraction(fps)
        if is_due is None or is_due(time):
            image = images.decode_image(file, size)
            size = (image.shape[1], image.shape[0])
            small = decoding.shrink_size(*size, size_px)
            if grey_px:
                image = images.grey_square(image, grey_px)
            elif small != size:
                image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            yield Frame(index, time, image)
