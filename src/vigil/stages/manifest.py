"""DVC stage `manifest`: which video is in which split, whether a split leaks into another, and what the data is.

Reads   <videos>                 table of videos
        <rejects>                table of what could not be used
        <raw>/<set>/             the videos, or pointers to them: their frames are compared
Writes  <train>, <val>, <test>   the same table, by split, sorted by video; every row has its split
        <card>                   counts, ranges, leaks, shortcuts, warnings

A leak that params.yaml does not allow stops the stage; the card is written all the same.
"""

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import raw_file, read_table, write_json
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.footage.splits import leaks, shortcuts
from vigil.footage.splits.assignment import assign
from vigil.footage.splits.card import collect_warnings, count_groupings, summarise_contents
from vigil.footage.splits.fingerprint import fingerprint_video, unpack_hash
from vigil.footage.video_table import SPLITS, Video, read, write


class Params(Frozen):
    val_share: Annotated[float, Field(ge=0, lt=1)]  # of what has no split of its own
    test_share: Annotated[float, Field(ge=0, lt=1)]
    seed: int  # which sources go where
    carve_val: bool  # a set that gives train and test and no val has val taken out of its train
    allow_leaks: tuple[tuple[str, str], ...]  # pairs of videos or sources that may be alike across splits
    same_source: tuple[tuple[str, ...], ...]  # groups of sources (or videos) that are one recording

    @field_validator("test_share")
    @classmethod
    def _leaves_something_to_train(cls, share: float, info: ValidationInfo) -> float:
        if share + info.data.get("val_share", 0) >= 1:
            raise ValueError(f"with val_share = {info.data['val_share']} nothing is left to train")
        return share


def main(
    *,
    videos: Path,
    rejects: Path,
    raw: Path,
    train: Path,
    val: Path,
    test: Path,
    card: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    listed = read(videos)
    files = {
        video.video: raw_file(raw / video.set / PurePosixPath(video.path).name) for video in listed if video.pictures
    }
    plan = assign(
        listed,
        val_share=params.val_share,
        test_share=params.test_share,
        seed=params.seed,
        same_source=params.same_source,
        carve_val=params.carve_val,
    )
    prints, unhashed = _hash_frames(plan.videos, files, runtime)
    all_leaks = leaks.find_leaks(plan.videos, prints, params.allow_leaks)
    forbidden = [leak for leak in all_leaks if not leak.allowed]
    shortcuts_of_set = _measure_sets(plan.videos, files, params.seed)
    unused = leaks.unused_allowances(all_leaks, params.allow_leaks)
    warnings = [
        *(f"set {name} gives no val: part of its train became val (manifest.carve_val)" for name in plan.carved),
        *collect_warnings(plan.videos, params.val_share, params.test_share),
        *(f"{where}: {line}" for where, numbers in shortcuts_of_set.items() for line in _describe_set(numbers)),
        *_describe_unhashed(unhashed),
        *(f"manifest.allow_leaks: {a} and {b} are not alike; take the pair out" for a, b in unused),
    ]
    write_json(
        card,
        summarise_contents(plan.videos)
        | {
            "leaks": _describe_leaks(all_leaks) | {"not_compared": len(unhashed)},
            "rejects": len(read_table(rejects)),
            "shortcuts": shortcuts_of_set,
            "warnings": warnings,
        },
    )
    for line in warnings:
        print(f"manifest: warning: {line}", file=sys.stderr)
    if forbidden:
        raise VigilError(leaks.explain_leaks(forbidden, card.as_posix()))
    for split, path in zip(SPLITS, (train, val, test), strict=True):
        write(path, [video for video in plan.videos if video.split == split])
    leaking = f"{len(all_leaks)} leaks, all allowed" if all_leaks else "no leaks"
    print(f"manifest: {_describe_plan(plan.videos)}; {leaking}")


def _hash_frames(
    videos: Sequence[Video], files: Mapping[str, Path], runtime: Runtime
) -> tuple[dict[str, leaks.Prints], dict[str, str]]:
    """Returns hashes by video, and why a video has none."""
    comparable = [video for video in videos if video.video in files]
    items = [
        Item(
            video.video,
            (video.sha256, str(video.fps), str(video.watched_s)),
            (files[video.video], video.fps, video.watched_s),
        )
        for video in comparable
    ]
    prints, missing = {}, {}
    for outcome in run_per_video("manifest", fingerprint_video, items, None, runtime):
        if outcome.reason or not outcome.value:
            missing[outcome.item.name] = outcome.reason or "no frame has enough texture"
        else:
            times = tuple(Fraction(time) for time, _ in outcome.value)
            prints[outcome.item.name] = leaks.Prints(times, np.stack([unpack_hash(text) for _, text in outcome.value]))
    return prints, missing


def _measure_sets(
    videos: Sequence[Video], files: Mapping[str, Path], seed: int
) -> dict[str, dict[str, shortcuts.Numbers] | str]:
    """Measures the shortcuts of each set, and of all sets together where there are several."""
    sizes = {name: file.stat().st_size for name, file in files.items() if file.is_file()}
    sets = sorted({video.set for video in videos})
    groups = {name: [video for video in videos if video.set == name] for name in sets}
    return {
        name: shortcuts.measure_shortcuts(members, sizes, seed)
        for name, members in (groups | ({"all sets": list(videos)} if len(sets) > 1 else {})).items()
    }


def _describe_set(numbers: Mapping[str, shortcuts.Numbers] | str) -> list[str]:
    return [f"shortcuts {numbers}"] if isinstance(numbers, str) else shortcuts.describe_shortcuts(numbers)


def _describe_unhashed(reasons: Mapping[str, str]) -> list[str]:
    """A line for each reason, with the first of the videos."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in sorted(reasons.items()):
        by_reason.setdefault(reason, []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more are' if len(names) > 1 else ' is'} not compared with other videos: "
        f"{reason}"
        for reason, names in by_reason.items()
    ]


def _describe_plan(videos: Sequence[Video]) -> str:
    sources = len({video.source for video in videos})
    groupings = ", ".join(f"{count} by {rule}" for rule, count in count_groupings(videos).items())
    sizes = ", ".join(f"{split} {sum(video.split == split for video in videos)}" for split in SPLITS)
    return f"{len(videos)} videos from {sources} sources ({groupings}): {sizes}"


def _describe_leaks(all_leaks: Sequence[leaks.Leak]) -> dict[str, Any]:
    return {
        "found": len(all_leaks),
        "allowed": sum(leak.allowed for leak in all_leaks),
        "pairs": [_leak_record(leak, count) for leak, count in leaks.worst_per_source_pair(all_leaks)],
    }


def _leak_record(leak: leaks.Leak, count: int) -> dict[str, Any]:
    return {
        "a": leak.a.video,
        "b": leak.b.video,
        "splits": f"{leak.a.split}, {leak.b.split}",
        "kind": leak.kind,
        "distance": leak.distance,
        "times": [round(float(time), 3) for time in leak.times] if leak.times else None,
        "pairs_of_these_sources": count,
        "allowed": leak.allowed,
    }


if __name__ == "__main__":
    run_stage("manifest", main)
