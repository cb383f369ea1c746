"""Changes from frame to frame: counted on paper, told per eighth of a second, forgotten across pauses."""

from pathlib import Path

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.features.trunk import CHANNELS, GROWTH, Settings, State, open_look, require_networks, update, weights_digests

Step = tuple[float, float]  # when, and how bright the left half is


def look(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Two networks of one channel: one sees the left and the right half, and one sees twice the left."""
    left, right = float(image[:, :4].mean()), float(image[:, 4:].mean())
    return np.array([[[left, right]]], np.float32), np.array([[[2 * left]]], np.float32)


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


def test_a_change_is_that_of_the_place_where_it_is_largest_since_one_and_two_frames_before() -> None:
    first, second, third, fourth = changes((0.0, 10), (0.125, 30), (0.25, 60), (0.375, 60))
    assert np.isnan(first).all()
    assert second[0].tolist() == [20, 40], "the left half changes by 20, and by 40 in the eyes of the other"
    assert np.isnan(second[1]).all(), "there is no frame before the one before"
    assert third.tolist() == [[30, 60], [50, 100]]
    assert fourth.tolist() == [[0, 0], [30, 60]]
    assert second.dtype == np.float16


def test_a_slower_camera_tells_less_of_the_same_difference() -> None:
    slow = changes((0.0, 10), (0.25, 30), (0.5, 30))
    assert slow[1][0, 0] == pytest.approx(20 / 2**GROWTH, rel=1e-3)
    assert slow[2][1, 0] == pytest.approx(20 / 2**GROWTH, rel=1e-3)


def test_nothing_is_known_after_a_pause_or_of_a_picture_of_another_shape() -> None:
    told = changes((0.0, 10), (0.125, 10), (60.0, 200), (60.125, 210), (60.25, 230))
    assert [bool(np.isnan(change[0]).all()) for change in told] == [True, False, True, False, False]
    assert np.isnan(told[3][1]).all() and told[4].tolist() == [[20, 40], [30, 60]], "nothing is of before the pause"
    state, _ = update(None, picture(10), 0.0, look)
    _, change = update(
        state, picture(10), 0.125, lambda _: (np.zeros((1, 1, 2), np.float32), np.zeros((1, 2, 1), np.float32))
    )
    assert np.isnan(change).all()


def test_an_update_changes_nothing_that_others_hold() -> None:
    state, _ = update(None, picture(10), 0.0, look)
    update(state, picture(90), 0.125, look)
    _, change = update(state, picture(20), 0.125, look)
    assert change[0].tolist() == [10, 20]


def test_nanodet_tells_of_its_own_channels_behind_those_of_movenet(people_networks: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (2, 96, 128, 3), dtype=np.uint8)

    def second_change(settings: Settings) -> np.ndarray:
        see = open_look(settings, people_networks)
        state, _ = update(None, images[0], 0.0, see)
        return update(state, images[1], 0.125, see)[1][0]

    both, smaller = (second_change(Settings(px=128, nanodet_px=side)) for side in (192, 96))
    alone = second_change(Settings(px=128, nanodet_px=None))
    assert both.shape == alone.shape == (CHANNELS,) and np.isfinite(both).all() and (both > 0).mean() > 0.9
    is_movenet = np.isfinite(alone)
    assert is_movenet.sum() == 224 and is_movenet[:224].all(), "where NanoDet does not look nothing is known"
    np.testing.assert_array_equal(both[:224], alone[:224])
    np.testing.assert_array_equal(both == smaller, is_movenet)


def test_networks_that_are_not_there_or_are_others_are_refused_by_name(tmp_path: Path) -> None:
    settings = Settings(px=256, nanodet_px=320)
    (tmp_path / "movenet_middle.onnx").write_bytes(b"one")
    with pytest.raises(VigilError, match=r"nanodet\.onnx: not found\. Set weights\.people"):
        weights_digests(settings, tmp_path)
    (tmp_path / "nanodet.onnx").write_bytes(b"two")
    digests = weights_digests(settings, tmp_path)
    require_networks(tmp_path, digests)
    (tmp_path / "nanodet.onnx").write_bytes(b"three")
    with pytest.raises(VigilError, match=r"nanodet\.onnx: another network than when models learnt"):
        require_networks(tmp_path, digests)
    require_networks(tmp_path, {"movenet_middle.onnx": digests["movenet_middle.onnx"]})
