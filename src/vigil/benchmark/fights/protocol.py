"""`vigil benchmark fights`: what the detectors of preset `fights` reach on one folder of clips, and on another.

On the first folder every clip is judged by detectors that have seen nothing of its source: five folds by source, anew
for each seed. What is settled by examples is settled on an inner fold, and the rest by rule: joining.py says which. For
the second folder they learn from all of the first but an inner fold, and are frozen on disk with their digests; only
then is it opened, and it is scored once.

<work>/clips/                   the clips of the first folder with their features
<work>/said/<digest>.npz        what one member says of the clips of one fold, by all that it depends on
<work>/frozen/<digest>/<seed>/  what is learnt from all of the first folder; frozen.json: sha256 of all of it
<work>/frozen/<digest>/scores-<digest>.json     the one score on another folder
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.fights import members
from vigil.benchmark.fights.features import make_features, read_dataset, say_left_out
from vigil.benchmark.fights.frozen import freeze_and_score
from vigil.benchmark.fights.joining import Opinion, join
from vigil.benchmark.fights.published import NUMBERS, describe_published
from vigil.benchmark.fights.setup import Setup, fold_by_source, hold_out, printing_to
from vigil.benchmark.fights.verdicts import describe_table, summarise
from vigil.benchmark.kept import Arrays
from vigil.benchmark.outcome import Record
from vigil.benchmark.sources import require_sources
from vigil.core.storage import load_arrays, save_arrays
from vigil.footage.video_table import Video


@dataclass(frozen=True, eq=False)
class Split:
    """One fold of one seed."""

    seed: int
    fold: int
    train: list[Video]
    val: list[Video]
    judged: list[Video]


def run(data: Path, test: Path | None, setup: Setup) -> Record:
    """The record of the folds of `data`, and of the score on `test` where there is such a folder."""
    dataset = read_dataset(setup.params, data)
    if test is not None:
        read_dataset(setup.params, test)
    setup.say(f"fights: features of the clips in {data}")
    with printing_to(setup.work / "features.log"):
        clips = make_features(setup.features, {"data": dataset}, setup.params, setup.runtime)
    say_left_out(setup.features, "data", setup)
    counts = {label: len({clip.source for clip in clips if clip.label == label}) for label in ("fight", "normal")}
    require_sources(counts, f"{data}: ", "Bring more, or name the sources in clips.csv.")
    splits = [split for seed in setup.seeds for split in make_splits(clips, seed)]
    opinions = _judge_splits(splits, setup)
    record: Record = {
        "kind": "fights",
        "data": data.name,
        "seeds": list(setup.seeds),
        "published": list(NUMBERS),
        "folds": summarise(clips, _join_folds(clips, splits, opinions, setup.seeds)),
    }
    if test is not None:
        record["test"] = freeze_and_score(clips, data, test, setup)
    return record


def make_splits(clips: Sequence[Video], seed: int) -> list[Split]:
    """Every clip is judged in one of them; a fold of the others chooses."""
    return [
        Split(seed, number, *hold_out(others, seed), judged)
        for number, (others, judged) in enumerate(fold_by_source(clips, seed))
    ]


def describe(record: Record) -> str:
    """Both tables, for a person."""
    lines = describe_table(f"{record['data']}, judged by folds of sources", record["folds"])
    if "test" in record:
        lines += ["", *describe_table(f"{record['test']['data']}, by detectors that never saw it", record["test"])]
    return "\n".join([*lines, "", *describe_published()])


def _judge_splits(splits: Sequence[Split], setup: Setup) -> list[dict[str, Opinion]]:
    """What is said of the clips of each split; several are worked on at once, and nothing is done twice."""
    paths = [
        {name: setup.said(name, split.seed, split.train, split.val, split.judged) for name in setup.members}
        for split in splits
    ]
    waiting = [number for number, of_split in enumerate(paths) if not all(path.exists() for path in of_split.values())]
    began = time.monotonic()
    with setup.processes_to_learn() as pool:
        tasks = {
            pool.submit(_judge_split, splits[number], setup.work, paths[number], setup.params): splits[number]
            for number in waiting
        }
        for done, task in enumerate(as_completed(tasks), 1):
            task.result()
            left = len(waiting) - done
            minutes = (time.monotonic() - began) / done * left / 60
            setup.say(
                f"fights: seed {tasks[task].seed}, fold {tasks[task].fold + 1} is judged; {left} of {len(splits)} "
                f"folds left, about {minutes:.0f} min"
            )
    return [_join_members(split, of_split) for split, of_split in zip(splits, paths, strict=True)]


def _judge_split(split: Split, work: Path, paths: Mapping[str, Path], params: Mapping[str, Any]) -> None:
    """Runs in a process of its own: writes what members say of the clips that are judged and of those that choose."""
    features, home = work / "clips", work / "learning" / f"seed-{split.seed}-fold-{split.fold + 1}"
    shutil.rmtree(home, ignore_errors=True)  # of a run that was killed; finished trainings lie in the store
    with printing_to(home.with_suffix(".log")):
        members.prepare(home, features, (split.train, split.val, split.judged), params)
        for name, path in paths.items():
            if not path.exists():
                members.learn(home, features, name, split.seed, params)
                inner = load_arrays(members.inner_path(home, name))
                judged = members.ask(home, features, name, split.judged, params)
                sides = {"inner": inner, "judged": judged}
                save_arrays(path, **{f"{side}/{key}": x for side, said in sides.items() for key, x in said.items()})
    shutil.rmtree(home)


def _join_members(split: Split, paths: Mapping[str, Path]) -> dict[str, Opinion]:
    said = {name: load_arrays(path) for name, path in paths.items()}
    inner, judged = ({name: _take(arrays, side) for name, arrays in said.items()} for side in ("inner/", "judged/"))
    return join(inner, np.array([clip.abnormal for clip in split.val])).judge(judged)


def _take(arrays: Arrays, side: str) -> Arrays:
    return {key.removeprefix(side): values for key, values in arrays.items() if key.startswith(side)}


def _join_folds(
    clips: Sequence[Video], splits: Sequence[Split], opinions: Sequence[Mapping[str, Opinion]], seeds: Sequence[int]
) -> dict[str, list[Opinion]]:
    """One opinion of all clips for each seed, of the detectors that have one in every fold."""
    row_of = {clip.video: row for row, clip in enumerate(clips)}
    names = [name for name in opinions[0] if all(name in said for said in opinions)]
    whole = {name: [Opinion(np.full(len(clips), np.nan), np.zeros(len(clips), bool)) for _ in seeds] for name in names}
    for split, said in zip(splits, opinions, strict=True):
        rows = [row_of[clip.video] for clip in split.judged]
        for name in names:
            joined = whole[name][seeds.index(split.seed)]
            joined.probability[rows], joined.verdict[rows] = said[name].probability, said[name].verdict
    return whole
