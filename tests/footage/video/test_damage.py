"""What is lost of a broken file is said; sound files are believed, whatever their container claims."""

import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
import videos
from av.stream import Disposition

from vigil.core.errors import Rejected
from vigil.footage.video.damage import Losses, declared_size, explain_damage
from vigil.footage.video.decoding import claimed_frame_count, open_video
from vigil.footage.video.reading import probe, read_frames

INDEX_FIRST = {"movflags": "+faststart"}
FRAGMENTS = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp4, index at the end": ("a.mp4", "libx264", {}),
    "mp4, index first": ("a.mp4", "libx264", INDEX_FIRST),
    "mp4, MPEG-4": ("a.mp4", "mpeg4", INDEX_FIRST),
    "mp4, fragments": ("a.mp4", "libx264", FRAGMENTS),
    "mkv": ("a.mkv", "libx264", {}),
    "webm": ("a.webm", "libvpx", {}),
    "avi": ("a.avi", "mpeg4", {}),
    "avi, H.264": ("a.avi", "libx264", {}),
    "avi, JPEG": ("a.avi", "mjpeg", {}),
    "ts": ("a.ts", "libx264", {}),
    "mpg": ("a.mpg", "mpeg2video", {}),
    "flv": ("a.flv", "libx264", {}),
}


def make_case(case: str, folder: Path) -> Path:
    name, codec, container = CASES[case]
    gop = {"g": "20", "preset": "veryfast"} if codec == "libx264" else {}
    return videos.film(
        folder / name, frames=100, size=(160, 120), fps=25, codec=codec, container=container, options=gop
    )


def reason(path: Path) -> str:
    """Why the file is rejected, or what is lost of it."""
    try:
        lost = probe(path).damage
    except Rejected as error:
        return str(error)
    assert lost
    return lost


@pytest.mark.parametrize("case", CASES)
def test_a_sound_file_is_believed(case: str, tmp_path: Path) -> None:
    measured = probe(make_case(case, tmp_path))
    assert (measured.frames, measured.fps, measured.duration_s) == (100, 25, 4)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("case", CASES)
def test_a_file_cut_short_says_so(case: str, share: float, tmp_path: Path) -> None:
    said = reason(videos.truncated(make_case(case, tmp_path), share))
    assert "cut short" in said or "lost or distorted" in said


def test_a_file_cut_short_tells_how_much_there_is(tmp_path: Path) -> None:
    path = make_case("mp4, index first", tmp_path)
    whole = path.stat().st_size
    problem = reason(videos.truncated(path, 0.5))
    assert 20 < int(problem.split()[0]) < 60
    assert f" of 100 frames decode; the file is cut short ({whole // 2:,} of {whole:,} bytes)" in problem
    assert "index (moov atom) is missing" in reason(videos.truncated(make_case("mp4, index at the end", tmp_path), 0.5))


@pytest.mark.parametrize("case", CASES)
def test_random_bytes_inside_are_noticed(case: str, tmp_path: Path) -> None:
    assert "lost or distorted" in reason(videos.scrambled(make_case(case, tmp_path)))


def test_bytes_that_vanish_inside_are_noticed_where_the_container_counts(tmp_path: Path) -> None:
    for case in ("mp4, index first", "avi", "mkv", "ts"):
        path = make_case(case, tmp_path)
        data = path.read_bytes()
        middle = len(data) // 2
        path.write_bytes(data[: middle - 700] + data[middle + 300 :])
        assert "lost or distorted" in reason(path) or "cut short" in reason(path), case


def test_each_broken_file_has_a_reason_of_its_own(tmp_path: Path) -> None:
    reasons = {name: reason(path) for name, path in videos.broken(tmp_path / "broken").items()}
    expected = {
        "empty": "empty file (0 bytes)",
        "text": "text, no video (it starts with '<!DOCTYPE html>",
        "cut at 10 %": "index (moov atom) is missing",
        "cut at 50 %": "cut short",
        "cut at 90 %": "cut short",
        "random bytes inside": "frames are lost or distorted",
        "no video stream": "no video stream",
        "1 frame": "only 1 frame decodes",
        "1x1 px": "1x1 px: too small to see a person (at least 16 px)",
    }
    assert {name: said for name, said in reasons.items() if expected[name] not in said} == {}
    assert reasons.keys() == expected.keys()


def test_a_lying_frame_count_alone_rejects_nothing(tmp_path: Path) -> None:
    path = make_case("avi", tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 8 + 32  # dwLength of the stream header
    assert struct.unpack_from("<I", data, at)[0] == 100
    struct.pack_into("<I", data, at, 682)
    path.write_bytes(data)
    measured = probe(path)
    assert (measured.frames, measured.duration_s) == (100, 4)
    with open_video(path) as opened:
        assert claimed_frame_count(*opened) == 682


def test_junk_after_the_end_rejects_nothing(tmp_path: Path) -> None:
    for case in ("mp4, index first", "mp4, index at the end", "avi"):
        path = make_case(case, tmp_path)
        with path.open("ab") as file:
            file.write(bytes(range(256)) * 9)
        assert probe(path).frames == 100, case


def test_a_recording_that_was_joined_late_is_believed(tmp_path: Path) -> None:
    """A transport stream may begin anywhere; what comes before its first key frame is no damage."""
    path = videos.film(tmp_path / "a.ts", frames=600, fps=25, options={"g": "25", "preset": "veryfast"})
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    measured = probe(path)
    assert 300 < measured.frames < 420
    assert next(read_frames(path)).time_s == 0


def test_recordings_that_were_joined_are_one_video(tmp_path: Path) -> None:
    """The times go on where they begin anew, and all pictures get the first one's size."""
    first, second = videos.film(tmp_path / "a.ts"), videos.film(tmp_path / "b.ts", size=(128, 96))
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert (probe(path).frames, probe(path).width) == (40, 64)
    frames = list(read_frames(path))
    assert [frame.time_s for frame in frames] == [Fraction(number, 10) for number in range(40)]
    assert [videos.number(frame.image) for frame in frames] == [*range(20)] * 2
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}


def test_sound_that_comes_and_goes_ends_nothing(tmp_path: Path) -> None:
    silent, loud = videos.film(tmp_path / "a.ts"), videos.film(tmp_path / "b.ts", sound_s=2)
    path = tmp_path / "both.ts"
    path.write_bytes(silent.read_bytes() + loud.read_bytes() + silent.read_bytes())
    assert probe(path).frames == 60


def test_a_title_in_another_encoding_is_no_matter(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        path = videos.film(tmp_path / name)
        data = path.read_bytes()
        assert b"Lavf" in data
        path.write_bytes(data.replace(b"Lavf", b"L\xe4vf"))  # written by the program that made the file
        assert probe(path).frames == 20


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    film = videos.film(tmp_path / "film.ts", frames=50)
    for text in (f"#EXTM3U\n#EXTINF:10,\n{film.name}\n#EXT-X-ENDLIST\n", f"ffconcat version 1.0\nfile {film.name}\n"):
        path = tmp_path / "list.mp4"
        path.write_text(text)
        assert "text, no video" in reason(path)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mkv", frames=1, codec="mjpeg", sound_s=0.5)
    assert "only 1 frame" in reason(path)
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        cover, sound = (target.add_stream_from_template(source.streams[number]) for number in (0, 1))
        cover.disposition = Disposition.attached_pic
        for packet in source.demux():
            if packet.size:
                packet.stream = (cover, sound)[packet.stream.index]
                target.mux(packet)
    assert "no video stream" in reason(tmp_path / "b.mp4")


def test_a_missing_file_and_a_dangling_link_say_so(tmp_path: Path) -> None:
    assert "not found" in reason(tmp_path / "none.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "none.mp4")
    assert "not found" in reason(tmp_path / "link.mp4")


@pytest.mark.parametrize("locked", ["file", "folder"])
def test_a_file_without_permission_says_so(locked: str) -> None:
    with as_somebody(), tempfile.TemporaryDirectory() as folder:
        path = videos.film(Path(folder) / "in" / "a.mp4")
        place = path if locked == "file" else path.parent
        place.chmod(0)
        try:
            assert "(Permission denied): check the permissions" in reason(path)
        finally:
            place.chmod(0o700)


def test_reading_passes_over_damage_and_rejects_only_what_gives_nothing(tmp_path: Path) -> None:
    path = videos.scrambled(make_case("avi, H.264", tmp_path), share=0.1)
    frames = list(read_frames(path))
    assert 50 < len(frames) <= 100
    assert [frame.time_s for frame in frames] == sorted({frame.time_s for frame in frames})
    with pytest.raises(Rejected, match="no frame decodes"):  # its index is whole
        list(read_frames(videos.truncated(make_case("mp4, index first", tmp_path), 0.2)))


def test_one_glitch_is_forgiven_to_a_long_recording_and_not_to_a_clip(tmp_path: Path) -> None:
    path = make_case("mkv", tmp_path)
    for frames, forgiven in ((100, False), (100_000, True)):
        losses = Losses(frames - 40, lost=40, packets=frames, is_cut=False, claimed=None, indexed=0, complaints=0)
        assert (explain_damage(path, losses) == "") == forgiven


def test_the_declared_size_is_that_of_a_whole_file(tmp_path: Path) -> None:
    for case in ("mp4, index first", "mp4, index at the end", "mp4, fragments", "mkv", "webm", "avi"):
        path = make_case(case, tmp_path)
        size = path.stat().st_size
        declared = declared_size(path)
        assert declared is not None
        assert size - 200 < declared <= size, case  # an mp4 may end with boxes that hold no pictures
    assert declared_size(make_case("ts", tmp_path)) is None


@contextmanager
def as_somebody() -> Iterator[None]:
    """Root may read everything: be somebody else, who owns what is made meanwhile."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def real_files() -> list[Path]:
    root = os.environ.get("VIGIL_REAL_DATA")
    if not root:
        pytest.skip("VIGIL_REAL_DATA is not set")
    paths = sorted(path for path in Path(root).rglob("*") if path.suffix in {".mp4", ".avi"})
    assert paths
    return paths


@pytest.mark.parametrize(
    "part", [pytest.param(slice(None, None, 8), id="some"), pytest.param(slice(None), id="all", marks=pytest.mark.slow)]
)
def test_no_real_file_is_rejected(part: slice) -> None:
    for path in real_files()[part]:
        measured = probe(path)
        assert measured.frames > 10, path.name
        assert 5 <= measured.fps <= 60, path.name


@pytest.mark.slow
def test_of_every_real_file_that_is_cut_it_is_said(tmp_path: Path) -> None:
    for path in real_files()[::4]:
        for share in (0.1, 0.5, 0.9):
            copy = tmp_path / f"a{path.suffix}"
            copy.write_bytes(path.read_bytes())
            assert "cut short" in reason(videos.truncated(copy, share)), (path.name, share)


@pytest.mark.slow
def test_frame_counts_agree_with_another_decoder() -> None:
    for path in real_files()[::10]:
        capture = cv2.VideoCapture(str(path))
        count = 0
        while capture.grab():
            count += 1
        assert probe(path).frames == count, path.name
