"""What a model has attended to: told and drawn of the model that did, on pictures that show little else."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from judged_people import save_calibrated
from videos import film

from vigil.cli.main import main
from vigil.models.checkpoint import load_checkpoint

SIZE = (96, 64)  # px, width and height


@pytest.fixture
def gate_and_namer(models: Path) -> None:
    """A gate, and the model that names what it raises."""
    gate = load_checkpoint(models / "crime_gate")
    attended = {"gate": gate.sha256, "keep": 4, "overlap": 0.5, "step": 4}
    save_calibrated("crime_type", {"frames": gate.card.features["frames"], "attended": attended})


@pytest.mark.usefixtures("gate_and_namer")
def test_attention_is_told_of_the_model_that_attended_and_fills_its_picture() -> None:
    film(Path("gate.mp4"), frames=96, fps=8, size=SIZE)
    outputs = ["--anomalies", "a.json", "--attention-data", "t.csv", "--pictures", "p"]
    assert main(["detect", "gate.mp4", "--models", "crime_gate", "--threshold", "0.0001", *outputs]) == 0
    (verdict,) = json.loads(Path("a.json").read_text())["videos"]
    assert verdict["crime"], "the namer has judged"
    assert list(verdict["attention"]) == ["crime_gate"], "the namer was handed what the gate had attended to"
    rows = list(csv.DictReader(Path("t.csv").read_text().splitlines()))
    assert {row["model"] for row in rows} == {"crime_gate"}
    picture = cv2.imread("p/gate/attention_visualization.png")
    blank = (picture > 250).all(axis=2)
    assert blank.mean() < 0.35, "the rest is frames and what is said of them"
    assert np.diff(np.flatnonzero(~blank.all(axis=1))).max() < 20, "no gap between rows is wider than a line"
