"""The tables of metrics/*.json, as the terminal and the README show them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, replacing
from vigil.footage.video_table import SPLITS

OPEN, CLOSE = "<!-- results -->", "<!-- /results -->"
NOTHING = "–"


class Words(NamedTuple):
    """A metric as a person reads it."""

    name: str
    meaning: str
    unit: str = ""


WORDS = {
    "video_auc": Words("video AUC", "how often an abnormal video scores above a normal one"),
    "video_ap": Words("video AP", "average precision of the videos"),
    "eer": Words("equal error rate", "share wrong where as many normal videos alarm as abnormal ones are missed"),
    "accuracy": Words("accuracy", "videos judged right at the frozen threshold"),
    "balanced_accuracy": Words("balanced accuracy", "share named right, each class counting as much"),
    "balanced_accuracy_abnormal": Words("balanced accuracy, abnormal", "the same among abnormal videos alone"),
    "segment_balanced_accuracy": Words("balanced accuracy, segments", "segments of people named right"),
    "frame_auc_micro": Words(
        "frame AUC, pooled", "frames of all videos together: mostly skill in telling videos apart"
    ),
    "frame_auc_abnormal": Words(
        "frame AUC, abnormal videos", "abnormal frames above the normal ones of abnormal videos"
    ),
    "frame_auc_macro": Words("frame AUC, per video", "the mean of each abnormal video's own area"),
    "frame_ap": Words("frame AP", "average precision of the frames"),
    "precision_at_k": Words("precision at K", "abnormal frames among the K highest, K being how many there are"),
    "tiou": Words("temporal IoU", "overlap of alarmed and abnormal time"),
    "event_recall": Words("events found", "abnormal events that an alert touches"),
    "delay_s": Words("delay", "median wait from the start of an event to its alert", "s"),
    "false_alarms_per_hour": Words(
        "false alarms per hour", "alerts that touch no event, per hour of normal video", "/h"
    ),
    "alarmed_share": Words("alarmed share", "normal time under an alert"),
    "cell_auc": Words("cell AUC", "cells where something happens above those where nothing does"),
    "cell_iou": Words("cell IoU", "overlap of told and true cells"),
    "map50": Words("mAP50", "average precision of boxes that overlap by half"),
}


def collect(metrics: Path) -> dict[str, Any]:
    """Every metrics file of the folder by its name."""
    found = {path.stem: read_json(path) for path in sorted(metrics.glob("*.json"))}
    if not found:
        raise VigilError(f"{metrics}/: no results yet. Run `make repro`, or `vigil sync` and `dvc repro`.")
    return found


def render(found: Mapping[str, Any]) -> str:
    """Markdown that reads well as plain text too."""
    parts = [_models(found["summary"])] if "summary" in found else []
    return "\n\n".join([*parts, *([_data(found["data"])] if "data" in found else [])])


def write_into(document: Path, table: str) -> None:
    """Replace what stands between the two marks in `document`."""
    before, opened, rest = document.read_text(encoding="utf-8").partition(OPEN)
    _, closed, after = rest.partition(CLOSE)
    if not opened or not closed:
        raise VigilError(f"{document}: expected the lines {OPEN} and {CLOSE} around the place of the tables.")
    with replacing(document) as part:
        part.write_text(f"{before}{OPEN}\n{table}\n{CLOSE}{after}", encoding="utf-8")


def word(metric: str) -> Words:
    """Also of the non-causal ones, and of those that nobody has named here."""
    bare = metric.removeprefix("noncausal_")
    known = WORDS.get(bare, Words(bare.replace("_", " "), ""))
    if bare == metric:
        return known
    return known._replace(name=f"{known.name} (non-causal)", meaning=f"{known.meaning}, with later frames in view")


def number(value: float | None, metric: str = "") -> str:
    """With as many digits as mean something."""
    if value is None:
        return NOTHING
    unit = word(metric).unit
    if unit:
        return f"{value:.1f}{' s' if unit == 's' else ''}"
    return f"{value:.3f}"


def within(metric: Mapping[str, Any]) -> str:
    """The interval of a metric; nothing where there is none."""
    if metric.get("low") is None or metric.get("high") is None:
        return ""
    return f"{metric['low']:.3g} to {metric['high']:.3g}"


def beats(model: Mapping[str, Any]) -> str:
    """Whether it is better than what needs no model."""
    told = {True: "yes", False: "not clearly", None: NOTHING}[model.get("beats_baselines")]
    apart = (model.get("baseline") or {}).get("apart", {})
    return "no" if told != "yes" and (apart.get("value") or 1) <= 0 else told


def _models(summary: Mapping[str, Any]) -> str:
    """One line per model: what it is known by, what the best trivial baseline has, and how it does as an alarm."""
    head = [
        "model",
        "known by",
        "value",
        "95 % interval",
        "best baseline",
        "beats it",
        "events found",
        "false alarms/h",
    ]
    models = {**summary["models"], **({"fused": summary["fused"]} if "fused" in summary else {})}
    rows = []
    for name, model in models.items():
        best = model.get("baseline")
        rows.append(
            [
                name,
                word(model["headline"]).name,
                number(model["value"], model["headline"]),
                within(model) or NOTHING,
                f"{number(best['value'])} ({best['name'].replace('_', ' ')})" if best else NOTHING,
                beats(model),
                *(
                    number((model.get(key) or {}).get("value"), key)
                    for key in ("event_recall", "false_alarms_per_hour")
                ),
            ]
        )
    reasons = [f"{name}: {model['reason']}" for name, model in models.items() if model.get("reason")]
    notes = [
        "On the test split, at thresholds frozen on validation; scores of a moment know no later one; intervals draw "
        "whole sources anew.",
        *(f"Mind: {line}." for line in reasons),
    ]
    return "\n".join([*_table(head, rows), "", *notes])


def _data(card: Mapping[str, Any]) -> str:
    """How many videos of each class there are in each split, from how many sources, and what is wrong with them."""
    classes = card["classes"]
    rows = [[label, *(str(classes[label][split]["videos"]) for split in SPLITS)] for label in classes]
    for what in ("videos", "sources"):
        rows.append([f"all {what}", *(str(card["splits"][split].get(what, 0)) for split in SPLITS)])
    rows.append(["minutes", *(f"{60 * card['splits'][split].get('hours', 0):.1f}" for split in SPLITS)])
    leaks = card["leaks"]
    notes = [
        f"Leaks across splits: {leaks['found']}, of which allowed: {leaks['allowed']}. "
        f"Rejected, with reasons in data/rejects.csv: {card['rejects']}.",
        *(f"Mind: {line}." for line in card["warnings"]),
    ]
    return "\n".join([*_table(["videos", *SPLITS], rows), "", *notes])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A pipe table, first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in [head, rule, *rows]
    ]
    return [f"| {' | '.join(line)} |" for line in lines]
