"""A budget of false alarms: the threshold follows from the scores of calibration, or the budget is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from judged_city import PARAMS
from videos import film

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays
from vigil.detect.alarm_words import read_budget
from vigil.detect.budgets import rule_for_model
from vigil.detect.detector import Detector
from vigil.detect.frozen_model import FrozenModel, load_frozen_model
from vigil.judging.calibration_fit import recalibrate_model
from vigil.statistics.events import compare_with_truth, raise_alerts
from vigil.statistics.scores import Scores

SCORES = Path("models/calibration/i3d.npz")
ROOMY = 9000.0  # false alarms an hour, which seconds of normal video can promise


@pytest.fixture
def frozen(models: Path) -> FrozenModel:
    return load_frozen_model(str(models / "i3d"))


@pytest.mark.parametrize(
    ("text", "per_hour"), [("1/h", 1), ("0.5/h", 0.5), ("12/d", 0.5), (".5 / H", 0.5), ("168/w", 1), ("3/w", 3 / 168)]
)
def test_a_budget_is_so_many_an_hour(text: str, per_hour: float) -> None:
    assert read_budget(text) == pytest.approx(per_hour)


@pytest.mark.parametrize("text", ["1", "0/h", "-1/h", "1/m", "1/h/h", "one/h", "", "nan/h", "1e9/h"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(VigilError, match="expected false alarms an hour, a day or a week, such as 1/h"):
        read_budget(text)


def test_the_threshold_keeps_to_the_budget_on_the_normal_video_and_is_hardly_higher_than_it_must_be(
    frozen: FrozenModel,
) -> None:
    scores = Scores.of(load_arrays(SCORES)).select_judged()

    def false_alarms(threshold: float) -> int:
        rule = frozen.calibration.params.alert.rule_at(threshold, frozen.calibration.normal_median)
        return int(compare_with_truth(scores, raise_alerts(scores, rule)).false_alarms_by_video.sum())

    rules = [rule_for_model(frozen, Path("models"), budget) for budget in (ROOMY, 2 * ROOMY, 20 * ROOMY)]
    thresholds = [rule.threshold for rule in rules]
    assert thresholds == sorted(thresholds, reverse=True) and thresholds[0] > thresholds[-1], "more may alarm"
    hours = frozen.calibration.promise.normal_hours
    for budget, threshold in zip((ROOMY, 2 * ROOMY), thresholds, strict=False):
        assert false_alarms(threshold) <= budget * hours
    normal = np.unique(scores.score[(scores.truth == 0) & np.isfinite(scores.score)])
    assert thresholds[0] > np.quantile(normal, 0.5)


def test_a_folder_of_models_is_enough(frozen: FrozenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = rule_for_model(frozen, Path("models"), ROOMY)
    alone = Path("elsewhere/models")
    shutil.copytree("models", alone)
    monkeypatch.chdir("elsewhere")
    assert rule_for_model(load_frozen_model("models/i3d"), Path("models"), ROOMY) == expected


def test_a_budget_that_so_much_video_cannot_promise_is_refused_and_said_what_it_can(frozen: FrozenModel) -> None:
    with pytest.raises(VigilError, match=r"^budget refused: i3d: not enough normal video to promise 1 false") as caught:
        rule_for_model(frozen, Path("models"), 1.0)
    assert "could promise" in str(caught.value) and "minutes are there" in str(caught.value)


def test_it_is_marked_in_every_alert_and_the_models_stay_what_they_are(models: Path) -> None:
    film(Path("gate.mp4"), frames=41, fps=8, size=(96, 64))
    with (
        Detector.load(models, ["crime_gate"], budget=20 * ROOMY) as detector,
        Detector.load(models, ["crime_gate"]) as plain,
    ):
        changes = list(detector.run("gate.mp4"))
        assert changes and all(change.to_json()["budget_per_hour"] == 20 * ROOMY for change in changes)
        assert not any(change.to_json()["threshold_by_hand"] for change in changes)
        assert detector.rule("crime_gate").threshold != plain.rule("crime_gate").threshold
        assert detector.calibration("crime_gate").sha256 == plain.calibration("crime_gate").sha256
    with pytest.raises(VigilError, match="a threshold and a budget"):
        Detector.load(models, ["crime_gate"], budget=ROOMY, threshold="p90")


def test_scores_of_something_else_say_nothing_about_a_budget(frozen: FrozenModel) -> None:
    arrays = load_arrays(SCORES)
    save_arrays(SCORES, **(arrays | {"score": arrays["score"] * 1.5}))
    with pytest.raises(VigilError, match="not those that it was made from"):
        rule_for_model(frozen, Path("models"), ROOMY)
    save_arrays(SCORES, **(arrays | {"model_sha256": np.array("0" * 64)}))
    with pytest.raises(VigilError, match=r"i3d\.npz: of other weights than i3d"):
        rule_for_model(frozen, Path("models"), ROOMY)
    SCORES.write_bytes(SCORES.read_bytes()[:1000])
    with pytest.raises(VigilError, match=r"i3d\.npz: damaged.*`dvc repro -f calibrate@i3d`, which makes it again"):
        rule_for_model(frozen, Path("models"), ROOMY)
    SCORES.unlink()
    with pytest.raises(VigilError, match=r"i3d\.npz: not found: a budget needs the scores of validation"):
        rule_for_model(frozen, Path("models"), ROOMY)


def test_a_calibration_of_one_camera_holds_for_its_own_budget_alone(frozen: FrozenModel) -> None:
    params = PARAMS.model_copy(update={"false_alarms_per_hour": ROOMY})
    own = recalibrate_model(frozen.calibration, load_arrays(SCORES), frozen.checkpoint, params)
    of_camera = FrozenModel("i3d", frozen.checkpoint, own)
    assert rule_for_model(of_camera, Path("models"), ROOMY) == own.rule
    with pytest.raises(VigilError, match=r"keeps no scores.*`vigil calibrate i3d .* --false-alarms-per-hour 2`"):
        rule_for_model(of_camera, Path("models"), 2.0)
