"""The tables of metrics/*.json, as the terminal and the README show them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, replacing
from vigil.footage.video_table import SPLITS
from vigil.report.words import (
    NOTHING,
    baseline_verdict,
    describe_metric,
    describe_unbeaten,
    format_basis,
    format_interval,
    format_number,
)

ALARM_METRICS = ("event_recall", "event_recall_3s", "false_alarms_per_hour", "alarmed_share")
OPEN, CLOSE = "<!-- results -->", "<!-- /results -->"


def read_metrics(folder: Path) -> dict[str, Any]:
    """Reads every metrics file of the folder, by its name."""
    metrics = {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}
    if not metrics:
        raise VigilError(f"{folder}/: no results yet. Run `make repro`, or `vigil sync` and `dvc repro`.")
    return metrics


def render_tables(metrics: Mapping[str, Any]) -> str:
    """Renders all tables as Markdown that reads well as plain text too."""
    models = [_models_table(metrics["summary"])] if "summary" in metrics else []
    data = [_data_table(metrics["data"])] if "data" in metrics else []
    return "\n\n".join([*models, *data])


def write_into(document: Path, tables: str) -> None:
    """Replaces what stands between the two marks in `document`."""
    before, opening, rest = document.read_text(encoding="utf-8").partition(OPEN)
    _, closing, after = rest.partition(CLOSE)
    if not opening or not closing:
        raise VigilError(f"{document}: expected the lines {OPEN} and {CLOSE} around the place of the tables.")
    with replacing(document) as temporary:
        temporary.write_text(f"{before}{OPEN}\n{tables}\n{CLOSE}{after}", encoding="utf-8")


def _models_table(summary: Mapping[str, Any]) -> str:
    """Renders a line per model: what it is known by, what the best trivial baseline has, and how it does as an alarm.

    Of a model that was skipped only the reason stands below.
    """
    columns = [
        "model",
        "known by",
        "value",
        "95 % interval",
        "best baseline",
        "beats it",
        "events found",
        "within 3 s",
        "false alarms/h",
        "time alarmed",
    ]
    models = {**summary["models"], **({"fused": summary["fused"]} if "fused" in summary else {})}
    rows = []
    for name, model in models.items():
        if str(model.get("reason", "")).startswith("skipped: "):
            continue
        baseline = model.get("baseline")
        rows.append(
            [
                name,
                describe_metric(model["headline"]).name,
                format_number(model["value"], model["headline"]),
                format_interval(model) or NOTHING,
                f"{format_number(baseline['value'])} ({baseline['name'].replace('_', ' ')})" if baseline else NOTHING,
                baseline_verdict(model),
                *(_alarm_cell(model.get(metric) or {}, metric) for metric in ALARM_METRICS),
            ]
        )
    reasons = [f"{name}: {model['reason']}" for name, model in models.items() if model.get("reason")]
    notes = [
        "On the test split, at thresholds frozen on validation; scores of a moment know no later one; intervals draw "
        "whole sources anew.",
        *(f"Mind: {reason}." for reason in [*reasons, *summary.get("unnamed_labels", [])]),
        *describe_unbeaten(models),
    ]
    return "\n".join([*_pipe_table(columns, rows), "", *notes])


def _alarm_cell(metric: Mapping[str, Any], name: str) -> str:
    """Renders a number with its interval, and of a rate what was counted in how much time."""
    number, basis = format_number(metric.get("value"), name), format_basis(metric)
    return f"{number} ({basis})" if basis else number


def _data_table(card: Mapping[str, Any]) -> str:
    """Renders how many videos of each class there are in each split, from how many sources, and what is wrong."""
    classes, splits, leaks = card["classes"], card["splits"], card["leaks"]
    rows = [
        *([label, *(str(counts[split]["videos"]) for split in SPLITS)] for label, counts in classes.items()),
        *([f"all {key}", *(str(splits[split].get(key, 0)) for split in SPLITS)] for key in ("videos", "sources")),
        ["minutes", *(f"{60 * splits[split].get('hours', 0):.1f}" for split in SPLITS)],
    ]
    notes = [
        f"Leaks across splits: {leaks['found']}, of which allowed: {leaks['allowed']}. "
        f"Rejected, with reasons in data/rejects.csv: {card['rejects']}.",
        *(f"Mind: {warning}." for warning in card["warnings"]),
    ]
    return "\n".join([*_pipe_table(["videos", *SPLITS], rows), "", *notes])


def _pipe_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Renders the first column to the left, the others to the right."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in (columns, rule, *rows)
    ]
    return [f"| {' | '.join(line)} |" for line in lines]
