"""Poses compared, and poses that no body can take."""

import numpy as np
import pytest
from bodies import body
from hypothesis import given
from hypothesis import strategies as st

from vigil.features.landmarks.skeleton import (
    coverage,
    extent,
    hide_unseen,
    is_inside,
    is_plausible,
    is_same_body,
    share_inside,
    share_on_bones,
    similarity,
    torso_length,
    with_margin,
)


def without(pose: np.ndarray, *joints: int) -> np.ndarray:
    pose = pose.copy()
    pose[list(joints), :2] = np.nan
    return pose


def test_a_pose_is_like_itself_and_unlike_one_a_body_away() -> None:
    assert similarity(body(50, 50), body(50, 50), 100) == 1
    assert similarity(body(50, 50), body(53, 50), 100) > 0.7
    assert similarity(body(50, 50), body(90, 50), 100) < 0.1
    assert similarity(body(50, 50), without(body(50, 50), *range(11)), 100) == 0  # two joints say nothing


def test_a_standing_body_is_plausible_even_half_of_it() -> None:
    assert is_plausible(body(50, 50), 100)
    assert is_plausible(without(body(50, 50), 7, 8, 10, 11), 100)
    assert torso_length(body(50, 50)) == pytest.approx(30)
    assert coverage(without(body(50, 50), 7, 8, 10, 11)) == pytest.approx(9 / 13)


@pytest.mark.parametrize("joints", [range(9), (0, 3)])
def test_too_little_of_a_body_is_none(joints: range) -> None:
    assert not is_plausible(without(body(50, 50), *joints), 100)


def test_a_body_of_a_few_pixels_is_none() -> None:
    assert not is_plausible(body(8, 8, 16), 16)


def test_arms_like_beams_are_furniture() -> None:
    pose = body(50, 50)
    pose[[1, 2, 4, 5], 0] += [80, 200, -80, -200]
    assert not is_plausible(pose, 100)


def test_nothing_but_trunk_is_no_body() -> None:
    pose = body(50, 50)
    pose[[0, 3], 1] -= 60
    assert not is_plausible(pose, 100)


@pytest.mark.parametrize("place", [(50, 80), (50, -20), (95, 5), (50, 60)])
def test_a_head_that_is_not_on_the_shoulders_is_none(place: tuple[int, int]) -> None:
    pose = body(50, 50)  # shoulders at 20, hips at 50
    pose[12, :2] = place
    assert not is_plausible(pose, 100)


@given(st.floats(-40, 40), st.floats(0, 6.3), st.floats(30, 300))
def test_where_how_large_and_how_turned_a_body_is_does_not_matter(shift: float, angle: float, length: float) -> None:
    pose = body(0, 0, length)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    pose[:, :2] = pose[:, :2] @ turn.T + shift
    assert is_plausible(pose, length)


def test_a_part_taken_for_a_whole_body_is_the_same_body() -> None:
    whole, part = body(50, 50), body(50, 50)
    part[:, 1] = 50 + 0.4 * (part[:, 1] - 50)  # all of it between chest and knees
    part[:, 0] = 50 + 0.5 * (part[:, 0] - 50)
    assert similarity(whole, part, 40) < 0.35
    assert is_same_body(part, whole, 40, 100, 0.35) and is_same_body(whole, part, 100, 40, 0.35)
    assert not is_same_body(body(50, 60, 40), body(85, 50), 40, 100, 0.35)
    assert share_on_bones(whole, whole, 100) == pytest.approx(12 / 13)  # no bone leads to the head
    assert share_on_bones(without(whole, *range(13)), whole, 100) == 0


def test_a_body_extends_from_its_head_to_its_feet() -> None:
    assert extent(body(50, 50)) == pytest.approx(90)
    assert extent(without(body(50, 50), 8, 11)) == pytest.approx(67), "without ankles"
    assert extent(without(body(50, 50), *range(13))) == 0


def test_joints_in_a_box_are_counted() -> None:
    pose = body(50, 50)
    assert share_inside(pose, np.array([0, 0, 100, 100])) == 1
    assert share_inside(pose, np.array([0, 51, 100, 100])) == pytest.approx(4 / 13)
    assert share_inside(without(pose, 7, 8, 10, 11), np.array([0, 51, 100, 100])) == 0
    assert share_inside(without(pose, *range(13)), np.array([0, 0, 9, 9])) == 0


def test_a_pose_half_in_a_box_is_of_somebody_else() -> None:
    pose = body(50, 50)
    low, high = np.nanmin(pose[:, :2], axis=0), np.nanmax(pose[:, :2], axis=0)
    box = np.concatenate([low, high])
    assert is_inside(pose, box)
    assert not is_inside(pose, box + (0, 0, 0, -(high[1] - low[1]) / 2))


def test_a_margin_is_added_on_every_side() -> None:
    assert with_margin(np.array([10.0, 20, 110, 70])).tolist() == [-2.0, 14.0, 122.0, 76.0]


def test_a_joint_that_is_faint_or_outside_has_no_place() -> None:
    joints = np.tile([5.0, 5.0, 0.9], (13, 1))
    joints[0, 2], joints[1, 0], joints[2, 1], joints[3, 0] = 0.05, -0.1, 10.0, 19.9
    pose = hide_unseen(joints, (10, 20, 3), 0.1)
    assert np.flatnonzero(np.isnan(pose[:, 0])).tolist() == [0, 1, 2]
    assert np.isfinite(joints).all(), "the joints that were given are left as they are"
