"""`vigil calibrate`: thresholds from some normal videos of one camera."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML, run_failing, run_json, write_footage
from judged_city import PARAMS, calibrate_, city

from judging import save_model
from vigil.cli.calibrate import repeat_option
from vigil.cli.main import main
from vigil.cli.own_videos import name_recording
from vigil.judging.calibration import read_calibration


@pytest.mark.usefixtures("gate")
def test_a_camera_gets_thresholds_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("camera", ("quiet",))
    old = read_calibration(Path("models/calibration/crime_gate.json"))
    assert main(["calibrate", "crime_gate", "--normal", "camera", "--false-alarms-per-hour", "600"]) == 0
    output = capsys.readouterr()
    assert (
        "by the budget on this camera's normal video" in output.out
        and "wrote crime_gate.calibration.json" in output.out
    )
    assert "warning" not in output.err
    new = read_calibration(Path("crime_gate.calibration.json"))
    assert new.thresholds != old.thresholds
    assert new.params.false_alarms_per_hour == 600
    assert new.params.alert == PARAMS.alert == old.params.alert
    frozen = ("--calibration", "crime_gate.calibration.json")
    metrics = run_json(capsys, "evaluate", "crime_gate", str(write_footage()), *frozen)
    assert metrics["operating_point"]["calibration_sha256"] == new.sha256


@pytest.mark.usefixtures("gate")
def test_a_folder_is_all_videos_in_it_whatever_else_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("camera", ("quiet",))
    Path("camera/labels.csv").write_text("video,label\nquiet/0.mp4,Arson\n")
    Path("camera/broken.mp4").write_text("no video")
    by_folder = run_json(capsys, "calibrate", "crime_gate", "--normal", "camera", "--out", "x.json")
    files = ["camera/quiet/0.mp4", "camera/quiet/1.mp4"]
    together = run_json(capsys, "calibrate", "crime_gate", "--normal", *files, "--out", "x.json")
    repeated = [word for file in files for word in ("--normal", file)]
    assert by_folder == together == run_json(capsys, "calibrate", "crime_gate", *repeated, "--out", "x.json")


@pytest.mark.usefixtures("gate")
def test_the_pieces_of_one_recording_are_one_source_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("camera", ("quiet", "dark"))
    assert main(["calibrate", "crime_gate", "--normal", "camera", "--out", "x.json"]) == 0
    assert "4 videos count as 2 recordings, by their names; --separate says otherwise" in capsys.readouterr().err
    assert main(["calibrate", "crime_gate", "--normal", "camera", "--out", "y.json", "--separate"]) == 0
    assert "recording" not in capsys.readouterr().err
    cut, apart = (read_calibration(Path(name)).promise for name in ("x.json", "y.json"))
    assert cut is not None and apart is not None and (cut.sources, apart.sources) == (2, 4)
    assert cut.normal_hours == apart.normal_hours


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("cam1/part-001.mp4", "cam1/part-002.mp4", True),
        ("cam1/20240501_120000.mp4", "cam1/20240501_123000.mkv", True),
        ("cam1/7.mp4", "cam2/8.mp4", False),
        ("cam1/quiet-day.mp4", "cam1/quiet-night.mp4", False),
    ],
)
def test_a_recording_is_known_by_folder_and_name_without_numbers(first: str, second: str, same: bool) -> None:
    assert (name_recording(first) == name_recording(second)) is same


@pytest.mark.usefixtures("gate")
def test_what_is_no_video_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("x")
    Path("empty").mkdir()
    Path("broken.mp4").write_text("no video")
    for path, problem in (
        ("gone.mp4", "gone.mp4: not found."),
        ("notes.txt", "notes.txt: not a video, by its name."),
        ("empty", "empty: no video in it."),
        ("broken.mp4", "--normal: not one video can be used, of 1."),
    ):
        line = run_failing(capsys, "calibrate", "crime_gate", "--normal", path)
        assert line.startswith(f"vigil calibrate: {problem}")
        assert ".vigil" not in line
    line = run_failing(capsys, "calibrate", "crime_gate", "--normal", "own", "--confidence", "2")
    assert line == "vigil calibrate: options: confidence = 2.0: input should be less than 1."


def test_a_model_of_where_things_move_needs_video_in_which_nothing_moves(capsys: pytest.CaptureFixture[str]) -> None:
    city()
    save_model("activity", {"static": ["static", "normal"], "dynamic": ["Arson"]})
    calibrate_("activity")
    Path("models/calibration/m.json").rename("models/calibration/activity.json")
    Path("params.yaml").write_text(PARAMS_YAML)
    capsys.readouterr()
    assert main(["calibrate", "activity", "--normal", str(write_footage("camera", ("quiet",)))]) == 0
    assert "activity: warning: it says where things move, so nothing may move in these" in capsys.readouterr().err


def test_several_videos_may_follow_the_option() -> None:
    assert repeat_option("--normal", ["m", "--normal", "a", "b", "--out", "c", "--normal", "d"]) == [
        *("m", "--normal", "a", "--normal", "b", "--out", "c", "--normal", "d"),
    ]
    assert repeat_option("--normal", ["--normal=a", "m"]) == ["--normal=a", "m"]
