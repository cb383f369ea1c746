"""Which tracked person is which person of the truth, and who of them is doing the deed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vigil.features.landmarks.pose_table import Pose, by_frame

NEAR = 0.2  # of a body's longer side: mean distance of the joints within which a tracked person is that one


@dataclass(frozen=True)
class Actor:
    """What the truth says of a tracked person in one frame."""

    person: int  # id in the truth
    role: str
    active: bool  # doing the abnormal act in this frame


def cast(poses: Iterable[Pose], truth: Mapping[str, np.ndarray]) -> dict[tuple[int, int], Actor]:
    """By frame and track; who is near nobody of the truth is missing. `truth` is data/truth/<set>/<video>.npz.

    In each frame the nearest pairs find each other first, and nobody is two people.
    """
    people = np.flatnonzero(np.char.equal(truth["class"], "person"))
    rows: dict[int, list[int]] = {}
    for row in people.tolist():
        rows.setdefault(int(truth["frame"][row]), []).append(row)
    found: dict[tuple[int, int], Actor] = {}
    for frame, there in by_frame(poses).items():
        pairs = sorted(
            (_distance(pose.joints, truth["joints"][row, :, :2]), pose.person, row)
            for pose in there
            for row in rows.get(frame, [])
        )
        taken: set[int] = set()
        for distance, person, row in pairs:
            if distance <= NEAR and (frame, person) not in found and row not in taken:
                taken.add(row)
                who, role = int(truth["person"][row]), str(truth["role"][row])
                found[frame, person] = Actor(who, role, bool(truth["active"][row]))
    return found


def _distance(joints: np.ndarray, true: np.ndarray) -> float:
    """Mean over the joints that were found, in true body sizes; inf when there are none."""
    known = np.isfinite(joints).all(axis=1)
    size = float(np.ptp(true, axis=0).max())
    if not known.any() or size <= 0:
        return np.inf
    return float(np.hypot(*(joints - true)[known].T).mean() / size)
