"""Models of a benchmark that are frozen on disk before the data are opened that they are judged by.

<work>/frozen/<digest>/<classes>/<seed>/<network>/   a checkpoint; trees.npz beside them
<work>/frozen/<digest>/frozen.json                   sha256 of all these, and what was chosen on the inner fold
<work>/frozen/<digest>/scores-<sha256 of the table>.json    the one score on another table
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.kept import KeptResults
from vigil.benchmark.landmarks import trivial
from vigil.benchmark.landmarks.decisions import choose_offset, clip_logits, decide
from vigil.benchmark.landmarks.folds import hold_out, number_folds
from vigil.benchmark.landmarks.judging import Setup, judge, summarise_verdicts
from vigil.benchmark.landmarks.members import ENSEMBLE, TREES, ensemble_logits
from vigil.benchmark.landmarks.table import LandmarkTable, describe_clips
from vigil.benchmark.outcome import Record
from vigil.benchmark.sealing import SEAL, digest_files, score_once, seal
from vigil.clips.labels import Classes
from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file
from vigil.evaluation.flow_trees import load_forest, save_forest
from vigil.models.checkpoint import Card, load_checkpoint, save_checkpoint


def freeze(table: LandmarkTable, class_sets: Mapping[str, Classes], setup: Setup, kept: KeptResults) -> Path:
    """Trains every member with every seed on all of the table but the inner fold, and returns the folder."""
    folder = kept.path("frozen", "")
    offsets: dict[str, dict[str, float]] = {}
    for title, classes in class_sets.items():
        part = table.select(classes)
        truth, folds = part.truth(classes), number_folds(part.clips)
        for number, seed in enumerate(setup.seeds):
            fold = hold_out(part.clips, folds, None, number % (int(folds.max()) + 1))
            home, logits = folder / title / str(seed), {}
            inner = fold.val[part.owner]
            for name in setup.members:
                place = home / f"{name}.npz" if name == TREES else home / name
                if not _is_done(place):
                    fitted = setup.fit(name, part, truth, fold, len(classes), seed, home / f"{name}.pt")
                    _save(place, name, fitted, classes, setup, seed)
                    setup.say(f"landmarks: {title}, seed {seed}: {name} is trained on all of the first table")
                logits[name] = judge(_load(place), part.x[inner], len(classes))
            logits[ENSEMBLE] = ensemble_logits([logits[name] for name in setup.members])
            offsets[f"{title}/{seed}"] = {
                name: choose_offset(clip_logits(values, part.owner[inner], classes), truth[fold.val], classes)
                for name, values in logits.items()
            }
    files = (path for path in folder.rglob("*") if path.suffix in (".safetensors", ".npz"))
    seal(folder, {"sha256": digest_files(folder, files), "offsets": offsets})
    return folder


def freeze_and_score(
    learnt: LandmarkTable, test: Path, class_sets: Mapping[str, Classes], setup: Setup, kept: KeptResults
) -> Record:
    """What the frozen models say of the table `test`, which is opened after they are frozen, and scored once."""
    folder = freeze(learnt, class_sets, setup, kept)
    path = folder / f"scores-{sha256_file(test)[:16]}.json"
    return score_once(
        path, f"landmarks: {test}", setup.say, lambda: _score_table(learnt, test, class_sets, folder, setup)
    )


def _score_table(
    learnt: LandmarkTable, test: Path, class_sets: Mapping[str, Classes], folder: Path, setup: Setup
) -> Record:
    """What the models in `folder` say of the table `test`, by set of classes."""
    frozen, table = read_json(folder / SEAL), setup.read(test)
    _refuse_shared(learnt, table, test)
    tables, skipped = {}, []
    for title, classes in class_sets.items():
        known = {clip.label for clip in table.clips}
        if missing := [name for name, labels in classes.items() if not known & set(labels)]:
            skipped.append(f"{title}: no clip of {', '.join(missing)} in {test.name}")
            continue
        part, first = table.select(classes), learnt.select(classes)
        tables[title] = _score(part, first, classes, folder / title, frozen["offsets"], title, setup)
    if not tables:
        raise VigilError(f"{test}: nothing to score: {'; '.join(skipped)}.")
    return {
        "file": test.name,
        "sha256": sha256_file(test),
        "frozen_sha256": sha256_file(folder / SEAL),
        "labels": describe_clips(table),
        "warnings": table.warnings + skipped,
        "tables": tables,
    }


def _score(
    table: LandmarkTable,
    learnt: LandmarkTable,
    classes: Classes,
    folder: Path,
    offsets: Mapping[str, Mapping[str, float]],
    title: str,
    setup: Setup,
) -> Record:
    """The record of one set of classes."""
    names = [*setup.members, ENSEMBLE]
    clips = {name: np.zeros((len(setup.seeds), len(table.clips)), int) for name in names}
    segments = {name: np.zeros((len(setup.seeds), len(table.owner)), int) for name in names}
    simple: dict[str, list[np.ndarray]] = {}
    for number, seed in enumerate(setup.seeds):
        logits = {}
        for name in setup.members:
            place = folder / str(seed) / (f"{name}.npz" if name == TREES else name)
            logits[name] = judge(_load(place), table.x, len(classes))
        logits[ENSEMBLE] = ensemble_logits([logits[name] for name in setup.members])
        for name, values in logits.items():
            offset = offsets[f"{title}/{seed}"][name]
            clips[name][number] = decide(clip_logits(values, table.owner, classes), offset, classes)
            segments[name][number] = values.argmax(axis=1)
        both, truth = [*learnt.clips, *table.clips], np.append(learnt.truth(classes), table.truth(classes))
        is_new = np.arange(len(both)) >= len(learnt.clips)
        places = np.concatenate([learnt.places, table.places])
        for name, predicted in trivial.predict(both, places, truth, ~is_new, is_new, seed).items():
            simple.setdefault(name, []).append(predicted)
    return summarise_verdicts(table, classes, clips, segments, {name: np.array(rows) for name, rows in simple.items()})


def _refuse_shared(learnt: LandmarkTable, table: LandmarkTable, test: Path) -> None:
    shared = len(set(table.digests) & set(learnt.digests))
    if shared:
        raise VigilError(
            f"{test}: {shared} of its {len(table.clips)} clips are in the table that was learnt from: a test on those "
            "says nothing. Take them out of one of the two."
        )


def _save(place: Path, name: str, fitted: Any, classes: Classes, setup: Setup, seed: int) -> None:
    if name == TREES:
        save_forest(place, fitted)
        return
    features = {"segments": setup.cut.model_dump(mode="json")}
    card = Card(name, fitted.config, classes, fitted.clip, "segments", features, "", seed, [], [])
    save_checkpoint(place, card, [fitted.state_dict()])


def _is_done(place: Path) -> bool:
    return place.is_file() or (place / "config.json").exists()


def _load(place: Path) -> Any:
    return load_forest(place) if place.suffix == ".npz" else load_checkpoint(place).model
