"""`vigil benchmark fights`: what the detectors of preset `fights` reach on one folder of clips, and on another.

On the first folder every clip is judged by detectors that have seen nothing of its source: five folds by source, anew
for each seed. What is settled by examples is settled on an inner fold, and the rest by rule: joining.py says which. For
the second folder they learn from all of the first but an inner fold, and are frozen on disk with their digests; only
then is it opened, and it is scored once.

<work>/clips/                   the clips of the first folder with their features
<work>/said/<digest>.npz        the answers of one member to the clips of one fold, by all that they depend on
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
from vigil.benchmark.fights.features import make_features, read_dataset, report_rejects
from vigil.benchmark.fights.frozen import freeze_and_score
from vigil.benchmark.fights.joining import Opinion, join
from vigil.benchmark.fights.published import NUMBERS, describe_published
from vigil.benchmark.fights.setup import Setup, fold_by_source, hold_out, redirect_prints
from vigil.benchmark.fights.verdicts import describe_table, summarise
from vigil.benchmark.outcome import Record
from vigil.benchmark.result_cache import Arrays
from vigil.benchmark.sources import require_sources
from vigil.core.storage import load_arrays, save_arrays
from vigil.footage.video_table import Video


@dataclass(frozen=True, eq=False)
class Split:
    """The clips of one fold of one seed: who is learnt from, who chooses, and who is judged."""

    seed: int
    fold: int
    train: list[Video]
    val: list[Video]
    judged: list[Video]


def run(data: Path, test: Path | None, setup: Setup) -> Record:
    """Returns the record of the folds of `data`, and of the score on `test` where there is such a folder."""
    dataset = read_dataset(setup.params, data)
    if test is not None:
        read_dataset(setup.params, test)
    setup.say(f"fights: features of the clips in {data}")
    with redirect_prints(setup.work / "features.log"):
        clips = make_features(setup.features, {"data": dataset}, setup.params, setup.runtime)
    report_rejects(setup.features, "data", setup)
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
    """Makes splits in which every clip is judged once; a fold of the others chooses."""
    return [
        Split(seed, number, *hold_out(outside, seed), judged)
        for number, (outside, judged) in enumerate(fold_by_source(clips, seed))
    ]


def describe(record: Record) -> str:
    """Renders both tables as text."""
    lines = describe_table(f"{record['data']}, judged by folds of sources", record["folds"])
    if "test" in record:
        lines += ["", *describe_table(f"{record['test']['data']}, by detectors that never saw it", record["test"])]
    return "\n".join([*lines, "", *describe_published()])


def _judge_splits(splits: Sequence[Split], setup: Setup) -> list[dict[str, Opinion]]:
    """Returns opinions of the clips of each split; several are worked on at once, and nothing is done twice."""
    paths = [
        {name: setup.answer_path(name, split.seed, split.train, split.val, split.judged) for name in setup.members}
        for split in splits
    ]
    unfinished = [
        number for number, of_split in enumerate(paths) if not all(path.exists() for path in of_split.values())
    ]
    began = time.monotonic()
    with setup.make_process_pool() as pool:
        tasks = {
            pool.submit(_judge_split, splits[number], setup.work, paths[number], setup.params): splits[number]
            for number in unfinished
        }
        for done, task in enumerate(as_completed(tasks), 1):
            task.result()
            left = len(unfinished) - done
            minutes = (time.monotonic() - began) / done * left / 60
            setup.say(
                f"fights: seed {tasks[task].seed}, fold {tasks[task].fold + 1} is judged; {left} of {len(splits)} "
                f"folds left, about {minutes:.0f} min"
            )
    return [_join_members(split, of_split) for split, of_split in zip(splits, paths, strict=True)]


def _judge_split(split: Split, work: Path, paths: Mapping[str, Path], params: Mapping[str, Any]) -> None:
    """Writes the answers of members to clips that are judged and that choose; runs in a process of its own."""
    features, home = work / "clips", work / "learning" / f"seed-{split.seed}-fold-{split.fold + 1}"
    shutil.rmtree(home, ignore_errors=True)  # of a run that was killed; finished trainings lie in the store
    with redirect_prints(home.with_suffix(".log")):
        members.prepare(home, features, (split.train, split.val, split.judged), params)
        for name, path in paths.items():
            if not path.exists():
                members.learn(home, features, name, split.seed, params)
                inner = load_arrays(members.inner_path(home, name))
                judged = members.judge_clips(home, features, name, split.judged, params)
                sides = {"inner": inner, "judged": judged}
                save_arrays(path, **{f"{side}/{key}": x for side, answer in sides.items() for key, x in answer.items()})
    shutil.rmtree(home)


def _join_members(split: Split, paths: Mapping[str, Path]) -> dict[str, Opinion]:
    answers = {name: load_arrays(path) for name, path in paths.items()}
    inner, judged = (
        {name: _select_side(arrays, side) for name, arrays in answers.items()} for side in ("inner/", "judged/")
    )
    return join(inner, np.array([clip.abnormal for clip in split.val])).judge(judged)


def _select_side(arrays: Arrays, side: str) -> Arrays:
    return {key.removeprefix(side): values for key, values in arrays.items() if key.startswith(side)}


def _join_folds(
    clips: Sequence[Video], splits: Sequence[Split], opinions: Sequence[Mapping[str, Opinion]], seeds: Sequence[int]
) -> dict[str, list[Opinion]]:
    """Returns one opinion of all clips for each seed, of the detectors that have one in every fold."""
    row_of = {clip.video: row for row, clip in enumerate(clips)}
    names = [name for name in opinions[0] if all(name in of_split for of_split in opinions)]
    opinions_of_detector = {
        name: [Opinion(np.full(len(clips), np.nan), np.zeros(len(clips), bool)) for _ in seeds] for name in names
    }
    for split, of_split in zip(splits, opinions, strict=True):
        rows = [row_of[clip.video] for clip in split.judged]
        for name in names:
            joined = opinions_of_detector[name][seeds.index(split.seed)]
            joined.probability[rows], joined.verdict[rows] = of_split[name].probability, of_split[name].verdict
    return opinions_of_detector
