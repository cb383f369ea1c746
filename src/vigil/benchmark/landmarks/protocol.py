"""`vigil benchmark landmarks`: what pose models reach on one table of landmarks, and on another that they never saw.

Classes of deeds are told apart, and the same with normal life. On the first table every clip is judged by models that
have seen neither its source nor its neighbours: folds by source, the best epoch (and with normal life how normal a clip
has to look) by an inner fold, several seeds, all settings those of preset `landmarks`. For the second table models are
trained on all of the first and frozen on disk with their digests; only then is it opened, and it is scored once.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vigil.benchmark.landmarks import frozen, trivial
from vigil.benchmark.landmarks.decisions import choose_offset, clip_logits, decide
from vigil.benchmark.landmarks.folds import Fold, make_folds, number_folds
from vigil.benchmark.landmarks.judging import Predicted, Setup, judge, summarise_verdicts
from vigil.benchmark.landmarks.members import ENSEMBLE, ensemble_logits
from vigil.benchmark.landmarks.table import LandmarkTable, describe_clips
from vigil.benchmark.outcome import Record, describe_table
from vigil.benchmark.result_cache import Arrays, ResultCache
from vigil.clips.labels import Classes
from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file


def run(data: Path, test: Path | None, setup: Setup) -> Record:
    """Returns the record of the folds of `data`, and of the score on `test` where there is such a table."""
    table = setup.read(data)
    class_sets = {
        title: classes
        for title, classes in setup.class_sets().items()
        if _has_all_classes(table, classes, setup, title)
    }
    if not class_sets:
        labels = ", ".join(describe_clips(table))
        raise VigilError(f"{data}: its clips are of {labels}; expected the classes of preset `landmarks`.")
    cache = setup.open_cache(data)
    record: Record = {
        "kind": "landmarks",
        "seeds": list(setup.seeds),
        "data": {
            "file": data.name,
            "sha256": sha256_file(data),
            "labels": describe_clips(table),
            "warnings": table.warnings,
        },
        "folds": {
            title: cross_validate(table.select(classes), classes, setup, cache, title)
            for title, classes in class_sets.items()
        },
    }
    if test is not None:
        record["test"] = frozen.freeze_and_score(table, test, class_sets, setup, cache)
    return record


def cross_validate(table: LandmarkTable, classes: Classes, setup: Setup, cache: ResultCache, title: str) -> Record:
    """Judges every clip by models that have not seen its fold, once with every seed."""
    truth, folds = table.truth(classes), number_folds(table.clips)
    clips: Predicted = {}
    segments: Predicted = {}
    baselines: Predicted = {}

    def fill(predictions: Predicted, name: str, number: int, rows: np.ndarray, predicted: np.ndarray) -> None:
        predictions.setdefault(name, np.zeros((len(setup.seeds), len(rows)), int))[number, rows] = predicted

    for number, seed in enumerate(setup.seeds):
        for turn, fold in enumerate(make_folds(table.clips, folds, number)):
            logits = judge_fold(table, truth, fold, len(classes), setup, cache, [title, "fold", turn, "seed", seed])
            for name, of_split in logits.items():
                inner, outer = (
                    clip_logits(of_split[split], table.owner[chosen[table.owner]], classes)
                    for split, chosen in (("val", fold.val), ("test", fold.test))
                )
                offset = choose_offset(inner, truth[fold.val], classes)
                fill(clips, name, number, fold.test, decide(outer, offset, classes))
                fill(segments, name, number, fold.test[table.owner], of_split["test"].argmax(axis=1))
            trivial_classes = trivial.predict(table.clips, table.positions, truth, fold.train, fold.test, seed)
            for name, predicted in trivial_classes.items():
                fill(baselines, name, number, fold.test, predicted)
            setup.say(f"landmarks: {title}, seed {seed}: fold {turn + 1} of {int(folds.max()) + 1} is judged")
    return summarise_verdicts(table, classes, clips, segments, baselines)


def judge_fold(
    table: LandmarkTable,
    truth: np.ndarray,
    fold: Fold,
    class_count: int,
    setup: Setup,
    cache: ResultCache,
    task: list[object],
) -> Mapping[str, Arrays]:
    """Returns log probabilities of the segments of the inner fold and the judged one, by member and the ensemble."""
    rows_of_split = {split: chosen[table.owner] for split, chosen in (("val", fold.val), ("test", fold.test))}

    def compute(name: str) -> Arrays:
        resume = cache.path([*task, name], ".pt")
        fitted = setup.fit(name, table, truth, fold, class_count, task[-1], resume)  # type: ignore[arg-type]
        return {split: judge(fitted, table.x[rows], class_count) for split, rows in rows_of_split.items()}

    members = {name: cache.load_or_compute([*task, name], lambda name=name: compute(name)) for name in setup.members}  # type: ignore[misc]
    ensemble = {split: ensemble_logits([of_split[split] for of_split in members.values()]) for split in rows_of_split}
    return members | {ENSEMBLE: ensemble}


def describe(record: Record) -> str:
    """Renders the record as text."""
    lines = [f"mind: {warning}" for warning in record["data"]["warnings"]]
    for title, of_classes in record["folds"].items():
        lines += ["", *describe_table(f"{title}, each fold judged by models of the others", of_classes)]
    test = record.get("test", {})
    for title, of_classes in test.get("tables", {}).items():
        lines += ["", *describe_table(f"{title} of {test['file']}, by models frozen before it was opened", of_classes)]
    return "\n".join(lines).lstrip("\n")


def _has_all_classes(table: LandmarkTable, classes: Classes, setup: Setup, title: str) -> bool:
    table_labels = {clip.label for clip in table.clips}
    missing = [name for name, labels in classes.items() if not table_labels & set(labels)]
    if missing:
        setup.say(f"landmarks: {title}: skipped: no clip of {', '.join(missing)}")
    return not missing
