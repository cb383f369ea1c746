"""The 13 joints of a body, in the order of poses.JOINTS: how poses are compared, and which of them no body can take.

A pose is (13, 3) float64: x, y in pixels and visibility 0..1. A joint that is not seen has no place: x and y are NaN.
"""

import numpy as np

SHOULDERS, HIPS, HEAD = (0, 3), (6, 9), 12
BONES = ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11), (0, 3), (6, 9), (0, 6), (3, 9))
# How far annotators disagree on a joint, in square roots of a body's area (COCO's numbers, head between nose and ears).
SPREAD = 2 * np.array([.079, .072, .062, .079, .072, .062, .107, .087, .089, .107, .087, .089, .035])  # fmt: skip
# The greatest length of each bone, in torso lengths, that perspective leaves of a body seen from above.
LONGEST = np.array([1.3, 1.3, 1.3, 1.3, 1.7, 1.7, 1.7, 1.7, 1.4, 1.1, 1.8, 1.8])
FEWEST = 5  # joints
SMALLEST_PX = 20  # length of a body; in less no joint can be told from another


def seen(pose: np.ndarray) -> np.ndarray:
    """(13,) bool: joints that have a place."""
    return np.isfinite(pose[:, 0])


def coverage(pose: np.ndarray) -> float:
    """Share of the 13 joints that are seen."""
    return float(seen(pose).mean())


def box(pose: np.ndarray) -> np.ndarray:
    """(4,) x0 y0 x1 y1 around the joints that are seen; NaN without any."""
    places = pose[seen(pose), :2]
    return np.concatenate([places.min(0), places.max(0)]) if len(places) else np.full(4, np.nan)


def centre(pose: np.ndarray) -> np.ndarray:
    """(2,) the middle of the trunk: of its joints that are seen, else of all that are."""
    trunk = pose[[*SHOULDERS, *HIPS], :2]
    trunk = trunk[np.isfinite(trunk[:, 0])]
    return trunk.mean(0) if len(trunk) else np.nanmean(pose[:, :2], axis=0)


def similarity(one: np.ndarray, other: np.ndarray, size: float) -> float:
    """Object keypoint similarity, 0..1, over the joints that both show; `size` is a body's length in px."""
    both = seen(one) & seen(other)
    if both.sum() < 3:
        return 0.0
    away = ((one[both, :2] - other[both, :2]) ** 2).sum(1)
    area = 0.35 * size**2  # a standing body fills about a third of the square of its length
    return float(np.exp(-away / (2 * area * SPREAD[both] ** 2)).mean())


def torso(pose: np.ndarray) -> float:
    """Length of the trunk in px: the middle of the shoulders to that of the hips, NaN where either is not seen."""
    shoulders, hips = pose[list(SHOULDERS), :2], pose[list(HIPS), :2]
    if not (np.isfinite(shoulders[:, 0]).any() and np.isfinite(hips[:, 0]).any()):
        return float("nan")
    return float(np.hypot(*(np.nanmean(shoulders, axis=0) - np.nanmean(hips, axis=0))))


def plausible(pose: np.ndarray, size: float) -> bool:
    """Whether a body of length `size` could look so: enough of it is seen, and no bone is too long for it."""
    there = seen(pose)
    if size < SMALLEST_PX or there.sum() < FEWEST or not there[list(SHOULDERS)].any():
        return False
    unit = np.nanmax([torso(pose), 0.2 * size])  # a trunk seen from its end looks short
    if unit > 0.55 * size:
        return False
    ends = pose[np.array(BONES), :2]  # (12, 2, 2)
    lengths = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
    too_long = lengths[np.isfinite(lengths)] > (LONGEST * unit)[np.isfinite(lengths)]
    return int(too_long.sum()) <= 1
