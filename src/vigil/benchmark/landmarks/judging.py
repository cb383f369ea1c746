"""The members of the benchmark of landmarks with all their settings, and how their verdicts become a record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.landmarks.folds import Fold
from vigil.benchmark.landmarks.members import (
    TREES,
    Network,
    StoredSegments,
    fit_trees,
    network_logits,
    read_networks,
    tree_logits,
)
from vigil.benchmark.landmarks.table import LandmarkTable, read_landmarks
from vigil.benchmark.outcome import Record, Verdicts, summarise
from vigil.benchmark.result_cache import ResultCache
from vigil.clips.labels import Classes, normal_class
from vigil.core.storage import sha256_file
from vigil.evaluation.flow_trees import Forest, ForestParams
from vigil.features.segments.columns import BODY
from vigil.features.segments.segments import Settings

PRESET = "preset landmarks"
Say = Callable[[str], None]
Predicted = dict[str, np.ndarray]  # (seeds, ...) classes, by model


@dataclass(frozen=True, eq=False)
class Setup:
    """All that does not depend on the data: the preset, the seeds, and where results lie."""

    params: Mapping[str, Any]  # of the preset, laid over those of the project
    work: Path
    code: str  # digest of all code that a result depends on
    say: Say  # prints a line of progress
    seeds: tuple[int, ...] = (7, 11, 13)

    @property
    def segment_settings(self) -> Settings:
        return Settings.read(self.params["segments"], f"{PRESET}: segments")

    @property
    def networks(self) -> dict[str, Network]:
        return read_networks(self.params, len(BODY), PRESET)

    @property
    def members(self) -> list[str]:
        return [*self.networks, TREES]

    def open_cache(self, *data: Path) -> ResultCache:
        """Opens the results that depend on these tables."""
        sections = ["segments", "train", "baselines", "datasets"]
        models = {name: self.params["models"][name] for name in self.networks}
        origin = [self.code, {key: self.params[key] for key in sections}, models, [sha256_file(path) for path in data]]
        return ResultCache(self.work / "kept", origin)

    def read(self, path: Path) -> LandmarkTable:
        return read_landmarks(path, self.params["datasets"]["landmarks"], self.segment_settings, self.work / "clips")

    def class_sets(self) -> dict[str, Classes]:
        """Returns the classes of deeds, and those with normal life first, as the preset's models have them."""
        classes: Classes = next(iter(self.networks.values())).classes
        normal = normal_class(classes)
        deeds = {name: labels for number, (name, labels) in enumerate(classes.items()) if number != normal}
        return {f"{len(chosen)} classes": chosen for chosen in (deeds, classes)}

    def fit(
        self, name: str, table: LandmarkTable, truth: np.ndarray, fold: Fold, class_count: int, seed: int, resume: Path
    ) -> Any:
        """Fits a forest, or a network, to the clips of a fold that are learnt from; a network has its best weights."""
        rows, labels = fold.train[table.owner], truth[table.owner]
        if name == TREES:
            params = ForestParams.read(self.params["baselines"], f"{PRESET}: baselines")
            return fit_trees(table.x[rows], labels[rows], params, seed)
        strata = np.stack([labels, table.sources[table.owner], table.owner], axis=1).astype(np.str_)
        val_rows = fold.val[table.owner]
        train, val = (StoredSegments(table.x[chosen], labels[chosen], strata[chosen]) for chosen in (rows, val_rows))
        return self.networks[name].fit(train, val, class_count, seed, resume)


def judge(fitted: Any, x: np.ndarray, class_count: int) -> np.ndarray:
    """Returns (N, C) log probabilities of segments by what `Setup.fit` has returned."""
    return tree_logits(fitted, x, class_count) if isinstance(fitted, Forest) else network_logits(fitted, x)


def summarise_verdicts(
    table: LandmarkTable, classes: Classes, clips: Predicted, segments: Predicted, trivial: Predicted
) -> Record:
    """Makes the record of the predicted classes of the clips and segments of a table."""
    truth, sources, owner = table.truth(classes), table.sources, table.owner
    record = summarise(
        {name: Verdicts(predicted, truth, sources) for name, predicted in clips.items()},
        {name: Verdicts(predicted, truth[owner], sources[owner]) for name, predicted in segments.items()},
        {name: Verdicts(predicted, truth, sources) for name, predicted in trivial.items()},
        list(classes),
    )
    notes = []
    if normal_class(classes) is not None:
        notes.append(
            f"'{next(iter(classes))}' may come of another extractor of landmarks than the deeds, and be told apart by "
            "that; all coordinates are rounded to whole pixels. Reported, not aimed at"
        )
    if table.too_short:
        notes.append(f"{table.too_short} clips of all labels are shorter than a segment and are not judged")
    return record | {"clips": len(truth), "segments": len(owner), "notes": notes}
