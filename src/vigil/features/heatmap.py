"""Where the people are: 1 at a joint that is certainly seen, fading over a small part of the body's size."""

from collections.abc import Sequence

import numpy as np

from vigil.poses import Pose

SPREAD = 0.1  # of the body's longer side: standard deviation around a joint
BOX_SPREAD = 0.25  # of a box's sides, around its middle
SMALLEST_PX = 0.7  # of the map; a body far away keeps a peak
REACH = 3.0  # standard deviations


def density(
    people: Sequence[Pose], source_size: tuple[int, int], size: int, boxes: np.ndarray | None = None
) -> np.ndarray:
    """(size, size) float32, 0..1, of the people in one frame of `source_size` (width, height) px, stretched.

    A joint counts as much as it is visible, times the person's score. Two people side by side add up as chances do:
    1 - (1 - a)(1 - b). Where nobody has a joint, `boxes` (N, 5), x0 y0 x1 y1 px and score, take their place.
    """
    empty = np.ones((size, size), np.float32)
    scale = size / np.array(source_size, np.float64)
    blobs = [blob for pose in people if (blob := _body(pose, scale, size))]
    if not blobs and boxes is not None:
        blobs = [blob for box in boxes if (blob := _box(box, scale, size))]
    for (down, across), values in blobs:
        empty[down, across] *= 1 - values
    return 1 - empty


Blob = tuple[tuple[slice, slice], np.ndarray]  # the part of the map that it covers, and its values


def _body(pose: Pose, scale: np.ndarray, size: int) -> Blob | None:
    trust = np.nan_to_num(pose.visibility) * np.nan_to_num(pose.score)
    known = np.isfinite(pose.joints).all(axis=1) & (trust > 0)
    if not known.any():
        return None
    joints = pose.joints[known]
    extent = float(np.ptp(joints, axis=0).max())
    return _blob(joints * scale, np.maximum(SPREAD * extent * scale, SMALLEST_PX), trust[known], size)


def _box(box: np.ndarray, scale: np.ndarray, size: int) -> Blob | None:
    if not np.isfinite(box).all():
        return None
    low, high = box[:2] * scale, box[2:4] * scale
    return _blob((low + high)[None] / 2, np.maximum(BOX_SPREAD * (high - low), SMALLEST_PX), box[4:5], size)


def _blob(centres: np.ndarray, spread: np.ndarray, heights: np.ndarray, size: int) -> Blob | None:
    """The highest of the bells around `centres` (N, 2) px of the map, of `spread` (2,) px, where they touch the map."""
    first = np.clip(np.floor(centres.min(axis=0) - REACH * spread), 0, size)
    after = np.clip(np.ceil(centres.max(axis=0) + REACH * spread), 0, size)
    (left, top), (right, bottom) = first.astype(int), after.astype(int)
    if left >= right or top >= bottom:
        return None
    across = _bells(np.arange(left, right) + 0.5, centres[:, 0], spread[0])
    down = _bells(np.arange(top, bottom) + 0.5, centres[:, 1], spread[1]) * np.clip(heights, 0, 1)[:, None]
    bells = (down[:, :, None] * across[:, None, :]).max(axis=0)
    return (slice(top, bottom), slice(left, right)), bells.astype(np.float32)


def _bells(places: np.ndarray, centres: np.ndarray, spread: float) -> np.ndarray:
    """(N, places)."""
    return np.exp(-0.5 * ((places[None] - centres[:, None]) / spread) ** 2)
