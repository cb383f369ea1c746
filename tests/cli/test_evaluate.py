"""`vigil evaluate`: any footage, the features of the checkpoint, the frozen threshold."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import PARAMS_YAML, run_failing, run_json, write_footage
from judged_city import TEST, VAL, calibrate_, city

import judging
from judging import DATA, SERIAL, save_model
from vigil.cli.main import main
from vigil.core import lineage
from vigil.core.params import load
from vigil.core.storage import sha256_file, write_json
from vigil.evaluation.flow_trees import ForestParams, fit_forest, save_forest
from vigil.features.frames import FrameArchive
from vigil.features.landmarks import blazepose, people_boxes, pose_table
from vigil.features.landmarks.choices import weights_digests
from vigil.features.segments.columns import Scaler
from vigil.footage import video_table
from vigil.judging.calibration import read_calibration
from vigil.stages import attend, landmarks

PROJECT_PARAMS = Path(__file__).parents[2] / "params.yaml"


def name_calibration(model: str) -> None:
    Path("models/calibration/m.json").rename(f"models/calibration/{model}.json")
    Path("params.yaml").write_text(PARAMS_YAML)


@pytest.mark.usefixtures("gate")
def test_a_folder_of_videos_is_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run_json(capsys, "evaluate", "crime_gate", str(write_footage()), "--out", "m.json")
    assert metrics["video_auc"]["value"] is not None
    assert metrics["counts"]["videos"] == 4
    assert "against_baselines" not in metrics, "trees and frame differences are not among the baselines here"
    assert any("flow_trees" in note for note in metrics["notes"])
    frozen = read_calibration(Path("models/calibration/crime_gate.json"))
    assert metrics["operating_point"]["threshold"] == pytest.approx(frozen.threshold, rel=1e-5)
    assert json.loads(Path("m.json").read_text()) == metrics
    assert not list(Path(".vigil").glob("workspace-*")), "nothing is left but the store"
    assert main(["evaluate", "models/crime_gate", "own"]) == 0
    output = capsys.readouterr()
    assert "video_auc " in output.out
    for stage in ("download", "frames", "context"):
        assert f"{stage}: 4 videos: 0 done, 4 reused" in output.err, "the second time, all is in the store"


@pytest.mark.usefixtures("gate")
def test_what_is_not_there_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no trained model. Known: crime_gate. Did you mean" in run_failing(capsys, "evaluate", "crime_gat", "own")
    assert "own: not found. Name a folder" in run_failing(capsys, "evaluate", "crime_gate", "own")
    write_footage("own", ("riot",))
    assert "gone.csv: not found" in run_failing(capsys, "evaluate", "crime_gate", "own", "--labels", "gone.csv")
    write_landmarks("poses.csv", 0)
    keys = ("--option", "classes={0: Arson, 3: normal}", "--option", "fps=8.0", "--option", "size=[1920, 1080]")
    line = run_failing(capsys, "evaluate", "crime_gate", "poses.csv", *keys)
    assert "looks at pictures, and these are landmarks" in line
    line = run_failing(capsys, "evaluate", "crime_gate", "poses.csv")
    assert line.startswith("vigil evaluate: poses.csv: missing key 'classes'.")
    assert line.endswith("Give keys by --option KEY=VALUE.")
    write_json(Path("models/person/config.json"), {"classes": ["person"], "imgsz": 224})
    line = run_failing(capsys, "evaluate", "person", "own")
    assert line == "vigil evaluate: person: no trained model. Known: crime_gate.", (
        "the detector of people judges nothing"
    )
    line = run_failing(capsys, "evaluate", "crime_gate", "own", "--calibration", "gone.json")
    assert line == "vigil evaluate: gone.json: not found. Name a calibration's file."
    Path("models/calibration/crime_gate.json").unlink()
    line = run_failing(capsys, "calibrate", "crime_gate", "--normal", "own")
    assert line.endswith("calibration/crime_gate.json: not found. Run `dvc repro calibrate@crime_gate`.")


@pytest.mark.usefixtures("gate")
def test_no_error_names_a_file_that_is_gone_or_a_section_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("x")
    Path("own/normal").mkdir(parents=True)
    for data, problem in (
        ("notes.txt", "notes.txt: neither a video nor a table, by its name."),
        ("own", "own: no video in own/."),
    ):
        assert run_failing(capsys, "evaluate", "crime_gate", data).startswith(f"vigil evaluate: {problem}")
    Path("own/normal/0.mp4").write_text("no video")
    assert main(["evaluate", "crime_gate", "own"]) == 1
    *_, warning, line = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: own/normal/0.mp4 is left out: text, no video")
    assert line.startswith("vigil evaluate: own: not one video can be used, of 1.")
    assert ".vigil" not in line


@pytest.mark.usefixtures("gate")
def test_a_dataset_of_params_yaml_is_evaluated_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("footage/mine")
    dataset = "datasets: {mine: {kind: folder, path: footage/mine}}\n"
    Path("params.yaml").write_text(PARAMS_YAML + dataset)
    metrics = run_json(capsys, "evaluate", "crime_gate", "mine")
    assert metrics == run_json(capsys, "evaluate", "crime_gate", "footage/mine")
    assert "Did you mean 'mine'?" in run_failing(capsys, "evaluate", "crime_gate", "mien")
    Path("params.yaml").write_text(PARAMS_YAML + dataset.replace("path", "paht"))
    assert "params.yaml [datasets.mine]: " in run_failing(capsys, "evaluate", "crime_gate", "mine")


def write_landmarks(path: str, shift: int) -> None:
    """A table of two clips, of the labels 0 and 3, as AI-Hub's are."""
    columns = ["ID", *pose_table.XY, "FRAME_NUM", "label"]
    rows = [
        ["0", *(str(9 * row + 3 * number + shift) for number in range(26)), str(row), label]
        for label in "03"
        for row in range(12)
    ]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(",".join(cells) for cells in [columns, *rows]) + "\n")


def train_pose_lstm(landmarks_made_with: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibrated pose_lstm of two classes, as trained on segments that stage `segments` scaled."""
    city("segments")
    scaler = {"scaler": Scaler((0.0,) * 26, (1.0,) * 26).ranges}
    monkeypatch.setattr(judging, "SEGMENTS", judging.SEGMENTS | scaler)
    folder = save_model("pose_lstm", {"normal": ["normal"], "theft": ["theft", "Arson", "Fighting"]})
    config = json.loads((folder / "config.json").read_text())
    config["features"]["landmarks"] = landmarks_made_with
    write_json(folder / "config.json", config)
    write_json(DATA / "segments/settings.json", config["features"])
    calibrate_("pose_lstm", "segments")
    name_calibration("pose_lstm")


def test_a_table_of_landmarks_is_evaluated_by_a_pose_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_pose_lstm({"weights": []}, monkeypatch)
    write_landmarks("poses.csv", 0)
    write_landmarks("tables/poses.csv", 0)
    write_landmarks("tables/sub/poses.csv", 1)
    keys = [word for pair in ("fps=8.0", "size=[1920, 1080]") for word in ("--option", pair)]
    known, unknown = (["--option", f"classes={{0: {label}, 3: normal}}", *keys] for label in ("theft", "punch"))
    metrics = run_json(capsys, "evaluate", "pose_lstm", "poses.csv", *known)
    assert metrics["counts"]["videos"] == 2 and metrics["counts"]["unscored_videos"] == 0
    assert metrics["segment_balanced_accuracy"]["value"] is not None
    metrics = run_json(capsys, "evaluate", "pose_lstm", "tables", *known)
    assert (metrics["counts"]["videos"], metrics["counts"]["sources"]) == (4, 4), "each table of a folder is a set"
    metrics = run_json(capsys, "evaluate", "pose_lstm", "tables", *unknown)
    assert metrics["labels"] == {"punch": "theft"}
    assert metrics["segment_balanced_accuracy"]["value"] is not None, "segments follow what the label means"
    write_landmarks("tables/bad.csv", 2)
    Path("tables/bad.csv").write_text(Path("tables/bad.csv").read_text().replace("\n0,2,", "\n0,zero,", 1))
    assert main(["evaluate", "pose_lstm", "tables", *known, "--json"]) == 0
    output = capsys.readouterr()
    counts = json.loads(output.out)["counts"]
    assert (counts["videos"], counts["not_judged_videos"]) == (5, 0), "refused on arrival, with a word"
    assert "is left out: line 2: " in output.err
    assert "to train on" not in output.err, "nothing is trained here"


@pytest.mark.usefixtures("gate")
def test_labels_that_the_model_does_not_know_are_judged_too(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("own", ("normal", "punch-up", "Arson"))
    capsys.readouterr()
    assert main(["evaluate", "crime_gate", "own", "--json"]) == 0
    output = capsys.readouterr()
    assert "crime_gate: punch-up (2 videos) counts as crime; --as LABEL=CLASS says otherwise" in output.err
    metrics = json.loads(output.out)
    assert (metrics["counts"]["videos"], metrics["counts"]["abnormal_videos"]) == (6, 4)
    assert metrics["classes"].keys() == {"normal", "punch-up", "Arson"}, "under their own names"
    assert metrics["labels"] == {"punch-up": "crime"}
    metrics = run_json(capsys, "evaluate", "crime_gate", "own", "--as", "punch-up=normal", "--as", "Arson=")
    assert (metrics["counts"]["videos"], metrics["counts"]["abnormal_videos"]) == (4, 0)
    assert metrics["counts"]["not_judged_videos"] == 2
    assert "2 of 6 videos are not judged: own/Arson__0, own/Arson__1" in " ".join(metrics["notes"])
    assert main(["evaluate", "crime_gate", "own", "--as", "fight"]) == 2
    assert "expected LABEL=CLASS" in capsys.readouterr().err


@pytest.mark.usefixtures("gate")
def test_a_model_behind_the_gate_sees_what_its_own_gate_attends_to(capsys: pytest.CaptureFixture[str]) -> None:
    video_table.write(Path("none.csv"), [])
    attend.main(
        train=Path("none.csv"), val=VAL, test=TEST, frames=DATA / "frames", gate=Path("models/crime_gate"),
        calibration=Path("models/calibration/crime_gate.json"), out=DATA / "attended",
        params=attend.Params(keep=2, step=0.5, overlap=0.5), runtime=SERIAL,
    )  # fmt: skip
    save_model("crime_type", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    calibrate_("crime_type", "attended")
    name_calibration("crime_type")
    metrics = run_json(capsys, "evaluate", "crime_type", str(write_footage("own", ("normal", "Arson", "Fighting"))))
    assert metrics["labels"] == {"normal": None}
    assert (metrics["counts"]["videos"], metrics["counts"]["not_judged_videos"]) == (4, 2)
    assert metrics["accuracy"]["value"] is not None
    shutil.rmtree(DATA / "attended/gate")
    save_model("crime_gate", seed=1)
    assert "the crime_gate that it was trained behind" in run_failing(capsys, "evaluate", "crime_type", "own")


def track_nobody(*, frames: Path, out: Path, **_rest: object) -> None:
    """Stage `landmarks` where it finds nobody, without its networks."""
    for archive in frames.glob("*/*.npz"):
        table = out / archive.parent.name / archive.stem
        pose_table.write_poses(table.with_suffix(".csv"), [])
        nobody = [people_boxes.NOBODY] * len(FrameArchive(archive))
        people_boxes.write_boxes(table.with_suffix(people_boxes.SUFFIX), nobody)
    lineage.record(out, "landmarks", {}, frames)


def write_forest(features: dict[str, Any]) -> None:
    """Trees of flow that is made as a model's; all windows were alike, so they only know how common labels are."""
    params = ForestParams(window_s=1.0, windows=100, trees=5, leaf=2, seed=0)
    forest = fit_forest(np.zeros((20, 1)), np.array(["normal", "fight"] * 10), params)
    save_forest(Path("models/baselines/flow_trees.npz"), forest)
    write_json(Path("models/baselines/settings.json"), features | {"baselines": params.model_dump(mode="json")})


def test_to_a_model_of_normal_alone_all_else_is_abnormal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarks, "main", track_nobody)
    networks = [Path("models/pretrained") / name for name in (blazepose.LANDMARKS, blazepose.DETECTOR)]
    networks[0].parent.mkdir(parents=True)
    for number, network in enumerate(networks):
        network.write_bytes(bytes([number]))
    made_with = load(PROJECT_PARAMS)["landmarks"] | {"detector": "mediapipe"}
    city("flow")
    config = json.loads((save_model("panic", {"normal": ["normal"]}) / "config.json").read_text())
    config["features"] |= {
        "flow": {"clip": 64.0, "fps": 30.0, "method": "dis", "size": 32, "stabilise": False},
        "landmarks": {**made_with, "weights": [sha256_file(network) for network in networks]},
    }
    write_json(Path("models/panic/config.json"), config)
    write_json(DATA / "flow/settings.json", config["features"])
    calibrate_("panic", "flow")
    name_calibration("panic")
    write_footage("own", ("normal", "fight"))
    Path("own/labels.csv").write_text("video,start_s,stop_s\nfight/0.mp4,1,2\n")
    metrics = run_json(capsys, "evaluate", "panic", "own")
    assert "flow_trees" not in metrics["baselines"] and "against_baselines" not in metrics
    assert any("`flow_trees` is not computed" in note for note in metrics["notes"])
    write_forest(config["features"] | {"landmarks": {}})  # as `track_nobody` says that they are made
    metrics = run_json(capsys, "evaluate", "panic", "own")
    assert metrics["baselines"]["flow_trees"]["video_auc"]["value"] is not None and "against_baselines" in metrics
    assert any(note.startswith("baselines here: chance, flow_trees, length, ") for note in metrics["notes"])
    assert metrics["labels"] == {"fight": "abnormal"}
    assert metrics["video_auc"]["value"] is not None
    assert metrics["counts"]["abnormal_frames"] == 8, "one second at 8 fps"
    networks[1].write_bytes(b"another")
    assert "trained on landmarks of other networks" in run_failing(capsys, "evaluate", "panic", "own")


def test_films_whose_motion_nobody_drew_have_no_maps_to_judge(capsys: pytest.CaptureFixture[str]) -> None:
    city()
    save_model("activity", {"static": ["static", "normal"], "dynamic": ["Arson"]})
    calibrate_("activity")
    name_calibration("activity")
    metrics = run_json(capsys, "evaluate", "activity", str(write_footage("own", ("static", "fight"))))
    assert metrics["labels"] == {"fight": "dynamic"}
    assert metrics["cell_auc"]["value"] is None and metrics["cell_auc"]["reason"] == "nothing abnormal here"


@pytest.mark.slow
def test_people_in_films_are_found_and_judged(
    pretrained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made_with = load(PROJECT_PARAMS)["landmarks"] | {"detector": "mediapipe"}
    Path("models").mkdir()
    Path("models/pretrained").symlink_to(pretrained)
    used = weights_digests(landmarks.Params.read(made_with, "test"), Path("models/person"), pretrained)
    train_pose_lstm({**made_with, "weights": list(used)}, monkeypatch)
    own = str(write_footage("own", ("normal", "fight")))
    metrics = run_json(capsys, "evaluate", "pose_lstm", own, "--as", "fight=theft")
    assert metrics["counts"]["videos"] == 4 and metrics["counts"]["unscored_videos"] == 4, "nobody is in these films"
    assert metrics["labels"] == {"fight": "theft"}


def test_an_option_is_a_key_and_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("size", "=3", "size=[1"):
        assert main(["evaluate", "m", "d", "--option", option]) == 2
        line = capsys.readouterr().err
        assert line.startswith("vigil evaluate: Invalid value for '--option'") and line.count("\n") == 1
        assert "expected KEY=VALUE" in line or "not valid YAML" in line
