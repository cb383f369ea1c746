"""The dataset card: what there is of each class in each split, and what a reader of results must know of it."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from vigil.footage.video_table import FEW_SOURCES, SPLITS, Video

FEW_SEQUENCES = 500  # videos; with fewer, a network learns the videos
Card = dict[str, Any]


def summarise_contents(videos: Sequence[Video]) -> Card:
    """Returns counts, hours and ranges: per split, and per class of each split. Every video has a split."""
    return {
        "splits": {split: _summarise([video for video in videos if video.split == split]) for split in SPLITS},
        "classes": {
            label: {
                split: _summarise([video for video in videos if video.split == split and video.label == label])
                for split in SPLITS
            }
            for label in sorted({video.label for video in videos})
        },
        "sets": {
            name: {split: sum(video.set == name and video.split == split for video in videos) for split in SPLITS}
            for name in sorted({video.set for video in videos})
        },
    }


def collect_warnings(videos: Sequence[Video], val_share: float, test_share: float) -> list[str]:
    """Returns a sentence for everything that makes results on these splits worth less."""
    sentences = []
    if len(videos) < FEW_SEQUENCES:
        sentences.append(
            f"{len(videos)} videos in all: with fewer than {FEW_SEQUENCES}, expect overfitting and wide intervals"
        )
    for split in ("val", "test"):
        sources = len({video.source for video in videos if video.split == split})
        if sources < FEW_SOURCES:
            sentences.append(
                f"{split} has {_count(sources, 'source')}: intervals over fewer than {FEW_SOURCES} mean little"
            )
    shares = {"train": 1 - val_share - test_share, "val": val_share, "test": test_share}
    sets: dict[str, list[Video]] = defaultdict(list)
    for video in videos:
        sets[video.set].append(video)
    for name in sorted(sets):
        sentences += _warn_of_set(name, sets[name], shares)
    return sentences


def _warn_of_set(name: str, videos: Sequence[Video], shares: dict[str, float]) -> list[str]:
    sources = len({video.source for video in videos})
    missing = [split for split in SPLITS if not any(video.split == split for video in videos)]
    if missing:
        few = f": its {_count(sources, 'source')} cannot make three splits" if sources < len(SPLITS) else ""
        lack = f"set {name} has no video in {' and '.join(missing)}{few}"
        return [f"{lack}. If it should, give splits by hand, or bring videos of more sources"]
    sentences = []
    for label in sorted({video.label for video in videos}):
        labelled = [video for video in videos if video.label == label]
        absent = [split for split in SPLITS if not any(video.split == split for video in labelled)]
        if absent:
            cause = _count(len({video.source for video in labelled}), "source")
            sentences.append(f"set {name}: no '{label}' in {' and '.join(absent)} ({cause})")
    for split in SPLITS:
        share = sum(video.split == split for video in videos) / len(videos)
        if share < shares[split] / 2 or share > shares[split] * 2:
            sentences.append(
                f"set {name}: {split} has {share:.0%} of the videos, {shares[split]:.0%} were asked for: sources are "
                "uneven, or splits are given. Another manifest.seed may do better"
            )
    return sentences


def _summarise(videos: Sequence[Video]) -> Card:
    if not videos:
        return {"videos": 0}
    timed = sum((stop - start for video in videos if video.abnormal for start, stop in video.spans), Fraction(0))
    summary: Card = {
        "videos": len(videos),
        "sources": len({video.source for video in videos}),
        "hours": _hours(sum((video.duration_s for video in videos), Fraction(0))),
        "abnormal_hours": _hours(timed),
        "abnormal_without_times": sum(video.abnormal and not video.spans for video in videos),
        "duration_s": _range([video.duration_s for video in videos]),
    }
    with_pictures = [video for video in videos if video.pictures]
    if with_pictures:
        summary["fps"] = _range([video.fps for video in with_pictures])
        summary["shorter_side"] = _range([Fraction(min(video.width, video.height)) for video in with_pictures])
        summary["longer_side"] = _range([Fraction(max(video.width, video.height)) for video in with_pictures])
    return summary


def _range(values: Sequence[Fraction]) -> dict[str, float]:
    return {"least": round(float(min(values)), 3), "most": round(float(max(values)), 3)}


def _hours(seconds: Fraction) -> float:
    return round(float(seconds / 3600), 4)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
