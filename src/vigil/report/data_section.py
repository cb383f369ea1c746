"""The part of the report that is about what the models look at: videos, splits, leaks, and the quality of features."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vigil.footage.video_table import SPLITS
from vigil.report.records import Table
from vigil.report.words import NOTHING, format_interval, format_number, quantity


class DataSection(NamedTuple):
    """The contents of the dataset card, for a page."""

    splits: Table
    audit: str
    leaks: Sequence[str]  # the pairs of videos that are alike
    labels: Table
    shortcuts: Table | None
    not_measured: Sequence[str]  # sentences: of which sets no shortcut could be measured, and why


class FeatureSection(NamedTuple):
    """How good the features of a kind are: a table, or the reason why there is none."""

    name: str
    table: Table | None
    reason: str | None


def describe_data(card: Mapping[str, Any]) -> DataSection:
    """Describes videos, splits and leaks by metrics/data.json."""
    splits = [
        [
            split,
            *(card["splits"][split].get(key, 0) for key in ("videos", "sources")),
            *(f"{60 * card['splits'][split].get(key, 0):.1f}" for key in ("hours", "abnormal_hours")),
        ]
        for split in SPLITS
    ]
    labels = [
        [label, *(f"{counts[split].get('videos', 0)} / {counts[split].get('sources', 0)}" for split in SPLITS)]
        for label, counts in card["classes"].items()
    ]
    leaks = card["leaks"]
    audit = (
        f"Leak audit: {quantity(leaks['found'], 'pair')} of videos alike across splits found, "
        f"{leaks['allowed']} allowed by name, "
        f"{leaks.get('not_compared', 0)} not compared. Rejected videos: {card['rejects']}."
    )
    shortcuts = card.get("shortcuts", {})
    return DataSection(
        Table(
            "Splits; no source is in two of them", ["split", "videos", "sources", "minutes", "abnormal minutes"], splits
        ),
        audit,
        [str(pair) for pair in leaks.get("pairs", [])],
        Table("Videos / sources", ["label", *SPLITS], labels),
        _shortcuts_table(shortcuts),
        [f"{name}: shortcuts {reason}." for name, reason in shortcuts.items() if isinstance(reason, str)],
    )


def _shortcuts_table(shortcuts: Mapping[str, Any]) -> Table | None:
    """Makes a table of shortcuts by set; a set in which they could not be measured has a sentence and no rows."""
    rows = [
        [
            f"{name}: {kind.replace('_', ' ')}",
            *(format_number(result.get(key)) for key in ("auc", "accuracy", "chance")),
        ]
        for name, kinds in shortcuts.items()
        if not isinstance(kinds, str)
        for kind, result in kinds.items()
    ]
    caption = "What gives the label away without a look at the content"
    return Table(caption, ["set: what", "AUC", "accuracy", "chance"], rows) if rows else None


def describe_features(quality: Mapping[str, Mapping[str, Any]]) -> list[FeatureSection]:
    """Describes how good features are, by kind; those of which nothing was measured are left out."""
    sections = []
    for name, metrics in quality.items():
        rows = _flat_rows(metrics)
        table = Table(f"{name}, against the truth", ["figure", "value", "95 % interval"], rows) if rows else None
        if table or metrics.get("reason"):
            sections.append(FeatureSection(name, table, metrics.get("reason")))
    return sections


def _flat_rows(metrics: Mapping[str, Any], prefix: str = "") -> list[list[str]]:
    """Returns a row for each figure, however deep it lies; breakdowns by source and label are left out."""
    rows: list[list[str]] = []
    for key, metric in metrics.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(metric, Mapping) and "value" in metric:
            rows.append([name, format_number(metric["value"]), format_interval(metric) or NOTHING])
        elif isinstance(metric, Mapping) and not key.startswith("by_"):
            rows += _flat_rows(metric, f"{name}: ")
        elif isinstance(metric, int | float) and not isinstance(metric, bool):
            rows.append([name, f"{metric:g}", NOTHING])
    return rows
