"""Changes from frame to frame: counted on paper, told per eighth of a second, forgotten across pauses."""

from pathlib import Path

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.features.trunk import GROWTH, State, require_network, update

Step = tuple[float, float]  # when, and how bright the left half is


def look(image: np.ndarray) -> np.ndarray:
    """Two channels of two places: the left and the right half, and twice that."""
    left, right = float(image[:, :4].mean()), float(image[:, 4:].mean())
    return np.array([[[left, right]], [[2 * left, 2 * right]]], np.float32)


def picture(left: float, width: int = 8) -> np.ndarray:
    image = np.zeros((6, width, 3), np.uint8)
    image[:, :4] = left
    return image


def changes(*steps: Step) -> list[np.ndarray]:
    state: State | None = None
    told = []
    for time_s, left in steps:
        state, change = update(state, picture(left), time_s, look)
        told.append(change)
    return told


def test_a_change_is_its_mean_and_its_maximum_over_the_places() -> None:
    first, second, third = changes((0.0, 10), (0.125, 30), (0.25, 30))
    assert np.isnan(first).all()
    assert second.tolist() == [[10, 20], [20, 40]], "one of two places changes by 20, and by 40 in the second channel"
    assert third.tolist() == [[0, 0], [0, 0]]
    assert second.dtype == np.float16


def test_a_slower_camera_tells_less_of_the_same_difference() -> None:
    slow = changes((0.0, 10), (0.25, 30))[1]
    assert slow[1, 0] == pytest.approx(20 / 2**GROWTH, rel=1e-3)


def test_nothing_is_known_after_a_pause_or_of_a_picture_of_another_shape() -> None:
    after = changes((0.0, 10), (0.125, 10), (60.0, 200), (60.125, 210))
    assert [bool(np.isnan(change).all()) for change in after] == [True, False, True, False]
    state, _ = update(None, picture(10), 0.0, look)
    _, change = update(state, picture(10), 0.125, lambda image: np.zeros((2, 1, 3), np.float32))
    assert np.isnan(change).all()


def test_an_update_changes_nothing_that_others_hold() -> None:
    state, _ = update(None, picture(10), 0.0, look)
    update(state, picture(90), 0.125, look)
    _, change = update(state, picture(20), 0.125, look)
    assert change[1].tolist() == [10, 20]


def test_a_network_that_is_not_there_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match=r"movenet_middle\.onnx: not found\. Set weights\.people"):
        require_network(tmp_path, "0" * 64)
