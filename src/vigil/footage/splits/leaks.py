"""What would let a model see the test beforehand: one recording, or two that look alike, on both sides of a split.

Three kinds of leak, each between two videos of different splits:

    source   the same source, or two parts of one URL
    time     parts of one URL whose times overlap; a URL names its part as `#t=start,stop`, in seconds
    frames   frames whose perceptual hashes differ in at most `ALIKE` of 256 bits

Where `ALIKE` comes from: on 200 real CCTV clips of 28 sources and two long videos (19,390 pairs of videos of unlike
sources, 8 frames each) the nearest pair differs in 72 bits, one in a thousand in less than 85, half in more than 109.
Of 24 drawn cameras in 12 cities, whose rooms are built from the same parts, the nearest two differ in 51. Copies of 202
real frames (a video has several to be found by):

    what was done                   95 of 100 within   the worst   found
    JPEG quality 10                               11          14   1
    half size, quality 30                          9          26   1
    other aspect ratio                             2           9   1
    brightness +40                                34          46   0.985
    gamma 0.5 / 2                            27 / 20     41 / 23   0.995 / 1
    darkened to 15 %                              15          50   0.995
    a banner over 4 % of the picture              29          43   0.995
    mirrored                                       0           0   1
    cropped by 2 / 5 / 10 % of each side  32 / 30 / 42   36 / 39 / 48   1 / 1 / 0.94
    cropped by 6 % at the bottom alone            59          70   0.38

Not found: one event from two angles, and a picture in a picture.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.footage.video_table import SPLITS, Video

ALIKE = 40  # bits of 256; see above
BLOCK = 256  # frames compared at a time with all of another split
TILE = (16, 4096)  # of them: as much as stays in the processor's cache, five times as fast as all at once
SHOWN = 5  # pairs in an error
ADVICE = {
    "source": "Give all videos of one recording the same split.",
    "time": "Give all parts of one recording the same source, in params.yaml [manifest] same_source if need be.",
    "frames": "Look at the frames: if they show one camera or recording, name both sources together in params.yaml "
    "[manifest] same_source, so that they stay in one split; if they are only alike, name them in allow_leaks.",
}
KINDS = tuple(ADVICE)
CLOCK = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)"  # [[hours:]minutes:]seconds
PART = re.compile(rf"[#&]t=(?:npt:)?(?:{CLOCK})?(?:,{CLOCK})?(?=&|$)")
YOUTUBE = re.compile(r"(?:youtu\.be/|youtube(?:-nocookie)?\.com/(?:watch\?(?:.*&)?v=|shorts/|embed/|live/))([\w-]{11})")


@dataclass(frozen=True)
class Prints:
    """The hashes of a video's frames."""

    times: tuple[Fraction, ...]
    hashes: np.ndarray  # (frames, views, 4) uint64; the first view is the picture as it is


@dataclass(frozen=True)
class Leak:
    """Two videos of different splits, `a` in the earlier one; allowed by params.yaml or not."""

    a: Video
    b: Video
    kind: str
    distance: int | None = None  # bits, of `frames`
    times: tuple[Fraction, Fraction] | None = None  # where in a and in b: the likest frames, or the common part begins
    allowed: bool = False


def audit(videos: Sequence[Video], prints: Mapping[str, Prints], allow: Iterable[tuple[str, str]] = ()) -> list[Leak]:
    """Every leak, the worst first; one per pair of videos. `prints` by video; what has none is not compared."""
    allowed = _allowed(videos, allow)
    parts = {one.video: part(one.url) for one in videos}
    whole = {url for one in videos for url, times in [parts[one.video]] if times}  # a part is named: no mere home page
    found: dict[tuple[str, str], Leak] = {}
    by_recording: dict[str, list[Video]] = {}
    for one in videos:
        by_recording.setdefault(f"source {one.source}", []).append(one)
        if parts[one.video][0] in whole:
            by_recording.setdefault(f"url {parts[one.video][0]}", []).append(one)
    for recording in by_recording.values():
        if len({one.split for one in recording}) == 1:
            continue
        for a, b in combinations(sorted(recording, key=_order), 2):
            if a.split != b.split:
                times = _common(parts[a.video], parts[b.video]) if parts[a.video][0] in whole else None
                found[a.video, b.video] = Leak(a, b, "time" if times else "source", times=times)
    for leak in _alike(videos, prints):
        found.setdefault((leak.a.video, leak.b.video), leak)
    leaks = [
        Leak(one.a, one.b, one.kind, one.distance, one.times, bool(_names(one) & allowed)) for one in found.values()
    ]
    return sorted(
        leaks, key=lambda one: (one.allowed, KINDS.index(one.kind), one.distance or 0, one.a.video, one.b.video)
    )


def worst(leaks: Sequence[Leak]) -> list[tuple[Leak, int]]:
    """The first leak of each pair of sources, and how many pairs of their videos leak."""
    found: dict[tuple[str, str, bool], tuple[Leak, int]] = {}
    for leak in leaks:
        key = (leak.a.source, leak.b.source, leak.allowed)
        first, count = found.get(key, (leak, 0))
        found[key] = (first, count + 1)
    return list(found.values())


def explain(leaks: Sequence[Leak], where: str) -> str:
    """What an error says: how many, the worst of each pair of sources, what to do. `where` has them all."""
    pairs = worst(leaks)
    shown = "; ".join(_sentence(leak) for leak, _ in pairs[:SHOWN])
    more = f"; and {len(pairs) - SHOWN} more pairs of sources" if len(pairs) > SHOWN else ""
    kinds = {leak.kind for leak in leaks}
    advice = " ".join(ADVICE[kind] for kind in KINDS if kind in kinds)
    count = f"{len(leaks)} pair{'s' if len(leaks) > 1 else ''} of videos"
    return f"{count} in different splits show one recording or look alike: {shown}{more}. {advice} All are in {where}."


def unused(leaks: Sequence[Leak], allow: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs that are allowed and do not leak."""
    used = set().union(*(_names(leak) for leak in leaks))
    return [pair for pair in allow if tuple(sorted(pair)) not in used]


def part(url: str) -> tuple[str, tuple[Fraction, Fraction | None] | None]:
    """(what the part is of, its start and stop in seconds); no part named: None. The stop may be open."""
    found = PART.search(url)
    whole = url.split("#", 1)[0]
    video = YOUTUBE.search(whole)
    whole = f"youtube {video[1]}" if video else whole
    if not found or not (found[3] or found[6]):
        return whole, None
    start = _seconds(found[1], found[2], found[3] or "0")
    return whole, (start, _seconds(*found.group(4, 5, 6)) if found[6] else None)


def _seconds(hours: str | None, minutes: str | None, seconds: str) -> Fraction:
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)


def _common(
    a: tuple[str, tuple[Fraction, Fraction | None] | None], b: tuple[str, tuple[Fraction, Fraction | None] | None]
) -> tuple[Fraction, Fraction] | None:
    """Where, in each of the two parts of one URL, their common time begins."""
    if a[0] != b[0]:
        return None
    (start_a, stop_a), (start_b, stop_b) = (times or (Fraction(0), None) for _, times in (a, b))
    begin = max(start_a, start_b)
    if any(stop is not None and stop <= begin for stop in (stop_a, stop_b)):
        return None
    return begin - start_a, begin - start_b


def _allowed(videos: Sequence[Video], allow: Iterable[tuple[str, str]]) -> set[tuple[str, ...]]:
    known = {one.video for one in videos} | {one.source for one in videos}
    for pair in allow:
        for name in pair:
            if name not in known:
                raise VigilError(
                    f"params.yaml [manifest]: allow_leaks names '{name}', which is no video and no source."
                    f"{near_miss(name, known)}"
                )
    return {tuple(sorted(pair)) for pair in allow}


def _names(leak: Leak) -> set[tuple[str, ...]]:
    """Every pair of names under which it may be allowed."""
    return {tuple(sorted((a, b))) for a in (leak.a.video, leak.a.source) for b in (leak.b.video, leak.b.source)}


def _order(one: Video) -> tuple[int, str]:
    return SPLITS.index(one.split), one.video


def _sentence(leak: Leak) -> str:
    how = {"source": "one source", "time": "one recording, overlapping times"}.get(
        leak.kind, f"frames alike, {leak.distance} of 256 bits"
    )
    if leak.kind == "source" and leak.a.source != leak.b.source:
        how = "parts of one recording"
    at = f" at {float(leak.times[0]):.1f} s and {float(leak.times[1]):.1f} s" if leak.times else ""
    return f"{leak.a.video} ({leak.a.split}) and {leak.b.video} ({leak.b.split}): {how}{at}"


def _alike(videos: Sequence[Video], prints: Mapping[str, Prints]) -> list[Leak]:
    found: list[Leak] = []
    hashed = [one for one in videos if one.video in prints and len(prints[one.video].times)]
    for earlier, later in combinations(SPLITS, 2):
        others = [one for one in hashed if one.split == later]
        if not others:
            continue
        theirs = np.concatenate([prints[one.video].hashes for one in others])
        starts = np.cumsum([0, *(len(prints[one.video].times) for one in others)])
        for block in _blocks([one for one in hashed if one.split == earlier], prints):
            ours = np.concatenate([prints[one.video].hashes for one in block])
            distances = nearest(ours, theirs)
            rows = np.cumsum([0, *(len(prints[one.video].times) for one in block)])
            least = np.minimum.reduceat(np.minimum.reduceat(distances, rows[:-1], axis=0), starts[:-1], axis=1)
            for i, j in zip(*np.nonzero(least <= ALIKE), strict=True):
                a, b = block[i], others[j]
                pair = distances[rows[i] : rows[i + 1], starts[j] : starts[j + 1]]
                at, there = np.unravel_index(int(pair.argmin()), pair.shape)
                times = (prints[a.video].times[at], prints[b.video].times[there])
                found.append(Leak(a, b, "frames", int(least[i, j]), times))
    return found


def nearest(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(A, B) uint8: bits between two pictures, at most 255: the least over the views of one and the other as it is.

    `ours` (A, views, 4) and `theirs` (B, views, 4) uint64. So a crop is found whichever of the two is the copy; the
    mirrored view, the last, is needed of one side only.
    """
    views = ours.shape[1]
    pairs = [*((0, view) for view in range(views)), *((view, 0) for view in range(1, views - 1))]
    least = np.full((len(ours), len(theirs)), 255, np.uint8)
    words = np.ascontiguousarray(theirs.transpose(1, 2, 0))
    for row, column in product(range(0, len(ours), TILE[0]), range(0, len(theirs), TILE[1])):
        tile = least[row : row + TILE[0], column : column + TILE[1]]
        other, bits, count = np.empty(tile.shape, np.uint64), np.empty_like(tile), np.empty_like(tile)
        for mine, view in pairs:
            bits[:] = 0
            for word in range(4):
                ours_, theirs_ = (
                    ours[row : row + TILE[0], mine, word, None],
                    words[view, word, column : column + TILE[1]],
                )
                np.bitwise_count(np.bitwise_xor(ours_, theirs_, out=other), out=count)
                bits += np.minimum(count, 255 - bits, out=count)
            np.minimum(tile, bits, out=tile)
    return least


def _blocks(videos: Sequence[Video], prints: Mapping[str, Prints]) -> Iterable[list[Video]]:
    """Some videos at a time, of about `BLOCK` frames."""
    block: list[Video] = []
    frames = 0
    for one in videos:
        block.append(one)
        frames += len(prints[one.video].times)
        if frames >= BLOCK:
            yield block
            block, frames = [], 0
    if block:
        yield block
