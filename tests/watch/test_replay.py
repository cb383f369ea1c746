"""`vigil replay`: an alert judged again from its evidence is the same to the last bit, or is said where not."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import run_failing
from judged_city import add_calibrated_model
from judged_people import bring_networks, film_people, save_calibrated
from videos import film

from vigil.capture.frames import Frame
from vigil.capture.live.camera import Camera
from vigil.capture.sources import parse_source
from vigil.cli.main import main
from vigil.detect.detector import Detector
from vigil.evidence.packing import load_packed, save_packed
from vigil.evidence.replays import BEFORE_S, MARK_S, ReplayRecorder
from vigil.features.zones import Zones
from vigil.footage.video.views import read_views
from vigil.watch.alert_evidence import read_evidence
from vigil.watch.camera_watch import CameraWatch
from vigil.watch.replay import replay_alert

SECTIONS = {"panic": ("landmarks", "flow"), "pose_lstm": ("landmarks", "segments"), "activity": ("landmarks", "masked")}


def detect_into(folder: str, path: str, *words: str) -> list[Path]:
    """The alerts in the evidence of a film."""
    assert main(["detect", path, "--clips", folder, *words]) == 0
    return sorted(Path(folder).glob("*.json"))


def replay(capsys: pytest.CaptureFixture[str], alert: Path, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["replay", str(alert)]) == code
    return capsys.readouterr().out.strip()


@pytest.mark.usefixtures("models")
def test_alerts_of_models_of_pictures_are_the_same_again(capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=160, fps=8, size=(96, 64))
    alerts = detect_into("ev", "gate.mp4", "--threshold", "0.01")
    assert len(alerts) >= 2
    for alert in alerts:
        line = replay(capsys, alert)
        assert line.startswith("same: alert ") and "kept" not in line, line


@pytest.mark.usefixtures("models")
def test_what_is_kept_of_a_camera_holds_no_decoded_picture() -> None:
    film(Path("gate.mp4"), frames=48, fps=8, size=(96, 64))
    decoded = 0
    with Detector.load("models", threshold="0.01") as detector:
        recorder, records = ReplayRecorder(detector), dict[Any, Any]()
        for step in detector.steps(read_views(Path("gate.mp4"))):
            records |= dict(recorder.add(step))
            if step.stored is not None and step.stored.picture is not None:
                decoded += len(step.stored.picture._squares)
    kept = [frame.stored.picture for record in records.values() for frame in record.frames]
    assert decoded and len(kept) > 40
    assert not any(picture._squares for picture in kept)


@pytest.fixture
def people_models(people_networks: Path) -> list[str]:
    lineage: dict[str, Any] = bring_networks(people_networks)
    for name, sections in SECTIONS.items():
        save_calibrated(name, {key: lineage[key] for key in ("frames", *sections)})
    film_people(Path("talk.mp4"), 100)
    return list(SECTIONS)


@pytest.mark.parametrize("anonymise", [False, True])
def test_alerts_of_models_of_people_are_the_same_again_and_anonymised_evidence_holds_no_picture(
    people_models: list[str], capsys: pytest.CaptureFixture[str], anonymise: bool
) -> None:
    words = ["--models", ",".join(people_models), "--threshold", "0.3", *(["--anonymise"] if anonymise else [])]
    alerts = detect_into("ev", "talk.mp4", *words)
    detectors = {json.loads(alert.read_text())["detectors"][0]["detector"] for alert in alerts}
    assert "panic" in detectors and "pose_lstm" in detectors
    for alert in alerts:
        line = replay(capsys, alert)
        assert line.startswith("same: alert "), line
        assert ("activity by the judgements that were kept" in line) == anonymise
        evidence = alert.with_suffix(".npz").read_bytes()
        assert (b"\xff\xd8\xff" in evidence) != anonymise, "JPEG pictures, of a model that looks at them"
        assert alert.with_suffix(".npz").stat().st_size < 20e6


def watch_noise(models: Path, seconds: int, evidence: Path, **options: Any) -> list[Path]:
    """A camera that is watched for so long; returns its alerts, as they are in the evidence."""
    rng = np.random.default_rng(5)
    camera, began = Camera(parse_source("rtsp://192.0.2.1/1", "door")), datetime(2026, 11, 28, tzinfo=UTC)
    with Detector.load(models, ["crime_gate", "i3d"], **options) as detector:
        watch = CameraWatch(camera, detector, evidence, lambda _: None, lambda *_: None)
        for number in range(8 * seconds):
            loud = 200 if number // 40 % 3 == 1 else 20
            image = rng.integers(0, loud, (64, 96, 3), dtype=np.uint8)
            watch.take(
                Frame(number, Fraction(number, 8), began + timedelta(seconds=number / 8), image, 0, image.shape[1::-1])
            )
        watch.finish()
    camera.close()
    return sorted(evidence.glob("door/*.json"))


def test_alerts_of_a_camera_are_kept_from_some_seconds_before_them(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_calibrated_model("i3d")
    with Detector.load(models, ["i3d"]) as detector:
        normal = detector.calibration("i3d").thresholds
    assert normal is not None
    alerts = watch_noise(models, 60, Path("ev"), threshold="p90", zones=Zones((((0, 0), (1, 0), (0.5, 1)),)))
    assert alerts
    for path in alerts:
        assert replay(capsys, path).startswith("same: alert ")
        alert = json.loads(path.read_text())
        frames = load_packed(path.with_suffix(".npz"))["frames"]
        start_s = alert["start"]["source_s"]
        first_s = float(frames[0]["time_s"])
        assert first_s <= max(0, start_s - BEFORE_S) and first_s >= start_s - BEFORE_S - MARK_S - 0.2
        stop_s = alert["stop"]["source_s"]
        assert float(frames[-1]["time_s"]) >= stop_s - 0.2


def test_what_was_changed_is_found(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film(Path("gate.mp4"), frames=64, fps=8, size=(96, 64))
    (alert,) = detect_into("ev", "gate.mp4", "--threshold", "0.0001", "--models", "crime_gate")
    text, evidence = alert.read_text(), alert.with_suffix(".npz")

    record = json.loads(text)
    record["detectors"][0]["score"] += 1e-9
    alert.write_text(json.dumps(record))
    assert replay(capsys, alert, 3).startswith("differs: score of the alert is ")
    alert.write_text(text.replace('"camera": "gate"', '"camera": "yard"'))
    assert replay(capsys, alert, 3).startswith("differs: id of the alert is ")
    alert.write_text(text)

    contents, whole = load_packed(evidence), evidence.read_bytes()
    for frame in contents["frames"][40:]:
        frame["picture"] = contents["frames"][0]["picture"]
    save_packed(evidence, contents)
    line = replay(capsys, alert, 3)
    assert line.startswith("differs: frame ") and int(line.split()[2]) >= contents["frames"][40]["index"]
    evidence.write_bytes(whole[: len(whole) // 2])
    assert "not a readable array archive" in run_failing(capsys, "replay", str(alert))
    evidence.write_bytes(whole)

    shutil.copytree(models, "other")
    weights = bytearray(Path("other/crime_gate/weights.safetensors").read_bytes())
    weights[-1] ^= 1
    Path("other/crime_gate/weights.safetensors").write_bytes(weights)
    assert "Calibrate again" in run_failing(capsys, "replay", str(alert), "--trained", "other")
    evidence.unlink()
    assert "not found: an alert is judged again from what --clips keeps" in run_failing(capsys, "replay", str(alert))
    assert "gone.json: cannot be read" in run_failing(capsys, "replay", "gone.json")
    Path("empty.json").write_text("{}")
    assert "not an alert of vigil" in run_failing(capsys, "replay", "empty.json")


def test_an_alert_that_is_on_can_be_judged_again_as_far_as_it_is_kept(models: Path) -> None:
    camera, rng = Camera(parse_source("rtsp://192.0.2.1/1", "door")), np.random.default_rng(5)
    began = datetime(2026, 11, 28, tzinfo=UTC)
    with Detector.load(models, ["crime_gate"], threshold="0.0001") as detector:
        watch = CameraWatch(camera, detector, Path("ev"), lambda _: None, lambda *_: None)
        for number in range(24):
            image = rng.integers(0, 200, (64, 96, 3), dtype=np.uint8)
            watch.take(
                Frame(number, Fraction(number, 8), began + timedelta(seconds=number / 8), image, 0, image.shape[1::-1])
            )
        (path,) = Path("ev/door").glob("*.json")
        verdict = replay_alert(*read_evidence(path, models), models)
        assert not verdict.difference and not verdict.to_the_end
        watch.finish()
        assert replay_alert(*read_evidence(path, models), models).to_the_end
    camera.close()


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 1.1, float("inf"), float("-inf"), Fraction(1, 3), "x", (1, (2.5, None)), [1, [2]], {"a": (1,)}],
)
def test_what_is_packed_comes_back_as_it_was(value: Any) -> None:
    save_packed(Path("x.npz"), {"value": value})
    back = load_packed(Path("x.npz"))["value"]
    assert back == value and type(back) is type(value)


def test_what_vigil_does_not_know_is_neither_packed_nor_made() -> None:
    with pytest.raises(TypeError, match="no value that can be kept"):
        save_packed(Path("x.npz"), object())
    save_packed(Path("x.npz"), [1])
    for shape in (
        {"named": ["os", "terminal_size", [1, 2]]},
        {"named": ["vigil.core.storage", "Path", ["x"]]},
        {"Path": "x"},
    ):
        from vigil.core.storage import save_arrays

        save_arrays(Path("x.npz"), shape=np.frombuffer(json.dumps(shape).encode(), np.uint8))
        with pytest.raises(Exception, match="not what vigil has packed"):
            load_packed(Path("x.npz"))
