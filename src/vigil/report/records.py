"""The records that fill the templates: tables, their cells, and pictures with their words."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vigil.report.words import NOTHING, describe_metric, format_basis, format_number


class Cell(NamedTuple):
    """A cell with more than its text."""

    text: str
    small: str = ""  # a second line
    title: str | None = None  # shown when pointed at
    style: str | None = None  # class of the stylesheet
    link: str | None = None


class Table(NamedTuple):
    """A table, of which the first cell of a row names the row."""

    caption: str
    columns: Sequence[str | Cell]
    rows: Sequence[Sequence[str | int | Cell]]


class Picture(NamedTuple):
    """A picture that the page holds itself. Without an address nothing is drawn."""

    address: str | None
    words: str


def metric_cell(metric: Mapping[str, Any] | None, name: str) -> Cell:
    """Makes a cell of a number, its interval and what it was counted from; without a number, of the reason why."""
    if not metric or metric.get("value") is None:
        return Cell(NOTHING, title=(metric or {}).get("reason"))
    return Cell(format_number(metric["value"], name), format_basis(metric))


def metrics_table(caption: str, metrics: Mapping[str, Any]) -> Table:
    """Makes a table of every metric of a model's file, beside what needs no model."""
    rows = []
    for name, metric in metrics.items():
        if not isinstance(metric, Mapping) or "value" not in metric:
            continue
        words = describe_metric(name)
        baselines = [
            f"{baseline.replace('_', ' ')} {format_number(values[name]['value'], name)}"
            for baseline, values in sorted(metrics.get("baselines", {}).items())
            if name in values and values[name].get("value") is not None
        ]
        meaning = metric.get("reason") if metric["value"] is None else words.meaning
        rows.append(
            [
                words.name,
                metric_cell(metric, name),
                metric.get("n", ""),
                Cell(meaning or "", style="words"),
                Cell(", ".join(baselines), style="words"),
            ]
        )
    wordy = [Cell(name, style="words") for name in ("what it is", "the same without a model")]
    return Table(caption, ["metric", "value", "sources", *wordy], rows)
