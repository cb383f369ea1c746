"""Where the people are: 1 at a joint that is certainly seen, fading over a small part of the body's size."""

from collections.abc import Sequence

import numpy as np

from vigil.features.landmarks.pose_table import Pose

SPREAD = 0.1  # of the body's longer side: standard deviation around a joint
BOX_SPREAD = 0.25  # of a box's sides, around its middle
SMALLEST_PX = 0.7  # of the map; a body far away keeps a peak
REACH = 3.0  # standard deviations


def people_density(
    people: Sequence[Pose], source_size: tuple[int, int], size: int, boxes: np.ndarray | None = None
) -> np.ndarray:
    """Returns (size, size) float32, 0..1: the people in a frame of `source_size` (width, height) px, stretched.

    A joint counts as much as it is visible, times the person's score. Two people side by side add up as chances do:
    1 - (1 - a)(1 - b). Where nobody has a joint, `boxes` (N, 5), x0 y0 x1 y1 px and score, take their place.
    """
    scale = size / np.array(source_size, np.float64)
    if people:
        joints = np.array([pose.joints for pose in people])
        trust = np.array([pose.visibility for pose in people]) * np.array([[pose.score] for pose in people])
        is_located = np.isfinite(joints).all(axis=2) & (trust > 0)
        if is_located.any():
            joints, trust, is_located = (array[is_located.any(axis=1)] for array in (joints, trust, is_located))
            low = np.where(is_located[..., None], joints, np.inf).min(axis=1)
            centres = np.where(is_located[..., None], joints, low[:, None])
            extent = (centres.max(axis=1) - low).max(axis=1)
            return _paint_bodies(
                centres * scale, SPREAD * extent[:, None] * scale, np.where(is_located, trust, 0), size
            )
    if boxes is None:
        return np.zeros((size, size), np.float32)
    sound = boxes[np.isfinite(boxes).all(axis=1)]
    low, high = sound[:, :2] * scale, sound[:, 2:4] * scale
    return _paint_bodies((low + high)[:, None] / 2, BOX_SPREAD * (high - low), np.maximum(sound[:, 4:5], 0), size)


def _paint_bodies(centres: np.ndarray, spread: np.ndarray, heights: np.ndarray, size: int) -> np.ndarray:
    """Paints bodies as bells around `centres` (P, J, 2) px of the map, `spread` (P, 2) wide, `heights` (P, J) high.

    A body is the highest of its bells, and is drawn where it touches the map.
    """
    spread = np.maximum(spread, SMALLEST_PX)
    reach = REACH * spread
    first = np.minimum(np.maximum(centres.min(axis=1) - reach, 0), size).astype(int).tolist()
    after = np.minimum(np.maximum(centres.max(axis=1) + reach + 1, 0), size).astype(int).tolist()
    cells = np.arange(size) + 0.5
    offsets = ((cells - centres[..., None]) / spread[:, None, :, None]).astype(np.float32)
    bells = np.exp(-0.5 * offsets * offsets)
    across, down = bells[:, :, 0], bells[:, :, 1] * np.minimum(heights, 1).astype(np.float32)[..., None]
    empty = np.ones((size, size), np.float32)
    for body, ((left, top), (right, bottom)) in enumerate(zip(first, after, strict=True)):
        if left < right and top < bottom:
            patch = down[body, :, top:bottom, None] * across[body, :, None, left:right]
            empty[top:bottom, left:right] *= 1 - patch.max(axis=0)
    return 1 - empty
