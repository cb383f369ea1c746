"""Boxes from a detector: letterbox and back, overlapping boxes, and files that are not those of the config."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from detectors import SIDE, detector
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file, write_json
from vigil.features.persons.detector import (
    CONFIG,
    NETWORK,
    WEIGHTS,
    Detector,
    letterbox,
    remove_overlapping,
    why_nobody,
)

CONFIDENCE = 0.5


def test_boxes_are_in_pixels_of_the_picture(tmp_path: Path) -> None:
    """128x96 fits the square of 64 at half its size with 8 rows of grey above, so (x, y) is (2x, 2(y - 8))."""
    model = detector(tmp_path / "model", [[32, 28, 16, 24, 0.9]])
    boxes = Detector(model, CONFIDENCE)(np.zeros((96, 128, 3), np.uint8))
    np.testing.assert_allclose(boxes, [[48, 16, 80, 64, 0.9]], atol=1e-5)


def test_boxes_end_where_the_picture_ends(tmp_path: Path) -> None:
    model = detector(tmp_path / "model", [[4, 20, 20, 60, 0.9], [32, 3, 10, 6, 0.8]])  # the second lies in the grey
    boxes = Detector(model, CONFIDENCE)(np.zeros((96, 128, 3), np.uint8))
    np.testing.assert_allclose(boxes, [[0, 0, 28, 84, 0.9]], atol=1e-5)


def test_only_the_class_that_is_asked_for(tmp_path: Path) -> None:
    rows = [[20, 30, 10, 10, 0.9, 0.1], [40, 30, 10, 10, 0.2, 0.7], [50, 30, 4, 4, 0.4, 0.4]]
    model = detector(tmp_path / "model", rows, ("person", "bag"))
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    np.testing.assert_allclose(Detector(model, CONFIDENCE)(image), [[15, 25, 25, 35, 0.9]], atol=1e-5)
    np.testing.assert_allclose(Detector(model, CONFIDENCE, "bag")(image), [[35, 25, 45, 35, 0.7]], atol=1e-5)
    with pytest.raises(VigilError, match="Did you mean 'bag'"):
        Detector(model, CONFIDENCE, "bags")


def test_people_are_of_all_classes_that_count_as_a_person(tmp_path: Path) -> None:
    """The first is a rider with 0.9, the second a walker with 0.7, the third a horse."""
    rows = [[20, 30, 10, 10, 0.9, 0.6, 0.1], [40, 30, 10, 10, 0.2, 0.7, 0.1], [50, 50, 4, 4, 0.4, 0.4, 0.8]]
    classes = ("rider", "walker", "horse")
    model = detector(tmp_path / "model", rows, classes, ("rider", "walker"))
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert Detector(model, CONFIDENCE)(image)[:, 4] == pytest.approx([0.9, 0.7])
    none = detector(tmp_path / "none", rows, classes, ())
    with pytest.raises(VigilError, match=r"finds rider, walker, horse, and none counts as a person\. Name those"):
        Detector(none, CONFIDENCE)
    assert len(Detector(none, CONFIDENCE, "horse")(image)) == 1


def test_a_model_of_before_classes_could_be_named_finds_persons(tmp_path: Path) -> None:
    model = detector(tmp_path / "model", [[20, 30, 10, 10, 0.9]])
    config = read_json(model / CONFIG)
    del config["people"]
    write_json(model / CONFIG, config)
    assert why_nobody(model) is None
    assert len(Detector(model, CONFIDENCE)(np.zeros((SIDE, SIDE, 3), np.uint8))) == 1


def test_nobody_gives_no_boxes(tmp_path: Path) -> None:
    model = detector(tmp_path / "model", [[20, 30, 10, 10, 0.3]])
    assert Detector(model, CONFIDENCE)(np.zeros((10, 300, 3), np.uint8)).shape == (0, 5)


@pytest.mark.parametrize("name", [WEIGHTS, NETWORK])
def test_files_that_are_not_those_of_the_config_are_refused(tmp_path: Path, name: str) -> None:
    model = detector(tmp_path / "model", [[20, 30, 10, 10, 0.9]])
    (model / name).write_bytes((model / name).read_bytes() + b"x")
    with pytest.raises(VigilError, match=rf"{name}: sha256 is .*not the file that stage `person` wrote"):
        Detector(model, CONFIDENCE)
    (model / name).unlink()
    with pytest.raises(VigilError, match="nothing there"):
        Detector(model, CONFIDENCE)


def test_a_file_that_is_no_network_is_one_line(tmp_path: Path) -> None:
    model = detector(tmp_path / "model", [[20, 30, 10, 10, 0.9]])
    (model / NETWORK).write_bytes(b"nonsense")
    write_json(model / CONFIG, read_json(model / CONFIG) | {"network_sha256": sha256_file(model / NETWORK)})
    with pytest.raises(VigilError, match="OpenCV cannot read it"):
        Detector(model, CONFIDENCE)
    shutil.rmtree(model)
    with pytest.raises(VigilError, match="Run stage `person`"):
        Detector(model, CONFIDENCE)


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_letterbox_holds_the_whole_picture(width: int, height: int) -> None:
    square, scale, (left, top) = letterbox(np.full((height, width, 3), 7, np.uint8), SIDE)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[top : top + max(1, round(scale * height)), left : left + max(1, round(scale * width))] = True
    assert square.shape == (SIDE, SIDE, 3)
    assert (square[inside] == 7).all()
    assert (square[~inside] == 114).all()


def test_of_overlapping_boxes_the_best_stays() -> None:
    """10x10 boxes shifted by 2: 80 in common of 120, 0.67; by 4: 60 of 140, 0.43."""
    boxes = np.array([[0, 0, 10, 10, 0.5], [2, 0, 12, 10, 0.9], [6, 0, 16, 10, 0.7], [50, 50, 60, 60, 0.1]])
    assert remove_overlapping(boxes, 0.6)[:, 4].tolist() == [0.9, 0.7, 0.1]
    assert remove_overlapping(boxes, 0.7)[:, 4].tolist() == [0.9, 0.7, 0.5, 0.1]
    assert remove_overlapping(boxes[:0]).shape == (0, 5)
