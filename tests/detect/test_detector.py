"""A detector says of a source what the pipeline says of it, frame by frame, and raises the alerts of its rule."""

import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from judged_people import save_calibrated
from videos import film

from vigil.cli.own_videos import bring_in_dataset
from vigil.cli.workspace import score_videos
from vigil.core.errors import VigilError
from vigil.core.storage import write_json
from vigil.detect.detector import Detector
from vigil.detect.frame_features import make_plan
from vigil.detect.frozen_model import load_frozen_model
from vigil.detect.model_choice import choose_models
from vigil.detect.states import Step
from vigil.footage.video.views import read_views
from vigil.models.checkpoint import load_checkpoint
from vigil.statistics.alerts import find_alerts

LENGTHS = (5, 7, 41)  # frames; at 8 a second shorter than a window, and longer


def write_film(frames: int, fps: int = 8) -> Path:
    path = Path(f"films/normal/{frames}-{fps}.mp4")
    film(path, frames=frames, fps=fps, size=(96, 64))
    return path


def judge(detector: Detector, path: Path) -> list[Step]:
    detector.reset()
    return list(detector.steps(read_views(path)))


def scores_of(steps: list[Step], name: str) -> np.ndarray:
    return np.array([step.scores.scores[name].raw for step in steps if step.scores is not None], np.float32)


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize("fps", [8, 25])
def test_scores_of_a_file_are_those_of_the_pipeline(models: Path, frames: int, fps: int) -> None:
    path = write_film(frames, fps)
    videos = bring_in_dataset(path.parents[1], None, {}, None, Path("brought"))
    names = ["activity", "crime_gate", "i3d"]
    with Detector.load(models, names) as detector:
        steps = judge(detector, path)
    for name in names:
        stored = score_videos(load_frozen_model(name), videos, Path("brought"))["score"]
        live = scores_of(steps, name)
        assert np.allclose(live, stored, atol=1e-5, equal_nan=True)
        assert np.isfinite(live).any(), "a film shorter than a window is judged whole, at its end"


def test_alerts_are_those_that_the_rule_finds_in_the_scores(models: Path) -> None:
    with Detector.load(models, ["i3d"], threshold="0.1") as detector:
        steps = judge(detector, write_film(41))
        scores = scores_of(steps, "i3d")
        rule = detector.rule("i3d")
        times = [float(step.scores.time_s) for step in steps if step.scores is not None]
        expected = find_alerts(scores, times, rule)
        assert expected, "else this shows nothing"
        changes = [change for step in steps for change in step.changes]
    ended = [change.alert for change in changes if change.change == "ended"]
    assert [(alert.start, alert.stop) for alert in ended] == [(alert.start, alert.stop) for alert in expected]
    assert [alert.stop_s for alert in ended] == pytest.approx([alert.stop_s for alert in expected])
    assert [change.number for change in changes if change.change == "raised"] == list(range(1, len(expected) + 1))


def test_a_detector_that_is_fed_images_says_the_same_but_for_what_its_end_tells(models: Path) -> None:
    path = write_film(41)
    with Detector.load(models, ["i3d", "crime_gate"]) as detector:
        whole = judge(detector, path)
        detector.reset()
        live = [detector.step(view) for view in read_views(path)]
        for name in ("i3d", "crime_gate"):
            one, other = scores_of(whole, name), scores_of(live, name)
            assert np.allclose(one[:-1], other[:-1], atol=1e-6, equal_nan=True)


def test_state_can_be_kept_and_set_again(models: Path) -> None:
    views = list(read_views(write_film(41)))
    with Detector.load(models, ["i3d"]) as detector:
        for view in views[:20]:
            detector.step(view)
        kept = detector.state
        first = [detector.step(view) for view in views[20:]]
        detector.state = kept
        again = [detector.step(view) for view in views[20:]]
        assert np.array_equal(scores_of(first, "i3d"), scores_of(again, "i3d"), equal_nan=True)
        copy = detector.copy()
        copy.state = kept
        assert np.array_equal(
            scores_of([copy.step(view) for view in views[20:]], "i3d"), scores_of(first, "i3d"), equal_nan=True
        )
        with Detector.load(models, ["activity"]) as other, pytest.raises(VigilError, match="other models"):
            other.state = kept


def test_images_come_in_as_they_are_and_nothing_else(models: Path) -> None:
    with Detector.load(models, ["i3d"]) as detector:
        for number in range(10):
            detector.update(np.full((64, 96, 3), 7, np.uint8), Fraction(number, 8))
        with pytest.raises(VigilError, match=r"shape \(64, 96\)"):
            detector.update(np.zeros((64, 96), np.uint8), 2.0)
        for image in (None, np.zeros((0, 0, 3), np.uint8), np.zeros((64, 96, 3), np.float32)):
            with pytest.raises(VigilError, match=r"expected \(H, W, 3\) uint8 RGB"):
                detector.update(image, 2.0)
        with pytest.raises(VigilError, match="a frame at nan s"):
            detector.update(np.zeros((64, 96, 3), np.uint8), float("nan"))
        with pytest.raises(VigilError, match=r"^gone\.mp4: not found"):
            list(detector.run("gone.mp4"))


def test_a_time_that_does_not_rise_is_refused_until_the_detector_is_reset(models: Path) -> None:
    image = np.full((64, 96, 3), 7, np.uint8)
    with Detector.load(models, ["i3d"]) as detector:
        detector.update(image, 3.0)
        state = detector.state
        for time_s in (3.0, 2.5, Fraction(1, 8)):
            with pytest.raises(VigilError, match=r"after one at 3 s: times rise within a source\. Call \.reset\(\)"):
                detector.update(image, time_s)
        assert detector.state is state, "and nothing has come of it"
        detector.update(image, 3.125)
        detector.reset()
        detector.update(image, 0)


@pytest.mark.parametrize(
    ("threshold", "by_hand"), [(None, False), ("budget", False), ("p95", True), ("0.7", True), (".25", True)]
)
def test_a_threshold_set_by_hand_says_so(models: Path, threshold: str | None, by_hand: bool) -> None:
    with Detector.load(models, ["crime_gate"], threshold=threshold) as detector:
        alarm = detector.models[0].alarm
        assert alarm is not None and alarm.provenance.by_hand is by_hand
        if threshold in ("0.7", ".25"):
            assert detector.threshold_probability("crime_gate") == pytest.approx(float(threshold))


@pytest.mark.parametrize("threshold", ["p95", "0.7", None])
def test_a_threshold_that_is_set_later_is_as_if_loaded_so(models: Path, threshold: str | None) -> None:
    path = write_film(41)
    with Detector.load(models, ["i3d", "crime_gate"], threshold="p90") as detector:
        detector.threshold = threshold
        later, copied = judge(detector, path), judge(detector.copy(), path)
        assert detector.threshold == threshold
        with pytest.raises(VigilError, match="expected a probability between 0 and 1"):
            detector.threshold = "loud"
    with Detector.load(models, ["i3d", "crime_gate"], threshold=threshold) as detector:
        loaded = judge(detector, path)
    changes = [[change.to_json() for step in steps for change in step.changes] for steps in (later, copied, loaded)]
    assert changes[0] == changes[1] == changes[2]


def test_the_example_in_the_documentation_runs(models: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(
        r"```python\n(from vigil import Detector.*?)```", (project / "docs/detect.md").read_text(), re.DOTALL
    )
    write_film(41).rename("gate.mp4")
    images = [np.full((64, 96, 3), number, np.uint8) for number in range(20)]
    exec(example, {"images": images})
    capsys.readouterr()


@pytest.mark.parametrize("threshold", ["1.5", "0", "-1", "loud", "p99", "", 5])
def test_a_threshold_that_means_nothing_is_refused(models: Path, threshold: str) -> None:
    with pytest.raises(VigilError, match="expected a probability between 0 and 1"):
        Detector.load(models, ["crime_gate"], threshold=threshold)


def test_what_is_not_trained_is_said_in_a_line(models: Path) -> None:
    with pytest.raises(VigilError, match=r"crime_gat: not a trained model .* Did you mean 'crime_gate'"):
        choose_models(models, ["crime_gat"])
    with pytest.raises(VigilError, match=r"no trained model\. Run `vigil repro`"):
        choose_models(Path("nowhere"), None)
    assert choose_models(models, None) == ["activity", "crime_gate", "i3d"], "there is no fused detector"
    write_json(models / "i3d/skipped.json", {"skipped": "no examples"})
    assert choose_models(models, ["all"]) == ["activity", "crime_gate"]


def test_models_of_other_features_are_not_run_together(models: Path) -> None:
    cards = [load_frozen_model(name).checkpoint.card for name in ("i3d", "crime_gate")]
    assert make_plan(cards).frames.fps == 8
    slower = {"frames": {**cards[1].features["frames"], "fps": 4.0}}
    with pytest.raises(VigilError, match=r"crime_gate and i3d were trained on features that differ: frames\.fps: 8\.0"):
        make_plan([cards[0], replace(cards[1], features=slower)])


def test_where_a_gate_runs_so_does_the_model_that_names_what_it_raises(models: Path) -> None:
    gate = load_checkpoint(models / "crime_gate")
    attended = {"gate": gate.sha256, "keep": 4, "overlap": 0.5, "step": 4}
    save_calibrated("crime_type", {"frames": gate.card.features["frames"], "attended": attended})
    path = write_film(41)
    with Detector.load(models, ["crime_gate"], threshold="0.0001") as detector:
        assert [model.name for model in detector.models] == ["crime_gate", "crime_type"]
        assert detector.alarming == ("crime_gate",)
        namer = detector.models[1].frozen.checkpoint.card
        (raised, *_) = [change for step in judge(detector, path) for change in step.changes]
    assert raised.finding.label in namer.classes and 0 < (raised.finding.confidence or 0) < 1
    with Detector.load(models, ["i3d"]) as detector:
        assert [model.name for model in detector.models] == ["i3d"], "no gate, no names"
    elsewhere = models.rename("elsewhere")
    with Detector.load(elsewhere, ["crime_gate"]) as detector:
        assert [model.name for model in detector.models] == ["crime_gate", "crime_type"], "the gate lies beside it"
    shutil.rmtree(elsewhere / "crime_gate")
    with Detector.load(elsewhere, ["i3d"]) as detector:
        assert [model.name for model in detector.models] == ["i3d"], "whose gate is gone is not asked for"
