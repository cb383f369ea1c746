"""What has an end gives the frames that the pipeline sees, whatever way it comes, and what is damaged is told."""

import io
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mutations import films_of_all_containers, mutate
from videos import broken, film, images, number, scrambled, truncated

from vigil.capture.recordings import open_recording
from vigil.capture.sources import Source, parse_source
from vigil.core.clock import exact_fraction
from vigil.core.errors import Rejected, VigilError
from vigil.features.frames import FrameArchive, encode_jpeg, make_sampler, save_frames
from vigil.footage.video import reading
from vigil.stages.frames import Params, sample_video

PAUSED = [Fraction(n, 10) + 5 * (n > 6) for n in range(12)]
UNSTEADY = [Fraction(n * n + 40 * n, 1000) for n in range(30)]
INDEX_FIRST = {"movflags": "+faststart"}


RECORDINGS: dict[str, Callable[[Path], Path]] = {
    "plain": lambda folder: film(folder / "plain.mp4", frames=30, fps=25),
    "unsteady": lambda folder: film(folder / "unsteady.mp4", frames=30, times=UNSTEADY),
    "paused": lambda folder: film(folder / "paused.mkv", frames=12, times=PAUSED),
    "turned": lambda folder: film(folder / "turned.mp4", frames=8, turn=90),
    "avi": lambda folder: film(folder / "old.avi", frames=20, codec="mpeg4"),
    "transport": lambda folder: film(folder / "stream.ts", frames=20),
    "scrambled": lambda folder: scrambled(film(folder / "broken.mp4", 60, options={"g": "10"}, container=INDEX_FIRST)),
    "cut": lambda folder: truncated(film(folder / "cut.mp4", frames=60, container=INDEX_FIRST), 0.7),
    "cut transport": lambda folder: truncated(film(folder / "cut.ts", frames=60), 0.7),
    "images": lambda folder: images(folder / "images", [0, 1, 2, 5, 6, 7, 8]),
}


@pytest.mark.parametrize("kind", RECORDINGS)
@pytest.mark.parametrize("size_px", [None, 32])
def test_frames_are_those_of_the_pipeline(tmp_path: Path, kind: str, size_px: int | None) -> None:
    path = RECORDINGS[kind](tmp_path)
    expected = list(reading.read_frames(path, size_px))
    actual = list(open_recording(parse_source(str(path))))
    assert [(view.index, view.time_s) for view in actual] == [(frame.index, frame.time_s) for frame in expected]
    assert all(np.array_equal(view.rgb(size_px), other.image) for view, other in zip(actual, expected, strict=True))
    squares = reading.read_frames(path, grey_px=16)
    assert all(np.array_equal(view.grey(16), other.image) for view, other in zip(actual, squares, strict=True))
    assert expected


@pytest.mark.parametrize("kind", ["plain", "unsteady", "scrambled", "images"])
def test_sampled_frames_are_those_of_stage_frames_to_the_byte(tmp_path: Path, kind: str) -> None:
    path, params = RECORDINGS[kind](tmp_path), Params(fps=10.0, size=32, quality=90)
    sample_video(path, "10", (64, 48), tmp_path / "staged.npz", params=params)
    is_due = make_sampler(exact_fraction(params.fps))
    views = (view for view in open_recording(parse_source(str(path))) if is_due(view.time_s))
    items = ((view.index, view.time_s, encode_jpeg(view.rgb(params.size), params.quality)) for view in views)
    save_frames(tmp_path / "captured.npz", items, (64, 48))
    assert (tmp_path / "captured.npz").read_bytes() == (tmp_path / "staged.npz").read_bytes()
    assert len(FrameArchive(tmp_path / "captured.npz")) > 3


@pytest.mark.parametrize("kind", RECORDINGS)
def test_damage_is_told_as_the_pipeline_tells_it(tmp_path: Path, kind: str) -> None:
    path = RECORDINGS[kind](tmp_path)
    frames = open_recording(parse_source(str(path)))
    count = sum(1 for _ in frames)
    assert count > 0
    assert frames.damage == reading.probe(path).damage
    assert bool(frames.damage) == (kind in {"scrambled", "cut", "cut transport"})


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    for kind, path in broken(tmp_path).items():
        if kind in {"1 frame", "cut at 50 %", "cut at 90 %", "random bytes inside"}:
            continue  # of these, frames come
        with pytest.raises(Rejected) as caught:
            list(open_recording(parse_source(str(path))))
        assert "\n" not in str(caught.value)


def test_a_file_that_went_away_is_one_line(tmp_path: Path) -> None:
    source = parse_source(str(film(tmp_path / "clip.mp4", frames=3)))
    (tmp_path / "clip.mp4").unlink()
    with pytest.raises(VigilError, match="not found"):
        list(open_recording(source))


READ = """
import sys
from vigil.capture.recordings import open_recording
from vigil.capture.sources import parse_source
frames = open_recording(parse_source("-"))
for frame in frames:
    print(frame.index, frame.time_s, frame.rgb().tobytes().hex()[:64], flush=True)
print("damage:", frames.damage)
"""


def read_piped(data: bytes, chunk: int = 1000) -> list[str]:
    """What a process prints that is fed a video in chunks."""
    reader = subprocess.Popen([sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None
    for start in range(0, len(data), chunk):
        reader.stdin.write(data[start : start + chunk])
        reader.stdin.flush()
    output, _ = reader.communicate()
    assert reader.returncode == 0
    return output.decode().splitlines()


@pytest.mark.parametrize("kind", ["plain", "unsteady", "avi", "transport", "paused", "cut"])
def test_standard_input_gives_the_frames_of_the_file(tmp_path: Path, kind: str) -> None:
    path = RECORDINGS[kind](tmp_path)
    expected = [
        f"{frame.index} {frame.time_s} {frame.rgb().tobytes().hex()[:64]}"
        for frame in open_recording(parse_source(str(path)))
    ]
    lines = read_piped(path.read_bytes())
    assert lines[:-1] == expected
    assert (lines[-1] == "damage: ") == (kind != "cut")


def test_a_transport_stream_is_read_while_it_is_still_coming(tmp_path: Path) -> None:
    data = film(tmp_path / "long.ts", frames=400, fps=25, size=(160, 120)).read_bytes()
    reader = subprocess.Popen([sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(data[: len(data) * 9 // 10])
    reader.stdin.flush()
    assert reader.stdout.readline().startswith(b"0 0 ")
    reader.stdin.write(data[len(data) * 9 // 10 :])
    reader.stdin.close()
    assert len(reader.stdout.read().splitlines()) == 400  # the first was read, and there is one about damage
    reader.stdout.close()
    assert reader.wait() == 0


def test_no_standard_input_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(Rejected, match="no video comes"):
        list(open_recording(parse_source("-")))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 99)))
    with pytest.raises(Rejected, match="no video that can be opened"):
        list(open_recording(parse_source("-")))


def read_mutated(folder: Path, seeds: range) -> tuple[int, int]:
    """Reads mutated videos of all containers; returns how many gave frames and how many were refused."""
    originals = films_of_all_containers(folder)
    used, refusals = 0, list[str]()
    for seed in seeds:
        original = originals[seed % len(originals)]
        path = folder / f"mutated{original.suffix}"
        path.write_bytes(mutate(original.read_bytes(), seed))
        frames = open_recording(Source("file", "mutated", str(path), location=str(path)))
        try:
            numbers = [number(frame.rgb()) for frame in frames]
            assert numbers
            assert "\n" not in frames.damage
            used += 1
        except Rejected as error:
            refusals.append(str(error))
    assert all(refusal and "\n" not in refusal for refusal in refusals)
    return used, len(refusals)


def test_mutated_videos_give_frames_or_one_line(tmp_path: Path) -> None:
    used, refused = read_mutated(tmp_path, range(20))
    assert used > 3
    assert used + refused == 20


@pytest.mark.slow
def test_200_mutated_videos_give_frames_or_one_line(tmp_path: Path) -> None:
    used, refused = read_mutated(tmp_path, range(1000, 1200))
    assert used > 50
    assert refused > 10
