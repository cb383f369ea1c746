"""`vigil detect --cameras`: each camera with what its entry says, and hours in which it raises alerts."""

import csv
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commands import run_failing
from videos import film

from vigil.capture.frames import Black, Frame
from vigil.capture.live.camera import Camera
from vigil.capture.sources import expand_sources
from vigil.cli.main import main
from vigil.core.storage import read_json
from vigil.delivery.alert import Alert
from vigil.detect.detector import Detector
from vigil.judging.calibration import read_calibration
from vigil.watch.camera_watch import CameraWatch

LOUD = ("--threshold", "p90")


def write(text: str) -> str:
    Path("site").mkdir(exist_ok=True)
    Path("site/cams.yaml").write_text(text)
    return "site/cams.yaml"


def films(*names: str) -> None:
    for name in names:
        film(Path(f"site/{name}.mp4"), frames=48, fps=8, size=(96, 64))


@pytest.mark.usefixtures("models")
def test_each_camera_has_its_models_zones_and_calibration(capsys: pytest.CaptureFixture[str]) -> None:
    films("gate", "yard")
    own = read_calibration(Path("models/calibration/activity.json"))
    own.model_copy(update={"thresholds": own.thresholds.model_copy(update={"budget": -100.0, "p90": -100.0})}).write(
        Path("site/own.json")
    )
    cameras = write(
        "front: {source: gate.mp4, models: [crime_gate]}\n"
        "half: {source: gate.mp4, models: [activity], zones: [[[0, 0], [0.4, 0], [0.4, 1], [0, 1]]],\n"
        "  calibration: {activity: own.json}}\n"
        "back: {source: yard.mp4}\n"
    )
    assert main(["detect", "--cameras", cameras, *LOUD, "--scores", "s.csv", "--json"]) == 0
    *changes, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()[-100:] if line[0] == "{"]
    assert summary["recordings"] == 3 and set(summary["detectors"]) == {"crime_gate", "activity"}
    rows = list(csv.DictReader(Path("s.csv").read_text().splitlines()))
    ran = {
        camera: {name for name in ("activity", "crime_gate") for row in rows
                 if row["source"] == camera and row[f"{name}_score"]}
        for camera in ("front", "half", "back")
    }  # fmt: skip
    assert ran == {"front": {"crime_gate"}, "half": {"activity"}, "back": {"activity", "crime_gate"}}
    scores = {
        camera: [row["activity_score"] for row in rows if row["source"] == camera and row["activity_score"]]
        for camera in ("half", "back")
    }
    assert scores["half"] != scores["back"], "the same film, but half of it is hidden"
    thresholds = {change["source"]: change["threshold"] for change in changes if change["detector"] == "activity"}
    assert thresholds["half"] == -100 and thresholds.get("back", 0) > -100


@pytest.mark.usefixtures("models")
def test_of_a_file_of_cameras_those_run_that_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    films("gate", "yard")
    cameras = write("front: {source: gate.mp4}\nback: {source: yard.mp4}\n")
    assert main(["detect", "back", "--cameras", cameras, "--anomalies", "a.json"]) == 0
    (verdict,) = read_json(Path("a.json"))["videos"]
    assert verdict["path"] == "site/yard.mp4"
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 recording, ")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {source: gate.mp4, models: [activty]}", "camera a: activty: not a trained model.*'activity'"),
        ("a: {source: gate.mp4, models: [activity], calibration: {crime_gate: x.json}}",
         "camera a: calibration of crime_gate, which does not run here"),
        ("a: {source: gate.mp4, calibration: {activity: x.json}}", "camera a: site/x.json: not found"),
        ("a: {source: gate.mp4, zones: [[[0, 0], [1, 1]]]}",
         r"cams\.yaml line 1 \[a\]: zones: polygon 1 has 2 points"),
        ("a: {source: gone.mp4}", "'site/gone.mp4': no such file"),
        ("a: {source: gate.mp4, hours: ['08:00-10:00']}", "camera a: hours of a recording"),
        ("{}", "no camera in it"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_camera_is_a_line(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    films("gate")
    line = run_failing(capsys, "detect", "--cameras", write(text))
    import re

    assert re.search(message, line), line


def test_nothing_to_watch_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect"]) == 2
    assert "Missing argument 'SOURCE...'" in capsys.readouterr().err


def test_outside_its_hours_a_camera_raises_no_alert_but_says_when_it_is_ill(models: Path) -> None:
    Path("cameras.yaml").write_text(
        'door: {source: "rtsp://192.0.2.1/1", hours: ["22:00-06:00"], time_zone: Europe/Berlin}\n'
    )
    (source,) = expand_sources(["door"])
    put: list[Alert] = []
    began = datetime(2026, 11, 28, 20, 59, 57, tzinfo=UTC)  # 21:59:57 in Berlin
    images = np.random.default_rng(3).integers(0, 255, (48, 64, 96, 3), dtype=np.uint8)
    camera = Camera(source)
    with Detector.load(models, ["crime_gate"], threshold="0.0001") as detector:
        watch = CameraWatch(camera, detector, None, put.append, lambda *_: None)
        watch.take(Black(began, Fraction(0), Fraction(0)))
        for number, image in enumerate(images):
            watch.take(
                Frame(number, Fraction(number, 8), began + timedelta(seconds=number / 8), image, 0, image.shape[1::-1])
            )
        watch.finish()
    camera.close()
    raised = [alert for alert in put if alert.revision == 1]
    assert [alert.label for alert in raised] == ["camera black", "crime"]
    assert raised[1].start.utc == "2026-11-28T21:00:00.000Z", "it is abnormal before, and raised when its hours begin"
