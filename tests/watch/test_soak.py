"""Two minutes of a camera, with page and outbox: frames are judged as they come, and only what alerts need is kept."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from servers import stream_server

BENCHMARK = Path(__file__).parents[2] / "benchmarks/live.py"


@pytest.mark.slow
@pytest.mark.usefixtures("models")
@pytest.mark.timeout(300)
def test_two_minutes_leave_memory_flat_and_lag_bounded(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server:
        command = [sys.executable, str(BENCHMARK), server.url("mjpeg"), "--minutes", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(done.stdout)
    minute, _, rest = done.stdout.partition("\n")
    summary = json.loads(rest)
    assert json.loads(minute)["minute"] == 1
    assert summary["lag_s"]["p95"] < 0.5 and summary["stored_frames_a_second"] > 7
    # What is kept of an alert that lasts fills for two minutes: 10 MiB, or 44 where it holds decoded pictures.
    assert summary["growth_an_hour"]["memory_mib"] < 600
    assert summary["growth_an_hour"]["lag_s"] < 3
    (camera,) = summary["detect"]["cameras"].values()
    assert camera["captured"] > 18 * 120 and camera["failures"] == camera["restarts"] == 0
