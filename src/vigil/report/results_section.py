"""The part of the report that compares models: with what needs none, and with each other."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vigil.report.plots import Interval
from vigil.report.records import Cell, Table, metric_cell
from vigil.report.words import (
    NOTHING,
    baseline_verdict,
    describe_metric,
    describe_unbeaten,
    format_interval,
    format_number,
)

OTHER_METRICS = ("frame_auc_abnormal", "event_recall", "event_recall_3s", "false_alarms_per_hour", "alarmed_share")
STYLES = {"yes": "good", "no": "bad"}


class HeadlineRow(NamedTuple):
    """The number that a model is known by, which is drawn as a dot with its interval."""

    model: str
    metric: str
    value: str
    interval: Interval


class ResultsSection(NamedTuple):
    rows: Sequence[HeadlineRow]
    table: Table | None  # None where no model has a result
    reasons: Sequence[str]  # sentences: why a model has none


def describe_results(models: Mapping[str, Any], colours: Mapping[str, int]) -> ResultsSection:
    """Describes the results of the models of summary.json, the fused detector first."""
    if all(model["value"] is None for model in models.values()):
        reasons = [f"{name}: {model.get('reason', 'nothing to measure')}." for name, model in models.items()]
        return ResultsSection([], None, reasons)
    columns = ["model, known by", "value", "best without a model", "beats it"]
    table = Table(
        "All models on the test split, at frozen thresholds",
        [*columns, *(describe_metric(metric).name for metric in OTHER_METRICS)],
        [_table_row(name, model) for name, model in models.items()],
    )
    reasons = [f"{name}: {model['reason']}." for name, model in models.items() if model.get("reason")]
    reasons += describe_unbeaten(models)
    return ResultsSection(
        [_headline_row(name, model, colours.get(name, 7)) for name, model in models.items()], table, reasons
    )


def _headline_row(name: str, model: Mapping[str, Any], colour: int) -> HeadlineRow:
    metric, value = describe_metric(model["headline"]).name, format_number(model["value"])
    words = f"{name}: {metric} {value}, interval {format_interval(model) or 'unknown'}"
    baseline = (model.get("baseline") or {}).get("value")
    interval = Interval(words, model["value"], model.get("low"), model.get("high"), baseline, colour)
    return HeadlineRow(name, metric, value, interval)


def _table_row(name: str, model: Mapping[str, Any]) -> list[str | Cell]:
    baseline, verdict = model.get("baseline"), baseline_verdict(model)
    return [
        Cell(name, describe_metric(model["headline"]).name, link=f"#model-{name}"),
        metric_cell(model, model["headline"]),
        Cell(format_number(baseline["value"]), baseline["name"].replace("_", " ")) if baseline else NOTHING,
        Cell(verdict, style=STYLES.get(verdict)),
        *(metric_cell(model.get(metric), metric) for metric in OTHER_METRICS),
    ]


def describe_pairs(pairs: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """Makes a table of all pairs of models with the same question and the same videos; None where there is none."""
    rows = []
    for key, difference in pairs.items():
        first, second = key.split(" over ")
        verdict = {1: f"{first} is better", -1: f"{second} is better", 0: "not told apart"}[difference["clear"]]
        low, high = difference.get("low"), difference.get("high")
        rows.append(
            [
                f"{first} – {second}",
                describe_metric(difference["metric"]).name,
                f"{difference['value']:+.3f}",
                NOTHING if low is None else f"{low:+.3f} to {high:+.3f}",
                format_number(difference.get("p")),
                verdict,
            ]
        )
    caption = "Differences on the videos that both judge, both under the same draws of the sources"
    return Table(caption, ["pair", "metric", "difference", "95 % interval", "p", "verdict"], rows) if rows else None
