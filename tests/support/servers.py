"""Servers of streams, each a process that can be killed and started again on the same port."""

import os
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import pytest
from videos import picture

HERE = Path(__file__).parent
SYSTEM_PYTHON = Path("/usr/bin/python3")
PROBE = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`with stream_server(folder) as server`: `server.kill()` and `server.start()` as often as wanted."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.port = free_port()
        self._command = [part.format(port=self.port) for part in command]
        self._env = env
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str, scheme: str = "http", login: str = "") -> str:
        return f"{scheme}://{login}127.0.0.1:{self.port}/{path}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


def stream_server(folder: Path) -> Server:
    """See stream_server.py."""
    return Server([sys.executable, str(HERE / "stream_server.py"), "{port}", str(folder)], dict(os.environ))


def rtsp_server(film: Path, path: str, *login: str) -> Server:
    """See rtsp_server.py; the test is skipped where GStreamer's server is not installed."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    is_there = (
        SYSTEM_PYTHON.exists()
        and not subprocess.run([str(SYSTEM_PYTHON), "-c", PROBE], env=env, capture_output=True, check=False).returncode
    )
    if not is_there:
        pytest.skip("no GStreamer RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gst-1.0 gstreamer1.0-*")
    return Server([str(SYSTEM_PYTHON), str(HERE / "rtsp_server.py"), "{port}", path, str(film), *login], env)


def live_segments(folder: Path, seconds: int = 4, fps: int = 10) -> None:
    """Writes live0.ts, live1.ts, ... of 1 s each, and whole.m3u8, which has them all and an end; picture n shows n."""
    options = {"hls_time": "1", "hls_list_size": "0", "hls_segment_filename": str(folder / "live%d.ts")}
    with av.open(str(folder / "whole.m3u8"), "w", format="hls", options=options) as file:
        stream: Any = file.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(fps), "keyint_min": str(fps)}
        for number in range(seconds * fps):
            frame: Any = av.VideoFrame.from_ndarray(picture(number, (160, 120)), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
