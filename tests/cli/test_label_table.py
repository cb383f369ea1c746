"""`vigil evaluate --labels FILE`: a table says what videos show, and which part of them."""

import json
from pathlib import Path

import pytest
from commands import run_failing, run_json, write_footage

from vigil.cli.main import main


@pytest.mark.usefixtures("gate")
def test_a_table_says_what_the_folders_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage("own", ("anomaly", "b"))
    labels = Path("mine.csv")
    labels.write_text(
        "video,label,start_s,stop_s\nanomaly/0.mp4,normal,,\nanomaly/1.mp4,normal,,\nb/0.mp4,Arson,1,2\nb/9.mp4,Arson,1,2\n"
    )
    problem = run_failing(capsys, "evaluate", "crime_gate", "own", "--labels", "mine.csv")
    assert "its folder says anomaly, mine.csv line 2 says normal" in problem.replace(f"{Path.cwd()}/", "")
    for path in list(Path("own").glob("*/*.mp4")):
        path.rename(Path("own") / f"{path.parent.name}-{path.name}")
    labels.write_text(labels.read_text().replace("/", "-"))
    assert main(["evaluate", "crime_gate", "own", "--labels", "mine.csv", "--json"]) == 0
    output = capsys.readouterr()
    metrics = json.loads(output.out)
    assert (metrics["counts"]["videos"], metrics["counts"]["events"]) == (3, 1)
    assert "names 'b-9.mp4', and there is no such video" in output.err
    assert "1 videos without a label are left out" in output.err


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
    write_footage()
    Path("mine.csv").write_text(f"video,label,start_s,stop_s\n{line}\n")
    assert problem in run_failing(capsys, "evaluate", "crime_gate", "own", "--labels", "mine.csv")


@pytest.mark.usefixtures("gate")
def test_a_table_that_is_none_is_said_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    write_footage()
    for text, problem in (("file,klass\n", "unknown column 'file'"), ("", "empty; expected a table with a header")):
        Path("mine.csv").write_text(text)
        line = run_failing(capsys, "evaluate", "crime_gate", "own", "--labels", "mine.csv")
        assert line.startswith(f"vigil evaluate: mine.csv: {problem}")


@pytest.mark.usefixtures("gate")
def test_one_video_is_evaluated_when_a_table_says_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    video = str(min(write_footage("own", ("riot",)).rglob("*.mp4")))
    assert "nothing says what this video shows" in run_failing(capsys, "evaluate", "crime_gate", video)
    Path("mine.csv").write_text("video,label,start_s,stop_s\n0.mp4,Arson,1,2\n1.mp4,normal,,\n")
    metrics = run_json(capsys, "evaluate", "crime_gate", video, "--labels", "mine.csv")
    assert metrics["counts"]["videos"] == metrics["counts"]["events"] == 1
    assert metrics["counts"]["abnormal_frames"] == 8, "one second at 8 fps"
    assert metrics["event_recall"]["value"] is not None, "how good it is as an alarm"
    assert metrics["video_auc"]["reason"] == "nothing normal here"
    Path("mine.csv").rename("own/riot/labels.csv")
    assert run_json(capsys, "evaluate", "crime_gate", video) == metrics, "a labels.csv beside it is read by itself"
