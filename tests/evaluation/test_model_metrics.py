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
from judged_city import PARAMS

from vigil.core.errors import VigilError
from vigil.evaluation import model_metrics
from vigil.evaluation.model_metrics import EvaluationParams, ModelResults, evaluate_model
from vigil.judging.calibration import Calibration, ScoreType
from vigil.judging.calibration_fit import fit_calibration
from vigil.judging.stored import Arrays
from vigil.statistics.scores import Scores

DRAWS = EvaluationParams(rounds=200, seed=7)
NAMES = ("normal", "bad")


def arrays_of(scores: Scores, **columns: Any) -> Arrays:
    names = ("video", "label", "source", "class_index", "video_score", "classes", "offsets", "time_s", "truth", "score")
    arrays = {name: getattr(scores, name) for name in (*names, "people", "motion")}
    return arrays | {"model_sha256": np.array("w"), "has_normal": np.array(True)} | columns


def frozen(arrays: Arrays, score_type: ScoreType = "logits") -> Calibration:
    return fit_calibration(Scores.of(arrays), score_type, PARAMS, "w", "s")


def evaluated(seed: int = 1, skill: float = 2.0, **columns: Any) -> ModelResults:
    val, test = (arrays_of(tables.city(city_seed, skill=skill), **columns) for city_seed in (seed, seed + 1))
    return evaluate_model("m", NAMES, test, frozen(val), DRAWS, val)


def test_every_metric_is_a_value_with_its_interval() -> None:
    metrics = evaluated().metrics
    for key in ("video_auc", "video_ap", "eer", "accuracy", "balanced_accuracy", "frame_auc_micro", "frame_auc_macro",
                "frame_auc_abnormal", "frame_ap", "tiou", "precision_at_k", "event_recall", "event_recall_1s",
                "event_recall_3s", "event_recall_10s", "false_alarms_per_hour", "alarmed_share"):  # fmt: skip
        metric = metrics[key]
        assert metric["low"] <= metric["value"] <= metric["high"], key
        assert metric["n"] > 0
    assert set(metrics["baselines"]) >= {"length", "position", "oracle_video_label", "chance"}
    assert metrics["baselines"]["chance"]["frame_auc_micro"]["value"] == 0.5
    json.dumps(metrics, allow_nan=False)


def test_precision_among_the_videos_that_score_highest_is_told_for_each_count_that_is_asked_for() -> None:
    val, test = (arrays_of(tables.city(seed, skill=3.0)) for seed in (1, 2))
    params = EvaluationParams(rounds=200, seed=7, precision_at=(1, 5, 999))
    metrics = evaluate_model("m", NAMES, test, frozen(val), params, val).metrics
    best = np.argsort(-test["video_score"])[:5]
    five = metrics["video_precision_at_5"]
    assert five["value"] == pytest.approx((test["class_index"][best] > 0).mean())
    assert five["low"] <= five["value"] <= five["high"] and five["n"] == 12
    assert metrics["video_precision_at_1"]["value"] in (0, 1)
    assert metrics["video_precision_at_999"]["value"] is None
    assert metrics["video_precision_at_999"]["reason"] == "48 videos, fewer than 999"
    assert "video_precision_at_5" in metrics["baselines"]["length"]
    assert not any("video_precision" in name for name in evaluated().metrics)


def test_the_same_scores_give_the_same_numbers() -> None:
    assert json.dumps(evaluated().metrics, sort_keys=True) == json.dumps(evaluated().metrics, sort_keys=True)


def test_a_model_that_knows_nothing_is_said_to() -> None:
    notes = evaluated(skill=0.0).metrics["notes"]
    assert any(note.startswith("does not beat `") for note in notes)
    assert not any(note.startswith("does not beat `") for note in evaluated(skill=6.0).metrics["notes"])


def test_a_lead_that_chance_could_give_is_said_to_be_none() -> None:
    test = tables.city(2, sources=6, skill=2.0)
    guess = test.score + 3 * np.random.default_rng(1).normal(size=len(test.score))
    arrays = arrays_of(test) | {"people": guess - guess.min()}
    (line,) = (
        note
        for note in evaluate_model("m", NAMES, arrays, frozen(arrays_of(tables.city(1))), DRAWS).metrics["notes"]
        if note.startswith("does not beat `people` clearly in video_auc: ")
    )
    model_value, baseline_value, apart, low, high = map(float, re.findall(r"[+-]?\d\.\d+", line))
    assert apart > 0 and low <= 0 <= high, "above it, and yet not beyond chance"
    assert model_value - baseline_value == pytest.approx(apart, abs=2e-3)


def test_frames_before_the_first_score_are_spoken_of() -> None:
    assert any("the first 0.375 s" in note for note in evaluated(ready_s=np.array(0.375)).metrics["notes"])


def test_the_threshold_is_the_frozen_one_whatever_the_test_data_are() -> None:
    val, test = (arrays_of(tables.city(seed)) for seed in (1, 2))
    calibration = frozen(val)
    moved = test | {"score": test["score"] + 100, "video_score": test["video_score"] + 100}
    test_metrics, moved_metrics = (
        evaluate_model("m", NAMES, arrays, calibration, DRAWS, val).metrics for arrays in (test, moved)
    )
    assert test_metrics["operating_point"]["threshold"] == moved_metrics["operating_point"]["threshold"]
    assert moved_metrics["alarmed_share"]["value"] == 1.0, "all is above it now"
    assert test_metrics["frame_auc_micro"] == moved_metrics["frame_auc_micro"]


def test_errors_of_probabilities_here_and_on_validation_are_of_the_same_unit() -> None:
    """Where frames of abnormal videos have no truth, videos alone are judged abnormal, and their scores fitted."""

    def labelled_by_video(seed: int) -> Arrays:
        table = tables.city(seed, sources=20, camera=0.0)
        abnormal = table.abnormal[table.owner]
        return arrays_of(table, truth=np.where(abnormal, -1, 0).astype(np.int8))

    val, test = labelled_by_video(1), labelled_by_video(2)
    result = evaluate_model("m", NAMES, test, frozen(val), DRAWS, val)
    error = result.metrics["operating_point"]["ece"]
    assert error["unit"] == "videos" and error["here"] < 0.2, "of frames alone, none of which is abnormal, 0 or 0.5"
    by_hand = sum(row["share"] * abs(row["predicted"] - row["observed"]) for row in result.plots["reliability"])
    assert error["here"] == pytest.approx(by_hand, abs=1e-4)
    assert sum(row["share"] * row["observed"] for row in result.plots["reliability"]) == pytest.approx(
        Scores.of(test).abnormal.mean(), abs=1e-3
    )
    assert evaluated().metrics["operating_point"]["ece"]["unit"] == "frames"


def test_scores_of_other_weights_are_refused() -> None:
    val = arrays_of(tables.city(1))
    with pytest.raises(VigilError, match="of other weights than the calibration"):
        evaluate_model("m", NAMES, val | {"model_sha256": np.array("v")}, frozen(val), DRAWS)


def test_one_that_draws_maps_is_judged_by_its_maps_and_by_what_they_make_of_a_video() -> None:
    rng = np.random.default_rng(0)
    table = tables.city(1, sources=8, each=2)
    videos = len(table.video)
    truth = rng.random((videos, 4, 4)) < 0.3
    maps = {"cells": rng.normal(size=truth.shape) + 3 * truth, "cells_truth": truth.astype(np.int8),
            "cells_video": np.arange(videos)}  # fmt: skip
    arrays = arrays_of(table, **maps)
    result = evaluate_model("m", ("static", "dynamic"), arrays, frozen(arrays), DRAWS, arrays)
    measured = {key for key, metric in result.metrics.items() if "value" in metric}
    assert measured == {"cell_auc", "cell_iou", "accuracy", "balanced_accuracy"}
    assert result.metrics["cell_auc"]["value"] > 0.9
    assert result.plots["roc"]


def test_a_video_is_dynamic_from_the_frozen_threshold_of_videos_up() -> None:
    """Of 4 static videos one is flagged, of 4 dynamic ones two: 5 of 8 are right, and (3/4 + 2/4) / 2."""
    moves = [np.full(9, number % 2) for number in range(8)]
    table = tables.scores(
        [
            tables.video(f"s/{number}", truth, truth * 1.0, source=f"cam{number // 2}")
            for number, truth in enumerate(moves)
        ]
    )
    video_score = np.array([0.1, 0.2, 0.1, 0.3, 0.1, 0.7, 0.8, 0.9])
    maps = {"cells": np.zeros((8, 1, 1)), "cells_truth": np.zeros((8, 1, 1), np.int8), "cells_video": np.arange(8)}
    arrays = arrays_of(table, video_score=video_score, **maps)
    calibration = frozen(arrays)
    assert calibration.thresholds is not None
    calibration = calibration.model_copy(
        update={"thresholds": calibration.thresholds.model_copy(update={"video": 0.5})}
    )
    metrics = evaluate_model("m", ("static", "dynamic"), arrays, calibration, DRAWS).metrics
    assert metrics["accuracy"]["value"] == pytest.approx(5 / 8)
    assert metrics["balanced_accuracy"]["value"] == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert metrics["confusion"] == {"classes": ["static", "dynamic"], "table": [[3, 1], [2, 2]]}


def test_segments_of_people_are_counted_by_class() -> None:
    arrays = arrays_of(tables.city(1, sources=8, each=2))
    logits = np.eye(2)[[0, 0, 1, 1, 0]]
    maps = {
        "person_classes": logits,
        "person_class_index": np.array([0, 0, 1, 0, -1]),
        "person_video": np.array([0, 1, 2, 3, 4]),
    }
    metrics = evaluate_model("m", NAMES, arrays | maps, frozen(arrays), DRAWS).metrics
    assert metrics["segment_balanced_accuracy"]["value"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)


def test_points_of_the_curves_end_where_curves_end() -> None:
    plots = evaluated().plots
    assert (plots["roc"][0], plots["roc"][-1]) == ({"fpr": 0.0, "tpr": 0.0}, {"fpr": 1.0, "tpr": 1.0})
    assert plots["pr"][-1]["recall"] == 1.0
    assert {row["actual"] for row in plots["confusion"]} == {"normal", "abnormal"}
    assert all(0 <= row["observed"] <= 1 for row in plots["reliability"])


def test_what_cannot_be_measured_for_one_reason_is_one_note() -> None:
    normal = tables.city(1, sources=3, abnormal=0.0)
    arrays = arrays_of(normal)
    notes = evaluate_model("m", NAMES, arrays, frozen(arrays), DRAWS).metrics["notes"]
    assert len(notes) == len(set(notes)) <= 10
    assert sum("nothing abnormal here" in note for note in notes) == 1
    (note,) = (note for note in notes if note.endswith(": nothing abnormal here"))
    assert note.startswith("video_auc, video_ap, eer, ")


def test_it_reads_as_a_table_with_the_best_baseline_beside() -> None:
    lines = model_metrics.summary_lines(evaluated().metrics)
    assert any(line.startswith("frame_auc_micro 0.") and "; " in line for line in lines)
    assert frozen(arrays_of(tables.city(1))).sentences()[0].startswith("alarm at ")


@pytest.mark.slow
def test_a_hundred_and_twenty_eight_hours_fit() -> None:
    frames, videos = 1_100_000, 290
    rng = np.random.default_rng(0)
    offsets = np.linspace(0, frames, videos + 1).astype(np.int64)
    truth = np.zeros(frames, np.int8)
    for start, stop in list(itertools.pairwise(offsets))[::2]:
        truth[start + 500 : min(start + 1200, stop)] = 1
    owner = np.repeat(np.arange(videos), np.diff(offsets))
    score = (rng.normal(size=frames) + truth).astype(np.float32)
    names = np.array([f"v{number}" for number in range(videos)])
    arrays: Arrays = {
        "video": names, "label": names, "source": names, "class_index": (np.arange(videos) % 2 == 0).astype(np.int16),
        "offsets": offsets, "time_s": (np.arange(frames) - offsets[owner]) / 30, "truth": truth, "score": score,
        "video_score": np.maximum.reduceat(score, offsets[:-1]), "model_sha256": np.array("w"),
        "has_normal": np.array(True),
    }  # fmt: skip
    began = time.process_time()
    metrics = evaluate_model("m", NAMES, arrays, frozen(arrays), DRAWS, arrays).metrics
    assert metrics["counts"]["frames"] == frames
    assert time.process_time() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2.5e6, "kB"
