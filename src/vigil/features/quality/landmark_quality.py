"""How good tracked landmarks are, against what is true: who is found, how exactly, who is invented, who is mixed up."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from vigil.features.quality.box_quality import box_iou

FOUND_WITHIN = 0.5  # torso lengths: the greatest median error of the joints of somebody who is found
PCK = 0.2  # torso lengths: the greatest error of a joint that is right
# Share of a person that must be seen to be expected: those whom the Caltech benchmark calls reasonable. Who is hidden
# more than that, but seen to HIDDEN at least, is counted apart.
VISIBLE, HIDDEN = 0.65, 0.3
OVERLAP = 0.3  # of boxes: a pose that is no good, but of somebody who is there
SHOULDERS, HIPS = [0, 3], [6, 9]


@dataclass
class Tally:
    """Counts over the frames of some videos; add them up."""

    frames: int = 0
    seconds: float = 0.0
    expected: Counter[int] = field(default_factory=Counter)  # by the number of visible people in the frame: people
    detected: Counter[int] = field(default_factory=Counter)
    joints: int = 0  # seen, of people who are found
    correct_joints: int = 0
    invented: int = 0
    switches: int = 0
    hidden: int = 0  # people of whom too little is seen to expect them
    hidden_detected: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(self)))


def compare_landmarks(
    truth: Mapping[str, np.ndarray],
    poses: Mapping[int, Sequence[tuple[int, np.ndarray]]],
    frames: Iterable[int],
    seconds: float,
) -> Tally:
    """Compares one video: `truth` as in its npz, `poses` (person, joints (13, 2), NaN where not seen) by frame number.

    Only the given frames count. Whoever is seen to less than VISIBLE may be found, but is not expected.
    """
    tally = Tally(seconds=seconds)
    last: dict[int, int] = {}
    people = truth["class"] == "person"
    for frame in frames:
        rows = np.flatnonzero((truth["frame"] == frame) & people)
        _count_frame(tally, {name: truth[name][rows] for name in ("boxes", "joints", "person", "visible")},
               list(poses.get(frame, ())), last)  # fmt: skip
    return tally


def summarise_landmarks(tally: Tally) -> dict[str, float | None]:
    """Returns the numbers that are reported; None where there was nothing to count."""
    return {
        "recall_one": _recall(tally, lambda count: count == 1),
        "recall_two": _recall(tally, lambda count: count == 2),
        "recall_group": _recall(tally, lambda count: 3 <= count <= 6),
        "recall_crowd": _recall(tally, lambda count: count > 6),
        "recall": _recall(tally, lambda _: True),
        "recall_hidden": _share(tally.hidden_detected, tally.hidden),
        "pck_torso": _share(tally.correct_joints, tally.joints),
        "false_people_per_frame": _share(tally.invented, tally.frames),
        "id_switches_per_minute": _share(60 * tally.switches, tally.seconds),
    }


def _recall(tally: Tally, is_counted: Callable[[int], bool]) -> float | None:
    counts = [count for count in tally.expected if is_counted(count)]
    return _share(sum(tally.detected[count] for count in counts), sum(tally.expected[count] for count in counts))


def _share(count: float, total: float) -> float | None:
    return round(count / total, 4) if total else None


def _count_frame(
    tally: Tally, truth: Mapping[str, np.ndarray], poses: list[tuple[int, np.ndarray]], last: dict[int, int]
) -> None:
    """Counts one frame; `last` holds the number that each true person had when it was found last."""
    expected = truth["visible"] >= VISIBLE
    hidden = ~expected & (truth["visible"] >= HIDDEN)
    count = int(expected.sum())
    tally.hidden += int(hidden.sum())
    tally.frames += 1
    tally.expected[count] += count
    errors = np.full((len(expected), len(poses)), np.inf)
    units = [_unit(joints, box) for joints, box in zip(truth["joints"], truth["boxes"], strict=True)]
    for row, joints in enumerate(truth["joints"]):
        for column, (_, pose) in enumerate(poses):
            distances = np.hypot(*(pose[:, :2] - joints[:, :2]).T) / units[row]
            if np.isfinite(distances).any():
                errors[row, column] = np.nanmedian(distances)
    free = set(range(len(poses)))
    unmatched = set(range(len(expected)))
    if errors.size:
        for row, column in zip(*linear_sum_assignment(np.minimum(errors, 10 * FOUND_WITHIN)), strict=True):
            if errors[row, column] > FOUND_WITHIN:
                continue
            free.discard(column)
            unmatched.discard(row)
            tally.hidden_detected += bool(hidden[row])
            if not expected[row]:
                continue
            tally.detected[count] += 1
            number, pose = poses[column]
            person = int(truth["person"][row])
            tally.switches += last.get(person, number) != number
            last[person] = number
            joints = truth["joints"][row]
            seen = joints[:, 2] > 0
            distances = np.hypot(*(pose[:, :2] - joints[:, :2]).T)
            tally.joints += int(seen.sum())
            tally.correct_joints += int((distances[seen] <= PCK * units[row]).sum())
    for column in free:
        near = [row for row in unmatched if _overlap(poses[column][1], truth["boxes"][row]) >= OVERLAP]
        if near:
            unmatched.discard(near[0])
        else:
            tally.invented += 1


def _unit(joints: np.ndarray, box: np.ndarray) -> float:
    """Returns the length of the trunk, but no less than a fifth of the box: seen from its end it is no measure."""
    trunk = np.hypot(*(joints[SHOULDERS, :2].mean(0) - joints[HIPS, :2].mean(0)))
    return float(max(trunk, 0.2 * max(box[2] - box[0], box[3] - box[1]), 1e-6))


def _overlap(pose: np.ndarray, box: np.ndarray) -> float:
    points = pose[np.isfinite(pose[:, 0]), :2]
    if not len(points):
        return 0.0
    box_of_pose = np.append(points.min(0), points.max(0))
    return float(box_iou(box_of_pose[None], box[None])[0, 0])
