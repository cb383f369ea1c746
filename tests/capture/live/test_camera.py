"""A camera with real parts: a site that streams, a process that captures; either is killed, and it goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import psutil
import pytest
from servers import free_port, live_segments, stream_server
from videos import film, number
from watching import WAIT_S, watch
from web import Site

from vigil.capture.addresses import look_up, renew
from vigil.capture.frames import Back, Frame, Gone, Piece
from vigil.capture.live.camera import Camera, read_cameras
from vigil.capture.live.camera_params import CameraParams
from vigil.capture.sources import Source, parse_source
from vigil.core.errors import VigilError

QUICK = CameraParams(timeout_s=2, hang_s=6, first_pause_s=0.2, longest_pause_s=0.5)


def mjpeg(url: str) -> Source:
    return replace(parse_source(url), kind="mjpeg")


def capturing(camera: Camera) -> int:
    """The process that captures."""
    assert camera._process is not None
    assert camera._process.pid is not None
    return camera._process.pid


def test_a_camera_that_could_not_be_looked_up_is_looked_up_at_every_try(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server:
        url = server.url("mjpeg")
    with Camera(replace(parse_source(url, "door"), kind="unreached"), QUICK) as camera:
        _, (gone, *_) = watch(camera, lambda _, events: bool(events))
        assert isinstance(gone, Gone) and not gone.is_refusal and gone.reason.startswith("no answer (")
        with server:
            frames, events = watch(camera, lambda frames, _: len(frames) >= 5)
    assert [number(frame.image) for frame in frames] and isinstance(events[0], Back)


@pytest.mark.parametrize(("path", "login"), [("secret/mjpeg", "admin:hunter2@"), ("whole.m3u8", "")])
def test_what_an_address_refuses_or_serves_instead_of_a_camera_is_said(tmp_path: Path, path: str, login: str) -> None:
    (tmp_path / "whole.m3u8").write_text("#EXTM3U\n#EXT-X-ENDLIST\n")
    with stream_server(tmp_path) as server:
        source = replace(parse_source(server.url(path, login=login), "door"), kind="unreached")
        with Camera(source, QUICK) as camera:
            _, (gone, *_) = watch(camera, lambda _, events: bool(events))
    assert isinstance(gone, Gone) and gone.is_refusal == bool(login)
    refused = "wrong user or password, or none (the server answers 401)"
    assert gone.reason == (refused if login else "what its address serves is a recording, and no camera")


def test_frames_come_in_order_with_times_in_utc_and_little_lag(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(look_up(parse_source(server.url("mjpeg"))), QUICK) as camera:
        frames, events = watch(camera, lambda frames, _: len(frames) >= 60)
        now, figures = datetime.now(UTC), camera.figures()
    numbers = [number(frame.image) for frame in frames]
    assert events == []
    assert numbers == sorted(set(numbers))
    assert frames[0].image.shape == (120, 160, 3)
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    assert abs(float(times[-1] - times[9]) - (numbers[-1] - numbers[9]) / 20) < 0.1
    assert frames[-1].utc is not None
    assert frames[0].utc is not None
    assert abs(now - frames[-1].utc) < timedelta(seconds=0.5)
    assert abs((frames[-1].utc - frames[0].utc).total_seconds() - float(times[-1] - times[0])) < 0.3
    assert figures.longest_lag_s < 0.5
    assert figures.read == 60
    assert figures.captured - figures.read < 10
    assert not figures.is_gone


def test_who_reads_rarely_gets_the_newest_frame(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("mjpeg")), QUICK) as camera:
        (first,), _ = watch(camera, lambda frames, _: len(frames) >= 1)
        for _ in range(3):
            time.sleep(1)
            item = camera.read(1)
            assert isinstance(item, Frame)
            assert item.index - first.index >= 15
            assert camera.figures().lag_s < 0.2
            first = item


def test_a_camera_that_dies_is_gone_and_comes_back_as_a_new_piece(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("mjpeg")), QUICK) as camera:
        before, _ = watch(camera, lambda frames, _: len(frames) >= 10)
        server.kill()
        _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
        assert isinstance(gone, Gone)
        assert not gone.is_refusal
        assert camera.figures().is_gone
        time.sleep(1)
        assert camera.read(0) is None  # it is said once
        clip = camera.cut_clip(before[2].time_s, before[8].time_s, tmp_path / "gone.mp4")
        server.start()
        after, (back, piece) = watch(camera, lambda frames, _: len(frames) >= 3)
    assert isinstance(back, Back)
    assert back.gone_s > 1
    assert isinstance(piece, Piece)
    assert (piece.piece, piece.reason) == (1, "reconnect")
    assert [frame.piece for frame in after] == [1, 1, 1]
    assert after[0].time_s > before[-1].time_s + 1
    assert after[0].index > before[-1].index
    with av.open(str(tmp_path / "gone.mp4")) as container:
        shown = [number(picture.to_ndarray(format="rgb24")) for picture in container.decode(video=0)]
    assert number(before[2].image) in shown
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert clip.missing == ""


def test_a_camera_that_is_not_there_is_gone_and_the_password_is_not_said(tmp_path: Path) -> None:
    source = mjpeg(f"http://admin:hunter2@127.0.0.1:{free_port()}/mjpeg?token=hunter3")
    with Camera(source, QUICK) as camera:
        _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
        with pytest.raises(VigilError, match="no packet from"):
            camera.cut_clip(Fraction(0), Fraction(1), tmp_path / "none.mp4")
    assert "hunter" not in f"{gone} {camera.source}"
    assert not (tmp_path / "none.mp4").exists()


def test_a_wrong_password_is_a_refusal_without_the_password(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with stream_server(tmp_path) as server:
        with Camera(mjpeg(server.url("secret/mjpeg", login="admin:hunter2@")), QUICK) as camera:
            _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
        assert isinstance(gone, Gone)
        assert gone.is_refusal
        assert "wrong user or password" in gone.reason
        with Camera(mjpeg(server.url("secret/mjpeg", login="admin:p%40ss%2Fw%3Ard@")), QUICK) as camera:
            _, events = watch(camera, lambda frames, _: len(frames) >= 3)
        assert events == []
    printed = capfd.readouterr()
    assert "hunter2" not in f"{gone} {printed.out} {printed.err}"
    assert printed.err == ""


def test_a_stream_that_stalls_is_gone_and_comes_back(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("stalled")), QUICK) as camera:
        frames, events = watch(camera, lambda _, events: any(isinstance(event, Piece) for event in events))
    assert [type(event) for event in events] == [Gone, Back, Piece]
    assert isinstance(events[0], Gone)
    assert events[0].reason == "no packet came in time"
    assert number(frames[-1].image) == 39


def test_a_change_of_size_begins_a_piece_and_nothing_is_gone(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("resized?once")), QUICK) as camera:
        frames, events = watch(camera, lambda _, events: len(events) >= 1)
    assert isinstance(events[0], Piece)
    assert events[0].reason == "size change"
    assert {frame.image.shape for frame in frames} == {(120, 160, 3)}


def test_a_capture_that_is_killed_starts_again(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("mjpeg")), QUICK) as camera:
        before, _ = watch(camera, lambda frames, _: len(frames) >= 10)
        os.kill(capturing(camera), signal.SIGKILL)
        after, events = watch(camera, lambda frames, events: len(events) >= 3 and len(frames) >= 5)
        figures = camera.figures()
        clip = camera.cut_clip(before[3].time_s, after[-1].time_s, tmp_path / "across.mp4")
    assert [type(event) for event in events] == [Gone, Back, Piece]
    assert isinstance(events[0], Gone)
    assert "ended with code -9" in events[0].reason
    assert figures.restarts == 1
    assert after[-1].piece == 1
    times = [frame.time_s for frame in before + after]
    assert times == sorted(set(times))
    with av.open(str(tmp_path / "across.mp4")) as container:
        shown = [float(picture.time) for picture in container.decode(video=0)]
    assert shown[-1] - shown[0] == pytest.approx(float(clip.stop_s - clip.start_s), abs=0.01)
    assert max(later - earlier for earlier, later in pairwise(shown)) > 0.3  # the gap is kept


def test_a_capture_that_hangs_is_killed_and_starts_again(tmp_path: Path) -> None:
    params = QUICK.model_copy(update={"hang_s": 3.0})
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("mjpeg")), params) as camera:
        watch(camera, lambda frames, _: len(frames) >= 5)
        hanging = capturing(camera)
        os.kill(hanging, signal.SIGSTOP)
        _, events = watch(camera, lambda frames, events: len(events) >= 3)
        assert capturing(camera) != hanging
        assert not psutil.pid_exists(hanging)
    assert isinstance(events[0], Gone)
    assert "no sign of life" in events[0].reason


def test_what_piled_up_while_a_capture_stood_still_does_not_stay_late(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server, Camera(mjpeg(server.url("mjpeg")), QUICK) as camera:
        before, _ = watch(camera, lambda frames, _: len(frames) >= 20)
        os.kill(capturing(camera), signal.SIGSTOP)
        time.sleep(2)
        os.kill(capturing(camera), signal.SIGCONT)
        time.sleep(1.5)
        after, events = watch(camera, lambda frames, _: len(frames) >= 20)
        figures = camera.figures()
    assert events == []
    assert figures.lag_s < 0.3
    assert number(after[0].image) - number(before[-1].image) > 60  # the newest, not those that piled up


def test_hls_is_shown_evenly_and_goes_on_over_a_discontinuity(tmp_path: Path) -> None:
    live_segments(tmp_path, seconds=8)
    with stream_server(tmp_path) as server, Camera(look_up(parse_source(server.url("live.m3u8")))) as camera:
        assert camera.source.kind == "hls"
        frames, events = watch(camera, lambda frames, events: len(frames) >= 30 and len(events) >= 1)
        figures = camera.figures()
    first = [frame for frame in frames if frame.piece == 0]
    numbers = [number(frame.image) for frame in first]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 0.8 * (numbers[-1] - numbers[0])  # not a few of each segment
    assert [type(event) for event in events] == [Piece], events
    assert figures.longest_lag_s < 5


@pytest.mark.slow
def test_the_stream_of_a_page_is_looked_for_again_at_each_connection(tmp_path: Path) -> None:
    film(tmp_path / "clip.mp4", frames=12)
    with Site(tmp_path) as site:
        page = site.page("watch.html", ["clip.mp4"])
        source = replace(parse_source(page), kind="page", page=page)  # it was live when it was looked up
        with Camera(source, QUICK) as camera:
            _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
            asked = site.fetched("watch.html")
            watch(camera, lambda *_: site.fetched("watch.html") > asked)
            assert camera.figures().restarts == 0
    assert isinstance(gone, Gone)
    assert gone.reason == "its live stream has ended; what the page has now is a recording"


@pytest.mark.slow
def test_a_page_with_a_live_stream_is_a_camera(tmp_path: Path) -> None:
    live_segments(tmp_path, seconds=8)
    with stream_server(tmp_path) as server:
        address = server.url("live.m3u8")
        source = renew(replace(parse_source(address), page=address))  # yt-dlp takes a playlist for a page
        assert source.kind == "page"
        with Camera(source) as camera:
            frames, _ = watch(camera, lambda frames, _: len(frames) >= 15)
    assert number(frames[10].image) > number(frames[0].image)


@pytest.mark.slow
def test_several_cameras_are_read_together(tmp_path: Path) -> None:
    with stream_server(tmp_path) as server:
        cameras = [Camera(replace(mjpeg(server.url("mjpeg")), name=name), QUICK) for name in ("door", "yard")]
        counts = {"door": 0, "yard": 0}
        try:
            for camera in cameras:
                camera.start()
            until = time.monotonic() + WAIT_S
            while min(counts.values()) < 20 and time.monotonic() < until:
                for camera, item in read_cameras(cameras, 1.0):
                    counts[camera.source.name] += isinstance(item, Frame)
        finally:
            for camera in cameras:
                camera.close()
    assert min(counts.values()) >= 20


def test_a_webcam_that_is_not_there_is_gone() -> None:
    with Camera(parse_source("93"), QUICK) as camera:
        _, (gone,) = watch(camera, lambda _, events: len(events) >= 1)
    assert isinstance(gone, Gone)
    assert gone.reason == "No such file or directory"


@pytest.mark.skipif(not Path("/dev/video0").exists(), reason="no webcam, not even a drawn one (v4l2loopback)")
def test_a_webcam_shows_something() -> None:
    with Camera(parse_source("0"), QUICK) as camera:
        frames, events = watch(camera, lambda frames, _: len(frames) >= 5)
    assert events == []
    assert frames[-1].time_s > frames[0].time_s


def named_memory() -> set[str]:
    """The segments of shared memory that have a name, and so outlive a process; no semaphores, which others make."""
    folder = Path("/dev/shm")
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    return {name for name in names if not name.startswith("sem.")}


WATCH = """
import sys
from dataclasses import replace
from vigil.capture.live.camera import Camera
from vigil.capture.frames import Frame
from vigil.capture.sources import parse_source
if __name__ == "__main__":
    with Camera(replace(parse_source(sys.argv[1]), kind="mjpeg")) as camera:
        while True:
            if isinstance(camera.read(1), Frame):
                print("frame", flush=True)
"""


@pytest.mark.parametrize(
    "how",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_left_of_a_program_that_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "watch.py").write_text(WATCH)
    before = named_memory()
    with stream_server(tmp_path) as server:
        program = subprocess.Popen(
            [sys.executable, "watch.py", server.url("mjpeg")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert program.stdout is not None
        for _ in range(5):
            assert program.stdout.readline() == b"frame\n"
        children = psutil.Process(program.pid).children(recursive=True)
        assert children
        program.send_signal(how)
        program.communicate()
        _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert named_memory() - before == set()
