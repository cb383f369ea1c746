"""Metrics as a person reads them: their names, what they mean, and their numbers with the digits that count."""

from collections.abc import Mapping
from typing import Any, NamedTuple

NOTHING = "–"


class MetricWords(NamedTuple):
    """The name of a metric, what it means, and the unit of its value where it has one."""

    name: str
    meaning: str
    unit: str = ""


METRICS = {
    "video_auc": MetricWords("video AUC", "how often an abnormal video scores above a normal one"),
    "video_ap": MetricWords("video AP", "average precision of the videos"),
    "eer": MetricWords("equal error rate", "share wrong where as many normal videos alarm as abnormal ones are missed"),
    "video_precision_at": MetricWords("precision at {}", "abnormal ones among the {} videos that score highest"),
    "accuracy": MetricWords("accuracy", "videos judged right at the frozen threshold"),
    "balanced_accuracy": MetricWords("balanced accuracy", "share named right, each class counting as much"),
    "balanced_accuracy_abnormal": MetricWords("balanced accuracy, abnormal", "the same among abnormal videos alone"),
    "segment_balanced_accuracy": MetricWords("balanced accuracy, segments", "segments of people named right"),
    "frame_auc_micro": MetricWords(
        "frame AUC, pooled", "frames of all videos together: mostly skill in telling videos apart"
    ),
    "frame_auc_abnormal": MetricWords(
        "frame AUC, abnormal videos", "abnormal frames above the normal ones of abnormal videos"
    ),
    "frame_auc_macro": MetricWords("frame AUC, per video", "the mean of each abnormal video's own area"),
    "frame_ap": MetricWords("frame AP", "average precision of the frames"),
    "precision_at_k": MetricWords("precision at K", "abnormal frames among the K highest, K being how many there are"),
    "tiou": MetricWords("temporal IoU", "overlap of alarmed and abnormal time"),
    "event_recall": MetricWords("events found", "abnormal events for which an alert is raised in time"),
    "event_recall_1s": MetricWords("found within 1 s", "of all events, those found within 1 s of their start"),
    "event_recall_3s": MetricWords("found within 3 s", "of all events, those found within 3 s of their start"),
    "event_recall_10s": MetricWords("found within 10 s", "of all events, those found within 10 s of their start"),
    "false_alarms_per_hour": MetricWords(
        "false alarms per hour", "started minutes of normal time under a false alert, per hour of normal time", "/h"
    ),
    "alarmed_share": MetricWords("alarmed share", "normal time under an alert, be it right or false"),
    "cell_auc": MetricWords("cell AUC", "cells where something happens above those where nothing does"),
    "cell_iou": MetricWords("cell IoU", "overlap of predicted and true cells"),
    "map50": MetricWords("mAP50", "average precision of boxes that overlap by half"),
}


def describe_metric(metric: str) -> MetricWords:
    """Describes a metric, a non-causal one too; one that has no words here is called as in its file."""
    name, _, count = metric.rpartition("_")
    if name == "video_precision_at":
        return MetricWords(*(text.format(count) for text in METRICS[name]))
    causal = metric.removeprefix("noncausal_")
    words = METRICS.get(causal, MetricWords(causal.replace("_", " "), ""))
    if causal == metric:
        return words
    return words._replace(name=f"{words.name} (non-causal)", meaning=f"{words.meaning}, with later frames in view")


def format_number(value: float | None, metric: str = "") -> str:
    """Writes a number with as many digits as mean something."""
    if value is None:
        return NOTHING
    unit = describe_metric(metric).unit
    if unit:
        return f"{value:.1f}"
    return f"{value:.3f}"


def format_interval(metric: Mapping[str, Any]) -> str:
    """Formats the interval of a metric; empty where it has none."""
    if metric.get("low") is None or metric.get("high") is None:
        return ""
    return " to ".join(
        f"{edge:.3g}" if abs(edge) < 999.5 else f"{edge:.0f}" for edge in (metric["low"], metric["high"])
    )


def format_basis(metric: Mapping[str, Any]) -> str:
    """Formats the interval of a metric, and how much a rate was counted from; empty where it has neither."""
    interval = format_interval(metric)
    if metric.get("alarms") is None:
        return interval
    return f"{interval}; {metric['alarms']} in {metric['minutes']:.1f} min"


def baseline_verdict(model: Mapping[str, Any]) -> str:
    """Says whether a model of summary.json is better than what needs no model."""
    verdict = {True: "yes", False: "not clearly", None: NOTHING}[model.get("beats_baselines")]
    difference = (model.get("baseline") or {}).get("apart", {}).get("value")
    return "no" if verdict != "yes" and difference is not None and difference <= 0 else verdict


def describe_unbeaten(models: Mapping[str, Any]) -> list[str]:
    """Returns a sentence that names the models that a baseline is at least as good as; none where there are none."""
    unbeaten = [
        f"{name} ({model['baseline']['name'].replace('_', ' ')})"
        for name, model in models.items()
        if baseline_verdict(model) == "no"
    ]
    if not unbeaten:
        return []
    return [f"A baseline is at least as good as {', '.join(unbeaten)}: use that, until the model is better."]


def quantity(count: int, noun: str) -> str:
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def seconds(value: float) -> str:
    return f"{value:.1f} s"
