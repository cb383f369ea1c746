"""Clips hold what was asked for, to the packet, and say what they lack."""

from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import film, number

from vigil.capture.live.clips import NS, pack_configuration, write_clip
from vigil.capture.live.packet_ring import RingPacket
from vigil.core.errors import VigilError
from vigil.footage.video.reading import read_frames


def packets_of(path: Path, configuration: int = 1, begin_s: Fraction = Fraction(0)) -> tuple[list[RingPacket], bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [
            RingPacket(
                round((begin_s + packet.pts * packet.time_base) * NS),
                round((begin_s + packet.dts * packet.time_base) * NS),
                packet.is_keyframe,
                configuration,
                bytes(packet),
            )
            for packet in container.demux(stream)
            if packet.dts is not None and packet.pts is not None
        ]
        return packets, pack_configuration(stream)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"g": "10", "bf": "0"}),
        ("b.mp4", "libx264", {"g": "10", "bf": "2"}),
        ("c.ts", "libx264", {"g": "10", "bf": "0"}),
        ("d.mp4", "libx265", {"x265-params": "keyint=10:log-level=none"}),
        ("e.mov", "mjpeg", {}),
        ("f.avi", "mpeg4", {"g": "10"}),
    ],
)
def test_a_clip_shows_the_same_pictures_at_the_same_times(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = film(tmp_path / name, frames=40, fps=10, size=(96, 64), codec=codec, options=options)
    packets, template = packets_of(path)
    clip = write_clip(tmp_path / "clip.mp4", packets, {1: template}, Fraction(0), Fraction(4))
    expected, actual = list(read_frames(path)), list(read_frames(tmp_path / "clip.mp4"))
    assert [number(frame.image) for frame in actual] == [number(frame.image) for frame in expected]
    assert all(abs(a.time_s - b.time_s) < Fraction(1, 1000) for a, b in zip(actual, expected, strict=True))
    assert np.array_equal(actual[17].image, expected[17].image)
    assert clip.missing == ""


def test_a_clip_keeps_the_time_in_which_nothing_came(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", frames=20, fps=10, options={"g": "10", "bf": "0"})
    early, template = packets_of(path)
    late, _ = packets_of(path, 2, Fraction(7))
    templates = {1: template, 2: template}
    clip = write_clip(tmp_path / "clip.mp4", early + late, templates, Fraction(0), Fraction(9))
    times = [frame.time_s for frame in read_frames(tmp_path / "clip.mp4")]
    assert times[20] - times[19] == pytest.approx(5.1, abs=0.001)
    assert (clip.stop_s - clip.start_s, clip.missing) == (Fraction(89, 10), "")


def test_a_clip_says_what_it_lacks(tmp_path: Path) -> None:
    small, small_template = packets_of(film(tmp_path / "a.mp4", frames=10, fps=10, options={"bf": "0"}))
    path = film(tmp_path / "b.mp4", frames=30, fps=10, size=(96, 64), options={"bf": "0"})
    large, large_template = packets_of(path, 2, Fraction(1))
    templates = {1: small_template, 2: large_template}
    clip = write_clip(tmp_path / "clip.mp4", small + large, templates, Fraction(0), Fraction(4))
    assert clip.start_s == 1
    assert clip.missing == "the first 1.0 s and a part in which the camera encoded otherwise"
    assert len(list(read_frames(tmp_path / "clip.mp4"))) == 30


def test_nothing_kept_is_one_line_and_no_file(tmp_path: Path) -> None:
    packets, template = packets_of(film(tmp_path / "a.mp4", frames=10, options={"bf": "0"}))
    with pytest.raises(VigilError, match=r"no packet from 3\.0 to 4\.0 s"):
        write_clip(tmp_path / "clip.mp4", [], {}, Fraction(3), Fraction(4))
    with pytest.raises(VigilError, match="no key picture"):
        write_clip(tmp_path / "clip.mp4", packets[1:3], {1: template}, Fraction(0), Fraction(1))
    with pytest.raises(VigilError, match="nothing says how"):
        write_clip(tmp_path / "clip.mp4", packets, {}, Fraction(0), Fraction(1))
    assert not (tmp_path / "clip.mp4").exists()


def test_a_clip_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    packets, template = packets_of(film(tmp_path / "a.mp4", frames=20, fps=10))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(VigilError, match=r"clip\.mp4: the clip cannot be written: "):
        write_clip(tmp_path / "file" / "clip.mp4", packets, {1: template}, Fraction(0), Fraction(2))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packets, template = packets_of(film(tmp_path / "a.mp4", frames=20, fps=10))
    monkeypatch.setattr("vigil.capture.live.clips.replacing", lambda _: nullcontext(Path("/dev/full")))
    with pytest.raises(VigilError, match="No space left"):
        write_clip(tmp_path / "clip.mp4", packets, {1: template}, Fraction(0), Fraction(2))
