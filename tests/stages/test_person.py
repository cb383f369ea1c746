"""The person stage: a real training, tiny, that leaves nothing anywhere and asks nobody on the network."""

import hashlib
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from scratch import WATCH

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, save_arrays, sha256_file
from vigil.features.frames import encode, save
from vigil.features.persons.detector import Detector
from vigil.features.persons.ultralytics_yolo import apart
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.stages.person import Params, main

SIZE = (160, 120)  # of the stored frames; videos are twice as large
SETTINGS: dict[str, Any] = {
    "weights": None, "weights_sha256": None, "data": None, "classes": ["person"], "images": 12,
    "turned": 0.1, "imgsz": 64, "epochs": 1, "batch": 6, "lr": 0.002, "seed": 7, "threads": 1, "device": "cpu",
}  # fmt: skip
OUT, METRICS = Path("models/person"), Path("metrics/person.json")


def params(**changes: Any) -> Params:
    return Params.read({**SETTINGS, **changes}, "params.yaml [person]")


def draw(folder: Path, frames: int = 8) -> None:
    """Three cameras to train on and one to validate on; a bright upright bar on noise is a person, half of the time."""
    random = np.random.default_rng(3)
    for split, cameras in (("train", ("one", "two", "three")), ("val", ("four",))):
        videos = []
        for name in cameras:
            stored, rows = [], []
            for frame in range(frames):
                image = random.integers(0, 90, (SIZE[1], SIZE[0], 3), np.uint8)
                if frame % 2:
                    x, y, height = random.integers(10, 120), random.integers(5, 40), random.integers(40, 70)
                    image[y : y + height, x : x + height // 3] = random.integers(170, 255, 3)
                    rows.append((frame, [2 * x, 2 * y, 2 * (x + height // 3), 2 * (y + height)]))
                stored.append((frame, Fraction(frame, 8), encode(image, 90)))
            save(folder / f"frames/set/{name}.npz", stored, (2 * SIZE[0], 2 * SIZE[1]))
            (folder / "truth/set").mkdir(parents=True, exist_ok=True)
            save_arrays(
                folder / f"truth/set/{name}.npz",
                **{
                    "frame": np.array([row[0] for row in rows], np.int32),
                    "boxes": np.array([row[1] for row in rows], np.float32),
                    "class": np.array(["person"] * len(rows)),
                    "visible": np.ones(len(rows), np.float32),
                },
            )
            videos.append(
                Video(
                    f"set/{name}",
                    f"data/raw/set/{name}.mp4",
                    name,
                    "normal",
                    (),
                    split,
                    Fraction(8),
                    frames,
                    2 * SIZE[0],
                    2 * SIZE[1],
                    Fraction(frames, 8),
                    "0" * 64,
                )
            )
        video_table.write(folder / f"{split}.csv", videos)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def stage(folder: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    """As DVC runs it, with a home of its own, and a note of every connection that any of its processes tries."""
    for name in ("home", "site", ".dvc"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "site/sitecustomize.py").write_text(WATCH)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "params.yaml").write_text(yaml.safe_dump({"person": {**SETTINGS, **changes}}))
    paths = {
        "frames": "frames",
        "truth": "truth",
        "train": "train.csv",
        "val": "val.csv",
        "out": OUT,
        "metrics": METRICS,
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO", "MPL", "DVC", "XDG"))}
    environment = kept | {
        "HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), os.environ["PYTHONPATH"]]),
        "VIGIL_SOCKETS": str(folder / "sockets.log"),
    }
    command = [sys.executable, "-m", "vigil.stages.person"]
    for key, value in paths.items():
        command += [f"--{key}", str(value)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


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
        "imgsz": 64,
        "knows_real_people": False,
        "sets": ["set"],
        "sha256": sha256_file(trained / OUT / "person.pt"),
        "network_sha256": sha256_file(trained / OUT / "person.onnx"),
    }


def test_metrics_say_on_what(trained: Path) -> None:
    told = read_json(trained / METRICS)
    assert told["trained_on"] == {"pictures": 12, "sources": 3, "boxes": {"person": 11}}
    found = told["map50"]["person"]
    assert (found["n"], found["sources"], found["low"]) == (1, 1, None)
    assert 0 <= found["value"] <= 1


def test_nothing_is_left_behind_and_nobody_is_asked(trained: Path) -> None:
    assert contents(trained / "home") == {}
    assert not (trained / "sockets.log").exists()
    assert (trained / "dvc.yaml").read_text() == "stages: {}\n"
    made = {path.split("/")[0] for path in contents(trained)} - {"frames", "truth", "site"}
    assert made == {".vigil", "dvc.yaml", "metrics", "models", "params.yaml", "train.csv", "val.csv"}
    assert not any("person-" in path for path in contents(trained / ".vigil"))


def test_no_path_and_no_date_is_in_the_files(trained: Path) -> None:
    for name in ("person.pt", "person.onnx"):
        data = (trained / OUT / name).read_bytes()
        assert str(trained).encode() not in data
        assert str(Path.home()).encode() not in data
        assert b"2026-" not in data


def test_the_network_finds_the_same_on_any_number_of_threads(trained: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    found = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        found.append(Detector(trained / OUT, 0.0)(image))
    cv2.setNumThreads(1)
    assert len(found[0])
    np.testing.assert_array_equal(*found)


def die() -> None:
    os.kill(os.getpid(), 9)


def test_a_killed_training_is_one_line() -> None:
    with pytest.raises(VigilError, match=r"was killed.*Lower person\.batch"):
        apart(die)


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


def run(**changes: Any) -> None:
    main(Path("frames"), Path("truth"), Path("train.csv"), Path("val.csv"), OUT, METRICS, params(**changes))


def test_without_truth_one_line_says_what_to_give() -> None:
    draw(Path())
    shutil.rmtree("truth")
    with pytest.raises(VigilError, match=r"no frame .* place is known\. Give person\.weights .* or person\.data"):
        run()


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


def test_a_dataset_without_people_is_refused_before_the_training() -> None:
    draw(Path())
    Path("images").mkdir()
    cv2.imwrite("images/a.jpg", np.zeros((9, 9, 3), np.uint8))
    Path("data.yaml").write_text("train: images\nval: images\nnames: [dog, cat]\n")
    with pytest.raises(VigilError, match=r"data\.yaml: its names are dog, cat\. Expected 'person'"):
        run(data="data.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
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
