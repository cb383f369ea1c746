"""A table of scores and a frozen calibration make the numbers of metrics/<model>.json, at any size."""

import itertools
import json
import re
import resource
import time
from typing import Any

import numpy as np
import pytest
import tables
from judged_city import WANTED

from vigil.core.errors import VigilError
from vigil.evaluation import model_metrics
from vigil.evaluation.model_metrics import Evaluated, Settings
from vigil.judging import calibrated, calibration
from vigil.judging.calibrated import Calibrated
from vigil.judging.stored import Arrays
from vigil.statistics.scores import Scores

DRAWS = Settings(rounds=200, seed=7)
NAMES = ("normal", "bad")


def arrays_of(scores: Scores, **more: Any) -> Arrays:
    names = ("video", "label", "source", "klass", "video_score", "classes", "offsets", "time_s", "truth", "score")
    told = {name: getattr(scores, name) for name in names}
    told |= {name: getattr(scores, name) for name in ("people", "motion")}
    return told | {"model_sha256": np.array("w"), "has_normal": np.array(True)} | more


def frozen(arrays: Arrays, kind: str = "logits") -> Calibrated:
    scores = Scores.of(arrays)
    made = calibration.calibrate(scores, kind, budget=60.0, confidence=0.9, model_sha256="w", settings_sha256="s")  # type: ignore[arg-type]
    return Calibrated(calibration=made, wanted=WANTED, ordinary=0.0)


def evaluated(seed: int = 1, skill: float = 2.0, **more: Any) -> Evaluated:
    val, test = (arrays_of(tables.city(each, skill=skill), **more) for each in (seed, seed + 1))
    return model_metrics.evaluate("m", NAMES, test, frozen(val), DRAWS, val)


def test_every_metric_is_a_value_with_its_interval() -> None:
    told = evaluated().told
    for key in ("video_auc", "video_ap", "eer", "accuracy", "balanced_accuracy", "frame_auc_micro", "frame_auc_macro",
                "frame_auc_abnormal", "frame_ap", "tiou", "precision_at_k", "event_recall", "delay_s",
                "false_alarms_per_hour"):  # fmt: skip
        one = told[key]
        assert one["low"] <= one["value"] <= one["high"], key
        assert one["n"] > 0
    assert set(told["baselines"]) >= {"length", "position", "oracle_video_label", "chance"}
    assert told["baselines"]["chance"]["frame_auc_micro"]["value"] == 0.5
    json.dumps(told, allow_nan=False)


def test_the_same_scores_give_the_same_numbers() -> None:
    assert json.dumps(evaluated().told, sort_keys=True) == json.dumps(evaluated().told, sort_keys=True)


def test_a_model_that_knows_nothing_is_said_to() -> None:
    notes = evaluated(skill=0.0).told["notes"]
    assert any(note.startswith("does not beat `") for note in notes)
    assert not any(note.startswith("does not beat `") for note in evaluated(skill=6.0).told["notes"])


def test_a_lead_that_chance_could_give_is_said_to_be_none() -> None:
    test = tables.city(2, sources=6, skill=2.0)
    guess = test.score + np.random.default_rng(0).normal(size=len(test.score))
    arrays = arrays_of(test) | {"people": guess - guess.min()}
    (line,) = (
        note
        for note in model_metrics.evaluate("m", NAMES, arrays, frozen(arrays_of(tables.city(1))), DRAWS).told["notes"]
        if note.startswith("does not beat `people` clearly in video_auc: ")
    )
    ours, theirs, apart, low, high = map(float, re.findall(r"[+-]?\d\.\d+", line))
    assert apart > 0 and low <= 0 <= high, "above it, and yet not beyond chance"
    assert ours - theirs == pytest.approx(apart, abs=2e-3)


def test_frames_before_the_first_score_are_spoken_of() -> None:
    assert any("the first 3 stored frames" in note for note in evaluated(ready=np.array(4)).told["notes"])


def test_the_threshold_is_the_frozen_one_whatever_the_test_data_are() -> None:
    val, test = (arrays_of(tables.city(seed)) for seed in (1, 2))
    made = frozen(val)
    moved = test | {"score": test["score"] + 100, "video_score": test["video_score"] + 100}
    one, other = (model_metrics.evaluate("m", NAMES, each, made, DRAWS, val).told for each in (test, moved))
    assert one["operating_point"]["threshold"] == other["operating_point"]["threshold"]
    assert other["alarmed_share"]["value"] == 1.0, "all is above it now"
    assert one["frame_auc_micro"] == other["frame_auc_micro"]


def test_scores_of_other_weights_are_refused() -> None:
    val = arrays_of(tables.city(1))
    with pytest.raises(VigilError, match="of other weights than the calibration"):
        model_metrics.evaluate("m", NAMES, val | {"model_sha256": np.array("v")}, frozen(val), DRAWS)


def test_one_that_draws_maps_is_judged_by_its_maps_alone() -> None:
    rng = np.random.default_rng(0)
    tell = tables.city(1, sources=8, each=2)
    videos = len(tell.video)
    truth = rng.random((videos, 4, 4)) < 0.3
    more = {"cells": rng.normal(size=truth.shape) + 3 * truth, "cells_truth": truth.astype(np.int8),
            "cells_video": np.arange(videos)}  # fmt: skip
    arrays = arrays_of(tell, **more)
    told = model_metrics.evaluate("m", NAMES, arrays, frozen(arrays), DRAWS, arrays)
    assert {key for key, one in told.told.items() if "value" in one} == {"cell_auc", "cell_iou"}
    assert told.told["cell_auc"]["value"] > 0.9
    assert told.plots["roc"]


def test_segments_of_people_are_counted_by_class() -> None:
    arrays = arrays_of(tables.city(1, sources=8, each=2))
    logits = np.eye(2)[[0, 0, 1, 1, 0]]
    more = {
        "person_classes": logits,
        "person_klass": np.array([0, 0, 1, 0, -1]),
        "person_video": np.array([0, 1, 2, 3, 4]),
    }
    told = model_metrics.evaluate("m", NAMES, arrays | more, frozen(arrays), DRAWS).told
    assert told["segment_balanced_accuracy"]["value"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)


def test_points_of_the_curves_end_where_curves_end() -> None:
    plots = evaluated().plots
    assert (plots["roc"][0], plots["roc"][-1]) == ({"fpr": 0.0, "tpr": 0.0}, {"fpr": 1.0, "tpr": 1.0})
    assert plots["pr"][-1]["recall"] == 1.0
    assert {row["actual"] for row in plots["confusion"]} == {"normal", "abnormal"}
    assert all(0 <= row["true"] <= 1 for row in plots["reliability"])


def test_it_reads_as_a_table_with_the_best_baseline_beside() -> None:
    lines = model_metrics.render(evaluated().told)
    assert any(line.startswith("frame_auc_micro 0.") and "; " in line for line in lines)
    assert calibrated.sentences(frozen(arrays_of(tables.city(1))))[0].startswith("alarm at ")


def test_a_hundred_and_twenty_eight_hours_fit() -> None:
    frames, each = 1_100_000, 290
    rng = np.random.default_rng(0)
    offsets = np.linspace(0, frames, each + 1).astype(np.int64)
    truth = np.zeros(frames, np.int8)
    for start, stop in list(itertools.pairwise(offsets))[::2]:
        truth[start + 500 : min(start + 1200, stop)] = 1
    owner = np.repeat(np.arange(each), np.diff(offsets))
    score = (rng.normal(size=frames) + truth).astype(np.float32)
    names = np.array([f"v{number}" for number in range(each)])
    arrays: Arrays = {
        "video": names, "label": names, "source": names, "klass": (np.arange(each) % 2 == 0).astype(np.int16),
        "offsets": offsets, "time_s": (np.arange(frames) - offsets[owner]) / 30, "truth": truth, "score": score,
        "video_score": np.maximum.reduceat(score, offsets[:-1]), "model_sha256": np.array("w"),
        "has_normal": np.array(True),
    }  # fmt: skip
    began = time.process_time()
    told = model_metrics.evaluate("m", NAMES, arrays, frozen(arrays), DRAWS, arrays).told
    assert told["counts"]["frames"] == frames
    assert time.process_time() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2.5e6, "kB"
