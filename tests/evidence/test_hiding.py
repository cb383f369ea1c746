"""Heads are hidden where they are, were and will be a moment later, and nothing else of a picture changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.evidence.hiding import HOLD_S, STONES, HeadTimes, hide_heads

SOURCE = (320, 240)  # px, width and height


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


@given(
    x=st.floats(-40, 360), y=st.floats(-40, 280), radius=st.floats(0.5, 120), scale=st.sampled_from([0.25, 0.5, 1, 2])
)
def test_a_head_is_hidden_and_nothing_beyond_it(x: float, y: float, radius: float, scale: float) -> None:
    image = noise(round(320 * scale), round(240 * scale))
    before = image.copy()
    hidden = hide_heads(image, np.array([[x, y, radius]]), SOURCE)
    assert np.array_equal(image, before), "the picture that is judged stays"
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    distance = np.hypot(columns / scale - x, rows / scale - y)
    outside = distance > max(radius, 2 / scale) + 1e-6
    assert np.array_equal(hidden[outside], image[outside])


def test_what_is_left_of_a_head_has_few_colours() -> None:
    image = noise(*SOURCE)
    hidden = hide_heads(image, np.array([[160.0, 120.0, 40.0]]), SOURCE)
    patch = hidden[120 - 20 : 120 + 20, 160 - 20 : 160 + 20].astype(float)
    steps = np.abs(np.diff(patch, axis=0)).max()
    assert np.abs(np.diff(image[100:140, 140:180].astype(float), axis=0)).max() > 200
    assert steps < 255 / (80 / STONES) + 2, "no step is steeper than from one stone to the next"


@pytest.mark.parametrize("most", [None, 4])
def test_heads_are_hidden_before_and_after_their_frames(most: int | None) -> None:
    times = HeadTimes(most)
    for number in range(8):
        times.add(number / 4, np.array([[float(number), 0, 1]]))

    def heads_near(time_s: float) -> list[float]:
        return times.near(time_s)[:, 0].tolist()

    assert heads_near(1.5) == [4, 5, 6, 7]
    assert heads_near(1.75 + HOLD_S + 1) == [7], "of the newest, however long ago"
    assert times.between(1.5, 1.5).near(1.5)[:, 0].tolist() == heads_near(1.5)
    assert HeadTimes().near(1.0).shape == (0, 3)
