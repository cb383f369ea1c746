"""A model that looks at changes: a detector sees them live as the stages do, by the very networks."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import PARAMS_YAML

from judging import CLASSES, write_gate_calibration
from vigil.cli.main import main
from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.workspace import score_videos
from vigil.core.errors import VigilError
from vigil.detect.detector import Detector
from vigil.detect.frozen_model import load_frozen_model
from vigil.features import trunk
from vigil.footage.video.views import read_views
from vigil.footage.video.writing import VideoWriter
from vigil.models.checkpoint import Card, save_checkpoint
from vigil.models.trunk import Config, Model

FPS = 12
FILM = Path("films/normal/square.mp4")


@pytest.fixture(autouse=True)
def project(people_networks: Path) -> None:
    """A model that has learnt nothing, and a film of a square that is thrown about."""
    shutil.copytree(people_networks, "models/pretrained")
    Path("params.yaml").write_text(PARAMS_YAML)
    changes = trunk.Settings(px=128, nanodet_px=96)
    digests = trunk.weights_digests(changes, Path("models/pretrained"))
    made_with = {
        "frames": {"fps": 8.0, "size": 240, "quality": 90},
        "trunk": changes.model_dump() | {"weights": digests},
    }
    torch.manual_seed(3)
    network = Model(Config(frames=4, window_s=1.0), len(CLASSES))
    card = Card("trunk", network.config, CLASSES, network.clip, "trunk", made_with, "", 3, [], [1])
    save_checkpoint(Path("models/trunk"), card, [network.state_dict()])
    write_gate_calibration(Path("models/trunk"), Path("models/calibration/trunk.json"))
    places = np.random.default_rng(0).integers(0, 180, (40, 2))
    with VideoWriter(FILM, Fraction(FPS), (320, 240)) as film:
        for number, (x, y) in enumerate(places.tolist()):
            image = np.full((240, 320, 3), 90, np.uint8)
            image[y : y + 50, x : x + 50] = 200 if number > 10 else 90
            film.write(image)


def test_scores_of_changes_are_those_of_the_pipeline() -> None:
    videos = bring_in_dataset(Path("films"), None, {}, None, Path("brought"))
    stored = score_videos(load_frozen_model("trunk"), videos, Path("brought"))["score"]
    with Detector.load("models", ["trunk"]) as detector, detector.copy() as other:
        steps = list(other.steps(read_views(FILM)))
    live = np.array([step.scores.scores["trunk"].raw for step in steps if step.scores is not None], np.float32)
    assert len(np.unique(live[np.isfinite(live)])) > 4
    assert np.allclose(live, stored, atol=1e-5, equal_nan=True)


def test_an_alert_of_changes_is_the_same_again(capsys: pytest.CaptureFixture[str]) -> None:
    """By the changes that its evidence keeps: without the networks, which are gone."""
    assert main(["detect", str(FILM), "--models", "trunk", "--threshold", "0.01", "--clips", "ev"]) == 0
    (alert,) = Path("ev").glob("*.json")
    shutil.rmtree("models/pretrained")
    capsys.readouterr()
    assert main(["replay", str(alert)]) == 0
    assert capsys.readouterr().out.startswith("same: alert ")


@pytest.mark.parametrize("file", ["movenet_middle.onnx", "nanodet.onnx"])
def test_another_network_than_that_of_the_training_is_refused(file: str) -> None:
    path = Path("models/pretrained") / file
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(VigilError, match=r"another network than when models learnt from what it sees"):
        Detector.load("models", ["trunk"])
    videos = bring_in_dataset(Path("films"), None, {}, None, Path("brought"))
    with pytest.raises(VigilError, match=r"another network than when models learnt"):
        score_videos(load_frozen_model("trunk"), videos, Path("brought"))
