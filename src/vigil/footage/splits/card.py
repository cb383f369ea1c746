"""The dataset card: what there is of each class in each split, and what a reader of results must know of it."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from vigil.footage.video_table import FEW_SOURCES, SPLITS, Video

FEW_SEQUENCES = 500  # videos; with fewer, a network learns the videos
Card = dict[str, Any]


def contents(videos: Sequence[Video]) -> Card:
    """Counts, hours and ranges: per split, and per class of each split. Every video has a split."""
    return {
        "splits": {split: _summary([one for one in videos if one.split == split]) for split in SPLITS},
        "classes": {
            label: {
                split: _summary([one for one in videos if one.split == split and one.label == label])
                for split in SPLITS
            }
            for label in sorted({one.label for one in videos})
        },
        "sets": {
            name: {split: sum(one.set == name and one.split == split for one in videos) for split in SPLITS}
            for name in sorted({one.set for one in videos})
        },
    }


def warnings(videos: Sequence[Video], val_share: float, test_share: float) -> list[str]:
    """A sentence for everything that makes results on these splits worth less."""
    found = []
    if len(videos) < FEW_SEQUENCES:
        found.append(
            f"{len(videos)} videos in all: with fewer than {FEW_SEQUENCES}, expect overfitting and wide intervals"
        )
    for split in ("val", "test"):
        sources = len({one.source for one in videos if one.split == split})
        if sources < FEW_SOURCES:
            found.append(
                f"{split} has {_count(sources, 'source')}: intervals over fewer than {FEW_SOURCES} mean little"
            )
    shares = {"train": 1 - val_share - test_share, "val": val_share, "test": test_share}
    sets: dict[str, list[Video]] = defaultdict(list)
    for one in videos:
        sets[one.set].append(one)
    for name in sorted(sets):
        found += _of_set(name, sets[name], shares)
    return found


def _of_set(name: str, videos: Sequence[Video], shares: dict[str, float]) -> list[str]:
    sources = len({one.source for one in videos})
    missing = [split for split in SPLITS if not any(one.split == split for one in videos)]
    if missing:
        few = f": its {_count(sources, 'source')} cannot make three splits" if sources < len(SPLITS) else ""
        lack = f"set {name} has no video in {' and '.join(missing)}{few}"
        return [f"{lack}. If it should, give splits by hand, or bring videos of more sources"]
    found = []
    for label in sorted({one.label for one in videos}):
        some = [one for one in videos if one.label == label]
        absent = [split for split in SPLITS if not any(one.split == split for one in some)]
        if absent:
            cause = _count(len({one.source for one in some}), "source")
            found.append(f"set {name}: no '{label}' in {' and '.join(absent)} ({cause})")
    for split in SPLITS:
        share = sum(one.split == split for one in videos) / len(videos)
        if share < shares[split] / 2 or share > shares[split] * 2:
            found.append(
                f"set {name}: {split} has {share:.0%} of the videos, {shares[split]:.0%} were asked for: sources are "
                "uneven, or splits are given. Another manifest.seed may do better"
            )
    return found


def _summary(videos: Sequence[Video]) -> Card:
    if not videos:
        return {"videos": 0}
    timed = sum((stop - start for one in videos if one.abnormal for start, stop in one.spans), Fraction(0))
    summary: Card = {
        "videos": len(videos),
        "sources": len({one.source for one in videos}),
        "hours": _hours(sum((one.duration_s for one in videos), Fraction(0))),
        "abnormal_hours": _hours(timed),
        "abnormal_without_times": sum(one.abnormal and not one.spans for one in videos),
        "duration_s": _range([one.duration_s for one in videos]),
    }
    shown = [one for one in videos if one.pictures]
    if shown:
        summary["fps"] = _range([one.fps for one in shown])
        summary["shorter_side"] = _range([Fraction(min(one.width, one.height)) for one in shown])
        summary["longer_side"] = _range([Fraction(max(one.width, one.height)) for one in shown])
    return summary


def _range(values: Sequence[Fraction]) -> dict[str, float]:
    return {"least": round(float(min(values)), 3), "most": round(float(max(values)), 3)}


def _hours(seconds: Fraction) -> float:
    return round(float(seconds / 3600), 4)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
