"""Detectors that have learnt from all clips of one folder, frozen on disk before those that they judge are opened."""

from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import numpy as np

from vigil.cli.clip_benchmark import members
from vigil.cli.clip_benchmark.features import make_features, read_dataset, say_left_out
from vigil.cli.clip_benchmark.joining import Joined, Opinion, join
from vigil.cli.clip_benchmark.setting import Setting, hold_out, printing_to
from vigil.cli.clip_benchmark.verdicts import Record, summarise
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json, sha256_file, write_json
from vigil.evaluation.benchmark.kept import digest
from vigil.footage import sources
from vigil.footage.video_table import Video

SEAL, JOINED = "frozen.json", "joined.json"
WITH_TEST = "with-test"  # in the folder of work: both folders of clips with their features
SEALED = ("models", "calibration", "baselines", "inner", JOINED)


def score_once(clips: Sequence[Video], data: Path, test: Path, setting: Setting) -> Record:
    """What detectors that have learnt from `clips`, those of `data`, say of the folder `test`."""
    of_members = [setting.digest(name, seed, clips) for name in setting.members for seed in setting.seeds]
    folder = setting.work / "frozen" / digest(of_members)[:24]
    homes = {seed: folder / str(seed) for seed in setting.seeds}
    _learn_from_all(clips, homes, setting)
    _seal(folder)
    unseen = open_unseen(clips, data, test, setting)
    features = setting.work / WITH_TEST
    path = folder / f"scores-{digest([(clip.video, clip.sha256) for clip in unseen])[:16]}.json"
    if path.exists():
        setting.say(f"fights: {test} was scored before by these detectors: that score is shown")
        record: Record = read_json(path)
        return record
    opinions: dict[str, list[Opinion]] = {}
    for seed, home in homes.items():
        with printing_to(home / "log.txt"):
            members.prepare(home, features, (*hold_out(clips, seed), unseen), setting.params)
            said = {name: members.ask(home, features, name, unseen, setting.params) for name in setting.members}
        for name, opinion in Joined.read(read_json(home / JOINED), str(home / JOINED)).judge(said).items():
            opinions.setdefault(name, []).append(opinion)
        setting.say(f"fights: the detectors of seed {seed} have judged {test}")
    by_all_seeds = {name: of_seeds for name, of_seeds in opinions.items() if len(of_seeds) == len(homes)}
    record = {"data": test.name, "frozen_sha256": sha256_file(folder / SEAL)} | summarise(unseen, by_all_seeds)
    write_json(path, record)
    return record


def open_unseen(clips: Sequence[Video], data: Path, test: Path, setting: Setting) -> list[Video]:
    """The clips of `test` with their features, unless it shares clips or sources with `clips`, those of `data`."""
    datasets = {"data": read_dataset(setting.params, data), "test": read_dataset(setting.params, test)}
    features = setting.work / WITH_TEST
    _refuse_shared_clips(clips, datasets, features / "sources.csv", test)
    setting.say(f"fights: features of the clips in {test}")
    with printing_to(setting.work / "features.log"):
        both = make_features(features, datasets, setting.params, setting.runtime)
    say_left_out(features, "test", setting)
    unseen = [clip for clip in both if clip.set == "test"]
    _refuse_shared_sources(clips, unseen, test)
    return unseen


def _learn_from_all(clips: Sequence[Video], homes: Mapping[int, Path], setting: Setting) -> None:
    """All but an inner fold, another for each seed."""
    with setting.processes_to_learn() as pool:
        tasks = {
            pool.submit(
                _learn, home, setting.features, hold_out(clips, seed), setting.members, seed, setting.params
            ): seed
            for seed, home in homes.items()
            if not (home / JOINED).exists()
        }
        for done, task in enumerate(as_completed(tasks), 1):
            task.result()
            left = len(tasks) - done
            setting.say(f"fights: seed {tasks[task]} has learnt from all clips of the first folder, {left} seeds left")


def _learn(
    home: Path,
    features: Path,
    splits: tuple[Sequence[Video], Sequence[Video]],
    names: Sequence[str],
    seed: int,
    params: Mapping[str, Any],
) -> None:
    """In a process of its own."""
    with printing_to(home / "log.txt"):
        members.prepare(home, features, (*splits, []), params)
        for name in names:
            if not members.inner_path(home, name).exists():
                members.learn(home, features, name, seed, params)
    inner = {name: load_arrays(members.inner_path(home, name)) for name in names}
    joined = join(inner, np.array([clip.abnormal for clip in splits[1]]))
    write_json(home / JOINED, joined.model_dump(mode="json"))


def _seal(folder: Path) -> None:
    """Writes down what is frozen; VigilError where it has changed since it was."""
    files = sorted(
        path
        for home in folder.iterdir()
        for name in SEALED
        for path in (home / name, *(home / name).rglob("*"))
        if path.is_file()
    )
    seal = {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
    if (folder / SEAL).exists() and read_json(folder / SEAL) != seal:
        raise VigilError(f"{folder}: something has changed since it was frozen. Delete the folder to freeze anew.")
    write_json(folder / SEAL, seal)


def _refuse_shared_clips(
    clips: Sequence[Video], datasets: Mapping[str, Mapping[str, Any]], listing: Path, test: Path
) -> None:
    """By content, before stage `download` leaves out what it has already."""
    sources.sync(datasets, listing)
    known = {clip.sha256 for clip in clips}
    if shared := sorted(file.path for file in sources.read_sources(listing).get("test", []) if file.sha256 in known):
        raise VigilError(
            f"{test}: {len(shared)} of its clips are among those that were learnt from, such as {shared[0]}: a test on "
            "them says nothing. Take them out of one of the two folders."
        )


def _refuse_shared_sources(clips: Sequence[Video], unseen: Sequence[Video], test: Path) -> None:
    if not unseen:
        raise VigilError(f"{test}: not one clip in it can be used.")
    if shared := {clip.source for clip in unseen} & {clip.source for clip in clips}:
        raise VigilError(
            f"{test}: {len(shared)} of its sources are among those that were learnt from, such as {min(shared)}: a "
            "test on them says nothing. Take their clips out of one of the two folders."
        )
