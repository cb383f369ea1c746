"""Where the people are: bells in boxes, as high as somebody is certain, as wide as the body is large."""

import numpy as np
import pytest

from vigil.features.flow.heatmap import people_density

SOURCE = (640, 480)
NOBODY = np.zeros((0, 5), np.float32)


def body(left: float, top: float, height: float, score: float = 1.0) -> np.ndarray:
    """Somebody upright."""
    return np.array([[left, top, left + height / 3, top + height, score]], np.float32)


def test_nobody_is_zeros() -> None:
    heat = people_density(NOBODY, SOURCE, 64)
    assert not heat.any() and heat.shape == (64, 64) and heat.dtype == np.float32


def test_the_peak_is_in_the_middle_of_the_box_on_the_stretched_square() -> None:
    heat = people_density(np.array([[300, 100, 350, 300, 0.8]]), SOURCE, 64)
    down, across = np.unravel_index(heat.argmax(), heat.shape)
    assert (down, across) == (26, 32)  # the middle is 325 / 640 and 200 / 480 of 64
    assert heat.max() == pytest.approx(0.8, abs=0.02)
    assert (heat[:, across] > 0.4).sum() > (heat[down] > 0.4).sum()


def test_somebody_counts_as_much_as_they_are_certain() -> None:
    whole = people_density(body(300, 100, 300), SOURCE, 64)
    for score in (0.5, 0.25):
        assert people_density(body(300, 100, 300, score), SOURCE, 64) == pytest.approx(score * whole, abs=1e-6)


def test_a_large_body_makes_a_wide_bell_and_a_small_one_a_narrow_one() -> None:
    near, far = people_density(body(320, 40, 400), SOURCE, 64), people_density(body(320, 220, 40), SOURCE, 64)
    assert (near > 0.3).sum() > 10 * (far > 0.3).sum()
    assert far.max() > 0.6


def test_people_add_up_as_chances_do() -> None:
    a, b = body(300, 100, 200), body(330, 100, 200)
    both = people_density(np.concatenate([a, b]), SOURCE, 64)
    alone = [people_density(box, SOURCE, 64) for box in (a, b)]
    assert both == pytest.approx(1 - (1 - alone[0]) * (1 - alone[1]), abs=1e-6)
    assert both.max() <= 1


def test_people_outside_the_picture_are_not_in_the_map() -> None:
    outside = np.concatenate([body(-900, 100, 200), body(5000, 100, 200), body(100, -900, 200)])
    assert not people_density(outside, SOURCE, 64).any()
    cut = people_density(body(-33, 100, 200), SOURCE, 64)
    assert cut[:, 0].max() > 0.5
    assert not cut[:, 40:].any()


def test_a_crowd_fits() -> None:
    random = np.random.default_rng(0)
    crowd = np.concatenate([body(*random.uniform(0, 480, 2), 60) for _ in range(30)])
    heat = people_density(crowd, SOURCE, 64)
    assert heat.min() >= 0
    assert heat.max() <= 1
