"""The person stage: a real training, tiny, that leaves nothing anywhere, asks nobody on the network, and goes on."""

import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from person_training import METRICS, OUT, contents, draw, params, run, stage

from vigil.core.errors import VigilError
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_file
from vigil.features.persons.detector import Detector
from vigil.features.persons.ultralytics_yolo import run_apart


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    draw(folder)
    ran = stage(folder)
    assert ran.returncode == 0, ran.stderr
    assert "person: mAP50" in ran.stdout
    return folder


def test_files_are_what_the_config_says(trained: Path) -> None:
    config = read_json(trained / OUT / "config.json")
    assert sorted(path.name for path in (trained / OUT).iterdir()) == ["config.json", "person.onnx", "person.pt"]
    assert config == {
        "classes": ["person"],
        "people": ["person"],
        "epochs": {"trained": 1, "kept": 1},
        "imgsz": 64,
        "knows_real_people": False,
        "sets": ["set"],
        "sha256": sha256_file(trained / OUT / "person.pt"),
        "network_sha256": sha256_file(trained / OUT / "person.onnx"),
    }


def test_metrics_say_on_what(trained: Path) -> None:
    metrics = read_json(trained / METRICS)
    assert metrics["epochs"] == {"trained": 1, "kept": 1}
    assert metrics["trained_on"] == {"pictures": 12, "sources": 3, "boxes": {"person": 11}}
    precision = metrics["map50"]["person"]
    assert (precision["n"], precision["sources"], precision["low"]) == (1, 1, None)
    assert 0 <= precision["value"] <= 1


def test_nothing_is_left_behind_and_nobody_is_asked(trained: Path) -> None:
    assert contents(trained / "home") == {}
    assert not (trained / "sockets.log").exists()
    assert (trained / "dvc.yaml").read_text() == "stages: {}\n"
    written = {path.split("/")[0] for path in contents(trained)} - {"frames", "truth", "site"}
    assert written == {".vigil", "dvc.yaml", "metrics", "models", "params.yaml", "train.csv", "val.csv"}
    assert not list((trained / ".vigil/resume").iterdir())


def test_no_path_and_no_date_is_in_the_files(trained: Path) -> None:
    for name in ("person.pt", "person.onnx"):
        data = (trained / OUT / name).read_bytes()
        assert str(trained).encode() not in data
        assert str(Path.home()).encode() not in data
        assert b"2026-" not in data


def test_the_network_finds_the_same_on_any_number_of_threads(trained: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    detections = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        detections.append(Detector(trained / OUT, 0.0)(image))
    cv2.setNumThreads(1)
    assert len(detections[0])
    np.testing.assert_array_equal(*detections)


def die() -> None:
    os.kill(os.getpid(), 9)


def test_a_killed_training_is_one_line() -> None:
    with pytest.raises(VigilError, match=r"was killed.*Lower person\.batch"):
        run_apart(die)


@pytest.mark.slow
def test_a_device_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    draw(tmp_path)
    ran = stage(tmp_path, device="7")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1)
    assert "7" in ran.stderr


@pytest.mark.slow
def test_the_same_bytes_twice(trained: Path, tmp_path: Path) -> None:
    draw(tmp_path)
    assert stage(tmp_path).returncode == 0
    assert contents(tmp_path / "models") == contents(trained / "models")
    assert (tmp_path / METRICS).read_bytes() == (trained / METRICS).read_bytes()
    assert stage(tmp_path, seed=8).returncode == 0
    assert contents(tmp_path / "models") != contents(trained / "models")


@pytest.mark.slow
def test_it_learns_and_weights_can_be_given(tmp_path: Path) -> None:
    """Bars are easy: found by a network that has seen some, and still found when its weights are taken as they are."""
    draw(tmp_path, 24)
    ran = stage(tmp_path, images=60, epochs=25)
    assert ran.returncode == 0, ran.stderr
    learned = read_json(tmp_path / METRICS)["map50"]["person"]["value"]
    assert learned > 0.6
    network = sha256_file(tmp_path / OUT / "person.onnx")
    shutil.copyfile(tmp_path / OUT / "person.pt", tmp_path / "mine.pt")
    before = sha256_file(tmp_path / "mine.pt")
    ran = stage(tmp_path, weights="mine.pt", weights_sha256=before, epochs=0)
    assert ran.returncode == 0, ran.stderr
    assert read_json(tmp_path / OUT / "config.json")["knows_real_people"] is True
    assert read_json(tmp_path / METRICS)["map50"]["person"]["value"] == pytest.approx(learned, abs=0.02)  # float16
    assert read_json(tmp_path / METRICS)["trained_on"] is None
    ran = stage(tmp_path, weights="mine.pt", epochs=1, lr=1e-6)
    assert ran.returncode == 0, ran.stderr
    assert sha256_file(tmp_path / OUT / "person.onnx") != network
    assert read_json(tmp_path / METRICS)["map50"]["person"]["value"] > 0.5 * learned
    assert sha256_file(tmp_path / "mine.pt") == before


@pytest.mark.slow
def test_a_dataset_of_ones_own_is_read_and_not_touched(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (tmp_path / "mine" / kind / split).mkdir(parents=True)
        for number in range(6):
            image = np.full((90, 120, 3), 40 * number, np.uint8)
            cv2.imwrite(str(tmp_path / f"mine/images/{split}/{number}.jpg"), image)
            (tmp_path / f"mine/labels/{split}/{number}.txt").write_text("1 0.5 0.5 0.2 0.6\n")
    (tmp_path / "mine/data.yaml").write_text("train: images/train\nval: images/val\nnames: [dog, person]\n")
    draw(tmp_path)
    before = contents(tmp_path / "mine")
    ran = stage(tmp_path, data="mine/data.yaml")
    assert ran.returncode == 0, ran.stderr
    assert contents(tmp_path / "mine") == before
    config = read_json(tmp_path / OUT / "config.json")
    assert (config["classes"], config["knows_real_people"]) == (["dog", "person"], True)
    assert read_json(tmp_path / METRICS)["map50"]["person"]["n"] == 6


def test_without_truth_there_is_no_detector_and_one_line_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    draw(Path())
    shutil.rmtree("truth")
    run()
    line = capsys.readouterr().err
    assert "no truth, no detector" in line and "person.weights" in line and "person.data" in line
    assert line.count("\n") == 1
    assert why_skipped(OUT) is not None
    assert [path.name for path in OUT.iterdir()] == ["skipped.json"]


def test_where_no_detector_is_asked_for_none_is_made_and_earlier_ones_go() -> None:
    OUT.mkdir(parents=True)
    (OUT / "person.pt").write_bytes(b"of an earlier run")
    run(enabled=False)
    assert [path.name for path in OUT.iterdir()] == ["skipped.json"]
    assert "person.enabled is false" in (why_skipped(OUT) or "")
    metrics = read_json(METRICS)
    assert metrics["skipped"] == why_skipped(OUT)
    assert metrics["map50"]["person"]["value"] is None
    with pytest.raises(VigilError, match=r"enabled: false takes no weights and no data; set it to true"):
        run(enabled=False, weights="mine.pt")


def test_weights_that_are_not_there_or_others_are_named() -> None:
    draw(Path())
    with pytest.raises(VigilError, match=r"weights = 'none\.pt': not found"):
        run(weights="none.pt", epochs=0)
    Path("mine.onnx").write_bytes(b"weights")
    with pytest.raises(VigilError, match=r"expected an Ultralytics file \(\.pt\)"):
        run(weights="mine.onnx", epochs=0)
    Path("mine.pt").write_bytes(b"weights")
    with pytest.raises(VigilError, match=r"mine\.pt has sha256 \w+, weights_sha256 says a+\."):
        run(weights="mine.pt", weights_sha256="a" * 64)


def test_a_file_that_is_no_weights_is_one_line() -> None:
    draw(Path())
    Path("mine.pt").write_bytes(b"nonsense")
    with pytest.raises(VigilError, match=r"weights: .*mine\.pt: Ultralytics cannot read it"):
        run(weights="mine.pt", epochs=0)


@pytest.mark.parametrize(("people", "needed"), [([], "dog or cat"), (["cat", "lion"], "cat")])
def test_a_dataset_that_shows_nothing_is_refused_before_the_training(people: list[str], needed: str) -> None:
    draw(Path())
    Path("images").mkdir()
    Path("labels").mkdir()
    cv2.imwrite("images/a.jpg", np.zeros((9, 9, 3), np.uint8))
    if people:  # a dog, and it does not count
        Path("labels/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    Path("data.yaml").write_text("train: images\nval: images\nnames: [dog, cat]\n")
    with pytest.raises(VigilError, match=rf"data\.yaml: no picture to train on has a box of {needed}\."):
        run(data="data.yaml", people=people)


def test_patience_needs_validation_pictures_that_show_something() -> None:
    draw(Path())
    Path("truth/set/four.npz").unlink()
    with pytest.raises(VigilError, match=r"patience = 2: no validation picture has a box of person"):
        run(patience=2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patience": -1}, "patience"),
        ({"people": "person"}, "people"),
        ({"epochs": 0}, "give weights, or epochs from 1 up"),
        ({"classes": ["bag"]}, "'person' comes first"),
        ({"classes": ["persons"]}, "classes"),
        ({"imgsz": 100}, "multiple of 32"),
        ({"size": 192}, "unknown key 'size'"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VigilError, match=message):
        params(**changes)
