"""Moves joints along with the picture from one frame to the next, for frames in which no pose is estimated."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from vigil.features.landmarks.skeleton import seen_joints

WINDOW = (9, 9)  # px, around a joint: limbs are narrow
LEVELS = 3  # halvings of the picture: as many times farther may a joint have moved
ASTRAY = 0.06  # body lengths between a joint and where its way leads back to: it was lost
APART = 0.3  # body lengths that a joint may move more than the body does, in one frame
FEWEST = 3  # joints that were followed


def move_poses(
    before: np.ndarray, after: np.ndarray, poses: Sequence[np.ndarray], sizes: Sequence[float]
) -> list[np.ndarray | None]:
    """Returns each pose (13, 3) as it is in `after`, None where too few of its joints can be followed.

    `before` and `after` are (H, W) uint8, `sizes` the lengths of the bodies in px. A joint that is lost moves as the
    body does.
    """
    points = [pose[seen_joints(pose), :2] for pose in poses]
    starts = np.concatenate([np.zeros((0, 2)), *points]).astype(np.float32).reshape(-1, 1, 2)
    if not len(starts):
        return [None] * len(poses)
    ends, ahead, _ = _follow(before, after, starts)
    returns, back, _ = _follow(after, before, ends)
    error = np.hypot(*(returns - starts).reshape(-1, 2).T)
    followed = (ahead.ravel() == 1) & (back.ravel() == 1)
    steps = (ends - starts).reshape(-1, 2).astype(np.float64)
    moved: list[np.ndarray | None] = []
    first = 0
    for pose, size, joints in zip(poses, sizes, points, strict=True):
        rows = slice(first, first + len(joints))
        first += len(joints)
        moved.append(_move(pose, steps[rows], followed[rows] & (error[rows] <= max(1.0, ASTRAY * size)), size))
    return moved


# OpenCV's stubs do not know that the places to begin with may be left out.
def _follow(before: Any, after: Any, points: Any, start: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return cv2.calcOpticalFlowPyrLK(before, after, points, start, winSize=WINDOW, maxLevel=LEVELS)


def _move(pose: np.ndarray, steps: np.ndarray, followed: np.ndarray, size: float) -> np.ndarray | None:
    if followed.sum() < FEWEST:
        return None
    of_body = np.median(steps[followed], axis=0)
    is_own = followed & (np.hypot(*(steps - of_body).T) <= APART * size)
    moved = pose.copy()
    moved[seen_joints(pose), :2] += np.where(is_own[:, None], steps, of_body)
    return moved
