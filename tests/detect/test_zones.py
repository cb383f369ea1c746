"""A detector with zones: what happens outside changes nothing, what happens inside is judged as without."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_people import film_people, save_calibrated
from videos import film

from vigil.detect.detector import Detector
from vigil.detect.states import Step
from vigil.features.zones import Zones, find_feet
from vigil.footage.video.views import ImageView, read_views

LEFT = Zones((((0, 0), (0.5, 0), (0.5, 1), (0, 1)),))
WHOLE = Zones((((0, 0), (1, 0), (1, 1), (0, 1)),))


def noise(seed: int, frames: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (frames, 64, 96, 3), dtype=np.uint8)


def judge(detector: Detector, images: np.ndarray) -> list[Step]:
    detector.reset()
    return [detector.step(ImageView(number, Fraction(number, 8), image)) for number, image in enumerate(images)]


def scores(steps: list[Step], name: str) -> np.ndarray:
    return np.array([step.scores.scores[name].raw for step in steps if step.scores is not None])


def test_what_happens_outside_changes_no_score(models: Path) -> None:
    names = ["activity", "crime_gate", "i3d"]
    images, other = noise(1), noise(2)
    other[:, :, :48] = images[:, :, :48]
    with Detector.load(models, names, zones=LEFT) as detector, Detector.load(models, names) as everywhere:
        steps, of_other = judge(detector, images), judge(detector, other)
        for name in names:
            assert np.array_equal(scores(steps, name), scores(of_other, name), equal_nan=True)
            plain = [scores(judge(everywhere, film), name) for film in (images, other)]
            assert not np.array_equal(*plain, equal_nan=True), "without zones it does"
        assert detector.settings_sha256 != everywhere.settings_sha256
        assert detector.copy().plan.zones == LEFT


def test_a_zone_of_the_whole_picture_changes_no_score(models: Path) -> None:
    film(Path("gate.mp4"), frames=24, fps=8, size=(96, 64))
    views = [view.rgb() for view in read_views(Path("gate.mp4"))]
    with Detector.load(models, ["i3d"], zones=WHOLE) as detector, Detector.load(models, ["i3d"]) as everywhere:
        one, other = judge(detector, np.array(views)), judge(everywhere, np.array(views))
        assert np.array_equal(scores(one, "i3d"), scores(other, "i3d"), equal_nan=True)


def test_people_whose_feet_are_outside_are_found_but_not_judged(lineage: dict[str, Any]) -> None:
    for name, section in (("panic", "flow"), ("pose_lstm", "segments")):
        save_calibrated(name, {key: lineage[key] for key in ("frames", "landmarks", section)})
    film_people(Path("talk.mp4"))

    def steps(zones: Zones | None) -> list[Any]:
        with Detector.load("models", ["panic", "pose_lstm"], zones=zones) as detector:
            return [step.stored for step in detector.steps(read_views(Path("talk.mp4"))) if step.stored is not None]

    plain = steps(None)
    feet = {pose.person: find_feet(pose.joints) for stored in plain for pose in stored.people}
    assert len(feet) >= 2, "two people talk"
    edge = float(np.mean([point[0] for point in feet.values()])) / plain[0].size[0]
    stored_frames = steps(Zones((((0, 0), (edge, 0), (edge, 1), (0, 1)),)))
    for stored, whole in zip(stored_frames, plain, strict=True):
        assert [pose.person for pose in stored.people] == [pose.person for pose in whole.people]
        for pose in stored.judged_people:
            assert find_feet(pose.joints)[0] <= edge * stored.size[0] + 1
        side = stored.plane.shape[1]
        assert not stored.plane[:2, :, int(edge * side) + 1 :].any(), "flow outside is zero"
        people = {segment.person for segment in stored.segments}
        assert people <= {pose.person for frame in stored_frames for pose in frame.judged_people}
    assert any(stored.plane[:2].any() for stored in stored_frames), "flow inside is not"
    assert any(stored.segments for stored in stored_frames)
    assert sum(len(s.segments) for s in stored_frames) < sum(len(s.segments) for s in plain)


def test_while_it_is_not_armed_nothing_is_raised_and_what_goes_on_then_is_raised_when_it_is(models: Path) -> None:
    images = noise(3, 48)

    def changes(is_armed: list[bool]) -> list[tuple[str, float]]:
        with Detector.load(models, ["i3d"], threshold="0.0001") as detector:
            steps = [
                detector.step(ImageView(number, Fraction(number, 8), image), armed)
                for number, (image, armed) in enumerate(zip(images, is_armed, strict=True))
            ]
            rows = [change for step in steps for change in step.changes]
            return [(change.change, change.alert.start_s) for change in rows]

    always = changes([True] * 48)
    assert [kind for kind, _ in always] == ["raised"], "it is abnormal all the time"
    assert always[0][1] < 3
    assert changes([False] * 24 + [True] * 24) == [("raised", 3.0)]
    assert [kind for kind, _ in changes([True] * 24 + [False] * 24)] == ["raised", "ended"]


@pytest.mark.parametrize("armed", [True, False])
def test_scores_are_the_same_whether_it_is_armed_or_not(models: Path, armed: bool) -> None:
    with Detector.load(models, ["i3d"]) as detector:
        expected = scores(judge(detector, noise(1)), "i3d")
        detector.reset()
        steps = [detector.step(ImageView(n, Fraction(n, 8), image), armed) for n, image in enumerate(noise(1))]
        assert np.array_equal(scores(steps, "i3d"), expected, equal_nan=True)
