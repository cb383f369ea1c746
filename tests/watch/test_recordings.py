"""`vigil detect` on recordings: lines, files, pictures, and what it says when something is wrong."""

import csv
import json
import re
import resource
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from commands import PARAMS_YAML, run_failing
from judged_people import bring_networks, film_people, save_calibrated
from videos import film, images, truncated

from vigil.cli.main import main
from vigil.delivery.alert import read_alert
from vigil.delivery.outbox import Outbox
from vigil.detect.detector import Detector
from vigil.features.landmarks.pose_table import read_poses
from vigil.footage.video.views import read_views

LOUD = ("--threshold", "p90")  # models that have learnt nothing raise something then


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[list[str], str]:
    """Lines of standard output, and what went to standard error."""
    capsys.readouterr()
    assert main(["detect", *words]) == code
    output = capsys.readouterr()
    return output.out.splitlines(), output.err


def read_rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


def group_clips(rows: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    return [list(clip) for _, clip in groupby(rows, lambda row: row["clip"])]


@pytest.mark.usefixtures("models")
def test_a_file_is_judged_and_everything_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    outputs = ("--scores", "out/s.csv", "--anomalies", "out/a.json", "--video", "out/v.mp4", "--pictures", "out/p")
    outputs += ("--attention-data", "out/t.csv", "--clips", "out/c")
    lines, _ = run(capsys, "gate.mp4", *LOUD, *outputs, "--alerts", "out/alerts.jsonl")
    raised = [line for line in lines if line.startswith("gate: raised ")]
    assert raised and all("threshold set by hand" in line for line in raised)
    assert lines[-1].startswith("1 recording, 1 abnormal, ")
    rows = read_rows("out/s.csv")
    assert len(rows) == 48 and rows[0]["crime_gate_score"] == "" and 0 <= float(rows[-1]["crime_gate_p"]) <= 1
    (verdict,) = json.loads(Path("out/a.json").read_text())["videos"]
    assert verdict["verdict"] == "abnormal" and len(verdict["spans"]) == len(raised)
    weights = verdict["attention"]["crime_gate"][0]["weights"]
    assert sum(weights) == pytest.approx(1, abs=1e-4)
    clips = group_clips(read_rows("out/t.csv"))
    assert clips and all(sum(float(row["weight"]) for row in clip) == pytest.approx(1, abs=1e-4) for clip in clips)
    assert weights in [[float(row["weight"]) for row in clip] for clip in clips]
    for row in clips[0]:
        assert float(row["start_s"]) <= float(row["time_s"]) == int(row["frame"]) / 8 <= float(row["stop_s"])
    with av.open("out/v.mp4") as video:
        assert sum(1 for _ in video.decode(video=0)) == 48
    for name in ("timeline.png", "attention_visualization.png", "heatmap_activity.png"):
        assert np.std(cv2.imread(f"out/p/gate/{name}")) > 5, "something is drawn"
    assert len(list(Path("out/c").glob("gate-*.mp4"))) == len(raised)
    alerts = [read_alert(line, "alerts") for line in Path("out/alerts.jsonl").read_text().splitlines()]
    assert [alert.revision for alert in alerts].count(1) == len(raised) == len({alert.id for alert in alerts})
    assert all(alert.detectors[0].threshold_by_hand for alert in alerts)
    latest = {alert.id: alert for alert in alerts}
    assert {alert.clip for alert in latest.values()} == {path.name for path in Path("out/c").glob("*.mp4")}
    run(capsys, "gate.mp4", *LOUD, "--batch", "out/b", "--alerts", "out/batch.jsonl", "--outbox", "batch.sqlite")
    lines = Path("out/batch.jsonl").read_text().splitlines()
    clips_of_batch = {alert.clip for line in lines if (alert := read_alert(line, "alerts")).clip}
    assert len(clips_of_batch) == len(raised) and all(Path("out/b", clip).exists() for clip in clips_of_batch)


def test_people_are_written_as_the_pipeline_writes_them(
    people_networks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage = bring_networks(people_networks)
    save_calibrated("pose_lstm", {key: lineage[key] for key in ("frames", "landmarks", "segments")})
    Path("params.yaml").write_text(PARAMS_YAML)
    film_people(Path("walk.mp4"))
    run(capsys, "walk.mp4", "--objects", "o.csv", "--landmarks", "l.csv")
    with Detector.load("models", ["pose_lstm"]) as detector:
        steps = list(detector.steps(read_views(Path("walk.mp4"))))
    found = [pose for step in steps if step.stored is not None for pose in step.stored.people]
    header, *rows = Path("l.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("source,frame,") and all(row.startswith("walk,") for row in rows)
    Path("own.csv").write_text("".join(f"{row.partition(',')[2]}\n" for row in (header, *rows)))
    assert len(found) == len(rows) > 0
    for written, pose in zip(read_poses(Path("own.csv")), found, strict=True):
        assert (written.frame, written.person) == (pose.frame, pose.person)
        np.testing.assert_array_equal(written.joints, pose.joints)
    objects = read_rows("o.csv")
    assert [(int(row["frame"]), int(row["person"])) for row in objects] == [(pose.frame, pose.person) for pose in found]
    for row, pose in zip(objects, found, strict=True):
        known = pose.joints[np.isfinite(pose.joints).all(axis=1)]
        box = [float(row[edge]) for edge in ("left", "top", "right", "bottom")]
        assert box == pytest.approx([*known.min(axis=0), *known.max(axis=0)], abs=0.01)


@pytest.mark.usefixtures("models")
def test_a_table_without_a_row_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=24, fps=8, size=(96, 64))
    _, err = run(capsys, "gate.mp4", "--models", "activity", "--attention-data", "t.csv")
    assert err.count("t.csv: nothing but the names of its columns") == 1


@pytest.mark.usefixtures("models")
def test_what_was_delivered_once_is_not_delivered_again(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    for _ in range(2):
        run(capsys, "gate.mp4", *LOUD, "--alerts", "alerts.jsonl")
    alerts = [json.loads(line) for line in Path("alerts.jsonl").read_text().splitlines()]
    ids = [(alert["id"], alert["revision"]) for alert in alerts]
    assert len(ids) == len(set(ids)) and ids
    endings = {alert["ended"] for alert in alerts if alert["stop"] is not None}
    assert endings == {"source ended"}, "with such thresholds they are on when the film is over"


@pytest.mark.usefixtures("models")
def test_old_alerts_of_recordings_are_deleted_too(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("gate", "door"):
        film(Path(f"{name}.mp4"), frames=48, fps=8, size=(96, 64))
    kept = []
    for name, more in (("gate", ()), ("door", ("--keep-days", "1e-9"))):
        run(capsys, f"{name}.mp4", *LOUD, "--outbox", "o.sqlite", *more)
        with Outbox(Path("o.sqlite"), []) as outbox:
            kept.append({stored.alert.camera for stored in outbox.after(0, 500)})
    assert kept == [{"gate"}, {"door"}]


@pytest.mark.usefixtures("models")
def test_a_batch_is_a_folder_for_each_recording_and_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        film(Path(f"films/{name}.mp4"), frames=24, fps=8, size=(96, 64))
    images(Path("films/steps"), range(16))
    lines, _ = run(capsys, "films", *LOUD, "--batch", "out")
    assert lines[-1].startswith("3 recordings, ")
    page = Path("out/index.html").read_text(encoding="utf-8")
    for name in ("a", "b", "steps"):
        assert f"{name}/overlay.mp4" in page and (Path("out") / name / "overlay.mp4").exists()
        assert json.loads((Path("out") / name / "anomalies.json").read_text())["verdict"] in ("normal", "abnormal")


@pytest.mark.usefixtures("models")
def test_lines_for_machines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    lines, _ = run(capsys, "gate.mp4", *LOUD, "--json")
    *changes, summary = [json.loads(line) for line in lines]
    assert changes and {change["change"] for change in changes} == {"raised", "ended"}
    assert summary["alerts"] * 2 == len(changes) and summary["detectors"] == ["activity", "crime_gate"]


@pytest.mark.usefixtures("models")
def test_a_file_that_breaks_off_keeps_what_was_found_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.ts"), frames=64, fps=8, size=(96, 64))
    truncated(Path("gate.ts"), 0.6)
    lines, err = run(capsys, "gate.ts", *LOUD, "--anomalies", "a.json", code=3)
    assert any(": raised " in line for line in lines)
    assert err.count("gate.ts: damaged: ") == 1
    (verdict,) = json.loads(Path("a.json").read_text())["videos"]
    assert verdict["spans"] and verdict["damage"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gone.mp4",), "'gone.mp4': no such file"),
        (("gate.mp4", "--models", "crime_gat"), "Did you mean 'crime_gate'?"),
        (("gate.mp4", "--threshold", "2"), "expected a probability between 0 and 1"),
        (("gate.mp4", "--scores", "x", "--anomalies", "x"), "both --scores and --anomalies would be written there"),
        (("gate.mp4", "--scores", "."), "'.' is a directory"),
        (("gate.mp4", "--pictures", "gate.mp4"), "'gate.mp4' is a file"),
        (("gate.mp4", "--calibration", "crime_gate"), "expected MODEL=FILE"),
        (("gate.mp4", "--calibration", "crime_gate=gone.json", "--models", "crime_gate"), "gone.json: not found"),
        (("gate.mp4", "--trained", "nowhere"), "no trained model. Run `vigil repro`"),
        (("gate.mp4", "other.mp4", "--video", "v.mp4"), "one file for 2 sources; give --batch DIR instead"),
        (("gate.mp4", "--objects", "o.csv"), "none of activity, crime_gate looks at people"),
        (("gate.mp4", "--scores", "gate.mp4"), "--scores gate.mp4: that is a source, which would be lost"),
        (("gate.mp4", "--video", "/dev/full"), "--video /dev/full: no file, and would be replaced by one"),
        (("gate.mp4", "--alerts", "o", "--outbox", "o"), "--alerts o: that is the outbox, which would be lost"),
        (("rtsp://127.0.0.1:9/x", "--video", "v.mp4", "--batch", "b"), "--video, --batch: of recordings alone"),
        (("gate.mp4", "--scores", "x", "--landmarks", "x"), "both --scores and --landmarks would be written there"),
        (("gate.mp4", "--serve", "8080"), "--serve: of cameras alone"),
        (("-", "--video", "v.mp4", "--clips", "c"), "--video, --clips: of files alone, and"),
        (("gate.mp4", "--fps", "0"), "expected frames a second, above 0"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_before_anything_is_judged(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: str
) -> None:
    for name in ("gate.mp4", "other.mp4"):
        film(Path(name), frames=16, fps=8, size=(96, 64))
    if "' is a " in expected:  # which the command line knows by itself
        assert main(["detect", *words]) == 2
        assert expected in capsys.readouterr().err
    else:
        assert expected in run_failing(capsys, "detect", *words)


@pytest.mark.usefixtures("models")
def test_a_file_of_which_nothing_decodes_is_a_line_and_the_others_are_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    film(Path("films/good.mp4"), frames=24, fps=8, size=(96, 64))
    Path("films/bad.mp4").write_bytes(b"not a film at all" * 100)
    lines, err = run(capsys, "films", *LOUD, "--anomalies", "a.json", code=3)
    assert "Traceback" not in err and "bad.mp4" in err
    verdicts = json.loads(Path("a.json").read_text())["videos"]
    assert [bool(verdict.get("damage")) for verdict in verdicts] == [True, False]
    assert [verdict["verdict"] == "unknown" for verdict in verdicts] == [True, False]
    assert lines[-1].startswith("2 recordings, ") and " 1 could not be judged, " in lines[-1]


@pytest.mark.usefixtures("models")
def test_who_stops_a_recording_leaves_no_alert_open(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    film(Path("gate.mp4"), frames=64, fps=8, size=(96, 64))
    judge = Detector.judge_stored

    def interrupt(self: Detector, stored: Any, *more: Any, **named: Any) -> Any:
        if stored.position == 56:
            raise KeyboardInterrupt
        return judge(self, stored, *more, **named)

    monkeypatch.setattr(Detector, "judge_stored", interrupt)
    assert main(["detect", "gate.mp4", *LOUD, "--alerts", "alerts.jsonl"]) == 130
    alerts = [json.loads(line) for line in Path("alerts.jsonl").read_text().splitlines()]
    latest = {alert["id"]: alert["ended"] for alert in sorted(alerts, key=lambda alert: alert["revision"])}
    assert latest and set(latest.values()) == {"interrupted"}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("option", ["--pictures", "--batch", "--video", "--clips"])
def test_an_output_for_which_there_is_no_room_is_named_and_the_verdict_stays(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """As on a full disk: no file may be larger than 4 KiB."""
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    target = "out.mp4" if option == "--video" else "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        lines, errors = run(capsys, "gate.mp4", *LOUD, option, target, code=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert re.search(rf"^gate\.mp4: not all of it is drawn: {target}\S*: .*File too large", errors, re.MULTILINE), (
        errors
    )
    assert "Traceback" not in errors and lines[-1].startswith("1 recording, 1 abnormal")
