"""Whether a new model may take the place of an old one: better on the same frozen test set, beyond chance.

Either is a file of scores (data/scores/<model>/test.npz), or a folder of such: then each model that both have is
compared, and of one that cannot be it is said why. The difference is that of the number the model is known by, on the
same videos, under the same draws of the sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.evaluation.metrics import statistics
from vigil.evaluation.summary import Entry, paired_difference
from vigil.report.words import describe_metric, format_number
from vigil.statistics.intervals import rounded
from vigil.statistics.scores import Scores

Verdict = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True)
class Promotion:
    """The comparison of a new model with the old one."""

    model: str
    metric: str
    old: float
    new: float
    low: float | None  # of new - old
    high: float | None
    p: float | None
    verdict: Verdict

    def __str__(self) -> str:
        span = "" if self.low is None else f", {self.new - self.old:+.3f} ({self.low:+.3f} to {self.high:+.3f})"
        values = f"{format_number(self.old)} before, {format_number(self.new)} now{span}"
        return f"{self.model}: {self.verdict}: {describe_metric(self.metric).name} {values}"

    def as_json(self) -> dict[str, Any]:
        numbers = {key: rounded(getattr(self, key)) for key in ("old", "new", "low", "high", "p")}
        return {"model": self.model, "metric": self.metric, "verdict": self.verdict, **numbers}


@dataclass(frozen=True)
class Incomparable:
    """A model that both have and that cannot be compared."""

    model: str
    reason: str

    def __str__(self) -> str:
        return f"{self.model}: not compared: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        return {"model": self.model, "verdict": "not compared", "reason": self.reason}


def compare_scores(old: Path, new: Path, rounds: int, seed: int) -> list[Promotion | Incomparable]:
    """Compares each model that both have. VigilError where not one of them can be compared."""
    old_tables, new_tables = find_score_tables(old), find_score_tables(new)
    if len(old_tables) == len(new_tables) == 1:
        old_tables = dict(zip(new_tables, old_tables.values(), strict=True))  # two files, whatever they are called
    common = [model for model in new_tables if model in old_tables]
    if not common:
        raise VigilError(f"{old} and {new}: no model in common: {', '.join(old_tables)} and {', '.join(new_tables)}.")
    promotions: list[Promotion | Incomparable] = []
    for model in common:
        try:
            promotions.append(_compare_model(model, old_tables[model], new_tables[model], rounds, seed))
        except VigilError as error:
            promotions.append(Incomparable(model, str(error)))
    if all(isinstance(promotion, Incomparable) for promotion in promotions):
        raise VigilError(" ".join(promotion.reason for promotion in promotions if isinstance(promotion, Incomparable)))
    return promotions


def find_score_tables(path: Path) -> dict[str, Path]:
    """Finds files of scores by model: a file itself, that of one model's folder, or those of a folder of models."""
    if path.is_file():
        return {path.parent.name or path.stem: path}
    if (path / "test.npz").exists():
        return {path.resolve().name: path / "test.npz"}
    tables = {file.parent.name: file for file in sorted(path.glob("*/test.npz"))}
    if not tables:
        raise VigilError(f"{path}: no scores. Expected a test.npz, or a folder of <model>/test.npz like data/scores.")
    return tables


def _compare_model(model: str, old: Path, new: Path, rounds: int, seed: int) -> Promotion:
    old_scores, new_scores = _read_scores(old), _read_scores(new)
    if mismatch := _describe_mismatch(old_scores, new_scores):
        raise VigilError(f"{old} and {new}: not the same test set: {mismatch}. Score both on the same videos.")
    metric = Entry(model, test=new_scores).headline
    values = [statistics(scores).get(metric) for scores in (old_scores, new_scores)]
    difference = paired_difference(new_scores.select_judged(), old_scores.select_judged(), metric, rounds, seed)
    numbers = [float(value.value) for value in values if value is not None and value.value is not None]
    if difference is None or len(numbers) < 2:
        reasons = [value.reason for value in values if value is not None and value.reason]
        raise VigilError(f"{old} and {new}: nothing to compare: {[*reasons, f'one has no {metric}'][0]}.")
    verdicts: Mapping[int, Verdict] = {1: "better", -1: "worse", 0: "not told apart"}
    interval, verdict = difference.interval, verdicts[difference.clear]
    return Promotion(model, metric, numbers[0], numbers[1], interval.low, interval.high, difference.p, verdict)


def _read_scores(path: Path) -> Scores:
    arrays = load_arrays(path)
    return Scores.of(arrays, bool(arrays.get("has_normal", True)), str(path))


def _describe_mismatch(old: Scores, new: Scores) -> str | None:
    """Describes how two test sets differ; None if they are the same videos with the same truth."""
    if unshared := sorted(set(old.video) ^ set(new.video)):
        return f"{len(unshared)} videos are in one only, such as {unshared[0]}"
    old_order, new_order = np.argsort(old.video), np.argsort(new.video)
    videos = old.video[old_order]
    for truth in ("label", "source"):
        differs = getattr(old, truth)[old_order] != getattr(new, truth)[new_order]
        if differs.any():
            return f"{videos[differs][0]} has another {truth}"
    if differing := _describe_other_truth(old, new, old_order, new_order):
        return differing
    judged_once = (old.class_index >= 0)[old_order] != (new.class_index >= 0)[new_order]
    return f"{videos[judged_once][0]} is of a class that only one of them knows" if judged_once.any() else None


def _describe_other_truth(old: Scores, new: Scores, old_order: np.ndarray, new_order: np.ndarray) -> str | None:
    """Describes how the truth of a video differs: abnormal or not, or when; models' warm-ups do not count.

    Frames of unknown truth may differ. Two versions may look at other times; then what is held true at the times that
    both have is compared.
    """
    for before, after in zip(old_order.tolist(), new_order.tolist(), strict=True):
        name, both_judge = old.video[before], old.class_index[before] >= 0 and new.class_index[after] >= 0
        if both_judge and old.abnormal[before] != new.abnormal[after]:
            return f"{name} is abnormal in one of them only"
        frames, new_frames = old.frames_of(before), new.frames_of(after)
        _, first, second = np.intersect1d(
            np.round(old.time_s[frames], 3), np.round(new.time_s[new_frames], 3), return_indices=True
        )
        truth, new_truth = old.event_truth[frames][first], new.event_truth[new_frames][second]
        if differing := int(((truth >= 0) & (new_truth >= 0) & (truth != new_truth)).sum()):
            return f"{name} has another truth in {differing} frames"
    if old.cells_truth.shape == new.cells_truth.shape and old.video.tolist() == new.video.tolist():
        has_truth = (old.cells_truth >= 0) & (new.cells_truth >= 0)
        if (has_truth & (old.cells_truth != new.cells_truth)).any():
            return "the true maps of what moves differ"
    return None
