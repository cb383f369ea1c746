"""Frames of a source that has an end: the same pictures and times that the pipeline's stages see of the same file.

    recording = open_recording(source)
    for view in recording: ...
    if recording.damage: ...    # what is lost of it, in one line; what came before and after has come

Nothing is dropped: whoever reads slowly makes the source wait.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from vigil.capture.byte_streams import Pipe, download, keep_standard_input
from vigil.capture.network import open_pipe, open_playlist
from vigil.capture.sources import Source
from vigil.core.errors import Rejected
from vigil.footage.video import images
from vigil.footage.video.views import View, decode_views, read_views


class Recording(Iterator[View]):
    """The frames of a source, in order, in constant memory. `damage` is known when they have all come.

    Rejected, at the first frame, says why nothing of it can be used. Close it where not all frames are wanted.
    """

    def __init__(self, source: Source, fps: Fraction) -> None:
        self.source = source
        self.damage = ""
        self._views = self._read(fps)

    def __next__(self) -> View:
        return next(self._views)

    def close(self) -> None:
        """Lets go of the file."""
        self._views.close()

    def _read(self, fps: Fraction) -> Any:
        lost: list[str] = []
        try:
            with ExitStack() as stack:
                yield from self._open(stack, fps, lost)
        except Rejected as error:
            raise Rejected(self.source.hide_secrets(str(error))) from None
        self.damage = self.damage or "; ".join(lost)

    def _open(self, stack: ExitStack, fps: Fraction, lost: list[str]) -> Iterator[View]:
        video: Path | Pipe = Path(self.source.location)
        if self.source.kind == "playlist":
            return decode_views(Path(os.devnull), stack.enter_context(open_playlist(self.source)), lost)
        if self.source.kind == "stdin":
            video = stack.enter_context(keep_standard_input())
        elif self.source.kind == "download":
            video, self.damage = stack.enter_context(download(self.source))
        if isinstance(video, Path):
            return read_views(video, fps, lost)
        return decode_views(Path(os.devnull), stack.enter_context(open_pipe(video)), lost)


def open_recording(source: Source, fps: Fraction = images.FPS) -> Recording:
    """Opens a source that has an end; it must have been looked up. `fps` is that of a folder of images."""
    if source.is_live or not source.is_looked_up:
        raise ValueError(f"{source.name}: a source of kind {source.kind} has no end, or was not looked up")
    return Recording(source, fps)
