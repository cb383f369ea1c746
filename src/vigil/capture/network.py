"""Opening what is not a file: cameras, streams, playlists and pipes. Nothing here may read a local file."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.logging

from vigil.capture.byte_streams import Pipe
from vigil.capture.sources import Kind, Source
from vigil.core.errors import Rejected, VigilError
from vigil.footage.video import decoding

REACHED = "rtp,rtsp,rtsps,srtp,udp,tcp,tls,http,https,httpproxy,crypto,data"
FORMATS: Mapping[Kind, str | None] = {
    "rtsp": "rtsp",
    "mjpeg": None,
    "hls": "hls",
    "page": None,
    "playlist": "hls",
    "webcam": "v4l2",
}
LOOK_US = 100_000  # of a camera are looked at for what it sends; meanwhile its packets wait, and are late
LONG_LOOK_US = 5_000_000  # where that says nothing


@contextmanager
def open_stream(source: Source, open_s: float, read_s: float, look_us: int = LOOK_US) -> Iterator[tuple[Any, Any]]:
    """Opens a camera or a stream as (container, its first video stream). FFmpegError says what fails."""
    av.logging.set_level(None)  # libraries print addresses, and passwords are in them
    options = {"protocol_whitelist": REACHED}
    if source.kind == "rtsp":
        options |= {"rtsp_flags": "prefer_tcp", "timeout": str(int(read_s * 1e6)), "analyzeduration": str(look_us)}
    elif source.kind == "webcam":
        options = {}
    elif source.kind in ("hls", "page"):
        options |= {"live_start_index": "-1", "max_reload": "20", "http_persistent": "0"}
    if source.headers:
        options["headers"] = "".join(f"{key}: {value}\r\n" for key, value in source.headers)
    address = f"/dev/video{source.location}" if source.kind == "webcam" else source.secret_address()
    with av.open(
        address, format=FORMATS[source.kind], options=options, timeout=(open_s, read_s), metadata_errors="replace"
    ) as container:
        stream = _first_video(container)
        if stream.codec_context.width or look_us == LONG_LOOK_US:
            yield container, stream
            return
    with open_stream(source, open_s, read_s, LONG_LOOK_US) as container_and_stream:
        yield container_and_stream


def require_webcams(sources: Iterable[Source], devices: Path = Path("/dev")) -> None:
    """VigilError where a camera number that was given by hand is of no camera. One of a file of cameras may come later.

    Where the system has no folder of devices it is not known.
    """
    numbers = sorted(int(path.name[5:]) for path in devices.glob("video*") if path.name[5:].isdecimal())
    for source in sources:
        if (
            source.kind == "webcam"
            and source.entry is None
            and devices.is_dir()
            and int(source.location) not in numbers
        ):
            numbers_here = ", ".join(map(str, numbers)) or "none is connected, or this user may not see it"
            raise VigilError(
                f"{source.address}: no such camera ({devices}/video{source.location}). Cameras here: {numbers_here}."
            )


@contextmanager
def open_playlist(source: Source) -> Iterator[tuple[Any, Any]]:
    """Opens an HLS recording for decoding to its end."""
    try:
        with open_stream(source, 20.0, 20.0) as container_and_stream:
            yield container_and_stream
    except (av.error.FFmpegError, OSError) as error:
        raise Rejected(f"cannot be read ({error.strerror or type(error).__name__})") from None


@contextmanager
def open_pipe(pipe: Pipe) -> Iterator[tuple[Any, Any]]:
    """Opens a video that comes as bytes."""
    formats = {"format_whitelist": decoding.OPTIONS["format_whitelist"]}
    try:
        with av.open(pipe, options=formats, metadata_errors="replace") as container:
            yield container, _first_video(container)
    except (av.error.FFmpegError, OSError) as error:
        raise Rejected(f"no video that can be opened ({error.strerror or type(error).__name__})") from None


def _first_video(container: Any) -> Any:
    if not container.streams.video:
        raise Rejected("no video stream: it holds sound or data alone")
    stream = container.streams.video[0]
    codec = stream.codec_context
    if codec is None:
        raise Rejected("its codec is not known")
    if codec.width * codec.height > decoding.LARGEST_PX:
        raise Rejected(f"{codec.width}x{codec.height} px: larger than 8192x8192, the most that is decoded")
    stream.thread_type = "SLICE"
    codec.thread_count = 1
    return stream
