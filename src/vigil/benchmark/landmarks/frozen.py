"""Models of a benchmark that are frozen on disk before the data are opened that they are judged by.

<work>/frozen/<digest>/<classes>/<seed>/<network>/   a checkpoint; trees.npz beside them
<work>/frozen/<digest>/frozen.json                   sha256 of all these, and what was chosen on the inner fold
<work>/frozen/<digest>/scores-<sha256 of the table>.json    the one score on another table
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.landmarks import trivial
from vigil.benchmark.landmarks.decisions import choose_offset, clip_logits, decide
from vigil.benchmark.landmarks.folds import hold_out, number_folds
from vigil.benchmark.landmarks.judging import Setup, judge, summarise_verdicts
from vigil.benchmark.landmarks.members import ENSEMBLE, TREES, ensemble_logits
from vigil.benchmark.landmarks.table import LandmarkTable, describe_clips
from vigil.benchmark.outcome import Record
from vigil.benchmark.result_cache import ResultCache
from vigil.benchmark.sealing import SEAL, digest_files, score_once, seal
from vigil.clips.labels import Classes
from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file
from vigil.evaluation.flow_trees import load_forest, save_forest
from vigil.models.checkpoint import Card, load_checkpoint, save_checkpoint


def freeze(table: LandmarkTable, class_sets: Mapping[str, Classes], setup: Setup, cache: ResultCache) -> Path:
    """Trains every member with every seed on all of the table but the inner fold, and returns the folder."""
    folder = cache.path("frozen", "")
    offsets: dict[str, dict[str, float]] = {}
    for title, classes in class_sets.items():
        subset = table.select(classes)
        truth, folds = subset.truth(classes), number_folds(subset.clips)
        for number, seed in enumerate(setup.seeds):
            fold = hold_out(subset.clips, folds, None, number % (int(folds.max()) + 1))
            seed_folder, logits = folder / title / str(seed), {}
            inner = fold.val[subset.owner]
            for name in setup.members:
                path = seed_folder / f"{name}.npz" if name == TREES else seed_folder / name
                if not _is_trained(path):
                    fitted = setup.fit(name, subset, truth, fold, len(classes), seed, seed_folder / f"{name}.pt")
                    _save_member(path, name, fitted, classes, setup, seed)
                    setup.say(f"landmarks: {title}, seed {seed}: {name} is trained on all of the first table")
                logits[name] = judge(_load_member(path), subset.x[inner], len(classes))
            logits[ENSEMBLE] = ensemble_logits([logits[name] for name in setup.members])
            offsets[f"{title}/{seed}"] = {
                name: choose_offset(clip_logits(values, subset.owner[inner], classes), truth[fold.val], classes)
                for name, values in logits.items()
            }
    files = (file for file in folder.rglob("*") if file.suffix in (".safetensors", ".npz"))
    seal(folder, {"sha256": digest_files(folder, files), "offsets": offsets})
    return folder


def freeze_and_score(
    training_table: LandmarkTable, test: Path, class_sets: Mapping[str, Classes], setup: Setup, cache: ResultCache
) -> Record:
    """Scores the frozen models on the table `test`, once, which is opened after they are frozen."""
    folder = freeze(training_table, class_sets, setup, cache)
    path = folder / f"scores-{sha256_file(test)[:16]}.json"
    return score_once(
        path, f"landmarks: {test}", setup.say, lambda: _score_table(training_table, test, class_sets, folder, setup)
    )


def _score_table(
    training_table: LandmarkTable, test: Path, class_sets: Mapping[str, Classes], folder: Path, setup: Setup
) -> Record:
    """Scores the models in `folder` on the table `test`, by set of classes."""
    frozen, table = read_json(folder / SEAL), setup.read(test)
    _refuse_shared_clips(training_table, table, test)
    tables, skipped = {}, []
    for title, classes in class_sets.items():
        table_labels = {clip.label for clip in table.clips}
        if missing := [name for name, labels in classes.items() if not table_labels & set(labels)]:
            skipped.append(f"{title}: no clip of {', '.join(missing)} in {test.name}")
            continue
        judged, learnt_from = table.select(classes), training_table.select(classes)
        tables[title] = _score_classes(judged, learnt_from, classes, folder / title, frozen["offsets"], title, setup)
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


def _score_classes(
    table: LandmarkTable,
    training_table: LandmarkTable,
    classes: Classes,
    folder: Path,
    offsets: Mapping[str, Mapping[str, float]],
    title: str,
    setup: Setup,
) -> Record:
    """Makes the record of one set of classes."""
    names = [*setup.members, ENSEMBLE]
    clips = {name: np.zeros((len(setup.seeds), len(table.clips)), int) for name in names}
    segments = {name: np.zeros((len(setup.seeds), len(table.owner)), int) for name in names}
    baselines: dict[str, list[np.ndarray]] = {}
    for number, seed in enumerate(setup.seeds):
        logits = {}
        for name in setup.members:
            path = folder / str(seed) / (f"{name}.npz" if name == TREES else name)
            logits[name] = judge(_load_member(path), table.x, len(classes))
        logits[ENSEMBLE] = ensemble_logits([logits[name] for name in setup.members])
        for name, values in logits.items():
            offset = offsets[f"{title}/{seed}"][name]
            clips[name][number] = decide(clip_logits(values, table.owner, classes), offset, classes)
            segments[name][number] = values.argmax(axis=1)
        clips_of_both = [*training_table.clips, *table.clips]
        truth = np.append(training_table.truth(classes), table.truth(classes))
        is_new = np.arange(len(clips_of_both)) >= len(training_table.clips)
        positions = np.concatenate([training_table.positions, table.positions])
        for name, predicted in trivial.predict(clips_of_both, positions, truth, ~is_new, is_new, seed).items():
            baselines.setdefault(name, []).append(predicted)
    trivial_classes = {name: np.array(rows) for name, rows in baselines.items()}
    return summarise_verdicts(table, classes, clips, segments, trivial_classes)


def _refuse_shared_clips(training_table: LandmarkTable, table: LandmarkTable, test: Path) -> None:
    shared = len(set(table.digests) & set(training_table.digests))
    if shared:
        raise VigilError(
            f"{test}: {shared} of its {len(table.clips)} clips are in the table that was learnt from: a test on those "
            "says nothing. Take them out of one of the two."
        )


def _save_member(path: Path, name: str, fitted: Any, classes: Classes, setup: Setup, seed: int) -> None:
    if name == TREES:
        save_forest(path, fitted)
        return
    features = {"segments": setup.segment_settings.model_dump(mode="json")}
    card = Card(name, fitted.config, classes, fitted.clip, "segments", features, "", seed, [], [])
    save_checkpoint(path, card, [fitted.state_dict()])


def _is_trained(path: Path) -> bool:
    return path.is_file() or (path / "config.json").exists()


def _load_member(path: Path) -> Any:
    return load_forest(path) if path.suffix == ".npz" else load_checkpoint(path).model
