"""Of a damaged recording only those pictures come out that the sound one has, at the same time (save in an AVI)."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import videos

from vigil.core.errors import Rejected
from vigil.footage.video.reading import probe, read_frames

FIRST = {"movflags": "+faststart"}
REORDERED = {"g": "20", "bf": "3", "preset": "medium", "x264-params": "open-gop=1:b-pyramid=normal"}
CASES: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "mp4": ("a.mp4", "libx264", FIRST, {"g": "20"}),
    "mp4, open groups": ("a.mp4", "libx264", FIRST, REORDERED),
    "fragments": ("a.mp4", "libx264", {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}, {"g": "20"}),
    "mkv": ("a.mkv", "libx264", {}, {"g": "20"}),
    "mkv, B-frames": ("a.mkv", "libx264", {}, REORDERED),
    "ts": ("a.ts", "libx264", {}, {"g": "20"}),
    "ts, B-frames": ("a.ts", "libx264", {}, REORDERED),
    "ts, MPEG-2": ("a.ts", "mpeg2video", {}, {"g": "20"}),
    "avi": ("a.avi", "mpeg4", {}, {"g": "20"}),
}
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda data: data[: len(data) // 2],
    "nine tenths": lambda data: data[: len(data) * 9 // 10],
    "8 bytes less": lambda data: data[:-8],
    "a tail of zeros": lambda data: data[: len(data) * 7 // 10] + bytes(len(data) - len(data) * 7 // 10),
    "a hole": lambda data: data[: len(data) // 2] + data[len(data) // 2 + 700 :],
    "a byte less": lambda data: data[: len(data) * 6 // 10] + data[len(data) * 6 // 10 + 1 :],
}


def textured(number: int, size: tuple[int, int]) -> np.ndarray:
    """A picture that tells its number, over a texture that moves, so that what is missing leaves smears."""
    blocks = np.random.default_rng(1).integers(0, 255, (size[1] // 4, size[0] // 4 + 60, 3), np.uint8)
    left = number * 2 % 200
    image = blocks.repeat(4, 0).repeat(4, 1)[:, left : left + size[0]].copy()
    image[: size[1] // 2] = PLAIN(number, size)[: size[1] // 2]
    return image


PLAIN = videos.picture


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("case", CASES)
def test_no_smeared_picture_comes_through(
    case: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, codec, container, options = CASES[case]
    monkeypatch.setattr(videos, "picture", textured)
    path = videos.film(
        tmp_path / name, frames=100, size=(160, 120), fps=25, codec=codec, container=container, options=options
    )
    sound = {frame.time_s: frame.image.astype(int) for frame in read_frames(path)}
    assert len(sound) == 100
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    try:
        measured = probe(path)
    except Rejected:
        assert case == "avi" or damage in ("a hole", "a byte less", "half")  # nothing is left, or no index
        return
    frames = list(read_frames(path))
    assert len(frames) == measured.frames
    # after an error FFmpeg decodes even an untouched key picture a little otherwise: a few pixels, 0.015 grey levels
    for frame in frames:  # an AVI counts its pictures anew behind a hole, so there the time is no matter
        candidates = sound.values() if case == "avi" else [sound[frame.time_s]]
        assert min(np.abs(image - frame.image).mean() for image in candidates) < 0.05
    assert bool(measured.damage) == (measured.frames < 100)
    assert measured.fps == 25


def test_good_frames_after_damage_are_kept_at_their_own_time(tmp_path: Path) -> None:
    options = {"g": "25", "preset": "veryfast"}
    path = videos.film(tmp_path / "a.mkv", frames=250, size=(160, 120), fps=25, options=options)
    frames = list(read_frames(videos.scrambled(path, share=0.2, at=0.4)))
    assert frames[0].time_s == 0 and frames[-1].time_s == Fraction(249, 25)
    assert 100 < len(frames) < 240
    measured = probe(path)
    assert measured.fps == 25
    assert measured.watched_s < measured.duration_s == 10
    assert len(measured.pauses) == 1
