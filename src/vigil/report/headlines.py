"""The few numbers that `dvc metrics show` and `dvc metrics diff` print: a line for each thing that can change.

DVC prints a file of metrics as a row and its keys as columns. So there is a file for each thing, and each has its
`value`; a model has beside the value that it is known by how it does as an alarm.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vigil.core.storage import write_json

ALARM_METRICS = {  # by name, as a column is called: what DVC prints has to fit a screen
    "event_recall": "event_recall",
    "false_alarms_per_hour": "false_per_hour",
    "alarmed_share": "alarmed",
}
LANDMARK_METRICS = {
    "recall": "recall_one",
    "pck_torso": "pck_torso",
    "false_people": "false_people_per_frame",
}


def write_headlines(folder: Path, summary: Mapping[str, Any], features: Mapping[str, Any]) -> None:
    """Writes <folder>/<section>/<thing>.json, one for each headline; files of earlier runs go."""
    shutil.rmtree(folder, ignore_errors=True)
    for section, things in headline_numbers(summary, features).items():
        for thing, numbers in things.items():
            write_json(folder / section / f"{thing}.json", numbers)


def headline_numbers(summary: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Picks headlines from summary.json and, by name, data, person, landmarks and flow.json; all are optional.

    What was not measured is left out.
    """
    card, landmarks, flow = features.get("data"), features.get("landmarks", {}), features.get("flow", {})
    splits = card["splits"].values() if card else ()
    values: dict[str, dict[str, Any]] = {
        "data": {key: sum(split.get(key, 0) for split in splits) for key in ("videos", "hours")}
        | {"leaks": card["leaks"]["found"]}
        if card
        else {},
        "flow": {"error_px": flow.get("texture", {}).get("end_point_error_median_px")},
        "landmarks": {name: _value(landmarks.get(metric)) for name, metric in LANDMARK_METRICS.items()},
        "person": {
            f"map50_{_file_name(name)}": _value(metric)
            for name, metric in features.get("person", {}).get("map50", {}).items()
        },
    }
    headlines = {
        section: {thing: {"value": _round(value)} for thing, value in things.items() if value is not None}
        for section, things in values.items()
    }
    fused = {} if summary.get("fused") is None else {"fused": summary["fused"]}
    models = {name: _model_numbers(model) for name, model in {**summary["models"], **fused}.items()}
    return headlines | {"models": {name: numbers for name, numbers in models.items() if numbers}}


def _file_name(class_name: str) -> str:
    """Makes the name of a class, which a user has chosen, fit for a file."""
    return re.sub(r"[^\w-]+", "_", class_name)


def _model_numbers(model: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {"value": model.get("value")} | {
        column: _value(model.get(metric)) for metric, column in ALARM_METRICS.items()
    }
    return {key: _round(number) for key, number in numbers.items() if number is not None}


def _value(metric: Mapping[str, Any] | None) -> Any:
    return None if metric is None else metric["value"]


def _round(number: Any) -> Any:
    return round(number, 4) if isinstance(number, float) else number
