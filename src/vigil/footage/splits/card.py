"""The dataset card: what there is of each class in each split, and what a reader of results must know of it."""

from collections import Counter, defaultdict
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
        "grouped_by": count_groupings(videos),
    }


def count_groupings(videos: Sequence[Video]) -> dict[str, int]:
    """Returns the number of sources by what made them, the most frequent first."""
    by_source = {video.source: video.grouped_by or "unknown" for video in videos}
    return dict(Counter(by_source.values()).most_common())


def collect_warnings(videos: Sequence[Video], val_share: float, test_share: float) -> list[str]:
    """Returns a sentence for everything that makes results on these splits worth less."""
    sentences = []
    if len(videos) < FEW_SEQUENCES:
        sentences.append(
            f"{len(videos)} videos in all: with fewer than {FEW_SEQUENCES}, expect overfitting and wide intervals"
        )
    labels = {video.label for video in videos}
    if len(labels) == 1:
        sentences.append(
            f"all videos are labelled '{labels.pop()}': no model can tell it from anything else. Add videos of another"
        )
    for split in ("val", "test"):
        sources = len({video.source for video in videos if video.split == split})
        if sources < FEW_SOURCES:
            sentences.append(
                f"{split} has {_count(sources, 'source')}: intervals over fewer than {FEW_SOURCES} mean little"
            )
    sentences += [*_warn_of_mixture(videos), *_warn_of_recordings(videos)]
    shares = {"train": 1 - val_share - test_share, "val": val_share, "test": test_share}
    sets: dict[str, list[Video]] = defaultdict(list)
    for video in videos:
        sets[video.set].append(video)
    for name in sorted(sets):
        sentences += _warn_of_set(name, sets[name], shares)
    return sentences


def _warn_of_mixture(videos: Sequence[Video]) -> list[str]:
    drawn, filmed = ({video.set for video in videos if video.drawn == is_drawn} for is_drawn in (True, False))
    if not drawn or not filmed:
        return []
    return [
        f"{', '.join(sorted(drawn))} is drawn and {', '.join(sorted(filmed))} is not: models learn from both and are "
        "judged on both, save where models.<name>.datasets names the sets of one kind"
    ]


def _warn_of_recordings(videos: Sequence[Video]) -> list[str]:
    sentences = []
    paused = sorted((video for video in videos if video.pauses), key=lambda video: video.watched_s - video.duration_s)
    if paused:
        watched_s, total_s = (sum(map(float, times)) for times in zip(*map(_times_of, paused), strict=True))
        sentences.append(
            f"{_count(len(paused), 'video')} with pauses in the recording ({paused[0].video}"
            f"{', ...' if len(paused) > 1 else ''}): {watched_s:.0f} of {total_s:.0f} s were recorded, and only those "
            "count. If nothing was paused, the clock of the file jumps: write it anew at a steady rate"
        )
    damaged = [video for video in videos if video.damage]
    if damaged:
        sentences.append(
            f"{_count(len(damaged), 'damaged video')}, of which the sound part is used (column `damage` says what is "
            f"lost): {damaged[0].video}: {damaged[0].damage}"
        )
    untimed = [video for video in damaged if video.abnormal and not video.spans]
    if untimed:
        sentences.append(
            f"{_count(len(untimed), 'damaged video')} of an abnormal label without times ({untimed[0].video}): what "
            "the label means may be in the part that is lost; say when it happens, or take them out"
        )
    return sentences


def _times_of(video: Video) -> tuple[Fraction, Fraction]:
    return video.watched_s, video.duration_s


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
    timed = sum((_recorded_s(video, *span) for video in videos if video.abnormal for span in video.spans), Fraction(0))
    recorded_s = sum((video.watched_s for video in videos), Fraction(0))
    summary: Card = {
        "videos": len(videos),
        "sources": len({video.source for video in videos}),
        "hours": _hours(recorded_s),
        "paused_hours": _hours(sum((video.duration_s for video in videos), -recorded_s)),
        "with_pauses": sum(bool(video.pauses) for video in videos),
        "damaged": sum(bool(video.damage) for video in videos),
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


def _recorded_s(video: Video, start: Fraction, stop: Fraction) -> Fraction:
    """Returns how much of a span was recorded, without the pauses in it."""
    overlaps = (min(stop, end) - max(start, begin) for begin, end in video.pauses)
    return stop - start - sum((max(overlap, Fraction(0)) for overlap in overlaps), Fraction(0))


def _range(values: Sequence[Fraction]) -> dict[str, float]:
    return {"least": round(float(min(values)), 3), "most": round(float(max(values)), 3)}


def _hours(seconds: Fraction) -> float:
    return round(float(seconds / 3600), 4)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
