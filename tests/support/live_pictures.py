"""Pictures and poses as a test compares them with what the pipeline keeps."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from torch import Tensor

from vigil.features.landmarks.pose_table import Pose
from vigil.features.pictures import decode_square, normalise_squares


def picture_tensor(jpegs: Iterable[bytes], size: int, layout: Literal["tchw", "cthw"] = "tchw") -> Tensor:
    """(T, 3, S, S) or (3, T, S, S) float32 of frames as they are stored."""
    return normalise_squares(np.stack([decode_square(jpeg, size) for jpeg in jpegs]), layout)


def group_by_person(poses: Iterable[Pose]) -> dict[int, list[Pose]]:
    """Poses by person, each in the order of time."""
    people: dict[int, list[Pose]] = {}
    for pose in sorted(poses, key=lambda pose: (pose.person, pose.frame)):
        people.setdefault(pose.person, []).append(pose)
    return people
