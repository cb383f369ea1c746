"""`vigil detect` on cameras, as a process: it goes on when a camera dies, ends what is open, and loses no alert."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from judged_people import bring_networks, save_calibrated
from servers import rtsp_server, stream_server
from videos import film

from vigil.cli.main import main

pytestmark = pytest.mark.usefixtures("models")
ALERTS = Path("alerts.jsonl")
PATIENCE_S = 90.0


def read_alerts() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ALERTS.read_text().splitlines()] if ALERTS.exists() else []


def wait_until(is_so: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, f"not so within {PATIENCE_S} s"
        time.sleep(0.1)


@contextmanager
def detecting(*words: str, loud: bool = True) -> Iterator[subprocess.Popen[str]]:
    threshold = ["--threshold", "p90"] if loud else []
    command = [sys.executable, "-m", "vigil.cli.main", "detect", *words, *threshold, "--alerts", str(ALERTS)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def latest(alerts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The newest revision of every alert."""
    newest: dict[str, dict[str, Any]] = {}
    for alert in alerts:
        if alert["revision"] >= newest.get(alert["id"], alert)["revision"]:
            newest[alert["id"]] = alert
    return newest


@pytest.mark.timeout(400)
def test_a_camera_that_dies_is_told_and_comes_back_and_a_signal_ends_all_that_is_open(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, detecting(server.url("mjpeg"), "--serve", "0", "--clips", "ev") as process:
        wait_until(lambda: len(read_alerts()) >= 1, process)
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        with urllib.request.urlopen(f"{address[0]}/status", timeout=30) as answer:
            (camera,) = json.loads(answer.read())["cameras"]
        assert camera["state"] == "live" and camera["readings"]
        server.kill()
        wait_until(lambda: any(alert["label"] == "camera gone" for alert in read_alerts()), process)
        server.start()
        wait_until(lambda: any(alert["label"] == "camera gone" and alert["ended"] for alert in read_alerts()), process)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "1 camera watched for" in output and "camera gone" in output
    alerts = read_alerts()
    assert all(alert["ended"] for alert in latest(alerts).values()), "nothing is left open"
    assert len({(alert["id"], alert["revision"]) for alert in alerts}) == len(alerts)
    raised = [alert for alert in alerts if alert["revision"] == 1 and alert["label"] != "camera gone"]
    assert all(alert["start"]["utc"].endswith("Z") for alert in alerts)
    assert all((Path("ev") / alert["picture"]).stat().st_size for alert in raised), "a picture of every alert"


@pytest.mark.timeout(400)
def test_what_a_killed_process_left_open_is_ended_by_the_next(tmp_path: Path) -> None:
    def is_open() -> bool:
        return any(not alert["ended"] for alert in latest(read_alerts()).values())

    with stream_server(tmp_path) as server:
        for _ in range(2):
            with detecting(server.url("mjpeg")) as process:
                wait_until(is_open, process)
                os.kill(process.pid, signal.SIGKILL)
        with detecting(server.url("mjpeg")) as process:
            known = set(latest(read_alerts()))
            wait_until(lambda: all(latest(read_alerts())[alert]["ended"] for alert in known), process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert process.returncode == 0
    assert all(alert["ended"] for alert in latest(read_alerts()).values())


@pytest.mark.timeout(400)
def test_what_a_camera_leaves_behind_can_be_judged_again_also_when_heads_are_hidden(
    tmp_path: Path, people_networks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("models")
    lineage = bring_networks(people_networks)
    save_calibrated("crime_gate", {"frames": lineage["frames"]})
    words = ("--clips", "ev", "--models", "crime_gate", "--threshold", "0.0001", "--anonymise")
    with stream_server(tmp_path) as server, detecting(server.url("mjpeg"), *words, loud=False) as process:
        wait_until(lambda: len(read_alerts()) >= 1, process)
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    (alert,) = latest(read_alerts()).values()
    assert alert["ended"] == "interrupted" and alert["clip"], "written in the background, and waited for in the end"
    with av.open(str(Path("ev") / alert["clip"])) as container:
        assert container.streams.video[0].codec_context.name == "h264", "encoded anew, for it came as MJPEG"
        assert sum(1 for _ in container.decode(video=0)) > 20
    evidence = Path("ev") / alert["clip"]
    assert json.loads(evidence.with_suffix(".json").read_text()) == alert, "the latest revision lies beside it"
    assert main(["replay", str(evidence.with_suffix(".json"))]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"same: alert {alert['id']}") and "crime_gate by the judgements that were kept" in line
    assert b"\xff\xd8\xff" not in evidence.with_suffix(".npz").read_bytes()


@pytest.mark.timeout(400)
def test_cameras_share_the_cores_and_each_is_judged_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_CORES", "2")
    with stream_server(tmp_path) as first, stream_server(tmp_path) as second, stream_server(tmp_path) as third:
        urls = [server.url("mjpeg") for server in (first, second, third)]
        with detecting(*urls, "--scores", "scores.csv", "--json") as process:
            wait_until(lambda: len({alert["camera"] for alert in read_alerts()}) == 3, process)
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    summary, alerts = json.loads(output.splitlines()[-1]), read_alerts()
    assert len(summary["cameras"]) == 3 and all(camera["looked_at"] for camera in summary["cameras"].values())
    assert all(alert["ended"] for alert in latest(alerts).values())
    assert len(latest(alerts)) == summary["alerts"]
    with Path("scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    for camera in {row["source"] for row in rows}:
        frames = [int(row["frame"]) for row in rows if row["source"] == camera]
        assert frames == sorted(set(frames)) and len(frames) > 3
    assert {row["source"] for row in rows} == set(summary["cameras"])


@pytest.mark.timeout(400)
def test_what_breaks_in_a_thread_ends_the_watch_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_CORES", "2")
    os.mkfifo("scores.csv")
    with stream_server(tmp_path) as first, stream_server(tmp_path) as second:
        with detecting(first.url("mjpeg"), second.url("mjpeg"), "--scores", "scores.csv") as process:
            with Path("scores.csv").open() as file:
                file.readline()
                wait_until(lambda: len({alert["camera"] for alert in read_alerts()}) == 2, process)
            _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode not in (0, None)
    assert "scores.csv: nothing can be written there" in errors and "Traceback" not in errors
    assert all(alert["ended"] for alert in latest(read_alerts()).values())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_cameras_at_once_over_rtsp(tmp_path: Path) -> None:
    path = film(tmp_path / "camera.mp4", 800, 20, (320, 240), options={"bf": "0", "g": "20"})
    with rtsp_server(path, "door") as server, stream_server(tmp_path) as other:
        with detecting(server.url("door", "rtsp"), other.url("mjpeg"), "--json") as process:
            wait_until(lambda: len({alert["camera"] for alert in read_alerts()}) == 2, process)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
    summary = json.loads(output.splitlines()[-1])
    assert len(summary["cameras"]) == 2 and all(camera["looked_at"] for camera in summary["cameras"].values())


@pytest.mark.timeout(400)
def test_a_camera_with_a_wrong_password_is_an_alert_and_stops_no_other(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server:
        Path("two.yaml").write_text(
            f"yard: {{source: '{server.url('secret/mjpeg')}', user: admin, password: hunter2}}\n"
            f"door: {{source: '{server.url('mjpeg')}'}}\n"
        )
        with detecting("--cameras", "two.yaml") as process:
            wait_until(lambda: {alert["camera"] for alert in read_alerts()} == {"door", "yard"}, process)
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    reason = "wrong user or password, or none (the server answers 401)"
    assert output.count(f"yard: camera gone: {reason}") == 1
    assert {alert["label"] for alert in read_alerts() if alert["camera"] == "yard"} == {"camera gone"}
    assert "hunter2" not in output + errors + ALERTS.read_text()
