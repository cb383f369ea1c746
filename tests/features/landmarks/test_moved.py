"""Where something has moved: not noise, not for long, and nothing to tell before a camera that turns."""

import numpy as np
import pytest
from bodies import pan

from vigil.features.landmarks import moved

WHOLE = np.array([0.0, 0, 320, 240])
BOX = np.array([100.0, 60, 140, 180])


def noisy(seed: int, strength: float = 4.0) -> np.ndarray:
    picture = 100 + np.random.default_rng(seed).normal(0, strength, (240, 320, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("strength", [0.0, 1.0, 4.0, 12.0])
def test_noise_does_not_move(strength: float) -> None:
    state = None
    for number in range(5):
        state = moved.update(state, noisy(number, strength), number / 8)
    assert state is not None and state.changed_share(WHOLE) < 0.05


def test_what_moves_is_remembered_for_half_a_second() -> None:
    state, shares = None, []
    for number in range(10):
        image = noisy(number)
        if number >= 3:
            image[60:180, 100:140] = 200  # comes once and stays
        state = moved.update(state, image, number / 8)
        shares.append(state.changed_share(BOX) > 0.9)
    assert shares == [False] * 3 + [True] * 5 + [False] * 2
    assert state is not None and state.changed_share(np.array([200.0, 60, 240, 180])) < 0.05


def test_the_first_frame_and_one_of_another_size_tell_nothing() -> None:
    state = moved.update(None, noisy(0), 0.0)
    assert state.changed_share(WHOLE) == 0
    other = np.full((120, 320, 3), 255, np.uint8)
    assert moved.update(state, other, 0.1).changed_share(WHOLE) == 0


def test_before_a_camera_that_turns_much_moves() -> None:
    state = None
    for number, image in enumerate(pan(4, step=8)):
        state = moved.update(state, image, number / 8)
    assert state is not None and state.changed_share(np.array([0.0, 0, 400, 480])) > 0.2


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (310, 230, 500, 500), (50, 50, 50, 50), (1e6, 0, 2e6, 9)])
def test_any_box_has_a_share(box: tuple[float, ...]) -> None:
    state = moved.update(moved.update(None, noisy(0), 0.0), noisy(1), 0.1)
    assert 0 <= state.changed_share(np.array(box, np.float64)) <= 1
