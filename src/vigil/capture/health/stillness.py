"""Whether a picture is frozen: nothing in it moves, and it has no noise either.

A frozen camera's encoder goes on: it repeats the picture to the last pixel, and draws it anew only at key pictures, a
few grey levels off. A sensor that lives has noise, which changes pixels everywhere from one look to the next; where an
encoder removes all of it, as at night, people, shadows and a clock in the picture still change blocks of it. So a
picture is still while no block of it departs from what it was at first, and pixels are the same at most looks. A camera
that was seen to live through a long still spell is called frozen after a longer one only.
"""

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

BLOCKS = (20, 12)  # across, down
MOVED = 4.0  # grey levels by which a block departs, on the average of its pixels; a redrawn key picture is below 2
CHANGED = 0.002  # share of pixels; a picture without noise is below it, save where it is drawn anew
REDRAWN = 0.5  # share of looks that may be at a picture that was drawn anew
PATIENCE = 3.0  # times the longest still spell that the camera was seen to live through


@dataclass(frozen=True, eq=False)
class Stillness:
    """How long the picture has been still. Pictures are (H, W) uint8, every other pixel in both directions."""

    first: np.ndarray | None = None
    newest: np.ndarray | None = None
    since_s: Fraction = Fraction(0)
    looks: int = 0
    same: int = 0  # looks, of these, at which pixels were the same as at the look before
    outlived_s: float = 0.0  # the longest still spell after which something moved


def update_stillness(state: Stillness, grey: np.ndarray, time_s: Fraction) -> tuple[Stillness, float]:
    """Returns the state after a look at `grey` (H, W) uint8, and for how many seconds the picture is still."""
    picture = grey[::2, ::2]
    if state.first is None or state.newest is None or state.first.shape != picture.shape:
        return Stillness(picture, picture, time_s, outlived_s=state.outlived_s), 0.0
    is_same = bool(np.count_nonzero(picture != state.newest) <= CHANGED * picture.size)
    looks, same = state.looks + 1, state.same + is_same
    departs = cv2.resize(cv2.absdiff(picture, state.first).astype(np.float32), BLOCKS, interpolation=cv2.INTER_AREA)
    if departs.max() > MOVED or looks - same > max(REDRAWN * looks, 1):
        lived_s = float(time_s - state.since_s)
        return Stillness(picture, picture, time_s, outlived_s=max(state.outlived_s, lived_s)), 0.0
    return Stillness(state.first, picture, state.since_s, looks, same, state.outlived_s), float(time_s - state.since_s)


def frozen_after_s(state: Stillness, frozen_s: float, longest_s: float) -> float:
    """Returns how long this camera's picture must be still to be called frozen."""
    return min(max(frozen_s, PATIENCE * state.outlived_s), longest_s)
