"""Whether a new model may take the place of an old one: better on the same frozen test set, beyond chance.

Either is a file of scores (data/scores/<model>/test.npz), or a folder of such: then each model that both have is
compared. The difference is that of the number the model is known by, on the same videos, under the same draws of the
sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.evaluation.metrics import statistics
from vigil.evaluation.summary import Entry, paired
from vigil.report.results import number, word
from vigil.statistics.intervals import rounded
from vigil.statistics.scores import Scores

Verdict = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True)
class Promotion:
    """The new model against the old one."""

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
        values = f"{number(self.old)} before, {number(self.new)} now{span}"
        return f"{self.model}: {self.verdict}: {word(self.metric).name} {values}"

    def as_json(self) -> dict[str, Any]:
        told = {key: rounded(getattr(self, key)) for key in ("old", "new", "low", "high", "p")}
        return {"model": self.model, "metric": self.metric, "verdict": self.verdict, **told}


def compare(old: Path, new: Path, rounds: int, seed: int) -> list[Promotion]:
    """One for each model that both have. VigilError where the two were not judged on the same test set."""
    before, now = tables(old), tables(new)
    if len(before) == len(now) == 1:
        before = dict(zip(now, before.values(), strict=True))  # two files, whatever they are called
    common = [name for name in now if name in before]
    if not common:
        raise VigilError(f"{old} and {new}: no model in common: {', '.join(before)} and {', '.join(now)}.")
    return [_promotion(name, before[name], now[name], rounds, seed) for name in common]


def tables(path: Path) -> dict[str, Path]:
    """Files of scores by model: of a file itself, of one model's folder, or of a folder of models."""
    if path.is_file():
        return {path.parent.name or path.stem: path}
    if (path / "test.npz").exists():
        return {path.resolve().name: path / "test.npz"}
    found = {file.parent.name: file for file in sorted(path.glob("*/test.npz"))}
    if not found:
        raise VigilError(f"{path}: no scores. Expected a test.npz, or a folder of <model>/test.npz like data/scores.")
    return found


def _promotion(name: str, old: Path, new: Path, rounds: int, seed: int) -> Promotion:
    arrays = {path: load_arrays(path) for path in (old, new)}
    before, now = (
        Scores.of(arrays[path], bool(arrays[path].get("has_normal", True)), str(path)) for path in (old, new)
    )
    if difference := _different(before, now):
        raise VigilError(f"{old} and {new}: not the same test set: {difference}. Score both on the same videos.")
    metric = Entry(name, test=now).headline
    values = [statistics(one).get(metric) for one in (before, now)]
    found = paired(now.judged(), before.judged(), metric, rounds, seed)
    if found is None or any(one is None or one.value is None for one in values):
        reason = next((one.reason for one in values if one is not None and one.reason), f"one has no {metric}")
        raise VigilError(f"{old} and {new}: nothing to compare: {reason}.")
    verdicts: Mapping[int, Verdict] = {1: "better", -1: "worse", 0: "not told apart"}
    told = [float(one.value) for one in values if one is not None and one.value is not None]
    interval = found.interval
    return Promotion(name, metric, told[0], told[1], interval.low, interval.high, found.p, verdicts[found.clear])


def _different(old: Scores, new: Scores) -> str | None:
    """What makes two test sets differ; None if they are the same videos with the same truth."""
    if alone := sorted(set(old.video) ^ set(new.video)):
        return f"{len(alone)} videos are in one only, such as {alone[0]}"
    ours, theirs = np.argsort(old.video), np.argsort(new.video)
    for what in ("label", "source"):
        moved = getattr(old, what)[ours] != getattr(new, what)[theirs]
        if moved.any():
            return f"{old.video[ours][moved][0]} has another {what}"
    judged = (old.klass >= 0)[ours] != (new.klass >= 0)[theirs]
    return f"{old.video[ours][judged][0]} is of a class that only one of them knows" if judged.any() else None
