"""What the words after `vigil detect` mean, and that no password is shown."""

import pickle
import traceback
from pathlib import Path

import pytest
from videos import film, images

from vigil.capture.logins import show_address
from vigil.capture.sources import expand_sources, parse_source
from vigil.core.errors import VigilError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "kind", "is_live"),
    [
        ("0", "webcam", True),
        ("-", "stdin", False),
        ("rtsp://10.0.0.5/1", "rtsp", True),
        ("RTSPS://10.0.0.5:322/1", "rtsp", True),
        ("http://10.0.0.5/video", "http", False),
        ("https://video.example/watch?v=1", "http", False),
    ],
)
def test_a_word_has_a_kind(text: str, kind: str, is_live: bool) -> None:
    source = parse_source(text)
    assert (source.kind, source.is_live) == (kind, is_live)


def test_files_and_folders_have_a_kind(tmp_path: Path) -> None:
    film(tmp_path / "clip.mp4", frames=2)
    images(tmp_path / "walk", range(2))
    assert parse_source("clip.mp4").kind == "file"
    assert parse_source("walk").kind == "images"
    with pytest.raises(VigilError, match="a folder without images"):
        parse_source(".")


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://admin:{SECRET}@10.0.0.5/stream",
        f"rtsp://admin:{SECRET}%2F@10.0.0.5/stream",
        f"rtsp://admin:p@{SECRET}@10.0.0.5/stream",
        f"http://10.0.0.5/video.cgi?user=admin&pwd={SECRET}",
        f"http://10.0.0.5/video.cgi?token={SECRET}&size=3",
        f"https://u:{SECRET}@10.0.0.5:8080/a?access_key={SECRET}",
    ],
)
def test_a_password_is_shown_nowhere(text: str) -> None:
    source = parse_source(text)
    shown = f"{source} {source!r} {source.name} {source.address} {source.login}"
    assert SECRET not in shown
    assert "10.0.0.5" in source.address
    assert SECRET in source.secret_address()
    assert SECRET not in source.hide_secrets(f"cannot open {source.secret_address()}: refused")
    assert pickle.loads(pickle.dumps(source)) == source


@pytest.mark.parametrize(
    "text",
    [
        f"rtps://admin:{SECRET}@10.0.0.5/1",
        f"rtsp://admin:{SECRET}@/1",
        f"rtsp://admin:{SECRET}@10.0.0.5:99999/1",
        f"rtsp://admin:a/{SECRET}@10.0.0.5/1",
        f"rtsp://admin:{SECRET}/@10.0.0.5/1",
        f"rtsp://admin:{SECRET}#@10.0.0.5:x/1",
    ],
)
def test_an_error_about_an_address_is_one_line_without_the_password(text: str) -> None:
    with pytest.raises(VigilError) as caught:
        parse_source(text)
    assert "\n" not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(f'parse_source("{text}")', "")


def test_a_password_with_odd_letters_comes_back_as_it_was() -> None:
    source = parse_source("rtsp://admin:p%40ss%2Fw%3Ard@cam:554/1")
    assert (source.login.user, source.login.password) == ("admin", "p@ss/w:rd")
    assert source.secret_address() == "rtsp://admin:p%40ss%2Fw%3Ard@cam:554/1"
    assert parse_source("rtsp://admin:p#ss?@cam/1").login.password == "p#ss?"


def test_what_looks_like_the_end_of_a_password_is_hidden() -> None:
    assert show_address(f"rtsp://a:b@c/{SECRET}@10.0.0.5/x") == "rtsp://c/***@10.0.0.5/x"


def test_an_unknown_scheme_names_the_near_one() -> None:
    with pytest.raises(VigilError, match=r"'rstp' is not read.*Did you mean 'rtsp'\?"):
        parse_source("rstp://10.0.0.5/1")


def test_cameras_yaml_names_cameras_and_logs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cameras.yaml").write_text(
        f"door: {{source: 'rtsp://10.0.0.5/1', user: admin, password: '{SECRET}'}}\n"
        "yard: {source: 'http://10.0.0.6/video', kind: mjpeg}\n"
    )
    door, yard = expand_sources(["door", "yard"])
    assert (door.name, door.kind, door.login.password) == ("door", "rtsp", SECRET)
    assert (yard.name, yard.kind, yard.is_live) == ("yard", "mjpeg", True)
    monkeypatch.setenv("VIGIL_PASSWORD_YARD", "other")
    monkeypatch.setenv("VIGIL_USER_YARD", "guard")
    assert parse_source("yard").secret_address() == "http://guard:other@10.0.0.6/video"
    with pytest.raises(VigilError, match="Did you mean 'door'"):
        parse_source("dor")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"door: {{source: x, password: {SECRET}, pasword: 1}}",
            r"line 1 \[door\]: unknown key 'pasword'.*'password'\?",
        ),
        (f"door: {{password: {SECRET}}}", r"line 1 \[door\]: missing key 'source'"),
        (f"door:\n  source: x\n  password: [{SECRET}]", r"line 3 \[door\]: password: input should be a valid string"),
        (f"door: [{SECRET}", "line 1: not valid YAML"),
        (f"door: {SECRET}", r"line 1 \[door\]: expected keys source, user"),
        (f"- {SECRET}", "cameras.yaml line 1: expected cameras by name"),
        (f"door: {{source: x}}\nDoor: {{source: {SECRET}}}", "line 2: a second camera 'Door'; the first is in line 1"),
    ],
)
def test_an_error_in_cameras_yaml_shows_no_value(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cameras.yaml").write_text(text)
    with pytest.raises(VigilError, match=message) as caught:
        expand_sources(["0"])
    assert SECRET not in str(caught.value)


def test_folders_and_globs_become_what_they_hold(tmp_path: Path) -> None:
    film(tmp_path / "day/a.mp4", frames=2)
    film(tmp_path / "day/b.avi", frames=2, codec="mpeg4")
    (tmp_path / "day/notes.txt").write_text("no video")
    images(tmp_path / "day/walk", range(2))
    assert [(source.kind, source.name) for source in expand_sources(["day"])] == [
        ("images", "walk"),
        ("file", "a"),
        ("file", "b"),
    ]
    assert [source.name for source in expand_sources(["day/*.mp4", "day/a.mp4", "./day/../day/a.mp4"])] == ["a"]
    assert [source.name for source in expand_sources(["**/*.avi"])] == ["b"]


def test_two_sources_have_two_names(tmp_path: Path) -> None:
    film(tmp_path / "one/clip.mp4", frames=2)
    film(tmp_path / "two/clip.mp4", frames=2)
    sources = expand_sources(["one", "two", "rtsp://cam/1?channel=1", "rtsp://cam/1?channel=2", "rtsp://a:b@cam/1"])
    assert [source.name for source in sources] == ["one__clip", "two__clip", "cam-1", "cam-1-2", "cam-1-3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clop.mp4", r"no such file, folder or camera\. Did you mean 'clip\.mp4'\?"),
        ("*.mkv", "nothing matches"),
        ("*.txt", "matches 1 file and no video"),
        ("empty", "a folder without videos and without images"),
        ("", "no such file"),
        ("\0", "no such file"),
    ],
)
def test_nothing_found_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    film(tmp_path / "clip.mp4", frames=2)
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VigilError, match=message) as caught:
        expand_sources([text])
    assert "\n" not in str(caught.value)


def test_no_source_at_all_says_what_there_is() -> None:
    with pytest.raises(VigilError, match="no source: name a file"):
        expand_sources([])
