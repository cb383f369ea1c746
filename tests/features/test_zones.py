"""Zones: what is inside is decided by polygons, and of people by their feet."""

import numpy as np
import pytest

from vigil.features.landmarks.pose_table import JOINTS, Pose
from vigil.features.pictures import normalise_squares
from vigil.features.zones import Zones, find_feet

RIGHT = Zones((((0.5, 0), (1, 0), (1, 1), (0.5, 1)),))
SIZE = (200, 100)


def body(feet: tuple[float, float], head: tuple[float, float], person: int = 0) -> Pose:
    joints = np.full((len(JOINTS), 2), np.nan)
    joints[JOINTS.index("ANKLE_LEFT")] = feet[0] - 2, feet[1]
    joints[JOINTS.index("ANKLE_RIGHT")] = feet[0] + 2, feet[1]
    joints[JOINTS.index("HEAD")] = head
    return Pose(0, 0, person, 1.0, 1.0, joints, np.ones(len(JOINTS)))  # type: ignore[arg-type]


def test_a_half_of_the_picture_is_half_of_its_pixels() -> None:
    mask = RIGHT.mask((10, 20))
    assert mask.shape == (10, 20) and mask[:, 10:].all() and not mask[:, :10].any()


def test_a_dent_is_outside() -> None:
    mask = Zones((((0, 0), (1, 0), (1, 1), (0.5, 0.5), (0, 1)),)).mask((40, 40))
    assert mask[10, 20] and not mask[35, 20] and mask[35, 2] and mask[35, 37]


def test_of_two_polygons_either_counts() -> None:
    corners = Zones((((0, 0), (0.25, 0), (0.25, 0.25), (0, 0.25)), ((0.75, 0.75), (1, 0.75), (1, 1), (0.75, 1))))
    mask = corners.mask((40, 40))
    assert mask[2, 2] and mask[38, 38] and not mask[20, 20] and not mask[2, 38]


def test_people_are_where_their_feet_are_and_not_where_their_heads_are() -> None:
    leans_in, leans_out = body((90, 90), (130, 20), 1), body((110, 90), (70, 20), 2)
    assert [pose.person for pose in RIGHT.keep_people([leans_in, leans_out], SIZE)] == [2]


def test_boxes_stand_on_their_lower_edges() -> None:
    boxes = np.array([[70, 10, 110, 90, 0.9], [100, 10, 120, 90, 0.8], [60, 0, 160, 100, 0.7]], np.float32)
    assert RIGHT.keep_boxes(boxes, SIZE)[:, 4].tolist() == pytest.approx([0.8, 0.7])
    assert RIGHT.keep_boxes(boxes[:0], SIZE).shape == (0, 5)


def test_feet_that_are_hidden_are_below_what_is_seen() -> None:
    joints = np.full((len(JOINTS), 2), np.nan)
    assert find_feet(joints) is None
    joints[JOINTS.index("SHOULDER_LEFT")], joints[JOINTS.index("HIP_LEFT")] = (10, 20), (30, 60)
    assert find_feet(joints) == pytest.approx([20, 60])
    joints[JOINTS.index("ANKLE_RIGHT")] = 50, 95
    assert find_feet(joints) == pytest.approx([50, 95])


def test_who_stands_below_the_picture_stands_at_its_edge() -> None:
    assert RIGHT.keep_people([body((150, 140), (150, 20))], SIZE)


def test_what_is_covered_is_nothing_to_a_network() -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    covered = RIGHT.cover(image)
    assert np.array_equal(covered[:, 16:], image[:, 16:])
    planes = normalise_squares(covered[None], "tchw").numpy()
    assert np.abs(planes[..., :16]).max() < 0.01
