"""Which tracked person is which person of the truth, and who of them is doing the deed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vigil.features.landmarks.pose_table import Pose, group_by_frame

NEAR = 0.2  # of a body's longer side: mean distance of the joints within which a tracked person is that one


@dataclass(frozen=True)
class Actor:
    """What the truth says of a tracked person in one frame."""

    person: int  # id in the truth
    role: str
    active: bool  # doing the abnormal act in this frame


def match_actors(poses: Iterable[Pose], truth: Mapping[str, np.ndarray]) -> dict[tuple[int, int], Actor]:
    """Matches tracks with the people of the truth, by frame and track; who is near nobody of the truth is missing.

    `truth` is data/truth/<set>/<video>.npz.

    In each frame the nearest pairs find each other first, and nobody is two people.
    """
    people = np.flatnonzero(np.char.equal(truth["class"], "person"))
    rows: dict[int, list[int]] = {}
    for row in people.tolist():
        rows.setdefault(int(truth["frame"][row]), []).append(row)
    actor_of: dict[tuple[int, int], Actor] = {}
    for frame, poses_in_frame in group_by_frame(poses).items():
        pairs = sorted(
            (_distance(pose.joints, truth["joints"][row, :, :2]), pose.person, row)
            for pose in poses_in_frame
            for row in rows.get(frame, [])
        )
        matched_rows: set[int] = set()
        for distance, person, row in pairs:
            if distance <= NEAR and (frame, person) not in actor_of and row not in matched_rows:
                matched_rows.add(row)
                true_person, role = int(truth["person"][row]), str(truth["role"][row])
                actor_of[frame, person] = Actor(true_person, role, bool(truth["active"][row]))
    return actor_of


def _distance(joints: np.ndarray, true: np.ndarray) -> float:
    """Returns the mean distance of the joints that were found, in true body sizes; inf without any."""
    is_located = np.isfinite(joints).all(axis=1)
    size = float(np.ptp(true, axis=0).max())
    if not is_located.any() or size <= 0:
        return np.inf
    return float(np.hypot(*(joints - true)[is_located].T).mean() / size)
