"""Models that look at people: a detector finds, follows and judges them as the stages do, with the real networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_people import film_people, save_calibrated

from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.workspace import score_videos
from vigil.detect.detector import Detector
from vigil.detect.frozen_model import load_frozen_model
from vigil.footage.video.views import read_views


@pytest.mark.parametrize("name", ["panic", "pose_lstm", "activity"])
def test_scores_of_people_are_those_of_the_pipeline(lineage: dict[str, Any], name: str) -> None:
    sections = {"panic": "flow", "pose_lstm": "segments", "activity": "masked"}
    save_calibrated(name, {key: lineage[key] for key in ("frames", "landmarks", sections[name])})
    film_people(Path("films/normal/walk.mp4"))
    videos = bring_in_dataset(Path("films"), None, {}, None, Path("brought"))
    stored = score_videos(load_frozen_model(name), videos, Path("brought"))["score"]
    with Detector.load("models", [name]) as detector:
        steps = list(detector.steps(read_views(Path("films/normal/walk.mp4"))))
    live = np.array([step.scores.scores[name].raw for step in steps if step.scores is not None], np.float32)
    assert any(step.stored.people for step in steps if step.stored is not None), "somebody is found"
    assert np.isfinite(live).any()
    assert np.allclose(live, stored, atol=1e-5, equal_nan=True)
