"""Evaluation at the size of UCF-Crime, and the label of the video as its oracle."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest
import tables

from vigil.evaluation import baselines
from vigil.evaluation.metrics import evaluate
from vigil.judging.calibration_fit import fit_calibration
from vigil.statistics.scores import Scores


def test_trap_6_the_label_of_the_video_alone_scores_81_57_on_ucf_crime(real_data: Path) -> None:
    truth = tables.ucf_crime(real_data / "ucf-crime")
    started = time.perf_counter()
    label = truth["class_index"].astype(np.float32)
    table = Scores.of({**truth, "score": np.repeat(label, np.diff(truth["offsets"])), "video_score": label})
    result = evaluate(table, tables.point_at(0.5))
    assert time.perf_counter() - started < 10
    assert len(table.score) == 1_111_808
    assert result.metrics["frame_auc_micro"].value == pytest.approx(0.8157, abs=5e-5)
    assert result.metrics["frame_ap"].value == pytest.approx(0.1819, abs=5e-5)
    # and yet it does not know when: that is what the others are for
    assert result.metrics["frame_auc_abnormal"].value == result.metrics["frame_auc_macro"].value == 0.5
    assert result.metrics["video_auc"].value == 1


def test_a_million_distinct_scores_take_seconds_and_little_memory(real_data: Path) -> None:
    truth = tables.ucf_crime(real_data / "ucf-crime")
    rng = np.random.default_rng(0)
    score = (0.5 * truth["truth"] + rng.normal(size=len(truth["truth"]))).astype(np.float32)
    later = np.convolve(score, np.ones(9) / 9, "same")
    video_score = truth["class_index"] + rng.normal(size=290)
    started = time.perf_counter()
    table = Scores.of({**truth, "score": score, "noncausal": later, "video_score": video_score})
    result = evaluate(table, tables.point_at(2.5))
    assert time.perf_counter() - started < 10
    assert result.metrics["noncausal_frame_auc_micro"].low is not None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000  # KiB, of all that ran in this process


def test_hours_of_video_are_calibrated_in_seconds(real_data: Path) -> None:
    truth = tables.ucf_crime(real_data / "ucf-crime")
    score = np.random.default_rng(0).normal(size=len(truth["truth"])) + truth["truth"]
    started = time.perf_counter()
    table = Scores.of({**truth, "score": score, "video_score": truth["class_index"].astype(float)})
    calibration = fit_calibration(table, "logits", tables.params_of(10.0))
    assert time.perf_counter() - started < 20
    assert calibration.promise is not None and calibration.promise.normal_hours > 5


def test_the_trivial_baselines_take_seconds_too(real_data: Path) -> None:
    truth = tables.ucf_crime(real_data / "ucf-crime")
    rng = np.random.default_rng(0)
    motion, people = rng.gamma(2, size=len(truth["truth"])), rng.integers(0, 9, len(truth["truth"]))
    label = truth["class_index"].astype(np.float64)
    scored = Scores.of({**truth, "score": motion, "video_score": label, "motion": motion, "people": people})
    started = time.perf_counter()
    by_baseline = {
        name: evaluate(table, parts=False).metrics for name, table in baselines.baseline_tables(scored).items()
    }
    assert time.perf_counter() - started < 20
    assert set(by_baseline) >= {"length", "position", "motion", "people", "oracle_video_label", "chance"}
    assert by_baseline["oracle_video_label"]["frame_auc_micro"].value == pytest.approx(0.8157, abs=5e-5)
