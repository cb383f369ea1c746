"""`vigil benchmark fights`: what the detectors of preset `fights` reach on one folder of clips, and on another.

On the first folder every clip is judged by detectors that have seen nothing of its source: five folds by source, anew
for each seed; the best epoch and every threshold by an inner fold. For the second folder they learn from all of the
first but an inner fold, and are frozen on disk with their digests; only then is it opened, and it is scored once.

<work>/clips/                   the clips of the first folder with their features
<work>/splits/<digest>.npz      what was said of the clips of one fold, by all that it depends on
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

from vigil.cli.clip_benchmark import split_run
from vigil.cli.clip_benchmark.features import make_features, read_dataset
from vigil.cli.clip_benchmark.frozen import score_once
from vigil.cli.clip_benchmark.published import NUMBERS, describe_published
from vigil.cli.clip_benchmark.setting import Setting, fold_by_source, hold_out, printing_to
from vigil.cli.clip_benchmark.split_run import Opinion
from vigil.cli.clip_benchmark.verdicts import Record, describe_table, summarise
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays
from vigil.footage.video_table import Video

LEAST = 3  # sources of a class: one to learn from, one to choose by, one to be judged
KEYS = ("probability", "verdict")


@dataclass(frozen=True, eq=False)
class Split:
    """One fold of one seed."""

    seed: int
    fold: int
    train: list[Video]
    val: list[Video]
    judged: list[Video]


def run(data: Path, test: Path | None, setting: Setting) -> Record:
    """The record of the folds of `data`, and of the score on `test` where there is such a folder."""
    dataset = read_dataset(setting.params, data)
    if test is not None:
        read_dataset(setting.params, test)
    setting.say(f"fights: features of the clips in {data}")
    with printing_to(setting.work / "features.log"):
        clips = make_features(setting.features, {"data": dataset}, setting.params, setting.runtime)
    _require_sources(clips, data)
    splits = [split for seed in setting.seeds for split in make_splits(clips, seed)]
    opinions = _judge_splits(clips, splits, setting)
    record: Record = {
        "kind": "fights",
        "data": data.name,
        "seeds": list(setting.seeds),
        "published": list(NUMBERS),
        "folds": summarise(clips, _join_folds(clips, splits, opinions, setting.seeds)),
    }
    if test is not None:
        record["test"] = score_once(clips, data, test, setting)
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


def _judge_splits(clips: Sequence[Video], splits: Sequence[Split], setting: Setting) -> list[dict[str, Opinion]]:
    """What is said of the clips of each split; several are worked on at once, and none that is done already."""
    paths = [setting.work / "splits" / f"{setting.digest(clips, split.seed, split.fold)}.npz" for split in splits]
    waiting = [number for number, path in enumerate(paths) if not path.exists()]
    began = time.monotonic()
    with setting.processes_to_learn() as pool:
        tasks = {
            pool.submit(_judge_split, splits[number], setting.features, paths[number], setting.params): splits[number]
            for number in waiting
        }
        for done, task in enumerate(as_completed(tasks), 1):
            task.result()
            left = len(waiting) - done
            minutes = (time.monotonic() - began) / done * left / 60
            setting.say(
                f"fights: seed {tasks[task].seed}, fold {tasks[task].fold + 1} is judged; {left} of {len(splits)} "
                f"folds left, about {minutes:.0f} min"
            )
    return [_read_opinions(path) for path in paths]


def _judge_split(split: Split, features: Path, path: Path, params: Mapping[str, Any]) -> None:
    """In a process of its own."""
    home = path.with_suffix("")
    with printing_to(path.with_suffix(".log")):
        split_run.learn(home, features, split.train, split.val, split.seed, params)
        opinions = split_run.judge(home, features, split.judged, params)
    save_arrays(path, **{f"{name}/{key}": getattr(said, key) for name, said in opinions.items() for key in KEYS})
    shutil.rmtree(home)


def _read_opinions(path: Path) -> dict[str, Opinion]:
    arrays = load_arrays(path)
    names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
    return {name: Opinion(*(arrays[f"{name}/{key}"] for key in KEYS)) for name in names}


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


def _require_sources(clips: Sequence[Video], data: Path) -> None:
    for label in ("fight", "normal"):
        sources = {clip.source for clip in clips if clip.label == label}
        if len(sources) < LEAST:
            raise VigilError(
                f"{data}: its clips of label '{label}' are of {len(sources)} sources; a benchmark needs {LEAST}: one "
                "to learn from, one to choose by and one to be judged. Bring more, or name the sources in clips.csv."
            )
