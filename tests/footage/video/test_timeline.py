"""A clock that jumps is a pause: the rate is that of the frames, and nobody watched meanwhile."""

from fractions import Fraction
from pathlib import Path

import pytest
import videos

from vigil.footage.video.reading import probe


def jump(by_s: int) -> list[Fraction]:
    return [Fraction(number, 25) + (by_s if number >= 50 else 0) for number in range(100)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_clock_that_jumps_an_hour_is_a_pause(name: str, tmp_path: Path) -> None:
    measured = probe(videos.film(tmp_path / name, frames=100, times=jump(3600)))
    assert (measured.fps, measured.frames, measured.duration_s) == (25, 100, 3604)
    assert measured.pauses == ((2, 3602),)
    assert measured.watched_s == 4
    assert measured.damage == ""


def test_a_jump_of_years_is_a_pause(tmp_path: Path) -> None:
    measured = probe(videos.film(tmp_path / "a.mkv", frames=100, times=jump(10**8)))
    assert (measured.fps, measured.watched_s) == (25, 4)


def test_steady_jittering_and_slow_videos_have_no_pauses(tmp_path: Path) -> None:
    jitter = [Fraction(number, 25) + Fraction(number % 3, 200) for number in range(50)]
    assert probe(videos.film(tmp_path / "a.mkv", frames=50, times=jitter)).pauses == ()
    slow = probe(videos.film(tmp_path / "b.mp4", frames=20, times=[Fraction(5 * number) for number in range(20)]))
    assert (slow.pauses, slow.fps, slow.watched_s) == ((), Fraction(1, 5), 100)


def test_missing_numbers_of_images_are_a_pause(tmp_path: Path) -> None:
    folder = videos.images(tmp_path / "f", [*range(20), *range(36_000, 36_020)])
    measured = probe(folder, fps=Fraction(10))
    assert (measured.frames, measured.fps, measured.duration_s) == (40, 10, 3602)
    assert measured.pauses == ((2, 3600),)
    few = probe(videos.images(tmp_path / "g", [1, 2, 3, 6, 7, 8]), fps=Fraction(10))
    assert few.pauses == ()  # 0.3 s
