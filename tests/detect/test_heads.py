"""Where heads are, and that they are hidden there and nowhere else."""

from fractions import Fraction

import numpy as np
import pytest

from vigil.detect.heads import NOBODY, heads_of_boxes, heads_of_poses
from vigil.evidence.hiding import HOLD_S, HeadTimes, hide_heads
from vigil.features.landmarks.pose_table import JOINTS, Pose


def body(**joints: tuple[float, float]) -> Pose:
    places = np.full((len(JOINTS), 2), np.nan)
    for name, place in joints.items():
        places[JOINTS.index(name)] = place
    return Pose(0, Fraction(0), 0, 1.0, 1.0, places, np.ones(len(JOINTS)))


UPRIGHT = {"SHOULDER_LEFT": (60.0, 50.0), "SHOULDER_RIGHT": (40.0, 50.0), "HIP_LEFT": (56.0, 90.0),
           "HIP_RIGHT": (44.0, 90.0)}  # fmt: skip


def test_a_head_that_is_seen_is_where_it_is_seen() -> None:
    ((x, y, radius),) = heads_of_poses([body(**UPRIGHT, HEAD=(52.0, 33.0))])
    assert (x, y) == (52, 33)
    assert 12 < radius < 40, "wider than a head, which is a third of a trunk of 40 px"


def test_a_head_that_is_not_seen_is_above_the_shoulders_whichever_way_the_body_lies() -> None:
    ((x, y, _),) = heads_of_poses([body(**UPRIGHT)])
    assert (x, y) == pytest.approx((50, 26))
    lying = {name: (place[1], place[0]) for name, place in UPRIGHT.items()}
    ((x, y, _),) = heads_of_poses([body(**lying)])
    assert (x, y) == pytest.approx((26, 50))
    ((x, y, _),) = heads_of_poses([body(WRIST_LEFT=(5.0, 80.0), KNEE_LEFT=(9.0, 120.0))])
    assert (x, y) == (5, 80)
    assert heads_of_poses([body()]).shape == (0, 3)


def test_the_head_of_a_box_is_its_top() -> None:
    ((x, y, radius),) = heads_of_boxes(np.array([[100.0, 50.0, 140.0, 150.0]]))
    assert x == 120 and 50 < y < 70 and 10 < radius < 25
    assert heads_of_boxes(np.zeros((0, 4))).shape == (0, 3)


def test_nothing_of_a_head_is_left_and_all_else_is_as_it_was() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    before = image.copy()
    hidden = hide_heads(image, np.array([[80.0, 60.0, 30.0]]), (320, 240))  # in a source of twice the size
    assert np.array_equal(image, before)
    rows, columns = np.ogrid[:120, :160]
    far = np.hypot(columns - 40, rows - 30) > 16
    near = np.hypot(columns - 40, rows - 30) < 14
    steps = np.abs(np.diff(hidden.astype(int), axis=1))[near[:, 1:]]
    assert np.array_equal(hidden[far], image[far])
    assert steps.max() < 20 and np.abs(np.diff(image.astype(int), axis=1))[near[:, 1:]].mean() > 50
    assert np.array_equal(hide_heads(image, np.array([[900.0, -50.0, 20.0]]), (320, 240)), image)


def test_heads_are_hidden_a_while_before_they_come_and_after_they_are_gone() -> None:
    heads = HeadTimes()
    for number in range(20):
        heads.add(number / 4, np.array([[number, 0.0, 5.0]]) if number == 8 else NOBODY)
    assert len(heads.near(2.0)) == 1
    assert len(heads.near(2.0 - HOLD_S)) == 1 and len(heads.near(2.0 + HOLD_S)) == 1
    assert not len(heads.near(1.4)) and not len(heads.near(2.6))
    part = heads.between(2.2, 4.0)
    heads.add(5.0, np.ones((3, 3)))
    assert len(part.near(2.3)) == 1 and not len(part.near(5.0))


def test_where_nothing_newer_is_known_the_last_place_counts() -> None:
    heads = HeadTimes()
    assert not len(heads.near(3.0))
    heads.add(1.0, np.ones((1, 3)))
    assert len(heads.near(60.0)) == 1
