"""Detectors that have learnt from all clips of one folder, frozen on disk before those that they judge are opened."""

from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.fights import members
from vigil.benchmark.fights.features import make_features, read_dataset, report_rejects
from vigil.benchmark.fights.joining import JoinedDetector, Opinion, join
from vigil.benchmark.fights.setup import Setup, hold_out, redirect_prints
from vigil.benchmark.fights.verdicts import summarise
from vigil.benchmark.outcome import Record
from vigil.benchmark.result_cache import digest
from vigil.benchmark.sealing import SEAL, digest_files, score_once, seal
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json, sha256_file, write_json
from vigil.footage import sources
from vigil.footage.video_table import Video

JOINED = "joined.json"
BOTH_FOLDERS = "with-test"  # in the folder of work: both folders of clips with their features
SEALED = ("models", "calibration", "baselines", "inner", JOINED)


def freeze_and_score(clips: Sequence[Video], data: Path, test: Path, setup: Setup) -> Record:
    """Freezes detectors that have learnt from `clips`, those of `data`, and scores them on the folder `test`."""
    digests = [setup.digest(name, seed, clips) for name in setup.members for seed in setup.seeds]
    folder = setup.work / "frozen" / digest(digests)[:24]
    homes = {seed: folder / str(seed) for seed in setup.seeds}
    _learn_from_all(clips, homes, setup)
    _seal(folder)
    unseen = open_unseen(clips, data, test, setup)
    path = folder / f"scores-{digest([(clip.video, clip.sha256) for clip in unseen])[:16]}.json"

    def score() -> Record:
        judged_by = {"data": test.name, "frozen_sha256": sha256_file(folder / SEAL)}
        return judged_by | summarise(unseen, _judge_unseen(homes, clips, unseen, test, setup))

    return score_once(path, f"fights: {test}", setup.say, score)


def _judge_unseen(
    homes: Mapping[int, Path], clips: Sequence[Video], unseen: Sequence[Video], test: Path, setup: Setup
) -> dict[str, list[Opinion]]:
    """Returns the opinion of each frozen detector, one for each seed; a detector that a seed lacks is left out."""
    features = setup.work / BOTH_FOLDERS
    opinions: dict[str, list[Opinion]] = {}
    for seed, home in homes.items():
        with redirect_prints(home / "log.txt"):
            members.prepare(home, features, (*hold_out(clips, seed), unseen), setup.params)
            answers = {name: members.judge_clips(home, features, name, unseen, setup.params) for name in setup.members}
        for name, opinion in JoinedDetector.read(read_json(home / JOINED), str(home / JOINED)).judge(answers).items():
            opinions.setdefault(name, []).append(opinion)
        setup.say(f"fights: the detectors of seed {seed} have judged {test}")
    return {name: of_seeds for name, of_seeds in opinions.items() if len(of_seeds) == len(homes)}


def open_unseen(clips: Sequence[Video], data: Path, test: Path, setup: Setup) -> list[Video]:
    """Makes features of the clips of `test`, unless it shares clips or sources with `clips`, those of `data`."""
    datasets = {"data": read_dataset(setup.params, data), "test": read_dataset(setup.params, test)}
    features = setup.work / BOTH_FOLDERS
    _refuse_shared_clips(clips, datasets, features / "sources.csv", test)
    setup.say(f"fights: features of the clips in {test}")
    with redirect_prints(setup.work / "features.log"):
        clips_of_both = make_features(features, datasets, setup.params, setup.runtime)
    report_rejects(features, "test", setup)
    unseen = [clip for clip in clips_of_both if clip.set == "test"]
    _refuse_shared_sources(clips, unseen, test)
    return unseen


def _learn_from_all(clips: Sequence[Video], homes: Mapping[int, Path], setup: Setup) -> None:
    """Has every seed learn from all clips but those of an inner fold, another for each seed."""
    with setup.make_process_pool() as pool:
        tasks = {
            pool.submit(_learn, home, setup.features, hold_out(clips, seed), setup.members, seed, setup.params): seed
            for seed, home in homes.items()
            if not (home / JOINED).exists()
        }
        for done, task in enumerate(as_completed(tasks), 1):
            task.result()
            left = len(tasks) - done
            setup.say(f"fights: seed {tasks[task]} has learnt from all clips of the first folder, {left} seeds left")


def _learn(
    home: Path,
    features: Path,
    splits: tuple[Sequence[Video], Sequence[Video]],
    names: Sequence[str],
    seed: int,
    params: Mapping[str, Any],
) -> None:
    """Learns, and writes how the members are joined; runs in a process of its own."""
    with redirect_prints(home / "log.txt"):
        members.prepare(home, features, (*splits, []), params)
        for name in names:
            if not members.inner_path(home, name).exists():
                members.learn(home, features, name, seed, params)
    inner = {name: load_arrays(members.inner_path(home, name)) for name in names}
    joined = join(inner, np.array([clip.abnormal for clip in splits[1]]))
    write_json(home / JOINED, joined.model_dump(mode="json"))


def _seal(folder: Path) -> None:
    paths = (path for home in folder.iterdir() for name in SEALED for path in (home / name, *(home / name).rglob("*")))
    seal(folder, digest_files(folder, filter(Path.is_file, paths)))


def _refuse_shared_clips(
    clips: Sequence[Video], datasets: Mapping[str, Mapping[str, Any]], listing: Path, test: Path
) -> None:
    """Compares clips by content, before stage `download` leaves out what it has already."""
    sources.sync(datasets, listing)
    learnt_from = {clip.sha256 for clip in clips}
    if shared := sorted(
        file.path for file in sources.read_sources(listing).get("test", []) if file.sha256 in learnt_from
    ):
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
