"""Compares poses, and says which of them no body can take; the 13 joints are in the order of pose_table.JOINTS.

A pose is (13, 3) float64: x, y in pixels and visibility 0..1. A joint that is not seen has no place: x and y are NaN.
"""

import numpy as np

COCO_ROWS = (5, 7, 9, 6, 8, 10, 11, 13, 15, 12, 14, 16, 0)  # of COCO's 17 points, those of the 13 joints
SHOULDERS, HIPS, HEAD = (0, 3), (6, 9), 12
BONES = ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11), (0, 3), (6, 9), (0, 6), (3, 9))
# How far annotators disagree on a joint, in square roots of a body's area (COCO's numbers, head between nose and ears).
SPREAD = 2 * np.array([.079, .072, .062, .079, .072, .062, .107, .087, .089, .107, .087, .089, .035])  # fmt: skip
# The greatest length of each bone, in torso lengths, that perspective leaves of a body seen from above.
LONGEST = np.array([1.2, 1.0, 1.2, 1.0, 1.4, 1.6, 1.4, 1.6, 1.4, 0.9, 1.5, 1.5])
NECK = 1.0  # the same, from between the shoulders to the head
BOWED = -0.5  # torso lengths that a head hangs below the shoulders, along the trunk
FEWEST = 5  # joints
ON = 0.06  # body lengths from a bone: on it
ALONG = 0.8  # share of the joints of a pose on the bones of another: a part of that body taken for a whole one
INSIDE = 0.75  # of the joints: a pose with fewer in its box is of somebody else too
MARGIN = 0.12  # of a box's sides, beyond it: boxes are loose
SMALLEST_PX = 20  # length of a body; in less no joint can be told from another


def seen_joints(pose: np.ndarray) -> np.ndarray:
    """Returns (13,) bool: which joints have a place."""
    return np.isfinite(pose[:, 0])


def coverage(pose: np.ndarray) -> float:
    """Returns the share of the 13 joints that are seen."""
    return float(seen_joints(pose).mean())


def extent(pose: np.ndarray) -> float:
    """Returns the longer side of the box around the joints that have a place, px; 0 where none has."""
    points = pose[seen_joints(pose), :2]
    return float(np.ptp(points, axis=0).max()) if len(points) else 0.0


def share_inside(pose: np.ndarray, window: np.ndarray) -> float:
    """Returns the share of the joints with a place that lie in the box `window` (4,) x0 y0 x1 y1; 0 without any."""
    points = pose[seen_joints(pose), :2]
    return float(((points >= window[:2]) & (points <= window[2:])).all(1).mean()) if len(points) else 0.0


def is_inside(pose: np.ndarray, window: np.ndarray) -> bool:
    """Whether the pose belongs to the box `window` (4,) x0 y0 x1 y1: most of its joints lie in it."""
    return share_inside(pose, window) >= INSIDE


def with_margin(box: np.ndarray) -> np.ndarray:
    """Returns the box (4,) x0 y0 x1 y1, a little larger on every side."""
    margin = MARGIN * (box[2:] - box[:2])
    return np.concatenate([box[:2] - margin, box[2:] + margin])


def hide_unseen(joints: np.ndarray, shape: tuple[int, ...], visibility: float) -> np.ndarray:
    """Returns the pose (13, 3) with a place only for joints that are seen and lie in a picture of `shape`."""
    pose = joints.copy()
    x, y = pose[:, 0], pose[:, 1]
    is_visible = (pose[:, 2] >= visibility) & (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    pose[~is_visible, :2] = np.nan
    return pose


def similarity(pose: np.ndarray, other: np.ndarray, size: float) -> float:
    """Returns the object keypoint similarity, 0..1, over the joints that both show; `size` is a body's length in px."""
    both = seen_joints(pose) & seen_joints(other)
    if both.sum() < 3:
        return 0.0
    squared_distances = ((pose[both, :2] - other[both, :2]) ** 2).sum(1)
    area = 0.35 * size**2  # a standing body fills about a third of the square of its length
    return float(np.exp(-squared_distances / (2 * area * SPREAD[both] ** 2)).mean())


def share_on_bones(pose: np.ndarray, other: np.ndarray, size: float) -> float:
    """Returns the share of the joints of `pose` that lie on the bones of `other`, a body of length `size` px."""
    points, ends = pose[seen_joints(pose), :2], other[np.array(BONES), :2]
    ends = ends[np.isfinite(ends).all(axis=(1, 2))]
    if not len(points) or not len(ends):
        return 0.0
    start, bone = ends[:, 0], ends[:, 1] - ends[:, 0]
    from_start = points[:, None] - start  # (joints, bones, 2)
    share = np.clip((from_start * bone).sum(-1) / np.maximum((bone**2).sum(-1), 1e-9), 0, 1)
    distances = np.linalg.norm(from_start - share[..., None] * bone, axis=-1).min(1)
    return float((distances <= ON * size).mean())


def is_same_body(pose: np.ndarray, other: np.ndarray, length: float, size: float, alike: float) -> bool:
    """Whether two poses, of bodies of these lengths in px, show one body, be it that one holds a part for the whole."""
    if similarity(pose, other, min(length, size)) > alike:
        return True
    small, large = (pose, other) if length <= size else (other, pose)
    return share_on_bones(small, large, max(length, size)) >= ALONG


def torso_length(pose: np.ndarray) -> float:
    """Returns the px from the middle of the shoulders to that of the hips, NaN where either is not seen."""
    shoulders, hips = pose[list(SHOULDERS), :2], pose[list(HIPS), :2]
    if not (np.isfinite(shoulders[:, 0]).any() and np.isfinite(hips[:, 0]).any()):
        return float("nan")
    return float(np.hypot(*(np.nanmean(shoulders, axis=0) - np.nanmean(hips, axis=0))))


def is_plausible(pose: np.ndarray, size: float) -> bool:
    """Whether a body of length `size` could look so: enough of it is seen, and no bone is too long for it."""
    located = seen_joints(pose)
    if size < SMALLEST_PX or located.sum() < FEWEST or not located[list(SHOULDERS)].any():
        return False
    unit = np.nanmax([torso_length(pose), 0.2 * size])  # a trunk seen from its end looks short
    if unit > 0.55 * size:
        return False
    if not _head_fits(pose, unit):
        return False
    ends = pose[np.array(BONES), :2]  # (12, 2, 2)
    lengths = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
    too_long = lengths[np.isfinite(lengths)] > (LONGEST * unit)[np.isfinite(lengths)]
    return int(too_long.sum()) <= 1


def _head_fits(pose: np.ndarray, unit: float) -> bool:
    """Whether the head, if it is seen, sits on the shoulders; `unit` is the length of the trunk."""
    if not seen_joints(pose)[HEAD]:
        return True
    top = np.nanmean(pose[list(SHOULDERS), :2], axis=0)
    neck = pose[HEAD, :2] - top
    if np.hypot(*neck) > NECK * unit:
        return False
    hips = pose[list(HIPS), :2]
    hips = hips[np.isfinite(hips[:, 0])]
    return not len(hips) or float(neck @ (top - hips.mean(0))) >= BOWED * unit**2
