"""Two minutes of a camera whose reader is slow: memory stays flat, and frames stay new."""

import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from servers import stream_server
from watching import watch

from vigil.capture.frames import Frame
from vigil.capture.live.camera import Camera
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.sources import parse_source

SECONDS = 120
MIB = 1 << 20


@pytest.mark.slow
def test_two_minutes_leave_memory_flat_and_lag_bounded(tmp_path: Path) -> None:
    params = CameraParams(packet_mib=1)
    with stream_server(tmp_path) as server:
        source = replace(parse_source(server.url("mjpeg")), kind="mjpeg")
        with Camera(source, params) as camera:
            watch(camera, lambda frames, _: len(frames) >= 1)
            assert camera._process is not None
            processes = [psutil.Process(), psutil.Process(camera._process.pid)]
            begun, lags, sizes = time.monotonic(), list[float](), list[list[int]]()
            while time.monotonic() - begun < SECONDS:
                if isinstance(camera.read(1), Frame):
                    lags.append(camera.figures().lag_s)
                time.sleep(0.15)  # three pictures come meanwhile
                sizes.append([process.memory_info().rss for process in processes])
            figures = camera.figures()
    lags.sort()
    quarter = len(sizes) // 4
    growth = [
        max(late) - max(early)
        for early, late in zip(
            zip(*sizes[quarter : 2 * quarter], strict=True), zip(*sizes[3 * quarter :], strict=True), strict=True
        )
    ]
    print(
        f"lag p50 {lags[len(lags) // 2]:.3f} s, p95 {lags[len(lags) * 95 // 100]:.3f} s, most {lags[-1]:.3f} s; "
        f"RSS {[size // MIB for size in sizes[-1]]} MiB, growth {[size // 1024 for size in growth]} KiB; {figures}"
    )
    assert lags[len(lags) * 95 // 100] < 0.3
    assert lags[-1] < params.max_lag_s + 1
    assert max(growth) < 4 * MIB
    assert figures.failures == figures.restarts == 0
    assert figures.captured > 18 * SECONDS
