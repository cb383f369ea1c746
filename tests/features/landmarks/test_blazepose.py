"""The two networks on a photograph of four people, and the arithmetic around them."""

from pathlib import Path

import numpy as np
import pytest
from bodies import photograph
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.features.landmarks import blazepose
from vigil.features.landmarks.blazepose import Networks, cover_with_tiles, keep_apart, region_around, regions_of_boxes


@pytest.fixture(scope="module")
def networks(pretrained: Path) -> Networks:
    return Networks(pretrained)


def test_the_man_in_the_coat_is_found_and_his_joints_are_where_they_are_in_the_picture(networks: Networks) -> None:
    image = photograph()
    best = networks.find(image, 0.5)[0]
    assert best[:2] == pytest.approx((78, 383), abs=12)  # his hips
    estimate = networks.estimate(image, best[:4])
    assert estimate.presence > 0.9
    assert estimate.joints[12, :2] == pytest.approx((84, 252), abs=14)  # his nose
    assert estimate.joints[[8, 11], 1] == pytest.approx(520, abs=20)  # his feet


def test_a_body_is_the_same_seen_from_a_shifted_a_wider_and_a_turned_region(networks: Networks) -> None:
    image = photograph()
    region = networks.estimate(image, networks.find(image, 0.5)[0]).region
    first = networks.estimate(image, region).joints
    for change in ((12, 0, 0, 0), (0, -12, 0, 0), (0, 0, 60, 0), (0, 0, 0, 0.3)):
        other = networks.estimate(image, region + change).joints
        assert np.median(np.hypot(*(first - other)[:, :2].T)) < 0.05 * region[2]


def test_an_empty_picture_holds_nobody(networks: Networks) -> None:
    blank = np.full((120, 160, 3), 128, np.uint8)
    assert networks.find(blank, 0.5).shape == (0, 5)
    assert networks.estimate(blank, np.array([80, 60, 100, 0.0])).presence < 0.1


def test_nothing_outside_the_window_is_seen(networks: Networks) -> None:
    image = photograph()
    region = networks.find(image, 0.5)[0, :4]
    whole = np.array([0, 0, image.shape[1], image.shape[0]])
    seen, windowed = networks.estimate(image, region), networks.estimate(image, region, whole)
    assert windowed.joints == pytest.approx(seen.joints, abs=0.5)
    away = np.array([-50.0, -50, -10, -10])
    assert networks.estimate(image, region, away).presence < 0.1
    x, y, half = region[0], region[1], 0.4 * region[2]
    close = np.array([x - half, y - half, x + half, y + half])
    painted = np.full_like(image, blazepose.GREY)
    inside = np.s_[int(max(close[1], 0)) : int(np.ceil(close[3])), int(max(close[0], 0)) : int(np.ceil(close[2]))]
    painted[inside] = image[inside]
    assert networks.estimate(image, region, close).joints == pytest.approx(
        networks.estimate(painted, region).joints, abs=1.5
    )


def test_files_that_are_missing_or_broken_are_named(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match=r"pose_detector\.tflite: not found\. Run stage `weights`"):
        Networks(tmp_path)
    (tmp_path / blazepose.DETECTOR).write_bytes(b"no network")
    with pytest.raises(VigilError, match=r"pose_detector\.tflite: not a network"):
        Networks(tmp_path)


def test_a_body_that_leans_right_has_a_positive_angle() -> None:
    assert region_around(np.array([50.0, 50]), np.array([50.0, 10])) == pytest.approx((50, 50, 100, 0))
    assert region_around(np.array([50.0, 50]), np.array([90.0, 50])) == pytest.approx((50, 50, 100, np.pi / 2))


def test_the_region_of_a_box_is_a_square_around_it() -> None:
    assert regions_of_boxes(np.array([[10, 20, 50, 120, 0.7]])).tolist() == [[30, 70, 125, 0, 0.7]]
    assert regions_of_boxes(np.zeros((0, 5))).shape == (0, 5)


def test_of_findings_close_together_the_best_stays() -> None:
    regions = np.array([[50, 50, 100, 0, 0.6], [55, 50, 90, 0, 0.9], [90, 50, 100, 0, 0.5]])
    assert keep_apart(regions, 0.15)[:, 4].tolist() == [0.9, 0.5]


@given(st.integers(1, 900), st.integers(1, 900), st.floats(0.2, 1))
def test_tiles_cover_every_pixel_and_stay_inside(width: int, height: int, share: float) -> None:
    seen = np.zeros((height, width), bool)
    for left, top, right, bottom in cover_with_tiles(width, height, share):
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        seen[top:bottom, left:right] = True
    assert seen.all()


def test_what_is_drawn_is_looked_at_in_its_place_and_not_half_a_pixel_beside_it(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 16:] = 255  # an edge in the middle, 16 px from the corner
    shown: list[np.ndarray] = []
    warp = blazepose.cv2.warpAffine
    monkeypatch.setattr(blazepose.cv2, "warpAffine", lambda *arguments, **how: _kept(shown, warp(*arguments, **how)))
    networks.estimate(image, np.array([16, 16, 32, 0.0]))
    row = shown[0][128, :, 0].astype(int)
    assert row[127] + row[128] == pytest.approx(255, abs=2)  # as dark on the left of the middle as light on its right


def _kept(shown: list[np.ndarray], crop: np.ndarray) -> np.ndarray:
    shown.append(crop)
    return crop
