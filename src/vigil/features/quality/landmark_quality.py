"""How good tracked landmarks are, against what is true: who is found, how exactly, who is invented, who is mixed up."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

FOUND = 0.5  # torso lengths: the greatest median error of the joints of somebody who is found
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
    there: Counter[int] = field(default_factory=Counter)  # by the number of visible people in the frame: people
    found: Counter[int] = field(default_factory=Counter)
    joints: int = 0  # seen, of people who are found
    right: int = 0
    false: int = 0
    switches: int = 0
    hidden: int = 0  # people of whom too little is seen to expect them
    hidden_found: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def compare(
    truth: Mapping[str, np.ndarray],
    found: Mapping[int, Sequence[tuple[int, np.ndarray]]],
    frames: Iterable[int],
    seconds: float,
) -> Tally:
    """One video: `truth` as in its npz, `found` (person, joints (13, 2), NaN where not seen) by frame number.

    Only the given frames count. Whoever is seen to less than VISIBLE may be found, but is not expected.
    """
    tally = Tally(seconds=seconds)
    last: dict[int, int] = {}
    people = truth["class"] == "person"
    for frame in frames:
        rows = np.flatnonzero((truth["frame"] == frame) & people)
        _frame(tally, {name: truth[name][rows] for name in ("boxes", "joints", "person", "visible")},
               list(found.get(frame, ())), last)  # fmt: skip
    return tally


def summary(tally: Tally) -> dict[str, float | None]:
    """The numbers that are reported; None where there was nothing to count."""
    return {
        "recall_one": _recall(tally, lambda count: count == 1),
        "recall_two": _recall(tally, lambda count: count == 2),
        "recall_group": _recall(tally, lambda count: 3 <= count <= 6),
        "recall_crowd": _recall(tally, lambda count: count > 6),
        "recall": _recall(tally, lambda _: True),
        "recall_hidden": _share(tally.hidden_found, tally.hidden),
        "pck_torso": _share(tally.right, tally.joints),
        "false_people_per_frame": _share(tally.false, tally.frames),
        "id_switches_per_minute": _share(60 * tally.switches, tally.seconds),
    }


def _recall(tally: Tally, wanted: Callable[[int], bool]) -> float | None:
    counts = [count for count in tally.there if wanted(count)]
    return _share(sum(tally.found[count] for count in counts), sum(tally.there[count] for count in counts))


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _frame(
    tally: Tally, truth: Mapping[str, np.ndarray], found: list[tuple[int, np.ndarray]], last: dict[int, int]
) -> None:
    """Count one frame; `last` holds the number that each true person had when it was found last."""
    expected = truth["visible"] >= VISIBLE
    hidden = ~expected & (truth["visible"] >= HIDDEN)
    count = int(expected.sum())
    tally.hidden += int(hidden.sum())
    tally.frames += 1
    tally.there[count] += count
    errors = np.full((len(expected), len(found)), np.inf)
    units = [_unit(joints, box) for joints, box in zip(truth["joints"], truth["boxes"], strict=True)]
    for row, joints in enumerate(truth["joints"]):
        for column, (_, pose) in enumerate(found):
            away = np.hypot(*(pose[:, :2] - joints[:, :2]).T) / units[row]
            if np.isfinite(away).any():
                errors[row, column] = np.nanmedian(away)
    free = set(range(len(found)))
    unmatched = set(range(len(expected)))
    if errors.size:
        for row, column in zip(*linear_sum_assignment(np.minimum(errors, 10 * FOUND)), strict=True):
            if errors[row, column] > FOUND:
                continue
            free.discard(column)
            unmatched.discard(row)
            tally.hidden_found += bool(hidden[row])
            if not expected[row]:
                continue
            tally.found[count] += 1
            number, pose = found[column]
            person = int(truth["person"][row])
            tally.switches += last.get(person, number) != number
            last[person] = number
            joints = truth["joints"][row]
            seen = joints[:, 2] > 0
            away = np.hypot(*(pose[:, :2] - joints[:, :2]).T)
            tally.joints += int(seen.sum())
            tally.right += int((away[seen] <= PCK * units[row]).sum())
    for column in free:
        near = [row for row in unmatched if _overlap(found[column][1], truth["boxes"][row]) >= OVERLAP]
        if near:
            unmatched.discard(near[0])
        else:
            tally.false += 1


def _unit(joints: np.ndarray, box: np.ndarray) -> float:
    """Length of the trunk, but no less than a fifth of the box: seen from its end it is no measure."""
    trunk = np.hypot(*(joints[SHOULDERS, :2].mean(0) - joints[HIPS, :2].mean(0)))
    return float(max(trunk, 0.2 * max(box[2] - box[0], box[3] - box[1]), 1e-6))


def _overlap(pose: np.ndarray, box: np.ndarray) -> float:
    places = pose[np.isfinite(pose[:, 0]), :2]
    if not len(places):
        return 0.0
    low, high = np.maximum(places.min(0), box[:2]), np.minimum(places.max(0), box[2:])
    common = float(np.clip(high - low, 0, None).prod())
    union = float((places.max(0) - places.min(0)).prod() + (box[2:] - box[:2]).prod()) - common
    return common / max(union, 1e-9)
