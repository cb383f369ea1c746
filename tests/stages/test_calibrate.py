"""Calibration sees validation alone, freezes what it finds, and evaluation takes nothing else."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from judged_city import FROZEN, OUT, PARAMS, PLOTS, SCORES, TEST, VAL, calibrate_, city, evaluate_

from judging import DATA, SERIAL, TRUTH, people, record_lineage, save_model, video
from vigil.core.errors import VigilError
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, read_json, read_table, save_arrays, write_json
from vigil.footage import video_table
from vigil.judging.calibration import Calibration, read_calibration
from vigil.models.checkpoint import load_checkpoint
from vigil.stages import evaluate
from vigil.statistics.scores import Scores


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_TRACKING", "off")


def test_what_is_found_goes_to_the_run_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {}
    monkeypatch.setattr(evaluate.tracking, "add_metrics", lambda sha256, metrics: sent.update({sha256: metrics}))
    city()
    folder = save_model("crime_gate")
    calibrate_("crime_gate")
    payload = evaluate_("crime_gate")
    (metrics,) = sent.values()
    assert list(sent) == [load_checkpoint(folder).sha256]
    assert metrics["test_video_auc"] == payload["video_auc"]["value"]


def test_activity_is_judged_by_its_maps(capsys: pytest.CaptureFixture[str]) -> None:
    classes = {"static": ["static", "normal"], "dynamic": ["dynamic", "Arson", "Fighting"]}
    for one in city():
        moves = np.zeros((one.frames, 4, 4), np.uint8)
        moves[8:16, :2, :2] = one.abnormal
        save_arrays(TRUTH / f"{one.video}.npz", cells=moves)
    save_model("activity", classes)
    calibrate_("activity")
    payload = evaluate_("activity")
    assert {key for key, one in payload.items() if "value" in one} == {
        "cell_auc", "cell_iou", "accuracy", "balanced_accuracy",
    }  # fmt: skip
    assert payload["cell_auc"]["value"] is not None
    assert "activity: cell_auc " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "kind"),
    [("crime_gate", "frames"), ("i3d", "frames"), ("panic", "flow"), ("pose_lstm", "segments")],
)
def test_a_model_is_calibrated_and_then_evaluated(model: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    city(kind)
    save_model(model)
    calibrate_(model, kind)
    said = capsys.readouterr().out
    assert f"{model}: alarm at " in said
    assert "not enough normal video to promise 60 false alarms per hour" in said
    payload = evaluate_(model, kind)
    frozen = read_calibration(FROZEN)
    for key in ("video_auc", "frame_auc_micro", "frame_ap", "event_recall", "false_alarms_per_hour", "accuracy"):
        assert payload[key].keys() >= {"value", "low", "high", "n"}, key
        assert payload["baselines"]["chance"].keys() >= {"video_auc", "frame_auc_micro"}
    assert payload["operating_point"]["calibration_sha256"] == frozen.sha256
    assert payload["operating_point"]["threshold"] == pytest.approx(frozen.threshold, rel=1e-5)
    assert str(load_arrays(SCORES["test"])["calibration_sha256"]) == frozen.sha256
    assert set(payload["sources"]) == {"test-0", "test-1", "test-2"}
    assert {path.stem for path in PLOTS.iterdir()} == {"roc", "pr", "reliability", "confusion"}
    assert read_table(PLOTS / "roc.csv")[0] == {"fpr": "0.0", "tpr": "0.0"}
    assert len(read_table(PLOTS / "confusion.csv")) == 6
    assert ("segment_balanced_accuracy" in payload) == (kind == "segments")
    assert f"{model}: video_auc " in capsys.readouterr().out


@pytest.mark.parametrize(("step", "apart"), [(1.0, 8), (0.5, 4), (0.25, 2)])
def test_windows_are_judged_a_step_apart_on_validation_and_as_frozen_on_test(step: float, apart: int) -> None:
    city()
    save_model("crime_gate")
    calibrate_("crime_gate", params=PARAMS.model_copy(update={"step": step}))
    evaluate_("crime_gate")
    for path in SCORES.values():
        arrays = load_arrays(path)
        starts = arrays["window"][arrays["window_video"] == 0, 0]
        assert set(np.diff(starts)[:-1].tolist()) == {apart}


def test_each_stage_reads_the_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    city()
    save_model("crime_gate")
    read, load_file = [], safetensors.torch.load_file
    monkeypatch.setattr(safetensors.torch, "load_file", lambda path: read.append(path) or load_file(path))
    calibrate_("crime_gate")
    assert len(read) == 1
    save_model("crime_gate")  # written again: files that nobody has read
    evaluate_("crime_gate")
    assert len(read) == 2


def test_the_same_bytes_come_out_again() -> None:
    city()
    save_model("crime_gate")
    files = [FROZEN, OUT, *SCORES.values()]
    contents = []
    for _ in range(2):
        calibrate_("crime_gate")
        evaluate_("crime_gate")
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_the_model_that_draws_no_alarm_names_classes() -> None:
    from vigil.stages import attend

    city()
    gate = save_model("crime_gate")
    params = attend.Params(keep=2, step=0.5, overlap=0.5)
    video_table.write(Path("train.csv"), [])
    calibrate_("crime_gate")
    attend.main(
        train=Path("train.csv"), val=VAL, test=TEST, frames=DATA / "frames", gate=gate, calibration=FROZEN,
        out=DATA / "attended", params=params, runtime=SERIAL,
    )  # fmt: skip
    save_model("crime_type", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    calibrate_("crime_type", "attended")
    payload = evaluate_("crime_type", "attended")
    assert payload["balanced_accuracy"]["value"] is not None
    assert "video_auc" not in payload and "frame_auc_micro" not in payload
    assert payload["confusion"]["classes"] == ["Arson", "Fighting"]
    assert {path.stem for path in PLOTS.iterdir()} == {"confusion"}


def test_a_calibration_of_other_weights_is_refused_before_test_is_opened() -> None:
    city()
    save_model("crime_gate")
    calibrate_("crime_gate")
    save_model("crime_gate", seed=1)
    TEST.unlink()
    with pytest.raises(VigilError, match=r"calibration/m\.json: made for weights .* Calibrate again"):
        evaluate_("crime_gate")


def test_a_calibration_of_other_settings_is_refused() -> None:
    city()
    folder = save_model("crime_gate")
    calibrate_("crime_gate")
    read_calibration(FROZEN).check(load_checkpoint(folder), "x")
    payload = read_json(FROZEN)
    payload["params"]["step"] = 0.25
    del payload["sha256"]
    Calibration.from_json(payload, "x").write(FROZEN)
    with pytest.raises(VigilError, match="made for settings"):
        evaluate_("crime_gate")


def test_a_threshold_that_was_moved_by_hand_is_noticed() -> None:
    city()
    save_model("crime_gate")
    calibrate_("crime_gate")
    payload = read_json(FROZEN)
    payload["thresholds"]["budget"] += 0.1
    write_json(FROZEN, payload)
    with pytest.raises(VigilError, match="changed since it was frozen"):
        evaluate_("crime_gate")


def test_features_made_otherwise_are_refused() -> None:
    city()
    save_model("crime_gate")
    write_json(DATA / "frames/settings.json", {"frames": {"fps": 4.0}})
    with pytest.raises(VigilError, match="not those it was trained on"):
        calibrate_("crime_gate")


def test_without_normal_time_there_is_no_threshold_and_what_follows_is_skipped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Abnormal videos have normal time only where their events are marked."""
    videos = city()
    save_model("crime_gate")
    crimes = [video for video in videos if video.split == "val" and video.abnormal]
    video_table.write(VAL, [replace(video, spans=()) for video in crimes])
    calibrate_("crime_gate")
    assert "no normal video in validation" in capsys.readouterr().err
    evaluate_("crime_gate")
    assert "no normal video in validation" in str(why_skipped(OUT))


@pytest.mark.parametrize("abnormal", [True, False])
def test_a_test_split_of_one_kind_gives_no_area_made_of_nothing(abnormal: bool) -> None:
    videos = city()
    save_model("crime_gate")
    calibrate_("crime_gate")
    video_table.write(TEST, [one for one in videos if one.split == "test" and one.abnormal == abnormal])
    payload = evaluate_("crime_gate")
    assert payload["video_auc"]["value"] is None and payload["video_auc"]["reason"]
    assert any("nothing" in note for note in payload["notes"])
    assert "video_auc" not in payload["baselines"]["chance"]


def test_a_test_split_without_a_label_of_the_model_is_said_in_a_line() -> None:
    city()
    save_model("crime_gate")
    calibrate_("crime_gate")
    other = video("test-0-calm", "panic", split="test", frames=24)
    video_table.write(TEST, [other])
    evaluate_("crime_gate")
    assert "no video has a label of its classes" in str(why_skipped(OUT))


def test_a_model_is_judged_on_the_sets_that_it_learns_from_alone() -> None:
    (name,) = {each.set for each in city()}
    judged = {}
    for sets in (("street",), (name,), None):
        folder = save_model("crime_gate")
        config = read_json(folder / "config.json")
        write_json(folder / "config.json", config | {"datasets": sets})
        calibrate_("crime_gate")
        evaluate_("crime_gate")
        judged[sets] = None if why_skipped(OUT) else load_arrays(SCORES["test"])["video"].tolist()
        assert sets != ("street",) or "no video of the sets street" in str(why_skipped(OUT))
    assert judged[("street",)] is None
    assert judged[(name,)] == judged[None] == [each.video for each in video_table.read(TEST)]


def test_nobody_there_raises_no_alarm() -> None:
    videos = city("segments")
    people([one for one in videos if one.split == "test" and one.abnormal], "test")  # the others are empty scenes
    save_model("pose_lstm")
    calibrate_("pose_lstm", "segments")
    payload = evaluate_("pose_lstm", "segments")
    assert payload["counts"]["unscored_videos"] == 3
    arrays = load_arrays(SCORES["test"])
    assert np.isnan(arrays["score"][Scores.of(arrays).frames_of(0)]).all()
    assert any("have no score" in note for note in payload["notes"])


WATCHED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from judged_city import calibrate_
def hook(event, args):
    path = Path(str(args[0])).absolute() if event == "open" else Path()
    if "test" in path.name and Path.cwd() / "data" in path.parents:
        raise SystemExit(f"opened {{args[0]}}")
sys.addaudithook(hook)
calibrate_("crime_gate", "frames")
calibrate_("pose_lstm", "segments")
print("calibrated")
open("data/manifest/test.csv")
"""


def test_calibration_opens_no_file_of_the_test_split(project: Path) -> None:
    city("segments")
    record_lineage("frames")
    save_model("pose_lstm")
    save_model("crime_gate")
    code = WATCHED.format(tests=str(project / "tests/support"))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "calibrated" in ran.stdout, ran.stderr
    assert "opened data/manifest/test.csv" in ran.stderr, "the watch itself works"
