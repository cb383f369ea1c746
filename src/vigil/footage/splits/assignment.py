"""Which source goes to which split: stratified by label, the same on every machine, and steady when data is added.

Every source has a position from 0 to 1, from a hash of the seed and its name. Only where that leaves a label badly
divided or absent from a split, or a split with few sources, is a source moved, or exchanged for another, each time what
helps most. What counts as badly is coarse on purpose: a source has weight 1 for a label of which it has 1 to 7 videos,
8 for 8 to 63, 64 for 64 to 511, and a split's share may be off by `SLACK` of itself. So

- a new video moves no source, unless it is the first, 8th, 64th, ... of its label in its source;
- a new source moves few others (the tests count them);
- a new set moves nothing: sets that have no source in common are divided apart.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.footage.video_table import FEW_SOURCES, SPLITS, Video

TRAIN, VAL, TEST = range(3)
SLACK = 0.3  # of a split's share of a label
ABSENT = 10.0  # a label that is absent from a split weighs more than any uneven share
SCARCE = 1.0  # each source that a split lacks
MOST_EXCHANGES = 10_000  # that are tried at a time; with more sources, single moves are enough
EXCHANGE = 0.02  # an exchange must help by so much more than a move, as it moves two
NOBODY = -1  # in place of a source: nothing moves in exchange


@dataclass(frozen=True)
class Plan:
    """Every video with a split, and the sets whose train was divided because they gave no val."""

    videos: list[Video]
    carved: list[str]


def assign(
    videos: Sequence[Video],
    *,
    val_share: float,
    test_share: float,
    seed: int,
    same_source: Iterable[Sequence[str]] = (),
    carve_val: bool = True,
) -> Plan:
    """Gives every video a split. All videos of a source share one, unless some were given another.

    A given split stays. Names of sources (or videos) that stand together in `same_source` are one source, called by the
    first. With `carve_val`, a set that gives all its videos a split, and none of them val, has val taken out of train.
    """
    videos = _merge_sources(videos, same_source)
    given_splits: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        given_splits[video.source] |= {video.split} - {""}
    sets_without_val = _sets_without_val(videos) if carve_val and val_share > 0 else set()
    redivided = {
        video.source for video in videos if video.set in sets_without_val and given_splits[video.source] == {"train"}
    }
    shares = np.array([1 - val_share - test_share, val_share, test_share])
    split_of_source: dict[str, str] = {}
    for block in _group_into_blocks(videos):
        split_of_source |= _Block(block, given_splits, redivided).divide(shares, seed)
    assigned = [
        replace(
            video, split=video.split if video.split and video.source not in redivided else split_of_source[video.source]
        )
        for video in videos
    ]
    _refuse_empty(assigned)
    return Plan(assigned, sorted(sets_without_val & {video.set for video in assigned if video.split == "val"}))


def _merge_sources(videos: Sequence[Video], same_source: Iterable[Sequence[str]]) -> list[Video]:
    source_of_name = {video.video: video.source for video in videos} | {video.source: video.source for video in videos}
    merged_into: dict[str, str] = {}  # source -> the source by whose name it goes

    def final_name(name: str) -> str:
        while name in merged_into:
            name = merged_into[name]
        return name

    for group in same_source:
        for name in group:
            if name not in source_of_name:
                raise VigilError(
                    f"params.yaml [manifest]: same_source names '{name}', which is no video and no source."
                    f"{near_miss(name, source_of_name)}"
                )
            name_before, name_merged = final_name(source_of_name[group[0]]), final_name(source_of_name[name])
            if name_before != name_merged:
                merged_into[name_merged] = name_before
    return [
        video
        if final_name(video.source) == video.source
        else replace(video, source=final_name(video.source), grouped_by="same_source")
        for video in videos
    ]


def _sets_without_val(videos: Sequence[Video]) -> set[str]:
    """Returns the sets that give every video a split, among them train, and no val."""
    splits_of_set: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        splits_of_set[video.set].add(video.split)
    return {name for name, splits in splits_of_set.items() if "train" in splits and not splits & {"", "val"}}


def _group_into_blocks(videos: Sequence[Video]) -> list[list[Video]]:
    """Groups the videos into blocks: sets that have a source in common are in one."""
    block_of: dict[str, str] = {}
    sets_of: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        sets_of[video.source].add(video.set)
        block_of[video.set] = video.set
    for tied in sets_of.values():
        blocks = {block_of[name] for name in tied}
        if len(blocks) > 1:
            block_of = {name: min(blocks) if block in blocks else block for name, block in block_of.items()}
    videos_of_block: dict[str, list[Video]] = defaultdict(list)
    for video in videos:
        videos_of_block[block_of[video.set]].append(video)
    return [videos_of_block[name] for name in sorted(videos_of_block)]


class _Block:
    """The sources of one block: what each weighs for every label of its set, for all, as one; and where it may go."""

    def __init__(self, videos: Sequence[Video], given_splits: dict[str, set[str]], divided: set[str]) -> None:
        self.names = sorted({video.source for video in videos})
        row = {name: number for number, name in enumerate(self.names)}
        kinds = sorted({(video.set, video.label) for video in videos})
        column = {kind: number for number, kind in enumerate(kinds)}
        counts = np.zeros((len(row), len(kinds)), int)
        for video in videos:
            counts[row[video.source], column[video.set, video.label]] += 1
        classes = np.vectorize(lambda count: 8 ** ((int(count).bit_length() - 1) // 3) if count else 0, otypes=[float])
        weights = classes(counts)
        self.weights = np.column_stack([weights, weights.sum(1), np.ones(len(row))])  # (sources, kinds, all, source)
        self.allowed = np.ones((len(row), 3), bool)  # (sources, splits)
        for name, number in row.items():
            if name in divided:
                self.allowed[number] = [True, True, False]
            elif given_splits[name]:
                self.allowed[number] = np.arange(3) == min(SPLITS.index(split) for split in given_splits[name])

    def divide(self, shares: np.ndarray, seed: int) -> dict[str, str]:
        """Divides the block, and returns the split of each source."""
        positions = np.array([_position_of(seed, name) for name in self.names])
        splits = self._divide_by_position(shares, positions)
        while moves := self._best_moves(splits, shares, positions):
            for source, split in moves:
                splits[source] = split
        return {name: SPLITS[split] for name, split in zip(self.names, splits, strict=True)}

    def _divide_by_position(self, shares: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Divides by position alone: test from below, val from above, of what the given splits have left to fill."""
        fixed = self.allowed.sum(1) == 1
        room = np.maximum(shares * len(positions) - self.allowed[fixed].sum(0), 0)
        rooms = np.where(self.allowed, room + 1e-9 * np.array([1, 0, 0]), 0)  # no room anywhere: train
        rooms = np.where(fixed[:, None], self.allowed, rooms)
        rooms /= rooms.sum(1, keepdims=True)
        return np.where(positions < rooms[:, TEST], TEST, np.where(positions >= 1 - rooms[:, VAL], VAL, TRAIN))

    def _best_moves(self, splits: np.ndarray, shares: np.ndarray, positions: np.ndarray) -> list[tuple[int, int]]:
        """Returns (source, split) of one source that moves, or of two that are exchanged; nothing when all is even."""
        weights = np.vstack([self.weights, np.zeros(self.weights.shape[1])])  # of nobody too, who stands last
        has = (weights > 0).astype(float)
        of_split = np.eye(3)[splits].T  # (splits, sources)
        split_weights, split_sources = of_split @ weights[:-1], of_split @ has[:-1]
        best = (self._unevenness(split_weights, split_sources, shares)[()] - 1e-9, 0.0, NOBODY, NOBODY, 0, 0)
        for first, second in combinations(range(3), 2):
            leaving, coming = (
                np.append(np.flatnonzero((splits == old) & self.allowed[:, new]), NOBODY)
                for old, new in ((first, second), (second, first))
            )
            few = len(leaving) * len(coming) <= MOST_EXCHANGES
            for leavers, comers in [(leaving, coming)] if few else [(leaving, coming[-1:]), (leaving[-1:], coming)]:
                change = np.zeros((2, len(leavers), len(comers), *split_weights.shape))
                for table_change, table in zip(change, (weights, has), strict=True):
                    table_change[..., second, :] = table[leavers, None] - table[None, comers]
                    table_change[..., first, :] = -table_change[..., second, :]
                scores = self._unevenness(split_weights + change[0], split_sources + change[1], shares)
                scores[:-1, :-1] += EXCHANGE
                for i, j in np.argwhere(scores <= scores.min() + 1e-9):
                    position = float(positions[leavers[i]] if leavers[i] != NOBODY else positions[comers[j]])
                    best = min(best, (round(scores[i, j], 9), position, int(leavers[i]), int(comers[j]), first, second))
        _, _, leaver, comer, first, second = best
        return [(source, split) for source, split in ((leaver, second), (comer, first)) if source != NOBODY]

    def _unevenness(self, split_weights: np.ndarray, split_sources: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Returns how far from even the splits are, 0 at best.

        `split_weights` and `split_sources`, both (..., splits, kinds), are sums of weights and numbers of sources.
        """
        total, sources = self.weights.sum(0), (self.weights > 0).sum(0)
        needed = np.stack([sources >= 1, sources >= 3, sources >= 2]) & (shares > 0)[:, None]  # train, test, then val
        target = shares[:, None] * total
        excess = np.maximum(np.abs(split_weights - target) - SLACK * target, 0) / total
        lacking = np.maximum(min(FEW_SOURCES, len(self.names) // 4) - split_sources[..., -1], 0) * (shares > 0)
        return np.where(needed & (split_sources < 0.5), ABSENT, excess).sum((-2, -1)) + SCARCE * lacking.sum(-1)


def _position_of(seed: int, name: str) -> float:
    """Returns where a source stands between 0 and 1, whatever the others are."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _refuse_empty(videos: Sequence[Video]) -> None:
    for split in SPLITS:
        if not any(video.split == split for video in videos):
            sources = len({video.source for video in videos})
            count = f"{len(videos)} videos from {sources} source{'s' if sources != 1 else ''}"
            raise VigilError(
                f"no video is left for {split}: {count}, and a source is never divided. Add videos from other "
                f"sources, give splits by hand, or raise params.yaml [manifest] {split}_share."
                if split != "train"
                else f"no video is left for train: {count}. Add videos, or give fewer of them to val and test."
            )
