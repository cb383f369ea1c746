"""What would let a model see the test beforehand: one recording, or two that look alike, on both sides of a split.

Three kinds of leak, each between two videos of different splits:

    source   the same source, or two parts of one URL
    time     parts of one URL whose times overlap; the fragment `#t=start,stop` of a URL, in seconds, names a part
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
LISTED_PAIRS = 5  # in an error
ADVICE = {
    "source": "Give all videos of one recording the same split.",
    "time": "Give all parts of one recording the same source, in params.yaml [manifest] same_source if need be.",
    "frames": "Look at the frames: if they show one camera or recording, name both sources together in params.yaml "
    "[manifest] same_source, so that they stay in one split; if they are only alike, name them in allow_leaks.",
}
KINDS = tuple(ADVICE)
CLOCK = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)"  # [[hours:]minutes:]seconds
FRAGMENT = re.compile(rf"[#&]t=(?:npt:)?(?:{CLOCK})?(?:,{CLOCK})?(?=&|$)")
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


def find_leaks(
    videos: Sequence[Video], prints: Mapping[str, Prints], allow: Iterable[tuple[str, str]] = ()
) -> list[Leak]:
    """Returns every leak, the worst first; one per pair of videos. `prints` by video; what has none is not compared."""
    allowed = _allowed_pairs(videos, allow)
    fragments = {video.video: parse_fragment(video.url) for video in videos}
    # A URL with a fragment names a recording, and is no mere home page.
    cut_recordings = {url for url, times in fragments.values() if times}
    leak_of_pair: dict[tuple[str, str], Leak] = {}
    by_recording: dict[str, list[Video]] = {}
    for video in videos:
        by_recording.setdefault(f"source {video.source}", []).append(video)
        if fragments[video.video][0] in cut_recordings:
            by_recording.setdefault(f"url {fragments[video.video][0]}", []).append(video)
    for recording in by_recording.values():
        if len({video.split for video in recording}) == 1:
            continue
        for a, b in combinations(sorted(recording, key=_order), 2):
            if a.split != b.split:
                times = (
                    _common_start(fragments[a.video], fragments[b.video])
                    if fragments[a.video][0] in cut_recordings
                    else None
                )
                leak_of_pair[a.video, b.video] = Leak(a, b, "time" if times else "source", times=times)
    for leak in _find_alike(videos, prints):
        leak_of_pair.setdefault((leak.a.video, leak.b.video), leak)
    leaks = [
        Leak(leak.a, leak.b, leak.kind, leak.distance, leak.times, bool(_name_pairs(leak) & allowed))
        for leak in leak_of_pair.values()
    ]
    return sorted(
        leaks, key=lambda leak: (leak.allowed, KINDS.index(leak.kind), leak.distance or 0, leak.a.video, leak.b.video)
    )


def worst_per_source_pair(leaks: Sequence[Leak]) -> list[tuple[Leak, int]]:
    """Returns the first leak of each pair of sources, and how many pairs of their videos leak."""
    worst_of_pair: dict[tuple[str, str, bool], tuple[Leak, int]] = {}
    for leak in leaks:
        key = (leak.a.source, leak.b.source, leak.allowed)
        first, count = worst_of_pair.get(key, (leak, 0))
        worst_of_pair[key] = (first, count + 1)
    return list(worst_of_pair.values())


def explain_leaks(leaks: Sequence[Leak], where: str) -> str:
    """Writes what an error says: how many, the worst of each pair of sources, what to do. `where` has them all."""
    pairs = worst_per_source_pair(leaks)
    worst = "; ".join(_describe_leak(leak) for leak, _ in pairs[:LISTED_PAIRS])
    rest = f"; and {len(pairs) - LISTED_PAIRS} more pairs of sources" if len(pairs) > LISTED_PAIRS else ""
    kinds = {leak.kind for leak in leaks}
    advice = " ".join(ADVICE[kind] for kind in KINDS if kind in kinds)
    count = f"{len(leaks)} pair{'s' if len(leaks) > 1 else ''} of videos"
    return f"{count} in different splits show one recording or look alike: {worst}{rest}. {advice} All are in {where}."


def unused_allowances(leaks: Sequence[Leak], allow: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns the pairs that are allowed and do not leak."""
    used = set().union(*(_name_pairs(leak) for leak in leaks))
    return [pair for pair in allow if tuple(sorted(pair)) not in used]


def parse_fragment(url: str) -> tuple[str, tuple[Fraction, Fraction | None] | None]:
    """Returns the recording that a URL names, and start and stop of its fragment in seconds; the stop may be open."""
    match = FRAGMENT.search(url)
    recording = url.split("#", 1)[0]
    video = YOUTUBE.search(recording)
    recording = f"youtube {video[1]}" if video else recording
    if not match or not (match[3] or match[6]):
        return recording, None
    start = _seconds(match[1], match[2], match[3] or "0")
    return recording, (start, _seconds(*match.group(4, 5, 6)) if match[6] else None)


def _seconds(hours: str | None, minutes: str | None, seconds: str) -> Fraction:
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)


def _common_start(
    a: tuple[str, tuple[Fraction, Fraction | None] | None], b: tuple[str, tuple[Fraction, Fraction | None] | None]
) -> tuple[Fraction, Fraction] | None:
    """Returns where, in each of the two parts of one URL, their common time begins."""
    if a[0] != b[0]:
        return None
    (start_a, stop_a), (start_b, stop_b) = (times or (Fraction(0), None) for _, times in (a, b))
    begin = max(start_a, start_b)
    if any(stop is not None and stop <= begin for stop in (stop_a, stop_b)):
        return None
    return begin - start_a, begin - start_b


def _allowed_pairs(videos: Sequence[Video], allow: Iterable[tuple[str, str]]) -> set[tuple[str, ...]]:
    names = {video.video for video in videos} | {video.source for video in videos}
    for pair in allow:
        for name in pair:
            if name not in names:
                raise VigilError(
                    f"params.yaml [manifest]: allow_leaks names '{name}', which is no video and no source."
                    f"{near_miss(name, names)}"
                )
    return {tuple(sorted(pair)) for pair in allow}


def _name_pairs(leak: Leak) -> set[tuple[str, ...]]:
    """Returns every pair of names under which the leak may be allowed."""
    return {tuple(sorted((a, b))) for a in (leak.a.video, leak.a.source) for b in (leak.b.video, leak.b.source)}


def _order(video: Video) -> tuple[int, str]:
    return SPLITS.index(video.split), video.video


def _describe_leak(leak: Leak) -> str:
    how = {"source": "one source", "time": "one recording, overlapping times"}.get(
        leak.kind, f"frames alike, {leak.distance} of 256 bits"
    )
    if leak.kind == "source" and leak.a.source != leak.b.source:
        how = "parts of one recording"
    at = f" at {float(leak.times[0]):.1f} s and {float(leak.times[1]):.1f} s" if leak.times else ""
    return f"{leak.a.video} ({leak.a.split}) and {leak.b.video} ({leak.b.split}): {how}{at}"


def _find_alike(videos: Sequence[Video], prints: Mapping[str, Prints]) -> list[Leak]:
    leaks: list[Leak] = []
    hashed = [video for video in videos if video.video in prints and len(prints[video.video].times)]
    for earlier, later in combinations(SPLITS, 2):
        later_videos = [video for video in hashed if video.split == later]
        if not later_videos:
            continue
        later_hashes = np.concatenate([prints[video.video].hashes for video in later_videos])
        starts = np.cumsum([0, *(len(prints[video.video].times) for video in later_videos)])
        for block in _in_blocks([video for video in hashed if video.split == earlier], prints):
            hashes = np.concatenate([prints[video.video].hashes for video in block])
            distances = nearest_distances(hashes, later_hashes)
            rows = np.cumsum([0, *(len(prints[video.video].times) for video in block)])
            least = np.minimum.reduceat(np.minimum.reduceat(distances, rows[:-1], axis=0), starts[:-1], axis=1)
            for i, j in zip(*np.nonzero(least <= ALIKE), strict=True):
                a, b = block[i], later_videos[j]
                pair = distances[rows[i] : rows[i + 1], starts[j] : starts[j + 1]]
                earlier_frame, later_frame = np.unravel_index(int(pair.argmin()), pair.shape)
                times = (prints[a.video].times[earlier_frame], prints[b.video].times[later_frame])
                leaks.append(Leak(a, b, "frames", int(least[i, j]), times))
    return leaks


def nearest_distances(hashes_a: np.ndarray, hashes_b: np.ndarray) -> np.ndarray:
    """Returns (A, B) uint8: bits between two pictures, at most 255, the least over the views of both.

    `hashes_a` (A, views, 4) and `hashes_b` (B, views, 4) uint64. So a crop is found whichever of the two is the copy;
    the mirrored view, the last, is needed of one side only.
    """
    views = hashes_a.shape[1]
    pairs = [*((0, view) for view in range(views)), *((view, 0) for view in range(1, views - 1))]
    least = np.full((len(hashes_a), len(hashes_b)), 255, np.uint8)
    transposed_b = np.ascontiguousarray(hashes_b.transpose(1, 2, 0))
    for row, column in product(range(0, len(hashes_a), TILE[0]), range(0, len(hashes_b), TILE[1])):
        tile = least[row : row + TILE[0], column : column + TILE[1]]
        differing, bits, count = np.empty(tile.shape, np.uint64), np.empty_like(tile), np.empty_like(tile)
        for view_a, view_b in pairs:
            bits[:] = 0
            for word in range(4):
                words_a, words_b = (
                    hashes_a[row : row + TILE[0], view_a, word, None],
                    transposed_b[view_b, word, column : column + TILE[1]],
                )
                np.bitwise_count(np.bitwise_xor(words_a, words_b, out=differing), out=count)
                bits += np.minimum(count, 255 - bits, out=count)
            np.minimum(tile, bits, out=tile)
    return least


def _in_blocks(videos: Sequence[Video], prints: Mapping[str, Prints]) -> Iterable[list[Video]]:
    """Yields some videos at a time, of about `BLOCK` frames."""
    block: list[Video] = []
    frames = 0
    for video in videos:
        block.append(video)
        frames += len(prints[video.video].times)
        if frames >= BLOCK:
            yield block
            block, frames = [], 0
    if block:
        yield block
