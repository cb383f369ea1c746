"""The metrics of landmarks on cases counted by hand."""

import numpy as np
import pytest
from bodies import body

from vigil.features.quality.landmark_quality import Tally, compare_landmarks, summarise_landmarks


def truth(*people: tuple[int, int, float, float, float]) -> dict[str, np.ndarray]:
    """Rows (frame, person, x, visible share, length): bodies 100 px from the top."""
    joints = np.array([body(x, 100, length) for _, _, x, _, length in people]).reshape(-1, 13, 3)
    boxes = [(x - 0.2 * n, 100 - 0.5 * n, x + 0.2 * n, 100 + 0.5 * n) for _, _, x, _, n in people]
    return {
        "frame": np.array([row[0] for row in people]), "person": np.array([row[1] for row in people]),
        "visible": np.array([row[3] for row in people]), "boxes": np.array(boxes).reshape(-1, 4),
        "joints": joints, "class": np.array(["person"] * len(people)),
    }  # fmt: skip


def pose(x: float, *missing: int) -> np.ndarray:
    pose = body(x, 100)[:, :2]
    pose[list(missing)] = np.nan
    return pose


def test_two_of_three_found_one_exactly_one_with_joints_missing_and_one_invented() -> None:
    labels = truth((0, 1, 50, 1, 100), (0, 2, 150, 1, 100), (0, 3, 250, 1, 100))
    tally = compare_landmarks(labels, {0: [(7, pose(51)), (8, pose(150, 5, 8)), (9, pose(600))]}, [0], 1.0)
    summary = summarise_landmarks(tally)
    assert summary["recall_group"] == pytest.approx(2 / 3, abs=1e-4)
    assert summary["recall_one"] is None
    assert summary["pck_torso"] == pytest.approx(24 / 26, abs=1e-4)
    assert summary["false_people_per_frame"] == 1


def test_errors_are_measured_in_torsos() -> None:
    labels = truth((0, 1, 50, 1, 100))  # the trunk is 30 px: right within 6 px, found within 15
    for off, right, recall in ((5, 1.0, 1.0), (7, 0.0, 1.0), (16, None, 0.0)):
        summary = summarise_landmarks(compare_landmarks(labels, {0: [(0, pose(50 + off))]}, [0], 1.0))
        assert (summary["pck_torso"], summary["recall_one"]) == (right, recall)
        assert summary["false_people_per_frame"] == 0  # it is somebody who is there, however badly


def test_whoever_is_hardly_seen_may_be_found_and_need_not() -> None:
    labels = truth((0, 1, 50, 0.1, 100))
    for tracked in ([], [(0, pose(50))]):
        summary = summarise_landmarks(compare_landmarks(labels, {0: tracked}, [0], 1.0))
        assert summary["recall"] is None
        assert summary["false_people_per_frame"] == 0


def test_whoever_is_mostly_hidden_is_counted_apart() -> None:
    labels = truth((0, 1, 50, 0.5, 100), (0, 2, 150, 0.5, 100), (0, 3, 250, 1, 100), (0, 4, 350, 0.2, 100))
    summary = summarise_landmarks(compare_landmarks(labels, {0: [(0, pose(50)), (1, pose(250))]}, [0], 1.0))
    assert (summary["recall_one"], summary["recall_hidden"], summary["recall"]) == (1, 0.5, 1)
    assert summary["false_people_per_frame"] == 0


def test_two_poses_on_one_person_are_one_too_many() -> None:
    summary = summarise_landmarks(
        compare_landmarks(truth((0, 1, 50, 1, 100)), {0: [(0, pose(50)), (1, pose(52))]}, [0], 1.0)
    )
    assert (summary["recall_one"], summary["false_people_per_frame"]) == (1, 1)


def test_a_new_number_is_a_switch_also_after_a_gap() -> None:
    labels = truth(*[(frame, 1, 50, 1.0, 100) for frame in range(6)])
    numbers = [0, 0, None, 3, 3, 0]
    seen = {frame: [(number, pose(50))] for frame, number in enumerate(numbers) if number is not None}
    summary = summarise_landmarks(compare_landmarks(labels, seen, range(6), 30.0))
    assert summary["id_switches_per_minute"] == 4  # two in half a minute
    assert summary["recall_one"] == pytest.approx(5 / 6, abs=1e-4)


def test_only_frames_that_are_stored_count_and_tallies_add_up() -> None:
    labels = truth((0, 1, 50, 1, 100), (1, 1, 50, 1, 100))
    first = compare_landmarks(labels, {0: [(0, pose(50))]}, [0], 1.0)
    assert summarise_landmarks(first)["recall_one"] == 1
    both = first + compare_landmarks(labels, {}, [1], 1.0)
    assert (summarise_landmarks(both)["recall_one"], both.frames, both.seconds) == (0.5, 2, 2.0)
    assert all(value is None for value in summarise_landmarks(Tally()).values())
