"""Evidence clips out of a video file: cut at packets, so nothing is encoded anew and nothing is lost."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vigil.core.errors import VigilError
from vigil.core.storage import replacing

BEFORE_S, AFTER_S = 5.0, 5.0  # of an alert


def cut_file(source: Path, start_s: float, stop_s: float, path: Path) -> tuple[float, float]:
    """Writes what a video file shows from `start_s` to `stop_s` as MP4, and returns from when to when it reaches.

    It begins with the key picture at or before `start_s`, without which the rest cannot be decoded.
    """
    try:
        with av.open(str(source.absolute())) as container:
            stream: Any = container.streams.video[0]
            first = _first_time(container, stream)
            container.seek(int((first + Fraction(max(start_s, 0.0))) / stream.time_base), stream=stream, backward=True)
            with replacing(path) as partial_path:
                options = {"movflags": "+faststart"}
                with av.open(str(partial_path.absolute()), "w", format="mp4", options=options) as written:
                    return _copy(container, stream, written, first, stop_s)
    except (av.error.FFmpegError, OSError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VigilError(f"{path}: the clip of {source.name} cannot be cut: {reason}.") from None


def _copy(container: Any, stream: Any, written: Any, first: Fraction, stop_s: float) -> tuple[float, float]:
    copied = written.add_stream_from_template(stream)
    begun: Fraction | None = None
    ended = offset = Fraction(0)
    for packet in container.demux(stream):
        if packet.dts is None or packet.pts is None or (begun is None and not packet.is_keyframe):
            continue
        time_s = packet.pts * stream.time_base - first
        if begun is None:
            begun, offset = time_s, Fraction(packet.dts)
        if packet.dts * stream.time_base - first > Fraction(stop_s):
            break
        ended = max(ended, time_s)
        packet.pts, packet.dts = int(packet.pts - offset), int(packet.dts - offset)
        packet.stream = copied
        written.mux(packet)
    if begun is None:
        raise VigilError(f"no key picture before {stop_s:.1f} s")
    return float(begun), float(ended)


def _first_time(container: Any, stream: Any) -> Fraction:
    """Times of a recording begin with its first picture, whatever the container says."""
    for packet in container.demux(stream):
        if packet.pts is not None:
            return Fraction(packet.pts * stream.time_base)
    raise VigilError("no packet in it")
