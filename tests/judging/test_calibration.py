"""Thresholds, promises and probabilities: frozen, honest, rising, and refused where they do not belong."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tables
from tables import calibrated, city, errors, normal, params_of, scores, video
from verdicts import ModelSketch, stand_in_checkpoint

from vigil.core.errors import VigilError
from vigil.judging.calibration import Calibration, read_calibration, settings_sha256
from vigil.judging.calibration_fit import fit_calibration, refit_calibration
from vigil.statistics.reliability import logit
from vigil.statistics.scores import Scores

# --- thresholds and the budget


def test_percentiles_are_of_normal_frames_alone() -> None:
    calibration = calibrated(scores([video("n", [0] * 100, np.arange(100.0)), video("a", [1] * 50, [1000.0] * 50)]))
    assert calibration.thresholds is not None
    assert (calibration.thresholds.p90, calibration.thresholds.p95, calibration.thresholds.p98) == (90, 95, 98)


def test_the_budget_is_kept_on_the_normal_video_that_there_is() -> None:
    table = normal(0, 1.0)
    for budget in (2.0, 10.0, 60.0):
        thresholds = calibrated(table, budget=budget).thresholds
        assert thresholds is not None
        alone = calibrated(table, budget=budget).model_copy(
            update={"thresholds": thresholds.model_copy(update={"promise": None})}
        )
        outcome = alone.operating_point.outcome(table)  # type: ignore[union-attr]
        assert 0.5 * budget - 1 <= outcome.false_alarms.sum() <= budget


def test_the_threshold_never_comes_from_abnormal_frames() -> None:
    table = city(0)
    louder = replace(table, score=np.where(table.truth == 1, table.score + 100, table.score))
    quiet_thresholds, other = calibrated(table).thresholds, calibrated(louder).thresholds
    assert quiet_thresholds is not None and other is not None
    assert (quiet_thresholds.p95, quiet_thresholds.budget, quiet_thresholds.promise) == (
        other.p95,
        other.budget,
        other.promise,
    )


def test_an_alarm_that_never_ends_does_not_keep_the_budget() -> None:
    # one hour at a constant 1 with a single dip: at that threshold there are two runs, which a count would let pass
    score = np.ones(3600)
    score[1800] = 0
    calibration = calibrated(scores([video("n", [0] * 3600, score)]), budget=5.0)
    assert calibration.threshold is not None and calibration.threshold > 1


def test_another_rule_of_alarming_is_calibrated_as_it_is_used() -> None:
    table = normal(0, 0.5)
    shy = calibrated(table, cooldown_s=1e9)  # alarms once in each video, so a low threshold will do
    eager = calibrated(table)
    assert shy.threshold is not None and eager.threshold is not None and shy.threshold < eager.threshold


# --- the promise


def test_with_too_little_normal_video_it_says_how_much_is_wanting() -> None:
    calibration = calibrated(normal(0, 1.0), budget=1.0)
    assert calibration.promise is not None and calibration.thresholds is not None
    assert calibration.promise.per_hour is None and calibration.thresholds.promise is None
    # quiet for 2.9957 / (1 - growth) hours, where growth is 2.9957 * variation / 10 cameras
    growth = 2.9957 * calibration.promise.variation / 10
    assert calibration.promise.minutes_needed == pytest.approx(60 * (2.9957 / (1 - growth) - 1), rel=1e-3)
    assert calibration.threshold == calibration.thresholds.budget
    assert any("not enough normal video to promise 1 false alarm per hour" in note for note in calibration.notes)
    assert "more are needed" in calibration.promise.sentence()
    # and with that much it is enough, if it is quiet
    enough = calibrated(normal(0, 1.01 * (1 + calibration.promise.minutes_needed / 60)), budget=1.0)
    assert enough.promise is not None and (
        enough.promise.per_hour is not None or enough.promise.variation > calibration.promise.variation
    )


def test_one_video_promises_nothing_however_long_it_is() -> None:
    promise = calibrated(normal(0, 10.0, sources=1), budget=60.0).promise
    assert promise is not None and promise.per_hour is None and promise.minutes_needed is None
    assert "not enough sources to promise 60 false alarms per hour" in promise.sentence()


def test_a_promise_is_a_higher_threshold_than_the_budget_alone() -> None:
    calibration = calibrated(normal(0, 1.0), budget=30.0)
    assert (
        calibration.thresholds is not None
        and calibration.promise is not None
        and calibration.promise.per_hour is not None
    )
    assert (
        calibration.thresholds.promise is not None and calibration.thresholds.promise >= calibration.thresholds.budget
    )
    assert calibration.threshold == calibration.thresholds.promise
    assert calibration.promise.per_hour <= 30
    assert calibration.promise.sentence().startswith("at most ") and "95% confidence" in calibration.promise.sentence()


def share_kept(trials: int, hours: float, sources: int, camera: float, seed: int) -> float:
    """Share of calibrations whose threshold keeps its promise on the footage of thirty times as many cameras."""
    budget, good, promised = 30.0, 0, 0
    long = city(10**6 + seed, 30 * sources, 1, int(hours * 3600 / sources), camera=camera, abnormal=0.0)
    for trial in range(trials):
        calibration = calibrated(
            city(seed + trial, sources, 1, int(hours * 3600 / sources), camera=camera, abnormal=0.0), budget=budget
        )
        if calibration.thresholds is None or calibration.thresholds.promise is None:
            continue
        outcome = calibration.operating_point.outcome(long)  # type: ignore[union-attr]
        promised += 1
        good += outcome.false_alarms.sum() / (outcome.normal_s.sum() / 3600) <= budget
    assert promised > 0.8 * trials
    return good / promised


def test_the_promise_holds_on_video_that_it_has_not_seen() -> None:
    assert share_kept(60, hours=1.0, sources=12, camera=0.0, seed=0) >= 0.87  # 0.95, less 3 standard errors


@pytest.mark.slow
@pytest.mark.parametrize(("sources", "camera"), [(12, 0.0), (30, 0.3)])
def test_the_promise_holds_over_a_thousand_draws(sources: int, camera: float) -> None:
    assert share_kept(1000, hours=1.0, sources=sources, camera=camera, seed=5) >= 0.93


# --- cuts of videos and maps


def test_videos_are_cut_where_the_kinds_part() -> None:
    rows = [video(f"n{k}", [0], [k / 10]) for k in range(5)] + [video(f"a{k}", [1], [2 + k]) for k in range(3)]
    calibration = calibrated(scores(rows)).thresholds
    assert calibration is not None and calibration.video == pytest.approx((0.4 + 2) / 2)


def test_normal_videos_alone_are_cut_where_few_are() -> None:
    calibration = calibrated(scores([video(f"n{k}", [0], [k]) for k in range(19)])).thresholds
    # of 20 videos that could be drawn, two may be above: the 18th of 19
    assert calibration is not None and calibration.video is not None and 17 < calibration.video < 17.001


def test_cells_are_cut_where_they_overlap_the_truth_most() -> None:
    arrays = tables.arrays([video("a", [0, 1], [0, 1]), video("n", [0], [0])])
    cells = np.array([[[-3.0, -1.0, 2.0, 3.0]]])
    truth = np.array([[[0, 1, 1, 1]]], np.int8)
    table = Scores.of({**arrays, "cells": cells, "cells_truth": truth, "cells_video": np.array([0])})
    calibration = calibrated(table)
    assert calibration.thresholds is not None and calibration.thresholds.cell == -1
    assert calibration.operating_point.cell_threshold == -1  # type: ignore[union-attr]


# --- frozen, and refused elsewhere


def test_a_calibration_is_the_same_again_and_survives_its_file(tmp_path: Path) -> None:
    calibration = calibrated(errors(city(0)), "errors")
    assert calibration == calibrated(errors(city(0)), "errors")
    calibration.write(tmp_path / "panic.json")
    again = read_calibration(tmp_path / "panic.json")
    assert again == calibration and again.sha256 == calibration.sha256


def test_the_hash_is_of_all_that_it_says() -> None:
    calibration = calibrated(city(0))
    assert calibration.thresholds is not None
    other = calibration.model_copy(update={"thresholds": calibration.thresholds.model_copy(update={"p90": 0.0})})
    assert other.sha256 != calibration.sha256
    assert json.loads(json.dumps(calibration.to_json(), allow_nan=False)) == calibration.to_json()


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"calibration": {}, "wanted": {}, "ordinary": None}, {"score_type": "logits"}]
)
def test_another_layout_is_refused_in_a_line(payload: object) -> None:
    with pytest.raises(VigilError, match=r"x\.json: not a calibration"):
        Calibration.from_json(payload, "x.json")


@pytest.mark.parametrize("change", ["weights", "settings"])
def test_trap_5_other_weights_or_settings_are_refused(change: str) -> None:
    model, params = ModelSketch({"normal": ["normal"], "panic": ["panic"]}), params_of()
    checkpoint = stand_in_checkpoint("panic", model)
    hashes = {"weights": checkpoint.sha256, "settings": settings_sha256(checkpoint, params)}
    fit_calibration(city(0), "logits", params, *hashes.values()).check(checkpoint, "panic.json")
    other = fit_calibration(city(0), "logits", params, *(hashes | {change: "aa"}).values())
    with pytest.raises(VigilError, match=f"panic.json: made for {change} aa, these are .* Calibrate again"):
        other.check(checkpoint, "panic.json")


def test_a_calibration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        calibrated(city(0)).notes = ()  # type: ignore[misc]


def test_one_camera_is_calibrated_from_its_own_normal_video() -> None:
    old = calibrated(errors(city(0)), "errors")
    loud = errors(replace(normal(1, 0.5, sources=2), score=normal(1, 0.5, sources=2).score + 3))
    new = refit_calibration(old, loud, params_of(), "bb")
    assert old.threshold is not None and new.threshold is not None and new.threshold > 3 * old.threshold
    at = [float(calibration.probability(np.array([calibration.threshold]))[0]) for calibration in (old, new)]
    assert at[0] == pytest.approx(at[1])  # where the alarm sounds is as probable as before
    # so is where a video is flagged, and as far above the threshold of frames as it was (of errors: by a factor)
    assert old.thresholds is not None and new.thresholds is not None
    assert old.thresholds.video is not None and new.thresholds.video is not None
    assert new.thresholds.video / new.threshold == pytest.approx(old.thresholds.video / old.threshold)
    at = [
        float(calibration.probability(np.array([cuts.video]), "video")[0])
        for calibration, cuts in ((old, old.thresholds), (new, new.thresholds))
    ]
    assert at[0] == pytest.approx(at[1])
    assert new.sha256 != old.sha256
    assert (new.model_sha256, new.settings_sha256) == ("aa", "bb")


def test_a_camera_may_have_a_base_rate_of_its_own() -> None:
    old, quiet = calibrated(city(0)), normal(1, 0.5, sources=2)
    as_before, rare = (refit_calibration(old, quiet, params_of(base_rate=rate)) for rate in (None, 0.001))
    assert old.validation_rate is not None and rare.threshold == as_before.threshold
    assert (as_before.base_rate, rare.base_rate) == (old.base_rate, 0.001)
    shift = logit(0.001) - logit(old.validation_rate)
    for of in ("frame", "video"):
        odds = [logit(calibration.probability(np.linspace(-2, 2, 5), of)) for calibration in (as_before, rare)]
        assert odds[1] == pytest.approx(odds[0] + shift)
    back = refit_calibration(rare, quiet, params_of())
    assert (back.frame, back.video, back.base_rate) == (as_before.frame, as_before.video, as_before.base_rate)


def test_where_the_alarm_sounds_is_told_by_the_video_that_it_was_made_of() -> None:
    old = calibrated(city(0), budget=0.1)
    assert "by the budget on validation" in old.sentences()[0]
    camera = refit_calibration(old, normal(1, 0.5, sources=2), params_of(budget=0.1))
    assert "by the budget on this camera's normal video" in camera.sentences()[0]


def test_a_calibration_that_is_not_there_is_named_with_the_stage_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match=r"calibration/panic\.json: not found\. Run `dvc repro calibrate@panic`\.$"):
        read_calibration(tmp_path / "calibration/panic.json")
    with pytest.raises(VigilError, match=r"mine\.json: not found\. Name a calibration's file\.$"):
        read_calibration(tmp_path / "mine.json")


@pytest.mark.parametrize(
    ("videos", "words"),
    [
        ([video("a", [1], [1])], "no normal video in validation"),
        ([video("n", [0, 0], [np.nan, np.nan])], "no score in any normal frame"),
        ([video("x", [0], [0], class_index=-1)], "no validation video has a label that the model knows"),
    ],
)
def test_without_normal_scores_nothing_is_calibrated(videos: list, words: str) -> None:
    with pytest.raises(VigilError, match=words):
        calibrated(scores(videos))


def test_frames_without_a_score_are_hours_without_an_alarm() -> None:
    calibration = calibrated(scores([video("n", [0] * 7200, [1.0] * 3600 + [np.nan] * 3600)]))
    assert calibration.promise is not None and calibration.promise.normal_hours == pytest.approx(2)
