"""Whether a picture is frozen: nothing in it moves, and it has no noise either.

A frozen camera's encoder goes on: it repeats the picture to the last pixel, save a few that flicker, and draws it anew
at key pictures, a few grey levels off. A sensor that lives has noise, which sooner or later changes pixels everywhere.
Where an encoder removes all of it, as at night, people, shadows and a clock in the picture still change blocks of it.
So a picture is still while no block departs from what it was at first, and while the pixels that have changed since,
other than by being drawn anew, are few. A camera that was seen to live through a long still spell is called frozen
after a longer one only.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

BLOCKS = (20, 12)  # across, down
MOVED = 5.0  # grey levels by which a block departs, on the average of its pixels; drawn anew, it is below 3 (crf 28)
STEP = 1  # grey levels that a pixel may change by; an encoder's flicker is hardly more
REDRAW = 0.05  # share of pixels that change at once where a picture is drawn anew
FLICKER = 0.1  # share of pixels; a sensor's noise reaches more of them within seconds
REDRAWN = 0.6  # share of looks that may be at a picture that was drawn anew
PATIENCE = 3.0  # times the longest still spell that the camera was seen to live through


@dataclass(frozen=True, eq=False)
class Stillness:
    """How long the picture has been still. Pictures are (H, W) uint8, every other pixel in both directions."""

    first: np.ndarray | None = None
    newest: np.ndarray | None = None
    since_s: Fraction = Fraction(0)
    flickered: np.ndarray | None = None  # (H, W) bool
    looks: int = 0
    redrawn: int = 0  # looks, of these, at a picture that was drawn anew since the look before
    outlived_s: float = 0.0  # the longest still spell after which something moved


def update_stillness(state: Stillness, grey: np.ndarray, time_s: Fraction) -> tuple[Stillness, float]:
    """Returns the state after a look at `grey` (H, W) uint8, and for how many seconds the picture is still."""
    picture = grey[::2, ::2]
    begun = Stillness(picture, picture, time_s, np.zeros(picture.shape, bool), outlived_s=state.outlived_s)
    if state.first is None or state.newest is None or state.flickered is None or state.first.shape != picture.shape:
        return begun, 0.0
    changed = cv2.absdiff(picture, state.newest) > STEP
    is_redrawn = bool(np.count_nonzero(changed) > REDRAW * picture.size)
    flickered = state.flickered if is_redrawn else state.flickered | changed
    looks, redrawn, still_s = state.looks + 1, state.redrawn + is_redrawn, float(time_s - state.since_s)
    departs = cv2.resize(cv2.absdiff(picture, state.first).astype(np.float32), BLOCKS, interpolation=cv2.INTER_AREA)
    flickers = np.count_nonzero(flickered) > FLICKER * picture.size
    if departs.max() > MOVED:
        return replace(begun, outlived_s=max(state.outlived_s, still_s)), 0.0
    if flickers or redrawn > max(REDRAWN * looks, 1):
        return begun, 0.0
    return Stillness(state.first, picture, state.since_s, flickered, looks, redrawn, state.outlived_s), still_s


def frozen_after_s(state: Stillness, frozen_s: float, longest_s: float) -> float:
    """Returns how long this camera's picture must be still to be called frozen."""
    return min(max(frozen_s, PATIENCE * state.outlived_s), longest_s)
