"""A camera that speaks RTSP: GStreamer's server in a process of its own."""

import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from servers import Server, rtsp_server
from videos import film, number
from watching import watch

from vigil.capture.frames import Back, Frame, Gone, Piece
from vigil.capture.live.camera import Camera
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.recordings import open_recording
from vigil.capture.sources import parse_source

QUICK = CameraParams(timeout_s=3, hang_s=8, first_pause_s=0.2, longest_pause_s=0.5)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 s of H.264 as cameras send it."""
    options = {"bf": "0", "g": "20"}
    return film(tmp_path_factory.mktemp("rtsp") / "camera.mp4", 800, 20, (320, 240), options=options)


def camera_of(server: Server, path: str, login: str = "", params: CameraParams = QUICK) -> Camera:
    return Camera(parse_source(server.url(path, "rtsp", login)), params)


@pytest.mark.parametrize(("size_px", "square_px"), [(None, None), (120, 32)])
def test_frames_are_those_of_the_file_that_is_sent(recording: Path, size_px: int | None, square_px: int | None) -> None:
    """Made of the decoder's picture, as the pipeline makes them: not one of the other."""
    stored = {number(view.rgb(size_px)): view for view in open_recording(parse_source(str(recording)))}
    params = QUICK.model_copy(update={"size_px": size_px, "square_px": square_px})
    with rtsp_server(recording, "door") as server, camera_of(server, "door", params=params) as camera:
        frames, events = watch(camera, lambda frames, _: len(frames) >= 40)
        figures = camera.figures()
    assert events == []
    first = frames[0]
    for frame in frames:
        same = stored[number(frame.image)]
        assert np.array_equal(frame.rgb(size_px), same.rgb(size_px))
        assert frame.size == same.size == (320, 240)
        if square_px is not None:
            assert np.array_equal(frame.grey(square_px), same.grey(square_px))
        assert frame.time_s - first.time_s == same.time_s - stored[number(first.image)].time_s
    assert figures.lag_s < 0.5


def test_a_server_that_is_killed_and_started_again(recording: Path, tmp_path: Path) -> None:
    with rtsp_server(recording, "door", "admin", "p@ss/w:rd") as server:
        with camera_of(server, "door", "admin:p%40ss%2Fw%3Ard@") as camera:
            before, _ = watch(camera, lambda frames, _: len(frames) >= 40)
            server.kill()
            _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
            clip = camera.cut_clip(before[10].time_s, before[30].time_s, tmp_path / "clip.mp4")
            time.sleep(1)
            server.start()
            after, (back, piece) = watch(camera, lambda frames, _: len(frames) >= 10)
    assert isinstance(gone, Gone)
    assert isinstance(back, Back)
    assert isinstance(piece, Piece)
    assert piece.reason == "reconnect"
    assert after[0].time_s > before[-1].time_s
    assert clip.missing == ""
    assert clip.start_s <= before[10].time_s
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        shown = [number(picture.to_ndarray(format="rgb24")) for picture in container.decode(video=0)]
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert {number(frame.image) for frame in before[10:30]} <= set(shown)
    assert shown[0] % 20 == 0  # a key picture


@pytest.mark.parametrize(
    ("path", "login", "reason"),
    [("door", "admin:hunter2@", "wrong user or password"), ("dor", "admin:pass@", "no such path")],
)
def test_a_refusal_is_told_without_the_password(recording: Path, path: str, login: str, reason: str) -> None:
    with rtsp_server(recording, "door", "admin", "pass") as server, camera_of(server, path, login) as camera:
        _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
    assert isinstance(gone, Gone)
    assert gone.is_refusal
    assert reason in gone.reason
    assert "hunter2" not in repr(gone)


@pytest.mark.slow
def test_the_end_of_a_stream_is_a_reconnect(tmp_path: Path) -> None:
    short = film(tmp_path / "short.mp4", 40, 20, (160, 120), options={"bf": "0", "g": "20"})
    with rtsp_server(short, "door") as server, camera_of(server, "door") as camera:
        frames, events = watch(camera, lambda _, events: len(events) >= 4)
    assert [type(event) for event in events[:4]] == [Gone, Back, Piece, Gone]
    assert isinstance(frames[0], Frame)
    assert frames[-1].time_s - frames[0].time_s >= Fraction(2)
