"""`vigil evaluate` and `vigil calibrate`: any videos, the features of the checkpoint, the frozen threshold."""

import json
from pathlib import Path
from typing import Any

import pytest
from judged_city import WANTED, calibrate_, city
from videos import film

import judging
from judging import DATA, laid_out, trained
from vigil.cli import main, trial
from vigil.core import lineage
from vigil.core.params import load
from vigil.core.storage import write_json
from vigil.features.landmarks.estimators import Settings, weights_used
from vigil.features.landmarks.pose_table import XY, write
from vigil.features.segments.segments import Scaler
from vigil.judging import calibrated

RUNTIME = "runtime: {executor: serial, workers: 1, timeout_s: 60, address: null}\n"


@pytest.fixture
def gate() -> Path:
    """A calibrated crime_gate in a project of its own."""
    city()
    folder = trained("crime_gate")
    calibrate_("crime_gate")
    Path("models/calibration/m.json").rename("models/calibration/crime_gate.json")
    Path("params.yaml").write_text(RUNTIME + "evaluate: {rounds: 100, seed: 7}\n")
    return folder


def footage(root: str = "own", kinds: tuple[str, ...] = ("normal", "Arson")) -> Path:
    """Two videos of each kind."""
    for kind in kinds:
        for number in range(2):
            path = Path(root) / kind / f"{number}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            film(path, frames=24 + number + 2 * len(kind), fps=8, size=(64 + 2 * (kind == "b"), 48))
    return Path(root)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = main.main([*words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main(list(words)) == 1
    said = capsys.readouterr().err.strip().splitlines()
    return said[-1]


@pytest.mark.usefixtures("gate")
def test_a_folder_of_videos_is_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "evaluate", "crime_gate", str(footage()), "--out", "m.json")
    assert told["video_auc"]["value"] is not None
    assert told["counts"]["videos"] == 4
    frozen = calibrated.read(Path("models/calibration/crime_gate.json"))
    assert told["operating_point"]["threshold"] == pytest.approx(frozen.calibration.threshold, rel=1e-5)
    assert json.loads(Path("m.json").read_text()) == told
    assert not list(Path(".vigil").glob("trial-*")), "nothing is left but the store"
    assert main.main(["evaluate", "models/crime_gate", "own"]) == 0
    assert "video_auc " in capsys.readouterr().out


@pytest.mark.usefixtures("gate")
def test_a_table_says_what_the_folders_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    footage("own", ("x", "b"))
    labels = Path("mine.csv")
    labels.write_text(
        "video,label,start_s,stop_s\nx/0.mp4,normal,,\nx/1.mp4,normal,,\nb/0.mp4,Arson,1,2\nb/9.mp4,Arson,1,2\n"
    )
    assert main.main(["evaluate", "crime_gate", "own", "--labels", "mine.csv", "--json"]) == 1
    assert "its folder says x, mine.csv line 2 says normal" in capsys.readouterr().err.replace(
        str(Path.cwd()) + "/", ""
    )
    for path in list(Path("own").glob("*/*.mp4")):
        path.rename(Path("own") / f"{path.parent.name}-{path.name}")
    labels.write_text(labels.read_text().replace("/", "-"))
    capsys.readouterr()
    assert main.main(["evaluate", "crime_gate", "own", "--labels", "mine.csv", "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["counts"]["videos"], told["counts"]["events"]) == (3, 1)
    assert "names 'b-9.mp4', and there is no such video" in said.err
    assert "1 videos without a label are left out" in said.err


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("normal/0.mp4,normal,1,2", "normal, and yet a part of it is marked abnormal"),
        ("Arson/0.mp4,Arson,1,99", "marks 99 s, and the video ends at 4.25 s"),
        ("Arson/7.mp4,Arson,1,2", "names none of the 4 videos"),
    ],
)
def test_labels_that_cannot_be_are_said_in_a_line(line: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    footage()
    Path("mine.csv").write_text(f"video,label,start_s,stop_s\n{line}\n")
    assert problem in fails(capsys, "evaluate", "crime_gate", "own", "--labels", "mine.csv")


@pytest.mark.usefixtures("gate")
def test_a_table_that_is_none_is_said_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    footage()
    for text, problem in (("file,klass\n", "unknown column 'file'"), ("", "empty; expected a table with a header")):
        Path("mine.csv").write_text(text)
        said = fails(capsys, "evaluate", "crime_gate", "own", "--labels", "mine.csv")
        assert said.startswith(f"vigil evaluate: mine.csv: {problem}")


@pytest.mark.usefixtures("gate")
def test_what_is_not_there_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no trained model. Known: crime_gate. Did you mean" in fails(capsys, "evaluate", "crime_gat", "own")
    assert "own: not found" in fails(capsys, "evaluate", "crime_gate", "own")
    footage("own", ("riot",))
    assert "gone.csv: not found" in fails(capsys, "evaluate", "crime_gate", "own", "--labels", "gone.csv")
    single = min(Path("own").rglob("*.mp4"))
    assert "one single video" in fails(capsys, "evaluate", "crime_gate", str(single))
    assert "gone.mp4: not found" in fails(capsys, "calibrate", "crime_gate", "--normal", "gone.mp4")
    poses("poses.csv", 0)
    told = ("--option", "classes={0: Arson, 3: normal}", "--option", "fps=8.0", "--option", "size=[1920, 1080]")
    assert "looks at pictures, and these are landmarks" in fails(capsys, "evaluate", "crime_gate", "poses.csv", *told)
    Path("models/calibration/crime_gate.json").unlink()
    assert "calibration.json: not found" in fails(capsys, "evaluate", "crime_gate", "own")


def poses(path: str, shift: int) -> None:
    """A table of two clips, of the labels 0 and 3, as AI-Hub's are."""
    columns = ["ID", *XY, "FRAME_NUM", "label"]
    rows = [
        ["0", *(str(9 * row + 3 * number + shift) for number in range(26)), str(row), label]
        for label in "03"
        for row in range(12)
    ]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(",".join(cells) for cells in [columns, *rows]) + "\n")


def test_a_table_of_landmarks_is_evaluated_by_a_pose_model(capsys: pytest.CaptureFixture[str]) -> None:
    city("segments")
    judging.SEGMENTS["scaler"] = Scaler((0.0,) * 26, (1.0,) * 26).ranges  # as stage `segments` records it
    try:
        classes = {"normal": ["normal"], "theft": ["theft", "Arson", "Fighting"]}
        trained("pose_lstm", classes)
        made = json.loads(Path("models/pose_lstm/config.json").read_text())
        made["features"]["landmarks"] = {"weights": []}
        write_json(Path("models/pose_lstm/config.json"), made)
        write_json(DATA / "segments/settings.json", made["features"])
        calibrate_("pose_lstm", "segments")
    finally:
        del judging.SEGMENTS["scaler"]
    Path("models/calibration/m.json").rename("models/calibration/pose_lstm.json")
    Path("params.yaml").write_text(RUNTIME)
    poses("poses.csv", 0)
    poses("tables/poses.csv", 0)
    poses("tables/sub/poses.csv", 1)
    rest = [word for pair in ("fps=8.0", "size=[1920, 1080]") for word in ("--option", pair)]
    options = ["--option", "classes={0: theft, 3: normal}", *rest]
    told = run(capsys, "evaluate", "pose_lstm", "poses.csv", *options)
    assert told["counts"]["videos"] == 2 and told["counts"]["unscored_videos"] == 0
    assert told["segment_balanced_accuracy"]["value"] is not None
    told = run(capsys, "evaluate", "pose_lstm", "tables", *options)
    assert (told["counts"]["videos"], told["counts"]["sources"]) == (4, 4), "each table of a folder is a set"
    told = run(capsys, "evaluate", "pose_lstm", "tables", "--option", "classes={0: punch, 3: normal}", *rest)
    assert told["labels"] == {"punch": "theft"}
    assert told["segment_balanced_accuracy"]["value"] is not None, "segments follow what the label means"
    poses("tables/bad.csv", 2)
    Path("tables/bad.csv").write_text(Path("tables/bad.csv").read_text().replace("\n0,2,", "\n0,zero,", 1))
    told = run(capsys, "evaluate", "pose_lstm", "tables", *options)
    assert (told["counts"]["videos"], told["counts"]["not_judged_videos"]) == (5, 0), "refused on arrival, with a word"


@pytest.mark.usefixtures("gate")
def test_labels_that_the_model_does_not_know_are_judged_too(capsys: pytest.CaptureFixture[str]) -> None:
    footage("own", ("normal", "punch-up", "Arson"))
    assert main.main(["evaluate", "crime_gate", "own", "--json"]) == 0
    said = capsys.readouterr()
    assert "crime_gate: punch-up (2 videos) counts as crime; --as LABEL=CLASS says otherwise" in said.err
    told = json.loads(said.out)
    assert (told["counts"]["videos"], told["counts"]["abnormal_videos"]) == (6, 4)
    assert told["classes"].keys() == {"normal", "punch-up", "Arson"}, "under their own names"
    assert told["labels"] == {"punch-up": "crime"}
    told = run(capsys, "evaluate", "crime_gate", "own", "--as", "punch-up=normal", "--as", "Arson=")
    assert (told["counts"]["videos"], told["counts"]["abnormal_videos"]) == (4, 0)
    assert told["counts"]["not_judged_videos"] == 2
    assert "2 of 6 videos are not judged: own/Arson__0, own/Arson__1" in " ".join(told["notes"]), told["notes"]
    with pytest.raises(SystemExit):
        main.main(["evaluate", "crime_gate", "own", "--as", "fight"])
    assert "expected LABEL=CLASS" in capsys.readouterr().err


def nobody(_model: trial.Model, space: trial.Workspace, _running: object) -> None:
    """Landmarks of empty scenes, without a network."""
    for archive in (space / "frames").glob("*/*.npz"):
        write(space / "landmarks" / archive.parent.name / f"{archive.stem}.csv", [])
    lineage.record(space / "landmarks", "landmarks", {}, space / "frames")


def test_to_a_model_of_normal_alone_all_else_is_abnormal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_landmarks", nobody)
    city("flow")
    made = json.loads((trained("panic", {"normal": ["normal"]}) / "config.json").read_text())
    made["features"] |= {"flow": {"clip": 8.0, "method": "dis", "size": 32, "stabilise": False}, "landmarks": {}}
    write_json(Path("models/panic/config.json"), made)
    write_json(DATA / "flow/settings.json", made["features"])
    calibrate_("panic", "flow")
    Path("models/calibration/m.json").rename("models/calibration/panic.json")
    Path("params.yaml").write_text(RUNTIME + "evaluate: {rounds: 100, seed: 7}\n")
    footage("own", ("normal", "fight"))
    Path("own/labels.csv").write_text("video,start_s,stop_s\nfight/0.mp4,1,2\n")
    told = run(capsys, "evaluate", "panic", "own")
    assert told["labels"] == {"fight": "abnormal"}
    assert told["video_auc"]["value"] is not None
    assert told["counts"]["abnormal_frames"] == 8, "one second at 8 fps"


def test_films_whose_motion_nobody_drew_have_no_maps_to_judge(capsys: pytest.CaptureFixture[str]) -> None:
    city()
    trained("activity", {"static": ["static", "normal"], "dynamic": ["Arson"]})
    calibrate_("activity")
    Path("models/calibration/m.json").rename("models/calibration/activity.json")
    Path("params.yaml").write_text(RUNTIME + "evaluate: {rounds: 100, seed: 7}\n")
    told = run(capsys, "evaluate", "activity", str(footage("own", ("static", "fight"))))
    assert told["labels"] == {"fight": "dynamic"}
    assert told["cell_auc"]["value"] is None and told["cell_auc"]["reason"] == "nothing abnormal here"


@pytest.mark.slow
def test_people_in_films_are_found_and_judged(
    pretrained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    city("segments")
    made = {"scaler": Scaler((0.0,) * 26, (1.0,) * 26).ranges}
    monkeypatch.setattr(judging, "SEGMENTS", judging.SEGMENTS | made)
    folder = trained("pose_lstm", {"normal": ["normal"], "theft": ["theft", "Arson", "Fighting"]})
    told = json.loads((folder / "config.json").read_text())
    wanted = load(Path(__file__).parents[2] / "params.yaml")["landmarks"] | {"detector": "mediapipe"}
    Path("models/pretrained").symlink_to(pretrained)
    used = weights_used(Settings.read(wanted, "test"), Path("models/person"), pretrained)
    told["features"]["landmarks"] = {**wanted, "weights": list(used)}
    write_json(folder / "config.json", told)
    write_json(DATA / "segments/settings.json", told["features"])
    calibrate_("pose_lstm", "segments")
    Path("models/calibration/m.json").rename("models/calibration/pose_lstm.json")
    Path("params.yaml").write_text(RUNTIME + "evaluate: {rounds: 100, seed: 7}\n")
    found = run(capsys, "evaluate", "pose_lstm", str(footage("own", ("normal", "fight"))), "--as", "fight=theft")
    assert found["counts"]["videos"] == 4 and found["counts"]["unscored_videos"] == 4, "nobody is in these films"
    assert found["labels"] == {"fight": "theft"}


@pytest.mark.usefixtures("gate")
def test_a_camera_gets_thresholds_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    footage("camera", ("quiet",))
    old = calibrated.read(Path("models/calibration/crime_gate.json"))
    assert main.main(["calibrate", "crime_gate", "--normal", "camera", "--false-alarms-per-hour", "600"]) == 0
    said = capsys.readouterr().out
    assert "alarm at " in said and "wrote crime_gate.calibration.json" in said
    new = calibrated.read(Path("crime_gate.calibration.json"))
    assert new.calibration.thresholds != old.calibration.thresholds
    assert new.wanted.false_alarms_per_hour == 600
    assert new.wanted.alert == WANTED.alert == old.wanted.alert
    told = run(capsys, "evaluate", "crime_gate", str(footage()), "--calibration", "crime_gate.calibration.json")
    assert told["operating_point"]["calibration_sha256"] == new.sha256
    one, other = (run(capsys, "calibrate", "crime_gate", "--normal", *paths, "--out", "x.json")
                  for paths in (["camera"], ["camera/quiet/0.mp4", "camera/quiet/1.mp4"]))  # fmt: skip
    assert one == other


def test_an_option_is_a_key_and_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.option("size=[1, 2]") == ("size", [1, 2])
    for text in ("size", "=3", "size=[1"):
        with pytest.raises(SystemExit):
            main.main(["evaluate", "m", "d", "--option", text])
    assert "expected KEY=VALUE" in capsys.readouterr().err
    laid_out([])
