"""Models that look at people: a detector finds, follows and judges them as the stages do, with the real networks."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_people import film_people, save_calibrated

from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.workspace import score_videos
from vigil.detect.detector import Detector
from vigil.detect.frozen_model import load_frozen_model
from vigil.features.networks.movenet import MoveNet
from vigil.features.networks.nanodet import NanoDet
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
    frames = [step.stored for step in steps if step.stored is not None]
    assert any(frame.people or (frame.plane is not None and frame.plane[2].any()) for frame in frames), "somebody"
    assert np.isfinite(live).any()
    assert np.allclose(live, stored, atol=1e-5, equal_nan=True)


def test_what_needs_no_pose_pays_for_none_and_sees_the_same(
    lineage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_calibrated("panic", {key: lineage[key] for key in ("frames", "landmarks", "flow")})
    film = Path("films/normal/walk.mp4")
    film_people(film)
    looks = count_calls(monkeypatch, NanoDet)
    with Detector.load("models", ["panic"], find_poses=True) as detector:
        with_poses = list(detector.steps(read_views(film)))
    assert any(step.stored.people for step in with_poses if step.stored is not None)
    looks_with_poses = looks.pop("NanoDet")
    poses = count_calls(monkeypatch, MoveNet)
    with Detector.load("models", ["panic"]) as detector:
        without = list(detector.steps(read_views(film)))
    assert not poses and looks["NanoDet"] == looks_with_poses > 0, "and with poses nobody looks twice"
    for one, other in zip(with_poses, without, strict=True):
        if one.stored is not None and other.stored is not None:
            assert np.array_equal(one.stored.plane, other.stored.plane) and not other.stored.people
        assert one.scores == other.scores or np.isnan(one.scores.scores["panic"].raw)


def count_calls(monkeypatch: pytest.MonkeyPatch, kind: type) -> Counter[str]:
    """How often networks of a kind are asked from now on."""
    counts, call = Counter[str](), kind.__call__

    def counting(self: object, *arguments: object) -> object:
        counts[kind.__name__] += 1
        return call(self, *arguments)

    monkeypatch.setattr(kind, "__call__", counting)
    return counts
