"""What a server serves is found out by asking it, and a download goes on where it broke off."""

from pathlib import Path

import pytest
from servers import free_port, live_segments, stream_server
from videos import film, number
from web import Site

from vigil.capture.addresses import look_up, look_up_cameras, renew
from vigil.capture.camera_file import CameraEntry
from vigil.capture.recordings import open_recording
from vigil.capture.sources import parse_source
from vigil.core.errors import VigilError


def test_each_address_has_a_kind(tmp_path: Path) -> None:
    live_segments(tmp_path, seconds=2)
    film(tmp_path / "clip.mp4", frames=5)
    (tmp_path / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nwhole.m3u8\n")
    with stream_server(tmp_path) as server:
        kinds = {
            path: look_up(parse_source(server.url(path))).kind
            for path in ("mjpeg", "live.m3u8", "whole.m3u8", "master.m3u8", "clip.mp4")
        }
        secret = look_up(parse_source(server.url("secret/mjpeg", login="admin:p%40ss%2Fw%3Ard@")))
    assert kinds == {
        "mjpeg": "mjpeg",
        "live.m3u8": "hls",
        "whole.m3u8": "playlist",
        "master.m3u8": "playlist",
        "clip.mp4": "download",
    }
    assert secret.kind == "mjpeg"


@pytest.mark.parametrize(
    ("path", "login", "message"),
    [
        ("none.mp4", "", "the server knows no such path"),
        ("secret/mjpeg", "", "wrong user or password, or none"),
        ("secret/mjpeg", "admin:hunter2@", "wrong user or password, or none"),
        ("page?token=hunter2", "", "no stream on this page"),
        ("evil.m3u8", "", "something other than http"),
    ],
)
def test_what_cannot_be_read_is_one_line_without_a_password(
    tmp_path: Path, path: str, login: str, message: str
) -> None:
    (tmp_path / "evil.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:///etc/passwd\n")
    with stream_server(tmp_path) as server, pytest.raises(VigilError, match=message) as caught:
        look_up(parse_source(server.url(path, login=login)))
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_camera_of_a_file_that_cannot_be_looked_up_stops_no_other_camera(tmp_path: Path) -> None:
    film(tmp_path / "clip.mp4", frames=5)
    with stream_server(tmp_path) as server:
        entries = {
            "yard": CameraEntry(source=server.url("secret/mjpeg"), user="admin", password="hunter2"),
            "door": CameraEntry(source=server.url("mjpeg")),
            "film": CameraEntry(source=server.url("clip.mp4")),
        }
        yard, door, clip = (parse_source(name, None, entries) for name in entries)
        assert [source.kind for source in look_up_cameras([yard, door])] == ["unreached", "mjpeg"]
        with pytest.raises(VigilError, match="wrong user or password"):
            look_up_cameras([yard, clip])
        with pytest.raises(VigilError, match="wrong user or password"):
            look_up_cameras([parse_source(server.url("secret/mjpeg")), door])


def test_a_login_goes_to_no_other_server_than_its_own(tmp_path: Path) -> None:
    (tmp_path / "whole.m3u8").write_text("#EXTM3U\n#EXT-X-ENDLIST\n")
    with stream_server(tmp_path) as own, stream_server(tmp_path) as other:
        for name, variant in (("own", own.url("secret/whole.m3u8")), ("other", other.url("secret/whole.m3u8"))):
            (tmp_path / f"{name}.m3u8").write_text(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{variant}\n")
        login = "admin:p%40ss%2Fw%3Ard@"
        assert look_up(parse_source(own.url("secret/own.m3u8", login=login))).kind == "playlist"
        with pytest.raises(VigilError, match="wrong user or password, or none"):
            look_up(parse_source(own.url("secret/other.m3u8", login=login)))


def test_no_answer_says_what_to_do() -> None:
    with pytest.raises(VigilError, match=r"no answer .*cameras\.yaml"):
        look_up(parse_source(f"http://u:hunter2@127.0.0.1:{free_port()}/video"))


def test_a_download_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", frames=30, fps=10, size=(640, 480), codec="mpeg4", options={"qscale": "1"})
    assert 20_000 < path.stat().st_size < 50_000  # two to five answers
    with stream_server(tmp_path) as server:
        frames = open_recording(look_up(parse_source(server.url("broken/clip.mp4"))))
        numbers = [number(frame.rgb()) for frame in frames]
    assert numbers == list(range(30))
    assert frames.damage == ""


@pytest.mark.slow
def test_a_download_that_never_ends_well_keeps_what_came(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.ts", frames=500, fps=10, size=(640, 480), options={"qp": "1", "g": "20"})
    assert path.stat().st_size > 100_000  # more than five answers
    with stream_server(tmp_path) as server:
        frames = open_recording(look_up(parse_source(server.url("broken/clip.ts"))))
        numbers = [number(frame.rgb()) for frame in frames]
    assert 10 < len(numbers) < 500
    assert numbers == list(range(len(numbers)))
    assert "the connection broke" in frames.damage


def test_a_finished_playlist_is_read_to_its_end(tmp_path: Path) -> None:
    live_segments(tmp_path, seconds=3)
    with stream_server(tmp_path) as server:
        frames = list(open_recording(look_up(parse_source(server.url("whole.m3u8")))))
    assert [number(frame.rgb()) for frame in frames] == list(range(30))
    assert [frame.time_s * 10 for frame in frames] == list(range(30))


def test_a_page_leads_to_its_video_again_and_again(tmp_path: Path) -> None:
    film(tmp_path / "clip.mp4", frames=12)
    with Site(tmp_path) as site:
        source = look_up(parse_source(site.page("watch.html", ["clip.mp4"])))
        assert source.kind == "download"
        assert source.address.endswith("watch.html")
        assert [number(frame.rgb()) for frame in open_recording(source)] == list(range(12))
        asked = site.fetched("watch.html")
        assert renew(source).location == source.location
        assert site.fetched("watch.html") > asked
