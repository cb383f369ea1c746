"""The person stage on classes of a user's own, from weights of other classes, and until no epoch is better."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from person_training import METRICS, OUT, contents, draw, kill_in_epoch, stage

from vigil.core.storage import read_json
from vigil.features.persons.detector import Detector, why_nobody


def draw_own(folder: Path, names: str = "[helmet, vest]") -> None:
    """A YOLO dataset: white squares are of class 0, black ones of class 1."""
    random = np.random.default_rng(5)
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for number in range(12):
            image = random.integers(100, 150, (96, 96, 3), np.uint8)
            x, y = random.integers(0, 56, 2)
            image[y : y + 40, x : x + 40] = 255 * (1 - number % 2)
            cv2.imwrite(str(folder / f"images/{split}/{number}.png"), image)
            middle = f"{(x + 20) / 96} {(y + 20) / 96} {40 / 96} {40 / 96}"
            (folder / f"labels/{split}/{number}.txt").write_text(f"{number % 2} {middle}\n")
    (folder / "data.yaml").write_text(f"train: images/train\nval: images/val\nnames: {names}\n")


@pytest.mark.slow
def test_classes_of_ones_own_are_trained_and_listed_from_weights_of_others(tmp_path: Path) -> None:
    draw(tmp_path)
    draw_own(tmp_path / "mine", "[helmet, Person]")
    assert stage(tmp_path).returncode == 0  # one class, person
    shutil.copyfile(tmp_path / OUT / "person.pt", tmp_path / "one_class.pt")

    ran = stage(tmp_path, data="mine/data.yaml", weights="one_class.pt")
    assert ran.returncode == 0, ran.stderr
    config, metrics = read_json(tmp_path / OUT / "config.json"), read_json(tmp_path / METRICS)
    assert (config["classes"], config["people"]) == (["helmet", "Person"], [])
    assert [metrics["map50"][kind]["n"] for kind in ("helmet", "Person")] == [6, 6]
    assert metrics["trained_on"]["boxes"] == {"helmet": 6, "Person": 6}
    (transfer,) = [line for line in ran.stderr.splitlines() if "layers are those of the weights" in line]
    assert "new, for 2 classes instead of 1: model.22.cv3.0.2, model.22.cv3.1.2, model.22.cv3.2.2" in transfer
    (warning,) = [line for line in ran.stderr.splitlines() if "counts as a person" in line]
    assert "finds helmet, Person, none counts as a person (person.people)" in warning
    assert "Did you mean 'Person'?" in warning
    assert why_nobody(tmp_path / OUT) is not None

    ran = stage(tmp_path, data="mine/data.yaml", weights="one_class.pt", people=["Person", "child"])
    assert ran.returncode == 0, ran.stderr
    assert "counts as a person" not in ran.stderr
    assert Detector(tmp_path / OUT, 0.0)(np.zeros((96, 96, 3), np.uint8)).shape[1] == 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_it_stops_without_a_better_epoch_and_keeps_the_best_killed_or_not(tmp_path: Path) -> None:
    """At this rate the first epochs break what was learnt and nothing gets better, so it stops long before the end."""
    changes = {"epochs": 40, "patience": 3, "lr": 0.01, "imgsz": 96}
    for name in ("whole", "killed"):
        draw(tmp_path / name)
    ran = stage(tmp_path / "whole", **changes)
    assert ran.returncode == 0, ran.stderr
    epochs = read_json(tmp_path / "whole" / METRICS)["epochs"]
    assert epochs["trained"] == epochs["kept"] + 3 == len(epochs["map50"]) < 40
    assert epochs["map50"].index(max(epochs["map50"])) == epochs["kept"] - 1
    value = read_json(tmp_path / "whole" / METRICS)["map50"]["person"]["value"]
    assert value == pytest.approx(max(epochs["map50"]), abs=0.02)  # of float16 weights, and of the network to run
    assert f"epoch {epochs['kept']} of {epochs['trained']} is kept" in ran.stderr
    if epochs["trained"] > 8:
        kill_in_epoch(8, tmp_path / "killed", **changes)
    ran = stage(tmp_path / "killed", **changes)
    assert ran.returncode == 0, ran.stderr
    assert contents(tmp_path / "killed/models") == contents(tmp_path / "whole/models")
    assert (tmp_path / "killed" / METRICS).read_bytes() == (tmp_path / "whole" / METRICS).read_bytes()
