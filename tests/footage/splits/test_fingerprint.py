"""Perceptual hashes: a copy is found whatever was done to it, another place is not."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import film, place, walk

from vigil.footage.splits.fingerprint import (
    MOST_FRAMES,
    VIEWS,
    cut_bars,
    differing_bits,
    fingerprint_video,
    hash_views,
    sample_every,
    unpack_hash,
)
from vigil.footage.splits.leaks import ALIKE, nearest_distances

HIGH, WIDE = 144, 192


def picture(seed: int) -> np.ndarray:
    return place(seed, HIGH, WIDE)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def cropped(image: np.ndarray, share: float) -> np.ndarray:
    rows, columns = round(share * image.shape[0]), round(share * image.shape[1])
    return np.ascontiguousarray(image[rows : image.shape[0] - rows, columns : image.shape[1] - columns])


def boxed(image: np.ndarray, top: int, left: int) -> np.ndarray:
    return cv2.copyMakeBorder(image, top, top, left, left, cv2.BORDER_CONSTANT, value=(4, 4, 4))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "quality 10": lambda image: jpeg(image, 10),
    "half size": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "other aspect": lambda image: cv2.resize(image, (HIGH, HIGH)),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1, beta=40),
    "darker": lambda image: cv2.convertScaleAbs(image, alpha=0.3, beta=0),
    "grey": lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "mirrored, quality 20": lambda image: jpeg(np.ascontiguousarray(image[:, ::-1]), 20),
    "cropped by 2 %": lambda image: cropped(image, 0.02),
    "cropped by 5 %": lambda image: cropped(image, 0.05),
    "cropped by 9 %": lambda image: cropped(image, 0.09),
    "letterbox": lambda image: boxed(image, 20, 0),
    "pillars": lambda image: boxed(image, 0, 30),
    "both": lambda image: boxed(image, 12, 12),
    "a banner": lambda image: cv2.rectangle(image.copy(), (110, 120), (185, 138), (255, 255, 255), -1),
}


def apart(hashes_a: np.ndarray, hashes_b: np.ndarray) -> int:
    views_a, views_b = hash_views(hashes_a), hash_views(hashes_b)
    assert views_a is not None and views_b is not None
    return int(nearest_distances(views_a[None], views_b[None])[0, 0])


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_a_copy_is_near_whichever_of_the_two_is_the_copy(change: Callable[[np.ndarray], np.ndarray]) -> None:
    for seed in range(8):
        copy = change(picture(seed))
        assert apart(picture(seed), copy) <= ALIKE
        assert apart(copy, picture(seed)) <= ALIKE


def test_other_places_are_far() -> None:
    hashes = np.stack([hashed for seed in range(60) if (hashed := hash_views(picture(seed))) is not None])
    distances = nearest_distances(hashes, hashes)[np.triu_indices(len(hashes), 1)]
    assert len(hashes) == 60
    assert distances.min() > ALIKE + 20


def test_every_view_is_of_its_own() -> None:
    hashes = hash_views(picture(0))
    assert hashes is not None and hashes.shape == (VIEWS, 4)
    mirrored = hash_views(np.ascontiguousarray(picture(0)[:, ::-1]))
    assert mirrored is not None
    assert differing_bits(hashes[0], mirrored[-1]) == 0
    assert differing_bits(hashes[0], hashes[-1]) > 80


def test_a_brighter_right_half_sets_only_bits_of_the_wide_thumbnail() -> None:
    """16 x 8 bits rightwards, then 8 x 16 downwards. A ramp to the right: all of the first, none of the second."""
    ramp = np.repeat(np.linspace(0, 255, WIDE)[None, :, None], HIGH, 0).repeat(3, 2).astype(np.uint8)
    hashes = hash_views(ramp)
    assert hashes is not None
    assert hashes[0].tolist() == [2**64 - 1, 2**64 - 1, 0, 0]


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_picture_without_texture_has_no_hash(level: int) -> None:
    noise = np.random.default_rng(0).normal(0, 3, (HIGH, WIDE, 3))
    assert hash_views(np.clip(level + noise, 0, 255).astype(np.uint8)) is None


def test_text_on_black_has_no_hash() -> None:
    card = np.zeros((HIGH, WIDE, 3), np.uint8)
    cv2.putText(card, "NO SIGNAL", (40, 75), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
    assert hash_views(card) is None


def test_a_dark_side_is_no_bar() -> None:
    """Bars come in pairs: a picture that is dark on one side keeps it."""
    grey = cv2.cvtColor(picture(0), cv2.COLOR_RGB2GRAY)
    grey[:, :40] = 0
    assert cut_bars(grey).shape == grey.shape


def test_times_asked_for_are_the_first_after_each_multiple() -> None:
    is_due = sample_every(Fraction(1))
    times = [Fraction(n, 4) for n in (0, 1, 3, 5, 6, 8, 9, 17, 18)]
    assert [time for time in times if is_due(time)] == [0, Fraction(5, 4), 2, Fraction(17, 4)]


def test_a_video_has_a_hash_per_second_at_most_32() -> None:
    frames = [picture(seed) for seed in range(24)]
    path = Path("a/b.mp4")
    row = film(path, frames, fps=2)
    prints = fingerprint_video(path, row.fps, row.duration_s)
    assert [time for time, _ in prints] == [str(second) for second in range(12)]
    many = film(Path("a/c.mp4"), [picture(seed) for seed in range(80)], fps=2)
    assert 20 < len(fingerprint_video(Path("a/c.mp4"), many.fps, many.duration_s)) <= MOST_FRAMES


def test_a_short_video_has_eight() -> None:
    row = film(Path("a/b.mp4"), [picture(seed) for seed in range(16)], fps=16)
    assert len(fingerprint_video(Path("a/b.mp4"), row.fps, row.duration_s)) == 8


def test_frames_that_repeat_are_kept_once() -> None:
    row = film(Path("a/b.mp4"), [picture(0)] * 40 + [picture(1)] * 40)
    assert [time for time, _ in fingerprint_video(Path("a/b.mp4"), row.fps, row.duration_s)] == ["0", "4"]


def test_hashes_survive_the_text() -> None:
    row = film(Path("a/b.mp4"), walk(3, height=HIGH, width=WIDE))
    (_, text), *_ = fingerprint_video(Path("a/b.mp4"), row.fps, row.duration_s)
    original = hash_views(walk(3, height=HIGH, width=WIDE)[0])
    assert original is not None
    assert differing_bits(unpack_hash(text)[0], original[0]) < 12
    assert unpack_hash(text).shape == (VIEWS, 4)


def test_a_black_video_has_none() -> None:
    row = film(Path("a/b.mp4"), [np.zeros((HIGH, WIDE, 3), np.uint8)] * 10)
    assert fingerprint_video(Path("a/b.mp4"), row.fps, row.duration_s) == []
