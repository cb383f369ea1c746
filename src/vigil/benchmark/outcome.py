"""Verdicts of several seeds to numbers: balanced accuracy with an interval over sources, beside baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigil.statistics.classes import balanced_accuracy, balanced_accuracy_by_source
from vigil.statistics.intervals import Statistic, bootstrap, difference, draws, rounded

ROUNDS, DRAW_SEED = 1000, 7  # of the draws behind an interval

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The predicted and the true classes of N recordings, or of segments of them."""

    predicted: np.ndarray  # (seeds, N) int, classes
    truth: np.ndarray  # (N,) int
    source: np.ndarray  # (N,) str, of the recording

    def statistic(self, sources: Sequence[str], class_count: int) -> Statistic:
        """Returns the balanced accuracy over all seeds, as a function of how often each of `sources` is drawn."""
        group = np.searchsorted(np.asarray(sources), self.source)
        return balanced_accuracy_by_source(
            self.predicted, self.truth, group, len(sources), class_count, "fewer than two classes"
        )

    def accuracy_by_seed(self) -> list[float]:
        """Returns the balanced accuracy of each seed."""
        return [balanced_accuracy(predicted, self.truth) for predicted in self.predicted]

    def confusion(self, class_count: int) -> list[list[float]]:
        """Returns counts by true class (rows) and predicted class (columns), on average over the seeds."""
        from sklearn.metrics import confusion_matrix

        seeds, classes = len(self.predicted), np.arange(class_count)
        table = confusion_matrix(np.tile(self.truth, seeds), self.predicted.ravel(), labels=classes) / seeds
        return [[round(value, 2) for value in row] for row in table.tolist()]


def summarise(
    models: Mapping[str, Verdicts],
    segments: Mapping[str, Verdicts],
    baselines: Mapping[str, Verdicts],
    class_names: Sequence[str],
) -> Record:
    """Returns each model's balanced accuracy over recordings and `segments`, and its lead over the best baseline."""
    first = next(iter(models.values()))
    sources = sorted(set(first.source.tolist()))
    weights, count = draw_within_classes(first, sources, ROUNDS, DRAW_SEED), len(class_names)

    def measure(verdicts: Verdicts) -> Record:
        accuracies = verdicts.accuracy_by_seed()
        spread: Record = {"seeds": [rounded(value) for value in accuracies], "sd": rounded(float(np.std(accuracies)))}
        return bootstrap(verdicts.statistic(sources, count), weights).to_json() | spread

    trivial = {name: measure(verdicts) for name, verdicts in baselines.items()}
    best = max(trivial, key=lambda name: (trivial[name]["value"], name))
    rows = {}
    for name, verdicts in models.items():
        lead = difference(verdicts.statistic(sources, count), baselines[best].statistic(sources, count), weights)
        rows[name] = {
            "balanced_accuracy": measure(verdicts),
            "lead": lead.interval.to_json() | {"over": best, "clear": lead.clear},
            "confusion": verdicts.confusion(count),
        }
        if name in segments:
            rows[name]["segment_balanced_accuracy"] = measure(segments[name])
    return {"classes": list(class_names), "sources": len(sources), "models": rows, "baselines": trivial}


def draw_within_classes(verdicts: Verdicts, sources: Sequence[str], rounds: int, seed: int) -> np.ndarray:
    """Returns (rounds, sources): how often each is drawn, among those of its class, so that no class goes missing.

    A source of several classes counts with the first of them.
    """
    class_of_source = dict(zip(verdicts.source[::-1].tolist(), verdicts.truth[::-1].tolist(), strict=True))
    classes = np.array([class_of_source[source] for source in sources])
    weights = np.zeros((rounds, len(sources)))
    for index in np.unique(classes):
        weights[:, classes == index] = draws(int((classes == index).sum()), rounds, seed + int(index))
    return weights


def describe_table(title: str, record: Record) -> list[str]:
    """Renders a table as lines of text."""
    counts = f"{record['clips']} clips of {record['sources']} sources, {record['segments']} segments"
    lines = [f"{title}: {', '.join(record['classes'])} ({counts})"]
    lines.append(f"  {'':<12} {'balanced accuracy':>22} {'seeds':>22} {'segments':>9} {'over the best baseline':>25}")
    for name, row in record["models"].items():
        value, lead = row["balanced_accuracy"], row["lead"]
        of_segments = row.get("segment_balanced_accuracy")
        segments = f"{of_segments['value']:.3f}" if of_segments else "–"
        accuracy = f"{render_interval(value):>22} {list_seeds(value):>22} {segments:>9}"
        lines.append(f"  {name:<12} {accuracy} {render_interval(lead):>25}")
    for name, value in record["baselines"].items():
        lines.append(f"  {name:<12} {render_interval(value):>22} {list_seeds(value):>22}")
    return lines + [f"  mind: {note}" for note in record["notes"]]


def render_interval(record: Record) -> str:
    """Renders a number with its interval; a dash where there is none."""
    if record["value"] is None:
        return "–"
    value = f"{record['value']:.3f}"
    return value if record["low"] is None else f"{value} ({record['low']:.3f} to {record['high']:.3f})"


def list_seeds(record: Record) -> str:
    """Renders the number of each seed."""
    return " ".join("–" if value is None else f"{value:.3f}" for value in record["seeds"])
