"""People by tracked boxes: who keeps the number, which boxes start a track, and how joints move between estimates."""

from collections.abc import Sequence

import numpy as np
from bodies import BASE

from vigil.features.landmarks import boxes, tracks
from vigil.features.landmarks.boxes import BoxSettings, Networks
from vigil.features.landmarks.clothes import clothes_distances, describe_clothes
from vigil.features.landmarks.joint_flow import move_poses

OWN = BoxSettings()
# A body that stands upright, in shares of its box: the 17 points of COCO.
POINTS = np.array([
    (.5, .08), (.48, .06), (.52, .06), (.45, .07), (.55, .07), (.3, .2), (.7, .2), (.25, .35), (.75, .35), (.22, .5),
    (.78, .5), (.38, .52), (.62, .52), (.38, .74), (.62, .74), (.38, .96), (.62, .96)
])  # fmt: skip


def paint(spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """A picture of speckled bodies, 40 px wide and 100 px high, by their left sides and brightness."""
    image = np.full((120, 320, 3), 30, np.uint8)
    speckles = np.random.default_rng(0).integers(0, 90, (100, 40, 1), dtype=np.uint8)
    for left, brightness in spans:
        image[10:110, left : left + 40] = brightness + speckles
    return image


def find(image: np.ndarray) -> np.ndarray:
    """Boxes around what is bright, as sure as it is bright."""
    columns = image[10:110].mean((0, 2))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (columns > 60).astype(int), [0]])))
    spans = edges.reshape(-1, 2)
    return np.array([(left, 10, right, 110, columns[left:right].mean() / 255) for left, right in spans]).reshape(-1, 5)


def pose(image: np.ndarray, square: np.ndarray, window: np.ndarray) -> np.ndarray:
    places = square[:2] + (POINTS - 0.5) * (40, 100)
    column, row = (int(value) for value in square[:2])
    return np.column_stack([places, np.full(17, 0.8 if image[row, column, 0] > 30 else 0.1)])


def follow(pictures: Sequence[np.ndarray], times: Sequence[float]) -> list[list[int]]:
    """The numbers of the people in each picture."""
    state, numbers = tracks.START, []
    for image, time_s in zip(pictures, times, strict=True):
        state, people = boxes.update(state, image, time_s, Networks(find, pose), BASE, OWN)
        numbers.append([person.person for person in people])
    return numbers


def test_two_who_walk_keep_their_numbers() -> None:
    pictures = [paint([(10 + 6 * step, 120), (250 - 6 * step, 120)]) for step in range(16)]
    assert follow(pictures, [step / 8 for step in range(16)]) == [[0, 1]] * 16


def test_an_unsure_box_continues_a_track_and_starts_none() -> None:
    """Brightness 120 is a box of 0.65, 30 is one of 0.29: less than `confidence`."""
    sure, unsure = paint([(50, 120)]), paint([(50, 30)])
    assert follow([unsure] * 8, [step / 8 for step in range(8)]) == [[]] * 8
    assert follow([sure, *[unsure] * 7], [step / 8 for step in range(8)]) == [[0]] * 8


def test_who_meets_somebody_in_other_clothes_keeps_the_number() -> None:
    """Two change places between two looks of the detector; either is nearer to where the other was."""
    red, blue = (200, 40, 40), (40, 40, 200)
    pictures = []
    for colours in ((red, blue), (blue, red)):
        image = np.full((120, 320, 3), 30, np.uint8)
        image[10:110, 60:80], image[10:110, 80:100] = colours
        pictures.append(image)
    places = np.array([(50, 10, 90, 110, 0.9), (70, 10, 110, 110, 0.8)])
    networks, state, told = Networks(lambda _: places, pose), tracks.START, []
    for image, time_s in zip(pictures, (0.0, 0.5), strict=True):
        state, _ = boxes.update(state, image, time_s, networks, BASE, OWN)
        told.append({track.person: float(track.region[0]) for track in state.tracks if track.seen_s == time_s})
    assert told == [{0: 70.0, 1: 90.0}, {0: 90.0, 1: 70.0}]


def test_a_pose_is_estimated_anew_sooner_where_somebody_moves() -> None:
    def count_estimates(step_px: int) -> int:
        estimates = []

        def counted(image: np.ndarray, square: np.ndarray, window: np.ndarray) -> np.ndarray:
            estimates.append(square)
            return pose(image, square, window)

        state = tracks.START
        own = OWN.model_copy(update={"pose_every_s": 0.5})
        for step in range(16):
            image = paint([(20 + step_px * step, 120)])
            state, _ = boxes.update(state, image, step / 8, Networks(find, counted), BASE, own)
        return len(estimates)

    assert count_estimates(0) == 4
    assert count_estimates(8) == 16


def test_clothes_are_as_far_apart_as_their_colours() -> None:
    image = np.zeros((100, 60, 3), np.uint8)
    image[:, :20], image[:, 20:40], image[:50, 40:] = (250, 0, 0), (0, 250, 0), (250, 0, 0)
    image[50:, 40:] = (0, 250, 0)  # red above green
    red, green, both = (describe_clothes(image, np.array([x, 0, x + 20, 100])) for x in (0, 20, 40))
    np.testing.assert_allclose(
        clothes_distances([red, green], [red, green, both]), [[0, 1, 0.5], [1, 0, 0.5]], atol=0.1
    )
    assert describe_clothes(image, np.array([-50, -50, 300, -40])).sum() > 0, "a box beyond the picture"
    assert clothes_distances([], [red]).shape == (0, 1)


def test_what_never_moves_and_had_no_sure_box_is_not_shown() -> None:
    """Brightness 60 is a box of 0.41: it starts a track, and a coat on its hook would."""
    still, step_px = [paint([(50, 60)])] * 8, 6
    assert follow(still, [step / 8 for step in range(8)]) == [[]] * 8
    walking = [paint([(50 + step_px * step, 60)]) for step in range(8)]
    assert follow([*still, *walking], [step / 8 for step in range(16)])[9:] == [[0]] * 7
    assert follow([paint([(50, 120)])] * 8, [step / 8 for step in range(8)]) == [[0]] * 8, "a sure box"


def test_nobody_is_remembered_across_a_pause() -> None:
    picture = paint([(50, 120)])
    assert follow([picture] * 4, [0.0, 0.125, 60.0, 60.125]) == [[0], [0], [1], [1]]


def test_who_is_no_longer_there_is_lost() -> None:
    pictures = [*[paint([(50, 120)])] * 4, *[paint([])] * 12]
    assert follow(pictures, [step / 8 for step in range(16)])[-4:] == [[]] * 4


def test_joints_move_with_the_picture() -> None:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (40, 60), dtype=np.uint8)
    before = np.kron(coarse, np.ones((4, 4), np.uint8))
    after = np.roll(before, (3, 5), axis=(0, 1))
    body = np.column_stack([POINTS[:13] * (40, 100) + (80, 20), np.full(13, 0.9)])
    body[3, :2] = np.nan  # a joint that is not seen stays so
    (moved,) = move_poses(before, after, [body], [100.0])
    assert moved is not None
    np.testing.assert_allclose(moved[:, :2] - body[:, :2], np.where(np.isnan(body[:, :2]), np.nan, (5, 3)), atol=0.3)
    assert move_poses(before, np.zeros_like(before), [body], [100.0]) == [None]
