"""Calibrations and metrics of tables with ties, gaps and single kinds, as they were before libraries computed them."""

import gzip
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from verdicts import MODELS, PARAMS

from vigil.evaluation import model_metrics, summary
from vigil.evaluation.model_metrics import EvaluationParams
from vigil.judging.calibration import Calibration
from vigil.judging.calibration_fit import calibrate_model, recalibrate_model
from vigil.models.blocks.layers import Clip
from vigil.statistics.scores import Scores

FOLDER = Path(__file__).parents[1] / "fixtures/frozen_results"
LABELS = {name: {key: list(labels) for key, labels in model.classes.items()} for name, model in MODELS.items()} | {
    "errs": {"normal": ["normal"], "panic": ["panic"]},
    "onlynormal": {"normal": ["normal"], "panic": ["panic"]},
    "dull": {"normal": ["normal"], "crime": ["theft", "assault", "panic"]},
    "people": {"normal": ["normal"], "theft": ["theft"], "assault": ["assault"]},
}
TARGETS = {"errs": "itself", "onlynormal": "itself", "activity": "cells"}
RECALIBRATED = sorted(LABELS.keys() - {"namer", "activity"})
DRAWS = EvaluationParams(rounds=100, seed=7)


@pytest.fixture(scope="module")
def frozen() -> dict[str, Any]:
    with gzip.open(FOLDER / "results.json.gz") as file:
        return json.loads(file.read())


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, dict[str, np.ndarray]]]:
    by_model: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    with np.load(FOLDER / "tables.npz", allow_pickle=False) as arrays:
        for path in arrays.files:
            model, split, name = path.split("/")
            by_model.setdefault(model, {}).setdefault(split, {})[name] = arrays[path]
    return by_model


def checkpoint_of(model: str) -> Any:
    """As much of a checkpoint as a calibration asks for."""
    clip = Clip(16, target=TARGETS.get(model, Clip(16).target))  # type: ignore[arg-type]
    card = SimpleNamespace(model=model, classes=LABELS[model], clip=clip, features={}, epochs=[1])
    return SimpleNamespace(card=card, sha256=f"{model:0<64}")


def assert_equal(value: Any, expected: Any, where: str = "") -> None:
    """Rounded numbers and texts exactly; numbers of full length to 12 digits, beyond which machines differ."""
    if isinstance(expected, dict):
        assert value.keys() == expected.keys(), where
        for key in expected:
            assert_equal(value[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(value) == len(expected), where
        for number, pair in enumerate(zip(value, expected, strict=True)):
            assert_equal(*pair, f"{where}[{number}]")
    elif isinstance(expected, float) and round(expected, 6) != expected:
        assert math.isclose(value, expected, rel_tol=1e-12), where
    else:
        assert value == expected, where


def as_file(record: Any) -> Any:
    return json.loads(json.dumps(record, allow_nan=False))


def calibrate(model: str, tables: dict[str, Any]) -> Calibration:
    return calibrate_model(tables[model]["val"], checkpoint_of(model), PARAMS)


@pytest.mark.parametrize("model", LABELS)
def test_calibrations_stay(model: str, tables: dict[str, Any], frozen: dict[str, Any]) -> None:
    calibration = calibrate(model, tables)
    expected = {key: value for key, value in frozen[model]["calibration"].items() if key != "sha256"}
    assert_equal(calibration.to_json(), expected, model)
    assert calibration.sentences() == frozen[model]["sentences"]


@pytest.mark.parametrize("model", RECALIBRATED)
def test_recalibrations_stay(model: str, tables: dict[str, Any], frozen: dict[str, Any]) -> None:
    calibration = calibrate(model, tables)
    again = recalibrate_model(calibration, tables[model]["val"], checkpoint_of(model), PARAMS)
    expected = {key: value for key, value in frozen[model]["recalibration"].items() if key != "sha256"}
    assert_equal(again.to_json(), expected, model)


def evaluate(model: str, tables: dict[str, Any]) -> model_metrics.ModelResults:
    val, test = tables[model]["val"], tables[model]["test"]
    return model_metrics.evaluate_model(model, list(LABELS[model]), test, calibrate(model, tables), DRAWS, val)


@pytest.mark.parametrize("model", LABELS)
def test_metrics_and_plots_stay(model: str, tables: dict[str, Any], frozen: dict[str, Any]) -> None:
    results = evaluate(model, tables)
    expected = frozen[model]["metrics"]
    for record in (results.metrics, expected):  # the hash of a calibration is that of numbers of full length
        record["operating_point"].pop("calibration_sha256")
    assert_equal(as_file(results.metrics), expected, model)
    assert_equal(as_file(results.plots), frozen[model]["plots"], model)
    assert sorted(model_metrics.summary_lines(results.metrics)) == sorted(frozen[model]["render"])


def test_the_fusion_and_the_summary_stay(tables: dict[str, Any], frozen: dict[str, Any]) -> None:
    entries = []
    for model in (*MODELS, "errs", "dull", "people"):
        val, test = (
            Scores.of(tables[model][split], bool(tables[model][split]["has_normal"])) for split in ("val", "test")
        )
        metrics = as_file(evaluate(model, tables).metrics)
        calibration, classes = calibrate(model, tables), list(LABELS[model])
        entries.append(summary.Entry(model, metrics, test, val, tables[model]["test"], calibration, (), classes))
    fused = summary.fuse(entries, 100, 7)
    assert fused is not None
    fusion, expected = as_file(fused.to_json()), frozen["fused"]["fusion"]
    for record in (fusion, expected):
        record["calibration"].pop("sha256")
        record["fusion"].pop("calibrations")
    assert_equal(fusion, expected)
    assert_equal(as_file(summary.fused_entry(fused).metrics), frozen["fused"]["metrics"])
    assert_equal(as_file(summary.summarise(entries, fused, 100, 7)), frozen["summary"])
