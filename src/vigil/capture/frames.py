"""What capture hands on: frames, and what happens to a source.

Frame                   a picture of a camera, with its time
Gone, Back              of the connection to a camera
Piece                   the next frame does not follow the one before: forget what was remembered of the stream
Frozen, Black,          the camera shows nothing of use, or something else than it did; each comes twice, when it
Covered, Moved          begins and, with `is_over`, when it ends
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

import numpy as np

from vigil.footage.video.views import ImageView


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a camera: `image` (H, W, 3) uint8 RGB, scaled down as the camera's settings ask.

    `time_s` is the time of its packet and never goes back, counted from when the camera was started; `utc` is when it
    was captured. `piece` counts the pieces of the stream: nothing is remembered from one to the next. `index` counts
    pictures, also those that are not handed on.
    """

    index: int
    time_s: Fraction
    utc: datetime
    image: np.ndarray
    piece: int
    size: tuple[int, int]  # px, width and height of the picture that the camera sent
    square: np.ndarray | None = None  # grey (side, side) uint8, made of that picture by the decoder

    def rgb(self, size_px: int | None = None) -> np.ndarray:
        """(H, W, 3) uint8 of the image, with a shorter side of at most `size_px`."""
        return ImageView(self.index, self.time_s, self.image).rgb(size_px)

    def grey(self, side_px: int) -> np.ndarray:
        """(side_px, side_px) uint8: the square that the decoder made, else one that is made of the image."""
        if self.square is not None and len(self.square) == side_px:
            return self.square
        return ImageView(self.index, self.time_s, self.image).grey(side_px)


@dataclass(frozen=True)
class Event:
    """Something that happens to a source at `utc`, `time_s` being the clock of its frames."""

    utc: datetime
    time_s: Fraction


@dataclass(frozen=True)
class Gone(Event):
    """The camera cannot be read, and is tried again until it can.

    `is_refusal`: it answers and refuses, as with a wrong password or an unknown path, so that waiting hardly helps.
    """

    reason: str
    is_refusal: bool = False


@dataclass(frozen=True)
class Back(Event):
    """Frames come again. `gone_s` is how long there were none."""

    gone_s: float


@dataclass(frozen=True)
class Piece(Event):
    """Piece number `piece` begins with the next frame."""

    piece: int
    reason: Literal["clock jump", "size change", "reconnect"]


@dataclass(frozen=True)
class Ailment(Event):
    """Something is wrong with what the camera shows, since `since_s`; with `is_over`, it was until now."""

    since_s: Fraction
    is_over: bool = False


@dataclass(frozen=True)
class Frozen(Ailment):
    """The picture stands still to the last pixel, though frames come."""


@dataclass(frozen=True)
class Black(Ailment):
    """There is no light in the picture."""


@dataclass(frozen=True)
class Covered(Ailment):
    """The picture has suddenly lost its details: something is before the lens, or it is out of focus."""


@dataclass(frozen=True)
class Moved(Ailment):
    """The camera looks elsewhere than it did. `shift_px` (right, down) in px of the frame; None for another view."""

    shift_px: tuple[float, float] | None = None
