"""Where the people are: peaks at joints, as high as they are certain, as wide as the body is large."""

from fractions import Fraction

import numpy as np
import pytest

from vigil.features.flow.heatmap import people_density
from vigil.features.landmarks.pose_table import Pose

SOURCE = (640, 480)


def person(joints: object, visibility: float = 1.0, score: float = 1.0) -> Pose:
    """The given joints; the others are not known."""
    all_ = np.full((13, 2), np.nan)
    positions = np.asarray(joints, float).reshape(-1, 2)
    all_[: len(positions)] = positions
    return Pose(0, Fraction(0), 0, score, 1.0, all_, np.full(13, visibility))


def body(left: float, top: float, height: float) -> Pose:
    """A column of joints."""
    return person(np.stack([np.full(13, left), np.linspace(top, top + height, 13)], 1))


def test_nobody_is_zeros() -> None:
    assert not people_density([], SOURCE, 64).any()


def test_the_peak_is_where_the_joint_is_on_the_stretched_square() -> None:
    heat = people_density([person([[325, 183]])], SOURCE, 64)  # 325 / 640 and 183 / 480 of 64: in pixels 32 and 24
    assert np.unravel_index(heat.argmax(), heat.shape) == (24, 32)
    assert heat.shape == (64, 64) and heat.dtype == np.float32


def test_a_joint_counts_as_much_as_it_is_visible_and_the_person_certain() -> None:
    centre = [[325, 183.75]]  # the middle of a pixel of the map
    whole = people_density([person(centre)], SOURCE, 64)
    assert whole.max() == pytest.approx(1, abs=1e-3)
    assert people_density([person(centre, 0.5)], SOURCE, 64).max() == pytest.approx(0.5 * whole.max(), rel=1e-4)
    assert people_density([person(centre, 0.5, 0.5)], SOURCE, 64).max() == pytest.approx(0.25 * whole.max(), rel=1e-4)
    assert not people_density([person(centre, 0.0)], SOURCE, 64).any()


def test_a_large_body_makes_wide_bells_and_a_small_one_narrow_ones() -> None:
    near, far = people_density([body(320, 40, 400)], SOURCE, 64), people_density([body(320, 220, 40)], SOURCE, 64)
    assert (near > 0.3).sum() > 10 * (far > 0.3).sum()
    assert far.max() > 0.6


def test_people_add_up_as_chances_do() -> None:
    a, b = body(300, 100, 200), body(330, 100, 200)
    both = people_density([a, b], SOURCE, 64)
    alone = [people_density([person_alone], SOURCE, 64) for person_alone in (a, b)]
    assert both == pytest.approx(1 - (1 - alone[0]) * (1 - alone[1]), abs=1e-6)
    assert both.max() <= 1


def test_missing_joints_leave_no_trace() -> None:
    somebody = person([[100, 100], [100, 200]])
    nobody = person(np.empty((0, 2)))
    blind = person([[100, 100], [100, 200]], np.nan)
    assert np.array_equal(people_density([somebody, nobody, blind], SOURCE, 64), people_density([somebody], SOURCE, 64))
    assert np.isfinite(people_density([nobody, blind], SOURCE, 64)).all()
    assert not people_density([nobody, blind], SOURCE, 64).any()


def test_people_outside_the_picture_are_not_in_the_map() -> None:
    assert not people_density([body(-500, 100, 200), body(5000, 100, 200), body(100, -900, 200)], SOURCE, 64).any()
    cut = people_density([body(0, 100, 200)], SOURCE, 64)
    assert cut[:, 0].max() > 0.5
    assert not cut[:, 40:].any()


def test_boxes_stand_in_where_nobody_has_a_joint() -> None:
    box = np.array([[300, 100, 350, 300, 0.8]])
    heat = people_density([person(np.empty((0, 2)))], SOURCE, 64, box)
    down, across = np.unravel_index(heat.argmax(), heat.shape)
    assert (down, across) == (26, 32)  # the middle is 325 / 640 and 200 / 480 of 64
    assert heat.max() == pytest.approx(0.8, abs=0.02)
    assert (heat[:, across] > 0.4).sum() > (heat[down] > 0.4).sum()
    somebody = body(100, 100, 200)
    assert np.array_equal(people_density([somebody], SOURCE, 64, box), people_density([somebody], SOURCE, 64))


def test_a_crowd_fits() -> None:
    random = np.random.default_rng(0)
    crowd = [body(*random.uniform(0, 480, 2), 60) for _ in range(30)]
    heat = people_density(crowd, SOURCE, 64)
    assert heat.min() >= 0
    assert heat.max() <= 1
