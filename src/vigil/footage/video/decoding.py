"""Decoding with PyAV: what opens, when each picture is to be shown, and how it is to be turned."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.reformatter import Interpolation, VideoReformatter

from vigil.core.errors import Rejected
from vigil.footage.video import damage

LARGEST_PX = 8192 * 8192  # a picture: beyond 8K, and 200 MB in memory
# Playlists and lists of files are no videos: they would open other files, or the network.
OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "aac,apng,asf,av1,avi,dv,flac,flv,gif,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nut,obu,ogg,rm,vc1,wav,webm,yuv4mpegpipe",
}
COPIED = Interpolation.BILINEAR | Interpolation.BITEXACT  # the same on every processor
SCALED = (
    Interpolation.AREA | Interpolation.BITEXACT | Interpolation.ACCURATE_RND
)  # without the last: too dark by 1 or 2


@contextmanager
def open_video(path: Path, threads: int) -> Iterator[tuple[Any, Any]]:
    """Opens a file as (container, its first video stream), ready to decode."""
    try:
        with av.open(str(path.absolute()), options=OPTIONS, metadata_errors="replace") as container:
            moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
            if not moving:
                raise Rejected(damage.explain_cut(path) or "no video stream: the file holds sound or data alone")
            stream, codec = moving[0], moving[0].codec_context
            if codec is None:
                raise Rejected(
                    "its codec is not known: the file is damaged, or needs 'ffmpeg -i OLD -c:v libx264 NEW.mp4'"
                )
            if codec.width * codec.height > LARGEST_PX:
                raise Rejected(
                    f"{codec.width}x{codec.height} px: larger than 8192x8192, the most that is decoded; shrink it"
                )
            stream.thread_type = "SLICE" if _by_dts(container) else "AUTO"
            codec.thread_count = threads
            yield container, stream
    except (av.error.FFmpegError, OSError) as error:
        raise Rejected(damage.explain_unopenable(path, error.strerror or str(error))) from None


@contextmanager
def collect_complaints() -> Iterator[list[tuple[int, str, str]]]:
    """Collects (level, who, what) of the errors that the libraries report meanwhile."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        av.logging.set_level(level)


def decode_pictures(container: Any, stream: Any, tally: damage.Tally) -> Iterator[tuple[Fraction, Any]]:
    """Yields (time, picture) of all that decodes."""
    clock = Clock(stream, _by_dts(container))
    for packet in (packet for packet in _demux_packets(container, stream) if packet.size):
        try:
            frames, refused = packet.decode(), False
        except av.error.FFmpegError:
            frames, refused = [], True
        tally.packet(packet.is_keyframe, packet.is_corrupt, refused)
        for frame in frames:
            tally.frame(frame.key_frame, frame.is_corrupt)
            yield clock.time(frame), frame
    for frame in _flush_decoder(stream):
        tally.frame(frame.key_frame, frame.is_corrupt)
        yield clock.time(frame), frame


def _demux_packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yields the stream's packets up to the end, or to where the file breaks off."""
    while True:
        try:
            yield from container.demux(stream)
            return
        except (
            IndexError
        ):  # PyAV met a packet of another stream that began later, and goes on behind it when asked anew
            continue
        except av.error.FFmpegError:
            return


def _flush_decoder(stream: Any) -> list[Any]:
    """Returns the pictures that the decoder still holds after the last packet."""
    try:
        return list(stream.decode(None))
    except av.error.FFmpegError:
        return []


def _by_dts(container: Any) -> bool:
    """Says whether only the order of decoding can be trusted: AVI has no presentation times."""
    return container.format.name == "avi"


class Clock:
    """Times from stamps: from 0, always forward. `now` is the newest."""

    def __init__(self, stream: Any, by_dts: bool) -> None:
        self.by_dts = by_dts
        self.tick = Fraction(stream.time_base or 0)
        self.step = 1 / Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.start = 0  # stamp of time 0
        self.now = Fraction(-1)

    def time(self, frame: Any) -> Fraction:
        """Returns the time of a frame, always later than the one before.

        A frame without a stamp is one frame later. One that is behind by over a second began the stamps anew; one that
        is behind by less is 1 ms later.
        """
        stamp = frame.dts if self.by_dts or frame.pts is None else frame.pts
        if self.now < 0:
            self.start = stamp or 0
            self.now = Fraction(0)
            return self.now
        if stamp is None:
            self.now += self.step
            return self.now
        time = Fraction((stamp - self.start) * self.tick.numerator, self.tick.denominator)
        if time > self.now:
            self.now = time
        elif time < self.now - 1:
            self.now += self.step
            self.start = stamp - round(self.now / self.tick)
        else:
            self.now += Fraction(1, 1000)
        return self.now


def claimed_frame_count(container: Any, stream: Any) -> int | None:
    """Returns the number of frames by the container's word, or by its duration and rate; None where it says neither."""
    if stream.frames:
        return int(stream.frames)
    if not stream.average_rate or not (stream.duration or container.duration):
        return None
    seconds = stream.duration * stream.time_base if stream.duration else Fraction(container.duration, av.time_base)
    return round(seconds * stream.average_rate)


class Picture:
    """Turns decoded pictures into RGB as shown, all of the first one's size. `size` is (width, height)."""

    def __init__(self, first: Any, size_px: int | None = None) -> None:
        self._stored = shrink_size(first.width, first.height, size_px)
        self._turn = _orientation(first)
        self._reformat = VideoReformatter().reformat
        width, height = self._stored
        self.size = (height, width) if self._turn[0] else (width, height)

    def __call__(self, frame: Any) -> np.ndarray:
        """(H, W, 3) uint8."""
        scales = (frame.width, frame.height) != self._stored
        image = self._reformat(
            frame, *self._stored, "rgb24", interpolation=SCALED if scales else COPIED, threads=1
        ).to_ndarray()
        swap, mirror, flip = self._turn
        if swap:
            image = image.transpose(1, 0, 2)
        return np.ascontiguousarray(image[:: -1 if flip else 1, :: -1 if mirror else 1])


def shrink_size(width: int, height: int, size_px: int | None) -> tuple[int, int]:
    """Shrinks the shorter side to `size_px`, the longer one in proportion and even; what is smaller already stays."""
    short = min(width, height)
    if size_px is None or size_px >= short:
        return width, height
    longer = max(size_px, 2 * round(Fraction(max(width, height) * size_px, 2 * short)))
    return (longer, size_px) if width > height else (size_px, longer)


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Returns (swap the axes, then mirror left and right, then turn upside down) from the display matrix."""
    matrix = next((data for data in frame.side_data if data.type == Type.DISPLAYMATRIX), None)
    if matrix is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5]
    swap = abs(int(b)) > abs(int(a))
    return (swap, bool(c < 0), bool(b < 0)) if swap else (swap, bool(a < 0), bool(d < 0))
