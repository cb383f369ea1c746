"""Boxes of people: looked for at every few frames, held in between, never across a pause, and the same on disk."""

from pathlib import Path

import numpy as np
import pytest

from vigil.features.landmarks import people_boxes, tracks
from vigil.features.landmarks.people_boxes import SharedLook, boxes_of_people, read_boxes, write_boxes
from vigil.features.landmarks.tracks import Person

PICTURE = np.zeros((90, 160, 3), np.uint8)


def box(left: float, score: float = 0.9) -> list[float]:
    return [left, 20, left + 20, 80, score]


class Detector:
    """Finds somebody one pixel further at each look, and somebody unsure."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.looks += 1
        return np.array([box(self.looks), box(100, 0.2)], np.float32)


def lefts(times: list[float], every_s: float, shapes: dict[int, tuple[int, ...]] | None = None) -> list[list[float]]:
    state, detector, seen = people_boxes.START, Detector(), []
    for number, time_s in enumerate(times):
        image = np.zeros((shapes or {}).get(number, PICTURE.shape), np.uint8)
        state, boxes = people_boxes.update(state, image, time_s, detector, every_s, 0.3)
        seen.append(boxes[:, 0].tolist())
    return seen


def test_boxes_hold_until_the_next_look_and_unsure_ones_are_not_among_them() -> None:
    assert lefts([number / 8 for number in range(6)], 0.25) == [[1], [1], [2], [2], [3], [3]]


def test_a_pause_and_another_size_are_looked_at_at_once() -> None:
    assert lefts([0, 1 / 8, 60, 60 + 1 / 8], 10.0) == [[1], [1], [2], [2]]
    assert lefts([0, 1 / 8, 2 / 8, 3 / 8], 10.0, {2: (80, 160, 3), 3: (80, 160, 3)}) == [[1], [1], [2], [2]]


@pytest.mark.parametrize("fps", [5.0, 8.0, 12.5])
@pytest.mark.parametrize("every_s", [0.1, 0.25, 0.3, 1.0])
def test_looks_are_due_when_tracks_are_matched_anew(fps: float, every_s: float) -> None:
    """Or the two would look at different frames, and at twice as many."""
    times = [number / fps for number in range(40)] + [90 + number / fps for number in range(20)]
    state, matched = tracks.State(), []
    for time_s in times:
        state, _ = tracks.recall_tracks(state, PICTURE, time_s, SETTINGS)
        if state.is_detection_due(time_s, every_s):
            matched.append(time_s)
            state = tracks.State(state.tracks, state.next_person, time_s, state.shape, state.moved, state.pace)
    seen = [left for (left,) in lefts(times, every_s)]
    looked = [time_s for time_s, before, left in zip(times, [0, *seen], seen, strict=False) if left != before]
    assert looked == matched


SETTINGS = tracks.Settings(
    every_s=0.25,
    max_people=4,
    sure=0.6,
    presence=0.6,
    start_presence=0.8,
    visibility=0.1,
    alike=0.35,
    occlusion_s=1.0,
)


def test_two_who_ask_about_one_picture_share_a_look() -> None:
    detector = Detector()
    shared, other = SharedLook(detector), PICTURE.copy()
    assert shared(PICTURE) is shared(PICTURE) and detector.looks == 1
    shared(other)
    assert detector.looks == 2, "a picture that is equal may be of another moment"


def test_who_is_known_by_joints_has_the_box_of_those_that_are_seen() -> None:
    pose = np.full((13, 3), np.nan)
    pose[[0, 8, 12]] = [[30, 40, 1], [36, 80, 1], [33, 20, 0.4]]
    unseen = Person(1, np.full((13, 3), np.nan), 0.9)
    assert boxes_of_people([Person(0, pose, 0.5), unseen]).tolist() == [[30, 20, 36, 80, 0.5]]
    assert boxes_of_people([]).shape == (0, 5)


@pytest.mark.parametrize("counts", [[], [0], [2, 0, 1], [0, 0, 3, 0]])
def test_a_file_has_the_boxes_of_every_frame(counts: list[int]) -> None:
    random = np.random.default_rng(7)
    boxes = [random.normal(size=(count, 5)).astype(np.float32) for count in counts]
    write_boxes(Path("one.boxes.npz"), boxes)
    read = list(read_boxes(Path("one.boxes.npz")))
    assert len(read) == len(boxes)
    assert all(np.array_equal(one, other) and one.shape == other.shape for one, other in zip(read, boxes, strict=True))
