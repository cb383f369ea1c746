"""The few numbers that `dvc metrics show` and `dvc metrics diff` print: one line for each thing that can change."""

from collections.abc import Mapping
from typing import Any

BESIDE = ("event_recall", "false_alarms_per_hour")  # shown next to what a model is known by


def headlines(summary: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    """Of summary.json, and of data.json, person.json, landmarks.json and flow.json by their names; all are optional."""
    fused = {} if summary.get("fused") is None else {"fused": summary["fused"]}
    models = {name: _of_model(entry) for name, entry in {**summary["models"], **fused}.items()}
    return {"models": models} | {name: numbers for name, numbers in _of_features(features).items() if numbers}


def _of_model(entry: Mapping[str, Any]) -> dict[str, Any]:
    if "headline" not in entry:
        return {}
    names = (entry["headline"], *BESIDE)
    return {name: _short(entry[name]["value"]) for name in names if entry.get(name, {}).get("value") is not None}


def _of_features(features: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    card, person = features.get("data", {}), features.get("person", {})
    landmarks, flow = features.get("landmarks", {}), features.get("flow", {})
    return {
        "data": {
            "videos": _total(card, "videos"),
            "hours": _total(card, "hours"),
            "leaks": card["leaks"]["found"],
        }
        if card
        else {},
        "person": {f"map50_{name}": _short(one["value"]) for name, one in person.get("map50", {}).items()},
        "landmarks": {
            name: _short(landmarks[name]["value"])
            for name in ("recall_one", "pck_torso", "false_people_per_frame")
            if landmarks.get(name) is not None
        },
        "flow": {"error_px": _short(flow["texture"]["end_point_error_median_px"])} if flow.get("texture") else {},
    }


def _total(card: Mapping[str, Any], key: str) -> Any:
    """Over all classes and splits."""
    return _short(sum(split[key] for splits in card["classes"].values() for split in splits.values()))


def _short(number: Any) -> Any:
    return round(number, 4) if isinstance(number, float) else number
