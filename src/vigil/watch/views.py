"""A source that has an end, as views of its frames."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from vigil.capture.recordings import read_frames
from vigil.capture.sources import Source
from vigil.footage.video.views import ImageView, View, read_views


class Views(Iterator[View]):
    """The views, in order; `damage` says what is lost of the recording, once they have all come."""

    def __init__(self, views: Iterator[View], damage: "list[str]") -> None:
        self._views, self._damage = views, damage

    def __next__(self) -> View:
        return next(self._views)

    @property
    def damage(self) -> str:
        return self._damage[-1] if self._damage else ""


def open_views(source: Source, fps: Fraction) -> Views:
    """Files and folders as the pipeline reads them; `fps` is that of folders of images."""
    damage: list[str] = []
    if source.kind == "images":
        return Views(read_views(Path(source.opened), fps), damage)
    if source.kind == "file":
        return Views(read_views(Path(source.opened), fps, damage), damage)
    return Views(_convert(source, fps, damage), damage)


def _convert(source: Source, fps: Fraction, damage: list[str]) -> Iterator[View]:
    reader = read_frames(source, fps=fps)
    for frame in reader:
        yield ImageView(frame.index, frame.time_s, frame.image)
    damage.append(reader.damage)
