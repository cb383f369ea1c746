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
from vigil.engine.per_video import Item, Runtime, each
from vigil.engine.stage_runner import run_stage
from vigil.footage.splits import leaks, shortcuts
from vigil.footage.splits.assignment import assign
from vigil.footage.splits.card import contents, warnings
from vigil.footage.splits.fingerprint import fingerprint, unpack
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
    files = {one.video: raw_file(raw / one.set / PurePosixPath(one.path).name) for one in listed if one.pictures}
    plan = assign(
        listed,
        val_share=params.val_share,
        test_share=params.test_share,
        seed=params.seed,
        same_source=params.same_source,
        carve_val=params.carve_val,
    )
    prints, unhashed = _prints(plan.videos, files, runtime)
    found = leaks.audit(plan.videos, prints, params.allow_leaks)
    open_ = [leak for leak in found if not leak.allowed]
    measured = _measured(plan.videos, files, params.seed)
    said = [
        *(f"set {name} gives no val: part of its train became val (manifest.carve_val)" for name in plan.carved),
        *warnings(plan.videos, params.val_share, params.test_share),
        *(f"{where}: {line}" for where, numbers in measured.items() for line in _told(numbers)),
        *(f"{name} is not compared with other videos: {reason}" for name, reason in sorted(unhashed.items())),
        *(
            f"manifest.allow_leaks: {a} and {b} are not alike; take the pair out"
            for a, b in leaks.unused(found, params.allow_leaks)
        ),
    ]
    write_json(
        card,
        contents(plan.videos)
        | {
            "leaks": {
                "found": len(found),
                "allowed": len(found) - len(open_),
                "not_compared": len(unhashed),
                "pairs": [_pair(leak, count) for leak, count in leaks.worst(found)],
            },
            "rejects": len(read_table(rejects)),
            "shortcuts": measured,
            "warnings": said,
        },
    )
    for line in said:
        print(f"manifest: warning: {line}", file=sys.stderr)
    if open_:
        raise VigilError(leaks.explain(open_, card.as_posix()))
    by_split = {split: [one for one in plan.videos if one.split == split] for split in SPLITS}
    for split, path in zip(SPLITS, (train, val, test), strict=True):
        write(path, by_split[split])
    sizes = ", ".join(f"{split} {len(some)}" for split, some in by_split.items())
    sources = len({one.source for one in plan.videos})
    leaking = f"{len(found)} leaks, all allowed" if found else "no leaks"
    print(f"manifest: {len(plan.videos)} videos from {sources} sources: {sizes}; {leaking}")


def _prints(
    videos: Sequence[Video], files: Mapping[str, Path], runtime: Runtime
) -> tuple[dict[str, leaks.Prints], dict[str, str]]:
    """Hashes by video, and why a video has none."""
    shown = [one for one in videos if one.video in files]
    items = [
        Item(one.video, (one.sha256, str(one.fps), str(one.duration_s)), (files[one.video], one.fps, one.duration_s))
        for one in shown
    ]
    prints, missing = {}, {}
    for outcome in each("manifest", fingerprint, items, None, runtime):
        if outcome.reason or not outcome.value:
            missing[outcome.item.name] = outcome.reason or "no frame has enough texture"
        else:
            times = tuple(Fraction(time) for time, _ in outcome.value)
            prints[outcome.item.name] = leaks.Prints(times, np.stack([unpack(text) for _, text in outcome.value]))
    return prints, missing


def _measured(
    videos: Sequence[Video], files: Mapping[str, Path], seed: int
) -> dict[str, dict[str, shortcuts.Numbers] | str]:
    """Shortcuts of each set, and of all sets together where there are several."""
    sizes = {name: file.stat().st_size for name, file in files.items() if file.is_file()}
    sets = sorted({one.set for one in videos})
    groups = {name: [one for one in videos if one.set == name] for name in sets}
    return {
        name: shortcuts.measure(some, sizes, seed)
        for name, some in (groups | ({"all sets": list(videos)} if len(sets) > 1 else {})).items()
    }


def _told(numbers: Mapping[str, shortcuts.Numbers] | str) -> list[str]:
    return [f"shortcuts {numbers}"] if isinstance(numbers, str) else shortcuts.telling(numbers)


def _pair(leak: leaks.Leak, count: int) -> dict[str, Any]:
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
