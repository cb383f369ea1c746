"""Usual motion: counted per cell of the picture, on planes whose bustle is plain to see."""

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.features.flow.usual import GRID, crowd_motion, deviations, learn_norm, score_unusual

SIDE = 32  # px: cells of 4x4


def planes(frames: int, speed: float = 0.2, seed: int = 0, where: slice = slice(0, SIDE // 2)) -> np.ndarray:
    """People on the left half who walk to the right, about as fast as `speed` of the scale."""
    noise = np.random.default_rng(seed).normal(1, 0.2, (frames, 1, 1))
    stored = np.zeros((frames, 3, SIDE, SIDE))
    stored[:, 0, :, where] = speed * noise
    stored[:, 2, :, where] = 0.5
    return (stored * 127).round().astype(np.int8)


def test_bustle_is_speed_times_people_in_a_cell() -> None:
    stored = np.zeros((1, 3, SIDE, SIDE), np.int8)
    stored[0, 0, 0, 0], stored[0, 1, 0, 0], stored[0, 2, 0, 0] = 30, 40, 127  # speed 50 of 127, one pixel of 16
    expected = np.zeros((GRID, GRID))
    expected[0, 0] = 50 / 127 / 16
    np.testing.assert_allclose(crowd_motion(stored)[0], expected)


def test_a_picture_that_no_grid_divides_is_covered_once() -> None:
    stored = np.full((1, 3, 21, 13), 127, np.int8)
    np.testing.assert_allclose(crowd_motion(stored), np.sqrt(2))


def test_running_is_unusual_where_people_walk() -> None:
    norm = learn_norm(planes(200, seed=seed) for seed in range(3))
    walk, run = score_unusual(norm, planes(200, seed=7)), score_unusual(norm, planes(200, 0.6, seed=8))
    assert abs(walk.mean()) < 0.5 and np.median(run) > walk.max()


def test_walking_is_unusual_where_nobody_walks_and_the_map_says_where() -> None:
    norm = learn_norm([planes(500)])
    elsewhere = planes(50, seed=3, where=slice(SIDE // 2, SIDE))
    assert score_unusual(norm, elsewhere).mean() > 2 + score_unusual(norm, planes(50, seed=3)).mean()
    apart = deviations(norm, elsewhere).mean(axis=0)
    assert apart[:, GRID // 2 :].min() > apart[:, : GRID // 2].max()


def test_neither_a_still_crowd_nor_a_moving_tree_is_bustle() -> None:
    still, tree = planes(5, speed=0), planes(5)
    tree[:, 2] = 0
    assert not crowd_motion(still).any() and not crowd_motion(tree).any()


def test_a_frame_is_judged_alone() -> None:
    norm = learn_norm([planes(50)])
    stored = planes(20, 0.5)
    np.testing.assert_array_equal(score_unusual(norm, stored)[5:6], score_unusual(norm, stored[5:6]))


def test_how_videos_are_cut_does_not_matter() -> None:
    whole = planes(60)
    norm_at_once, norm_in_parts = learn_norm([whole]), learn_norm([whole[:7], whole[:0], whole[7:]])
    np.testing.assert_allclose(norm_at_once.mean, norm_in_parts.mean)
    np.testing.assert_allclose(norm_at_once.deviation, norm_in_parts.deviation)


def test_a_world_where_nothing_moved_makes_finite_scores() -> None:
    norm = learn_norm([np.zeros((10, 3, SIDE, SIDE), np.int8)])
    assert not score_unusual(norm, np.zeros((2, 3, SIDE, SIDE), np.int8)).any()
    assert np.isfinite(score_unusual(norm, planes(3))).all()


def test_no_normal_video_is_an_error_that_says_so() -> None:
    with pytest.raises(VigilError, match="labelled normal"):
        learn_norm([])
