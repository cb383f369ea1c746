"""Leaks: planted ones are found, named and explained; what is allowed is said to be."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scenes import entry

from vigil.core.errors import VigilError
from vigil.footage.splits.leaks import (
    ALIKE,
    LISTED_PAIRS,
    Leak,
    Prints,
    explain_leaks,
    find_leaks,
    nearest_distances,
    parse_fragment,
    unused_allowances,
    worst_per_source_pair,
)
from vigil.footage.video_table import Video

HASHES = np.random.default_rng(0).integers(0, 2**64, (40, 4, 4), dtype=np.uint64)
TRAIN, VAL, TEST = (entry(f"s/{split}", split=split) for split in ("train", "val", "test"))


def prints(*hashes: np.ndarray, start: int = 0) -> Prints:
    return Prints(tuple(Fraction(start + number) for number in range(len(hashes))), np.stack(hashes))


def flipped(hashes: np.ndarray, bits: int) -> np.ndarray:
    """Another hash, so many bits away in the first view, and unlike in the others."""
    changed = HASHES[-1].copy()
    changed[0] = hashes[0]
    for bit in range(bits):
        changed[0, bit % 4] ^= np.uint64(1 << (bit // 4))
    return changed


def kinds(leaks: list[Leak]) -> list[tuple[str, str, str]]:
    return [(leak.a.stem, leak.b.stem, leak.kind) for leak in leaks]


def test_unlike_videos_do_not_leak() -> None:
    hashed = {video.video: prints(HASHES[n], HASHES[n + 10]) for n, video in enumerate((TRAIN, VAL, TEST))}
    assert find_leaks([TRAIN, VAL, TEST], hashed) == []


def test_a_source_in_two_splits_is_a_leak_once_per_pair_of_videos() -> None:
    videos = [replace(video, source="cam") for video in (TEST, TRAIN)] + [VAL]
    assert kinds(find_leaks(videos, {})) == [("train", "test", "source")]


@pytest.mark.parametrize(("bits", "is_leak"), [(ALIKE, True), (ALIKE + 1, False)])
def test_frames_are_alike_up_to_so_many_bits(bits: int, is_leak: bool) -> None:
    hashed = {
        TRAIN.video: prints(HASHES[0], HASHES[1], HASHES[2]),
        TEST.video: prints(HASHES[3], flipped(HASHES[1], bits), start=10),
    }
    leaks = find_leaks([TRAIN, TEST], hashed)
    assert [(leak.kind, leak.distance, leak.times) for leak in leaks] == (
        [("frames", bits, (1, 11))] if is_leak else []
    )


def test_frames_of_one_split_may_be_alike() -> None:
    twin = entry("s/twin", split="train")
    assert find_leaks([TRAIN, twin], {TRAIN.video: prints(HASHES[0]), twin.video: prints(HASHES[0])}) == []


@pytest.mark.parametrize("view", [1, 2, 3])
def test_a_copy_that_was_cropped_or_mirrored_is_found(view: int) -> None:
    copy = HASHES[5].copy()
    copy[0] = HASHES[0][view]
    copy[3] = HASHES[0][0] if view == 3 else copy[3]  # mirrored again it is the picture itself
    (leak,) = find_leaks([TRAIN, TEST], {TRAIN.video: prints(HASHES[0]), TEST.video: prints(copy)})
    assert leak.distance == 0


@pytest.mark.parametrize("view", [1, 2])
def test_so_is_one_in_the_earlier_split(view: int) -> None:
    copy = HASHES[5].copy()
    copy[0] = HASHES[0][view]
    (leak,) = find_leaks([TRAIN, TEST], {TRAIN.video: prints(copy), TEST.video: prints(HASHES[0])})
    assert leak.distance == 0


def test_distances_are_those_of_a_plain_loop() -> None:
    hashes_a, hashes_b = HASHES[:7], HASHES[7:20]
    expected = [
        [
            min(
                sum((int(a[i][word]) ^ int(b[j][word])).bit_count() for word in range(4))
                for i, j in ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0))
            )
            for b in hashes_b
        ]
        for a in hashes_a
    ]
    assert nearest_distances(hashes_a, hashes_b).tolist() == expected


def test_the_opposite_of_a_picture_is_unlike_it() -> None:
    """256 bits apart, which a byte would wrap to 0."""
    hashes = HASHES[:1, :1].repeat(4, 1)
    assert nearest_distances(hashes, ~hashes).tolist() == [[255]]


def test_many_videos_in_blocks_find_the_one_pair() -> None:
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 2**64, (900, 4, 4), dtype=np.uint64)
    hashes[777] = flipped(hashes[55], 9)
    videos = [entry(f"s/{n}", split="train" if n < 600 else "test") for n in range(900)]
    hashed = {video.video: prints(hashes[n]) for n, video in enumerate(videos)}
    assert [(leak.a.stem, leak.b.stem, leak.distance) for leak in find_leaks(videos, hashed)] == [("55", "777", 9)]


def test_the_order_of_videos_changes_nothing() -> None:
    videos = [replace(video, source="cam") for video in (TRAIN, TEST)] + [VAL, entry("s/x", split="test")]
    hashed = {video.video: prints(HASHES[n // 2]) for n, video in enumerate(videos)}
    assert find_leaks(videos[::-1], hashed) == find_leaks(videos, hashed) != []


URL = "https://video.example/a"


@pytest.mark.parametrize(
    ("url", "other_url", "kind"),
    [
        (f"{URL}#t=0,10", f"{URL}#t=9.5,20", "time"),
        (f"{URL}#t=0,10", f"{URL}#t=10,20", "source"),
        (f"{URL}#t=30", f"{URL}#t=,40", "time"),
        (f"{URL}#t=0:01:00,0:01:10", f"{URL}#t=65,66", "time"),
        (f"{URL}#t=5,6", URL, "time"),
        (URL, URL, None),  # may be the home page of the set
        (f"{URL}#t=0,10", "https://video.example/b#t=0,10", None),
        ("https://youtu.be/abcdefghijk#t=1,3", "https://www.youtube.com/watch?v=abcdefghijk#t=2,4", "time"),
    ],
)
def test_parts_of_one_url(url: str, other_url: str, kind: str | None) -> None:
    leaks = find_leaks([replace(TRAIN, url=url), replace(TEST, url=other_url)], {})
    assert [leak.kind for leak in leaks] == ([kind] if kind else [])


def test_the_common_time_is_told_in_the_time_of_each_part() -> None:
    (leak,) = find_leaks([replace(TRAIN, url=f"{URL}#t=2,10"), replace(TEST, url=f"{URL}#t=9.5,20")], {})
    assert leak.times == (Fraction(15, 2), 0)


def test_a_part_is_read_in_every_form() -> None:
    assert parse_fragment(f"{URL}#t=npt:1:00:02.5,2:00:00") == (URL, (Fraction(7205, 2), Fraction(7200)))
    assert parse_fragment(f"{URL}#t=12") == (URL, (12, None))
    assert parse_fragment(f"{URL}#top") == (URL, None)


def test_allowed_leaks_are_marked_and_come_last() -> None:
    videos = [replace(TRAIN, source="cam"), replace(VAL, source="cam"), TEST]
    hashed = {TRAIN.video: prints(HASHES[0]), TEST.video: prints(HASHES[0])}
    leaks = find_leaks(videos, hashed, [("cam", "cam")])
    assert [(leak.kind, leak.allowed) for leak in leaks] == [("frames", False), ("source", True)]


@pytest.mark.parametrize("pair", [("s/train", "s/test"), ("of-s/test", "of-s/train"), ("s/test", "of-s/train")])
def test_a_leak_is_allowed_by_videos_or_sources_in_either_order(pair: tuple[str, str]) -> None:
    hashed = {TRAIN.video: prints(HASHES[0]), TEST.video: prints(HASHES[0])}
    (leak,) = find_leaks([TRAIN, TEST], hashed, [pair])
    assert leak.allowed
    assert unused_allowances([leak], [pair, ("s/val", "s/test")]) == [("s/val", "s/test")]


def test_allowing_what_is_not_there_is_refused() -> None:
    with pytest.raises(VigilError, match=r"allow_leaks names 's/tset'.*Did you mean 's/test'"):
        find_leaks([TRAIN, TEST], {}, [("s/train", "s/tset")])


def leaking(count: int) -> list[Leak]:
    """`count` pairs of sources, each with two pairs of videos; the later ones are nearer."""
    videos: list[Video] = []
    hashed: dict[str, Any] = {}
    for number in range(count):
        for name, split in (("a", "train"), ("b", "test"), ("c", "test")):
            source = f"cam{number}{'a' if name == 'a' else 'b'}"
            videos.append(entry(f"s/{number}{name}", source=source, split=split))
            hashed[videos[-1].video] = prints(flipped(HASHES[number], (count - number) if name == "a" else 0))
    return find_leaks(videos, hashed)


def test_the_worst_of_each_pair_of_sources_is_named_first() -> None:
    leaks = leaking(LISTED_PAIRS + 2)
    assert len(leaks) == 2 * (LISTED_PAIRS + 2)
    assert [count for _, count in worst_per_source_pair(leaks)] == [2] * (LISTED_PAIRS + 2)
    text = explain_leaks(leaks, "metrics/data.json")
    assert text.startswith(f"{len(leaks)} pairs of videos in different splits")
    last = LISTED_PAIRS + 1
    assert f"s/{last}a (train) and s/{last}b (test): frames alike, 1 of 256 bits at 0.0 s and 0.0 s" in text
    assert "and 2 more pairs of sources" in text
    assert "same_source" in text and "allow_leaks" in text and "metrics/data.json" in text
    assert "\n" not in text
