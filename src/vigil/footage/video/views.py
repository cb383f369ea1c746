"""A decoded frame, turned into the pictures that features are made of: only into those that are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from vigil.core.errors import Rejected, VigilError
from vigil.footage.video import decoding, images, reading


class View(Protocol):
    """One frame of a source. Its time rises from frame to frame."""

    @property
    def index(self) -> int:
        """Returns its number in the source."""

    @property
    def time_s(self) -> Fraction:
        """Returns the seconds since the source began."""

    @property
    def size(self) -> tuple[int, int]:
        """Returns width and height, px, as shown."""

    def rgb(self, size_px: int | None = None) -> np.ndarray:
        """Returns (H, W, 3) uint8 with a shorter side of at most `size_px`; None: as large as it is."""

    def grey(self, side_px: int) -> np.ndarray:
        """Returns (side_px, side_px) uint8, the frame stretched to a square."""


@dataclass(frozen=True, eq=False)
class ImageView:
    """A frame that is stored as an image (H, W, 3) uint8 RGB."""

    index: int
    time_s: Fraction
    image: np.ndarray

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise VigilError(f"a frame of shape {self.image.shape}, {self.image.dtype}: expected (H, W, 3) uint8 RGB.")

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[1], self.image.shape[0]

    def rgb(self, size_px: int | None = None) -> np.ndarray:
        size = decoding.shrink_size(*self.size, size_px)
        return self.image if size == self.size else cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)

    def grey(self, side_px: int) -> np.ndarray:
        return images.grey_square(self.image, side_px)


class PictureMaker:
    """Turns the decoded pictures of one video into views; all are of the first one's size, as in stage `frames`."""

    def __init__(self) -> None:
        self._makers: dict[tuple[int | None, int | None], decoding.Picture] = {}
        self._first: Any = None

    def view(self, index: int, time_s: Fraction, picture: Any) -> "PictureView":
        """Makes a view of `picture`, as PyAV decodes it; Rejected where nobody could be seen in it."""
        if self._first is None:
            self._first = picture
            reading.refuse_tiny(*self.size)
        return PictureView(index, time_s, picture, self)

    def convert(self, picture: Any, size_px: int | None, grey_px: int | None) -> np.ndarray:
        """Returns (H, W, 3) uint8 RGB, or a grey square."""
        return self._maker(size_px, grey_px)(picture)

    @property
    def size(self) -> tuple[int, int]:
        return self._maker(None, None).size

    def _maker(self, size_px: int | None, grey_px: int | None) -> decoding.Picture:
        if (size_px, grey_px) not in self._makers:
            self._makers[size_px, grey_px] = decoding.Picture(self._first, size_px, grey_px)
        return self._makers[size_px, grey_px]


@dataclass(frozen=True, eq=False)
class PictureView:
    """A frame as a decoder gives it: what is not asked for is never converted."""

    index: int
    time_s: Fraction
    picture: Any
    maker: PictureMaker

    @property
    def size(self) -> tuple[int, int]:
        return self.maker.size

    def rgb(self, size_px: int | None = None) -> np.ndarray:
        return self.maker.convert(self.picture, size_px, None)

    def grey(self, side_px: int) -> np.ndarray:
        return self.maker.convert(self.picture, None, side_px)


def read_views(path: Path, fps: Fraction = images.FPS, lost: list[str] | None = None) -> Iterator[View]:
    """Yields every sound frame of a video file or a folder of images, in order; a folder has the `fps` given.

    What is lost of a damaged file is added to `lost`, when all frames have come.
    """
    if images.is_folder(path):
        size: tuple[int, int] | None = None
        for index, (position, file) in enumerate(images.list_numbered(path)):
            image = images.decode_image(file, size)
            size = (image.shape[1], image.shape[0])
            yield ImageView(index, position / fps, image)
        return
    with decoding.open_video(path) as (container, stream):
        yield from decode_views(path, (container, stream), lost)


def decode_views(path: Path, source: tuple[Any, Any], lost: list[str] | None) -> Iterator[View]:
    """Yields the same from an open container and its stream; `path` is where an index would be found."""
    (container, stream), maker, tally = source, PictureMaker(), decoding.Tally()
    for decoded in decoding.decode_pictures(container, stream, tally):
        yield maker.view(decoded.index, decoded.time_s, decoded.picture)
    losses = reading.explain_losses(path, container, stream, tally)
    if lost is not None and losses:
        lost.append(losses)
    if not tally.sound:
        raise Rejected(f"{losses or 'no frame decodes: the file is damaged'}; fetch it again")
