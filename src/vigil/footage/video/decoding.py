"""Decoding with PyAV: what opens, when each picture is to be shown, and how it is to be turned."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from vigil.core.errors import Rejected
from vigil.footage.video import damage
from vigil.footage.video.soundness import Soundness
from vigil.footage.video.transport import find_holes

ZEROS = 64  # bytes at the end of the last packet: what a file system fills in that lost power
LARGEST_PX = 8192 * 8192  # a picture: beyond 8K, and 200 MB in memory
# Playlists and lists of files are no videos: they would open other files, or the network.
OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "aac,apng,asf,av1,avi,dv,flac,flv,gif,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nut,obu,ogg,rm,vc1,wav,webm,yuv4mpegpipe",
}
COPIED = Interpolation.BILINEAR | Interpolation.BITEXACT  # the same on every processor
# Without ACCURATE_RND pictures are too dark by 1 or 2 grey levels.
SCALED = Interpolation.AREA | Interpolation.BITEXACT | Interpolation.ACCURATE_RND


@contextmanager
def open_video(path: Path) -> Iterator[tuple[Any, Any]]:
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
            codec.thread_count = 1  # threads would report damage late, at another picture
            yield container, stream
    except (av.error.FFmpegError, OSError) as error:
        raise Rejected(damage.explain_unopenable(path, error.strerror or str(error))) from None


@dataclass(frozen=True)
class DecodedPicture:
    """A sound picture of a stream, not yet turned into RGB. `index` counts all pictures, distorted ones too."""

    index: int
    time_s: Fraction
    picture: Any
    after_loss: bool  # whether something that cannot be used lies between the sound picture before and this one


@dataclass
class Tally:
    """The counts of one pass over a stream."""

    packets: int = 0
    sound: int = 0  # pictures
    distorted: int = 0  # pictures, which are left out
    refused: int = 0  # packets that the decoder could make nothing of
    complaints: int = 0  # of the reader about the structure of the file
    is_cut: bool = False  # ends in the middle of a picture


def decode_pictures(container: Any, stream: Any, tally: Tally) -> Iterator[DecodedPicture]:
    """Yields all sound pictures in the order in which they are shown; distorted ones are counted, and left out."""
    soundness = Soundness()
    clock = Clock(stream, _by_dts(container))
    held: deque[tuple[Any, int, int]] = deque()  # picture, number of its packet, root
    decoder = stream.codec_context
    decoder.copy_opaque = True
    pictures, after_loss, last = 0, False, None

    def release(held_back: int) -> Iterator[DecodedPicture]:
        nonlocal pictures, after_loss
        while len(held) > held_back:
            picture, number, root = held.popleft()
            begun, pictures = soundness.has_begun(number), pictures + 1
            if begun:
                clock.begin(picture)
            if begun and soundness.is_sound(number, root):
                tally.sound += 1
                yield DecodedPicture(pictures - 1, clock.time(picture), picture, after_loss)
                after_loss = False
            else:
                tally.distorted += begun
                after_loss = True

    for packet, is_incomplete, after_hole in _demux_packets(container, stream, tally):
        number = soundness.see_packet(packet.is_keyframe, is_incomplete, after_hole)
        packet.opaque, last = number, packet
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            soundness.see_refusal(number)
            decoded, after_loss = [], True
        for picture in decoded:
            held.append((picture, *_see_picture(soundness, picture, number)))
            yield from release(1 + 2 * decoder.has_b_frames)
    for picture in _flush_decoder(stream):
        held.append((picture, *_see_picture(soundness, picture, soundness.packets - 1)))
    tally.is_cut |= _ends_in_zeros(last)
    if tally.is_cut:
        soundness.see_end()
    yield from release(0)
    tally.packets, tally.refused = soundness.packets, soundness.refused


def _ends_in_zeros(packet: Any) -> bool:
    """Says whether the newest packet was never written to the end."""
    return packet is not None and not any(bytes(packet)[-ZEROS:])


def _see_picture(soundness: Soundness, picture: Any, newest: int) -> tuple[int, int]:
    """Returns the numbers of the picture's packet and of its root; `newest` where the decoder does not tell."""
    number = newest if picture.opaque is None else picture.opaque
    return number, soundness.see_picture(number, picture.pict_type == PictureType.I, picture.is_corrupt)


def _demux_packets(container: Any, stream: Any, tally: Tally) -> Iterator[tuple[Any, bool, bool]]:
    """Yields the stream's packets up to the end, or to where the file breaks off.

    With each comes whether it is incomplete, and whether something is missing before it.
    """
    is_transport = container.format.name == "mpegts"  # whose reader marks the wrong packets
    holes = deque(find_holes(Path(container.name), stream.id) if is_transport else ())
    complaints = 0
    packets = container.demux(stream)
    while True:
        packet = None
        with _collect_complaints() as log:
            try:
                packet = next(packets, None)
            except IndexError:
                # PyAV met a packet of another stream that began later, and goes on behind it when asked anew
                packets = container.demux(stream)
                continue
            except av.error.FFmpegError:
                pass
        complaints += sum(1 for _, name, _ in log if name == "matroska,webm")
        if packet is not None and not packet.size:
            continue
        after_hole = complaints > 0
        tally.complaints += complaints
        complaints = 0
        if packet is None:
            tally.is_cut |= bool(holes) or after_hole
            return
        while holes and packet.pos is not None and holes[0] <= packet.pos:
            after_hole |= not (holes.popleft() == packet.pos and packet.is_keyframe)  # else a joint of two recordings
        tally.is_cut = packet.is_corrupt and not is_transport
        yield packet, tally.is_cut, after_hole


@contextmanager
def _collect_complaints() -> Iterator[list[tuple[int, str, str]]]:
    """Collects (level, who, what) of the errors that the libraries report meanwhile."""
    level, skips_repeated = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips_repeated)


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
    """Times from stamps: from 0, always forward. `now` is the newest, negative before the first."""

    def __init__(self, stream: Any, by_dts: bool) -> None:
        self.by_dts = by_dts
        self.tick = Fraction(stream.time_base or 0)
        self.step = 1 / Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.start: int | None = None  # stamp of time 0
        self.now = Fraction(-1)

    def begin(self, frame: Any) -> None:
        """Lets time 0 be that of the first picture, sound or not, so that times are those that a player shows."""
        if self.start is None:
            self.start = self._stamp(frame) or 0

    def time(self, frame: Any) -> Fraction:
        """Returns the time of a frame, always later than the one before.

        A frame without a stamp is one frame later. One that is behind by over a second began the stamps anew; one that
        is behind by less is 1 ms later.
        """
        self.begin(frame)
        stamp, start = self._stamp(frame), self.start or 0
        time = None if stamp is None else Fraction((stamp - start) * self.tick.numerator, self.tick.denominator)
        if self.now < 0:
            self.now = max(time or Fraction(0), Fraction(0))
        elif time is None:
            self.now += self.step
        elif time > self.now:
            self.now = time
        elif stamp is not None and time < self.now - 1:
            self.now += self.step
            self.start = stamp - round(self.now / self.tick)
        else:
            self.now += Fraction(1, 1000)
        return self.now

    def _stamp(self, frame: Any) -> int | None:
        stamp: int | None = frame.dts if self.by_dts or frame.pts is None else frame.pts
        return stamp


def claimed_frame_count(container: Any, stream: Any) -> int | None:
    """Returns the number of frames by the container's word, or by its duration and rate; None where it says neither."""
    if stream.frames:
        return int(stream.frames)
    if not stream.average_rate or not (stream.duration or container.duration):
        return None
    seconds = stream.duration * stream.time_base if stream.duration else Fraction(container.duration, av.time_base)
    return round(seconds * stream.average_rate)


class Picture:
    """Turns decoded pictures into RGB as shown, all of the first one's size. `size` is (width, height).

    With `grey_px` they become grey squares of that side, to which they are stretched.
    """

    def __init__(self, first: Any, size_px: int | None = None, grey_px: int | None = None) -> None:
        self._stored = (grey_px, grey_px) if grey_px else shrink_size(first.width, first.height, size_px)
        self._format = "gray" if grey_px else "rgb24"
        self._turn = _orientation(first)
        self._reformat = VideoReformatter().reformat
        width, height = self._stored
        self.size = (height, width) if self._turn[0] else (width, height)

    def __call__(self, frame: Any) -> np.ndarray:
        """Returns (H, W, 3) uint8, or (H, W) of a grey square."""
        scales = (frame.width, frame.height) != self._stored
        image = self._reformat(
            frame, *self._stored, self._format, interpolation=SCALED if scales else COPIED, threads=1
        ).to_ndarray()
        swap, mirror, flip = self._turn
        if swap:
            image = image.swapaxes(0, 1)
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
