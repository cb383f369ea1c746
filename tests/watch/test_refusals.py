"""Mistakes of users of `vigil detect` and its like: each is one line, before anything heavy is imported."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from refusals import refuse_all

from vigil.core.storage import sha256_file, sha256_json, write_json

SLOW = {"torch", "mlflow", "sklearn", "pandas", "matplotlib", "onnxruntime", "mediapipe", "uvicorn", "fastapi"}
PARAMS = {
    "false_alarms_per_hour": 1.0, "confidence": 0.9, "step": 0.5,
    "alert": {"hysteresis": 0.5, "hold_s": 1.0, "cooldown_s": 1.0},
}  # fmt: skip


@pytest.fixture(autouse=True)
def project() -> None:
    """A film, a camera that never runs, and two models as far as their files say it, one of which raises no alarm."""
    Path("a.mp4").write_bytes(b"film")
    Path("b.mp4").write_bytes(b"film")
    for name, looks_at, score_type in (("panic", "flow", "errors"), ("gate", "frames", "logits"),
                                       ("crime", "attended", "classes")):  # fmt: skip
        write_json(Path(f"models/{name}/config.json"), {"model": name, "input": looks_at, "features": {}})
        weights = Path(f"models/{name}/weights.safetensors")
        weights.write_bytes(name.encode())
        calibration = {"score_type": score_type, "model_sha256": sha256_file(weights), "params": PARAMS}
        write_json(Path(f"models/calibration/{name}.json"), calibration | {"sha256": sha256_json(calibration)})
    Path("other.json").write_bytes(Path("models/calibration/gate.json").read_bytes())
    for path in ("config.json", "weights.safetensors"):
        Path("models/broken").mkdir(exist_ok=True)
        Path("models/broken", path).write_text("{")
    Path("models/calibration/broken.json").write_bytes(Path("other.json").read_bytes())
    Path("film.mp4").write_bytes(b"\xff\xfe\x00")
    Path("torn.json").write_text('{"calibration": {')
    Path("torn.yaml").write_text("door: {source: [")
    Path("cameras-of-nosuch.yaml").write_text("door: {source: 'rtsp://127.0.0.1:9/x', models: [nosuch]}\n")
    Path("alert.json").write_text("")
    Path("folder").mkdir()


REFUSALS = {
    "detect nosuch.mp4": "'nosuch.mp4': no such file, folder or camera.",
    "detect a.mpv": "Did you mean 'a.mp4'?",
    "detect folder": "folder: a folder without videos and without images.",
    "detect ftp://host/x": "'ftp' is not read. Known: rtsp",
    "detect a.mp4 rtsp://127.0.0.1:9/x": "cameras and recordings together",
    "detect a.mp4 --threshold 7": "threshold '7': expected a probability between 0 and 1",
    "detect a.mp4 --threshold p90 --budget 1/h": "a threshold and a budget",
    "detect a.mp4 --budget often": "budget 'often': expected false alarms an hour",
    "detect a.mp4 --models pnaic": "pnaic: not a trained model in",
    "detect a.mp4 --models crime": "none of these models raises alerts",
    "detect a.mp4 --models gate --objects o.csv": "--objects: none of gate looks at people",
    "detect a.mp4 --models panic --runtime onnx": "Run `vigil export panic`.",
    "detect a.mp4 --models panic --calibration gate=other.json": "calibration of gate, which does not run here",
    "detect a.mp4 --models panic --calibration panic=nosuch": "nosuch: not found. Name a calibration's file.",
    "detect a.mp4 --models panic --calibration panic=other.json": "other.json: made for weights",
    "detect a.mp4 --models panic --calibration panic=torn.json": "torn.json: line 1: not valid JSON",
    "detect a.mp4 --models panic --calibration panic=a.mp4": "a.mp4: line 1: not valid JSON",
    "detect a.mp4 --trained folder": "folder: no trained model. Run `vigil repro`",
    "detect a.mp4 --scores a.mp4/s.csv": "--scores: a.mp4 cannot be written: ",
    "detect a.mp4 --scores o --alerts o": "o: both --scores and --alerts would be written there.",
    "detect a.mp4 --video a.mp4": "--video a.mp4: that is a source, which would be lost.",
    "detect a.mp4 b.mp4 --video v.mp4": "--video v.mp4: one file for 2 sources",
    "detect a.mp4 --serve 8080": "--serve: of cameras alone.",
    "detect rtsp://127.0.0.1:9/x --models panic --serve door": "--serve door: expected [HOST:]PORT",
    "detect rtsp://127.0.0.1:9/x --models panic --serve 0.0.0.0:0": "so it takes a token",
    "detect a.mp4 --models panic --webhook http://127.0.0.1:9/": "--webhook: no secret to sign with.",
    "detect a.mp4 --models panic --mqtt nowhere": "--mqtt nowhere: not an address.",
    "detect a.mp4 --models panic --outbox torn.yaml": "torn.yaml: the outbox cannot be used",
    "detect a.mp4 --models panic --alerts /dev/null": "/dev/null: no file but a device",
    "detect --cameras nosuch.yaml": "nosuch.yaml: cannot be read: No such file",
    "detect --cameras torn.yaml": "torn.yaml line 1: not valid YAML.",
    "detect --cameras cameras-of-nosuch.yaml": "camera door: nosuch: not a trained model",
    "detect a.mp4 --keep-days 0": "--keep-days 0: expected a number of days, above 0.",
    "detect a.mp4 --fps 0": "--fps 0: expected frames a second, above 0.",
    "detect a.mp4 --token nosuch": "--token: does nothing without --serve.",
    "detect a.mp4 --webhook-secret a.mp4": "--webhook-secret: does nothing without --webhook.",
    "detect a.mp4 --mqtt-ca a.mp4": "--mqtt-ca: does nothing without --mqtt.",
    "detect a.mp4 --keep-days 3": "--keep-days: does nothing without --alerts, --webhook, --mqtt, --serve or --outbox.",
    "detect a.mp4 --calibration panic=x --calibration panic=y": "panic=y: panic has x already.",
    "detect a.mp4 --models broken": "models/broken/config.json: line 1: not valid JSON",
    "calibrate panic --normal a.mp4 --calibration film.mp4": "Expected a calibration, as `vigil calibrate panic`",
    "export fused": "fused: hears models and is none.",
    "export all panic": "all: stands alone.",
    "export panic --trained folder": "panic: no trained model. folder has none: `vigil repro`.",
    "replay nosuch.json": "nosuch.json: cannot be read: No such file or directory.",
    "replay alert.json": "alert.json: not an alert of vigil: Invalid JSON",
    "export pnaic": "Did you mean 'panic'?",
    "calibrate panic --normal a.mp4 --out folder": "--out folder: a folder. Name a file, such as folder/panic.calib",
    "calibrate panic --normal a.mp4 --out a.mp4/c.json": "--out: a.mp4 cannot be written: ",
    "calibrate panic --normal a.mp4 --out ./a.mp4": "--out a.mp4: that is a video of --normal, which would be lost.",
    "outbox targets": "not found: there is no outbox until `vigil detect` sends alerts somewhere.",
}


def refuse(command: str) -> str:
    return refuse_all([command], SLOW)[command]


def test_mistakes_are_refused_before_anything_heavy_is_imported() -> None:
    """In one process: what one of them imports is there for the next, so not one of them has imported anything."""
    lines = refuse_all(REFUSALS, SLOW)
    assert {command: line for command, line in lines.items() if REFUSALS[command] not in line} == {}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_is_refused_at_once(taken_port: int) -> None:
    line = refuse(f"detect rtsp://127.0.0.1:9/x --models panic --serve {taken_port}")
    assert "cannot listen there: Address already in use." in line


BROKEN = {"torn": "{", "a list": "[]", "null": "null", "half of it": json.dumps({"fusion": {"models": ["panic"]}})}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_fused_detector_is_refused_and_stops_no_other(text: str) -> None:
    Path("models/fusion.json").write_text(text)
    line = refuse("detect a.mp4")
    assert "models/fusion.json: " in line and "Run `dvc repro compare`, or name models without 'fused'." in line
    assert "nosuch/x" in refuse("detect a.mp4 --models panic --calibration panic=nosuch/x")
