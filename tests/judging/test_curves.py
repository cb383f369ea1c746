"""Scores as probabilities: rising, no surer than the videos allow, none where there is no score."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import calibrated, city, errors, normal, scores, video

from vigil.core.errors import VigilError
from vigil.judging.curves import Curve
from vigil.statistics.reliability import ece, fit_class_scaling, fit_logistic


def test_overconfident_logits_are_cooled() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=4000)
    true = rng.random(4000) < 1 / (1 + np.exp(-logit))
    rows = [video(f"v{k}", [int(is_true)], [5 * x]) for k, (x, is_true) in enumerate(zip(logit, true, strict=True))]
    calibration = calibrated(scores(rows))
    assert calibration.frame is not None and calibration.reliability is not None
    assert 1 / calibration.frame.slope == pytest.approx(5, rel=0.1)  # five times as sure as is right
    assert calibration.frame.offset == pytest.approx(0, abs=0.1)
    assert calibration.reliability.before is not None and calibration.reliability.after is not None
    assert calibration.reliability.after < 0.03 < 0.15 < calibration.reliability.before


@pytest.mark.parametrize("seed", range(5))
def test_a_fit_does_not_depend_on_the_order_of_adding(seed: int) -> None:
    """Machines add in orders of their own; what they write must not differ for that."""
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(size=(5000, 3)), rng.random(5000)
    target = (x.sum(1) + rng.normal(size=5000) > 0).astype(float)
    order = rng.permutation(5000)
    first = fit_logistic(x, target, weight, 1.0)
    assert first.tolist() == fit_logistic(x[order], target[order], weight[order], 1.0).tolist()
    kinds = (x + rng.normal(size=x.shape)).argmax(1)
    scaling, again = fit_class_scaling(3 * x, kinds), fit_class_scaling(3 * x[order], kinds[order])
    assert scaling.temperature == pytest.approx(again.temperature, rel=1e-5)
    assert scaling.offsets == pytest.approx(again.offsets, abs=2e-6)


def test_scores_that_separate_without_error_are_not_made_certain() -> None:
    rows = [video(f"a{k}", [1], [3.0 + k]) for k in range(5)] + [video(f"n{k}", [0], [-3.0 - k]) for k in range(5)]
    for score_type in ("logits", "errors"):
        calibration = calibrated(scores(rows), score_type)
        p = calibration.probability(np.array([-3.0, 3.0]))
        assert 0.01 < p[0] < 0.5 < p[1] < 0.99


def test_class_logits_are_cooled_too() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 3)) * 1.5
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    class_index = (rng.random(3000)[:, None] > np.cumsum(p, axis=1)).sum(1)
    rows = [video(f"v{k}", [1], [0], classes=4 * logits[k], class_index=int(class_index[k])) for k in range(3000)]
    calibration = calibrated(scores(rows, has_normal=False), "classes")
    assert calibration.temperature == pytest.approx(4, rel=0.1)
    assert calibration.thresholds is None and calibration.operating_point is None
    with pytest.raises(VigilError, match="Ask for its classes"):
        calibration.probability(np.zeros(1))


def test_errors_of_normal_video_alone_become_probabilities() -> None:
    calibration = calibrated(errors(normal(0, 0.5)), "errors")
    assert calibration.frame is not None and calibration.threshold is not None and calibration.frame.transform == "log"
    median = float(np.median(errors(normal(0, 0.5)).score))
    assert calibration.probability(np.array([median, calibration.threshold])) == pytest.approx([0.05, 0.5])
    assert any("one kind only" in note for note in calibration.notes) and calibration.base_rate is None


def test_scores_that_point_the_wrong_way_are_not_turned_round() -> None:
    table = city(0, sources=20)
    wrong = errors(replace(table, score=-table.score, noncausal=-table.score))
    calibration = calibrated(wrong, "errors")
    p = calibration.probability(np.array([0.001, 0.01, 0.1]))
    assert p[0] < p[1] < p[2]
    assert any("no higher than normal ones" in note for note in calibration.notes)


@pytest.mark.parametrize("spread", [0.0, 1e-300, 1e-160, 1e-13])
@pytest.mark.parametrize("level", [0.0, -3.5, 1e6])
def test_scores_that_are_as_good_as_equal_are_equally_probable(spread: float, level: float) -> None:
    # of a fused detector of models that learnt nothing: a standard deviation next to nothing is no scale
    rows = [video(f"v{k}", [k % 2] * 4, [level + spread * (k % 2)] * 4, class_index=k % 2) for k in range(12)]
    calibration = calibrated(scores(rows))
    for of in ("frame", "video"):
        p = calibration.probability(np.array([level - 1, level, level + 1]), of)  # type: ignore[arg-type]
        assert p == pytest.approx([0.5] * 3, abs=0.01)
    assert any("all scores are the same" in note for note in calibration.notes)


@pytest.mark.parametrize(("score_type", "level"), [("logits", 0.0), ("logits", -3.5), ("logits", 1e6), ("errors", 0.5)])
def test_normal_scores_that_are_all_the_same_make_no_other_score_certain(score_type: str, level: float) -> None:
    # the threshold is then the next number above them, which is no distance to measure by
    rows = [video(f"v{k}", [0] * 4, [level] * 4) for k in range(12)]
    calibration = calibrated(scores(rows), score_type)
    for of in ("frame", "video"):
        p = calibration.probability(np.array([level, level + 1e-3 * max(abs(level), 1)]), of)  # type: ignore[arg-type]
        assert p == pytest.approx([0.5] * 2, abs=0.1)


@given(st.integers(0, 100), st.sampled_from(["logits", "errors"]), st.lists(st.floats(-1e6, 1e6), min_size=2))
def test_probability_rises_with_the_score_and_is_one(seed: int, score_type: str, raw: list[float]) -> None:
    calibration = calibrated(city(seed, 4, 2, 10), score_type)
    for of in ("frame", "video"):
        p = calibration.probability(np.sort(raw), of)  # type: ignore[arg-type]
        assert ((p >= 0) & (p <= 1)).all() and (np.diff(p) >= 0).all()


def test_no_score_is_no_probability() -> None:
    curve = Curve(transform="log", slope=1, offset=0)
    assert np.isnan(curve(np.array([np.nan, -np.inf]))).all()
    assert curve(np.array([0.0, np.inf])) == pytest.approx([0, 1])


def test_scores_to_probabilities_help_reliability_on_new_video() -> None:
    fitted_on, unseen = errors(city(0, sources=30)), errors(city(1, sources=30))
    calibration = calibrated(fitted_on, "errors")
    error, bins = ece(calibration.probability(unseen.score), unseen.truth == 1)
    assert error is not None and error < 0.05
    assert sum(row.share for row in bins) == pytest.approx(1)


def test_expected_calibration_error_on_paper() -> None:
    # two bins of ten: .25 and .25 told, 1 of 2 true: off by .25; .95 told, true: off by .05; weighed 2 to 1
    assert ece(np.array([0.25, 0.25, 0.95]), np.array([0, 1, 1], bool), 10)[0] == pytest.approx((2 * 0.25 + 0.05) / 3)
    assert ece(np.array([1.0, np.nan]), np.array([True, False]))[0] == 0
    assert ece(np.zeros(0), np.zeros(0, bool))[0] is None


def rare_events(seed: int, share: float = 0.1, sources: int = 40, each: int = 100) -> list[dict]:
    """Frames, a few of which are abnormal, and logits of a model for which both were equally common."""
    rng, rows = np.random.default_rng(seed), []
    for source in range(sources):
        true = (rng.random(each) < share).astype(int)
        rows.append(video(f"v{source}", true, rng.normal(size=each) + 2 * true - 1))  # log odds, at even odds, / 2
    return rows


def test_a_model_of_balanced_classes_gets_the_base_rate_of_validation() -> None:
    calibration, unseen = calibrated(scores(rare_events(0))), scores(rare_events(1))
    assert calibration.reliability is not None and calibration.frame is not None
    # logit of 0.1, and twice the score: 2 x - 2.197
    assert calibration.frame.slope == pytest.approx(2, rel=0.1)
    assert calibration.frame.offset == pytest.approx(-2.2, abs=0.2)
    assert calibration.base_rate == pytest.approx(0.1, abs=0.01)
    assert calibration.reliability.before is not None and calibration.reliability.before > 0.2
    assert calibration.reliability.after is not None and calibration.reliability.after < 0.02
    assert ece(calibration.probability(unseen.score), unseen.truth == 1)[0] == pytest.approx(0, abs=0.02)
    assert any("0.1" in line and "as in validation" in line for line in calibration.sentences())


def test_the_base_rate_of_a_camera_can_be_set() -> None:
    calibration = calibrated(scores(rare_events(0)), base_rate=0.01)
    at_one_percent = scores(rare_events(2, share=0.01, sources=200))
    assert calibration.base_rate == 0.01 and calibration.threshold == calibrated(scores(rare_events(0))).threshold
    assert calibration.reliability is not None and calibration.reliability.after is not None
    assert calibration.reliability.after < 0.01  # as if validation had so few
    assert ece(calibration.probability(at_one_percent.score), at_one_percent.truth == 1)[0] == pytest.approx(
        0, abs=0.005
    )


def test_the_base_rate_of_a_curve_of_videos_is_a_share_of_videos() -> None:
    # frames of abnormal videos are of unknown truth, so only the videos tell the kinds apart: 6 of 24 are abnormal
    rows = [video(f"n{k}", [0] * 10, [k / 24] * 10) for k in range(18)]
    rows += [video(f"a{k}", [-1] * 10, [1 + k / 6] * 10, class_index=1, label="bad") for k in range(6)]
    calibration = calibrated(scores(rows))
    assert (calibration.fitted_on, calibration.base_rate) == ("videos", 0.25)
    assert any("0.25 of the videos are abnormal, as in validation" in line for line in calibration.sentences())
    assert not any("of the time" in line for line in calibration.sentences())
    rare = calibrated(scores(rows), base_rate=0.01)
    assert any("0.01 of the videos are abnormal, by calibrate.base_rate" in line for line in rare.sentences())
    assert calibrated(scores(rare_events(0))).fitted_on == "frames"


def test_a_model_without_skill_is_told_the_base_rate() -> None:
    rng = np.random.default_rng(0)
    rows = [video(f"v{k}", [1] * 5 + [0] * 15, rng.normal(size=20)) for k in range(60)]
    calibration = calibrated(scores(rows))
    assert calibration.probability(np.linspace(-2, 2, 5)) == pytest.approx([0.25] * 5, abs=0.06)
    assert calibration.reliability is not None and calibration.reliability.after is not None
    assert calibration.reliability.after < 0.03


def test_the_error_is_of_sources_that_were_not_fitted_on() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for source in range(6):  # a source is wholly abnormal or normal by lot, and its scores are its own
        true = [int(source % 2)] * 20
        rows.append(video(f"v{source}", true, rng.normal() + 0.01 * rng.normal(size=20)))
    reliability = calibrated(scores(rows)).reliability
    assert reliability is not None and reliability.after is not None and reliability.in_sample is not None
    assert reliability.after > reliability.in_sample + 0.05
    alone = [{**row, "source": "one"} for row in rows]
    reliability = calibrated(scores(alone)).reliability
    assert reliability is not None and reliability.after is None and reliability.in_sample is not None


def test_a_class_that_is_named_too_often_is_named_with_less_certainty() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 3000)
    logits = rng.normal(size=(3000, 3)) + 2 * np.eye(3)[kinds]
    rows = [video(f"v{k}", [1], [0], classes=logits[k] * 2 + [3, 0, 0], class_index=int(kinds[k])) for k in range(3000)]
    calibration = calibrated(scores(rows, has_normal=False), "classes")
    assert calibration.temperature == pytest.approx(1, rel=0.1)  # log odds are 2 x, and twice x is what it says
    assert calibration.class_offsets == pytest.approx([-2, 1, 1], abs=0.15)
    assert calibration.class_reliability is not None and calibration.class_reliability.after is not None
    assert calibration.class_reliability.after < 0.03 < (calibration.class_reliability.before or 0)
    assert "in the picture" in calibration.sentences()[0]
