"""Poses compared, and poses that no body can take."""

import numpy as np
import pytest

from bodies import body
from vigil.features.skeleton import coverage, plausible, similarity, torso


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
    assert plausible(body(50, 50), 100)
    assert plausible(without(body(50, 50), 7, 8, 10, 11), 100)
    assert torso(body(50, 50)) == pytest.approx(30)
    assert coverage(without(body(50, 50), 7, 8, 10, 11)) == pytest.approx(9 / 13)


@pytest.mark.parametrize("joints", [range(9), (0, 3)])
def test_too_little_of_a_body_is_none(joints: range) -> None:
    assert not plausible(without(body(50, 50), *joints), 100)


def test_a_body_of_a_few_pixels_is_none() -> None:
    assert not plausible(body(8, 8, 16), 16)


def test_arms_like_beams_are_furniture() -> None:
    pose = body(50, 50)
    pose[[1, 2, 4, 5], 0] += [80, 200, -80, -200]
    assert not plausible(pose, 100)


def test_nothing_but_trunk_is_no_body() -> None:
    pose = body(50, 50)
    pose[[0, 3], 1] -= 60
    assert not plausible(pose, 100)
