"""Frames of a source that has an end: the same pictures and times that the pipeline's stages see of the same file.

    frames = read_frames(source)
    for frame in frames: ...
    if frames.damage: ...       # what is lost of it, in one line; what came before and after has come

Nothing is dropped: whoever reads slowly makes the source wait.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.capture.byte_streams import download, keep_standard_input
from vigil.capture.frames import Frame
from vigil.capture.network import open_pipe, open_playlist
from vigil.capture.sources import Source
from vigil.core.clock import START, update_pace
from vigil.core.errors import Rejected
from vigil.footage.video import decoding, images, reading
from vigil.footage.video.views import view_pictures


class FrameReader(Iterator[Frame]):
    """The frames of a recording, in order, in constant memory. `damage` is known when they have all come.

    Rejected, at the first frame, says why nothing of it can be used. Close it where not all frames are wanted.
    """

    def __init__(self, source: Source, begun: datetime | None, read: Callable[["FrameReader"], Iterator[Any]]) -> None:
        self.source = source
        self.damage = ""
        self._begun = begun
        self._frames = self._in_pieces(read(self))

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Lets go of the file."""
        self._frames.close()

    def _in_pieces(self, frames: Iterator[reading.Frame]) -> Any:
        pace, piece = START, 0
        try:
            for frame in frames:
                pace, is_after_pause = update_pace(pace, float(frame.time_s))
                piece += is_after_pause
                utc = self._begun and self._begun + timedelta(seconds=float(frame.time_s))
                yield Frame(frame.index, frame.time_s, utc, frame.image, piece)
        except Rejected as error:
            raise Rejected(f"{self.source.address}: {self.source.hide_secrets(str(error))}") from None


def read_frames(
    source: Source,
    size_px: int | None = None,
    is_due: Callable[[Fraction], bool] | None = None,
    *,
    fps: Fraction = images.FPS,
    begun: datetime | None = None,
) -> FrameReader:
    """Reads a source that has an end; it must have been looked up.

    `size_px`, `is_due` and `fps` (of a folder of images) are those of footage/video/reading.py: scaling is part of
    decoding, so a frame that is scaled later is not the frame that the pipeline sees. A piece ends where the recording
    pauses. `begun` is when the recording begins, in UTC.
    """
    if source.is_live or not source.is_looked_up:
        raise ValueError(f"{source.name}: a source of kind {source.kind} has no end, or was not looked up")

    def read(reader: FrameReader) -> Iterator[reading.Frame]:
        with ExitStack() as stack:
            if source.kind == "images":
                yield from reading.read_frames(Path(source.opened), size_px, is_due, fps=fps)
                return
            path: Path | None = None
            broken_off = ""
            if source.kind == "stdin":
                kept = stack.enter_context(keep_standard_input())
                if isinstance(kept, Path):
                    path = kept
                else:
                    opened = stack.enter_context(open_pipe(kept))
            elif source.kind == "playlist":
                opened = stack.enter_context(open_playlist(source))
            elif source.kind == "download":
                path, broken_off = stack.enter_context(download(source))
            else:
                path = Path(source.opened)
            if path is not None:
                opened = stack.enter_context(decoding.open_video(path, 1))
            yield from _decode(reader, path, opened, size_px, is_due)
            reader.damage = broken_off or reader.damage

    return FrameReader(source, begun, read)


def _decode(
    reader: FrameReader,
    path: Path | None,
    opened: tuple[Any, Any],
    size_px: int | None,
    is_due: Callable[[Fraction], bool] | None,
) -> Iterator[reading.Frame]:
    """Yields what `reading.read_frames` yields of a file, and tells the reader what is lost."""
    lost: list[str] = []
    for number, view in enumerate(view_pictures(path or Path(os.devnull), *opened, lost)):
        if not number and min(view.size) < reading.SMALLEST_PX:
            size = "x".join(map(str, view.size))
            raise Rejected(f"{size} px: too small to see a person (at least {reading.SMALLEST_PX} px)")
        if is_due is None or is_due(view.time_s):
            yield reading.Frame(view.index, view.time_s, view.rgb(size_px))
    reader.damage = lost[-1] if lost else ""
