"""Several detectors as one: better than each, the same again, and calm where one of them is silent."""

from dataclasses import replace

import numpy as np
import pytest
from tables import city, params_of, scores, video

from vigil.core.errors import VigilError
from vigil.evaluation.fusion import Fusion, align_tables, cross_fit, fit_fusion
from vigil.evaluation.metrics import statistics
from vigil.judging.calibration_fit import fit_calibration
from vigil.statistics.scores import Scores


def twins(seed: int) -> dict[str, Scores]:
    """The same videos, judged by two whose errors have nothing to do with each other."""
    table, rng = city(seed, sources=15, skill=1.0, camera=0.0), np.random.default_rng(seed + 999)
    other = rng.normal(size=len(table.score)) + (table.truth == 1)
    peaks = np.array([other[table.frames_of(k)].max() for k in range(len(table.video))])
    return {"a": table, "b": replace(table, score=other, noncausal=other, video_score=peaks)}


def probabilities(tables: dict[str, Scores]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    frames = {name: 1 / (1 + np.exp(-(table.score - 1.5))) for name, table in tables.items()}
    return frames, {name: 1 / (1 + np.exp(-(table.video_score - 2.5))) for name, table in tables.items()}


def fitted(tables: dict[str, Scores]) -> Fusion:
    return fit_fusion(tables, *probabilities(tables), dict.fromkeys(tables, "sha"))


def area(table: Scores, metric: str = "frame_auc_micro") -> float:
    metric_value = statistics(table)[metric].value
    assert metric_value is not None
    return metric_value


def test_two_are_better_than_one() -> None:
    val, test = twins(0), twins(1)
    fused = fitted(val).table(test, *probabilities(test))
    assert area(fused) > max(area(table) for table in test.values()) + 0.03
    assert fused.video.tolist() == sorted(test["a"].video.tolist())
    assert fused.offsets[-1] == len(test["a"].score)


def test_the_same_again_and_in_any_order() -> None:
    val = twins(0)
    assert fitted(val) == fitted(val) == fitted(dict(reversed(val.items())))
    back = Fusion.read(fitted(val).model_dump(mode="json"), "fusion.json")
    assert back == fitted(val)


def test_a_model_that_knows_nothing_is_hardly_heard() -> None:
    val = twins(0)
    noise = np.random.default_rng(5).normal(size=len(val["a"].score))
    val["b"] = replace(val["b"], score=noise)
    slopes = fitted(val).frame.slopes
    assert slopes[0] > 5 * slopes[1] >= 0


def test_no_model_lowers_the_alarm_by_being_alarmed() -> None:
    val = twins(0)
    val["b"] = replace(val["b"], score=-val["b"].score)
    fusion = fitted(val)
    assert fusion.frame.slopes[1] == 0
    p = fusion.probability({"a": np.array([0.2, 0.2, 0.9]), "b": np.array([0.1, 0.9, 0.1])})
    assert p[0] == p[1] < p[2]


def test_where_one_is_silent_the_other_still_speaks() -> None:
    fusion = fitted(twins(0))
    p = fusion.probability({"a": np.array([0.1, 0.9, np.nan]), "b": np.full(3, np.nan)})
    assert p[0] < p[1] and np.isnan(p[2])
    assert np.isfinite(fusion.probability({"a": np.array([0.5])})).all()  # b was not asked
    with pytest.raises(VigilError, match=r"fitted without 'c'\. Known: a, b"):
        fusion.probability({"c": np.array([0.5])})


def test_certain_probabilities_do_not_drown_the_others() -> None:
    odds = fitted(twins(0)).odds({"a": np.array([0.0, 1.0]), "b": np.array([0.5, 0.5])})
    assert np.isfinite(odds).all() and odds[0] < odds[1]


def test_videos_and_frames_that_only_one_knows_are_there() -> None:
    table = scores([video("v", [0, 0, 1, 1], [0, 1, 2, 3]), video("only", [0], [0])])
    # the other looks at every second frame, and calls another video abnormal
    other = scores([video("v", [0, 1], [5, 6], fps=0.5), video("theirs", [1, 1], [1, 1])])
    p = {"one": table.score / 10, "other": other.score / 10}
    base, frames, videos = align_tables({"one": table, "other": other}, p, {"one": np.zeros(2), "other": np.ones(2)})
    assert base["video"].tolist() == ["only", "theirs", "v"]
    assert base["offsets"].tolist() == [0, 1, 3, 7]
    assert base["class_index"].tolist() == [0, 1, 1]
    assert frames["one"][3:].tolist() == [0, 0.1, 0.2, 0.3]
    assert frames["other"][3:].tolist() == [0.5, 0.5, 0.6, 0.6]  # its last word, as it would be live
    assert np.isnan(frames["one"][1:3]).all() and np.isnan(frames["other"][0])
    assert videos["other"].tolist()[1:] == [1, 1] and np.isnan(videos["other"][0])


def test_no_word_is_carried_across_a_pause() -> None:
    times = np.array([0.0, 1.0, 900.0, 901.0])
    table = scores([video("v", [0, 0, 0, 1], [0, 1, 2, 3], time_s=times)])
    other = scores([video("v", [0, 1], [5, 6], time_s=times[[0, 3]])])
    p = {"one": table.score / 10, "other": other.score / 10}
    _, frames, _ = align_tables({"one": table, "other": other}, p, {"one": np.zeros(1), "other": np.ones(1)})
    assert frames["other"][:2].tolist() == [0.5, 0.5] and np.isnan(frames["other"][2]) and frames["other"][3] == 0.6


def test_with_one_kind_alone_all_count_alike_and_it_is_said() -> None:
    val = {name: table.select(~table.abnormal) for name, table in twins(0).items()}
    fusion = fitted(val)
    assert fusion.frame.slopes == (0.5, 0.5) and "all models count alike" in fusion.notes[0]


def drifting(seed: int, sources: int, frames: int = 120) -> dict[str, Scores]:
    """Five models that know nothing, each with a bias of its own for every camera, on the same videos."""
    table = city(seed, sources, each=2, frames=frames, skill=0.0, camera=0.0)
    rng = np.random.default_rng(seed + 10**6)
    cameras = np.unique(table.source, return_inverse=True)[1]
    tables = {}
    for model in "abcde":
        score = rng.normal(size=len(table.score)) + rng.normal(size=sources)[cameras][table.owner]
        peaks = np.array([score[table.frames_of(index)].max() for index in range(len(table.video))])
        tables[model] = replace(table, score=score, noncausal=score, video_score=peaks)
    return tables


def share_broken(trials: int, sources: int = 12) -> float:
    """Share of the 90 % promises of fused detectors that fresh cameras break."""
    fresh, broken, promised = drifting(999, 150), 0, 0
    for trial in range(trials):
        val = drifting(trial, sources)
        detector, hashes = fitted(val), dict.fromkeys(val, "sha")
        table = cross_fit(val, *probabilities(val), hashes)[0]
        calibration = fit_calibration(table, "logits", params_of(budget=60.0, confidence=0.9))
        if calibration.promise is None or calibration.promise.per_hour is None or calibration.operating_point is None:
            continue
        outcome = calibration.operating_point.outcome(detector.table(fresh, *probabilities(fresh)))
        promised += 1
        broken += outcome.false_alarms_by_video.sum() / (outcome.normal_s.sum() / 3600) > 60
    assert promised > trials / 2
    return broken / promised


def test_what_a_fused_detector_says_of_validation_was_not_fitted_on_it() -> None:
    val = drifting(0, 12)
    table, reason, left_out = cross_fit(val, *probabilities(val), dict.fromkeys(val, "sha"))
    assert reason is None and left_out == 0 and table.video.tolist() == sorted(val["a"].video.tolist())
    others = val["a"].source != "cam3"
    louder = {name: replace(each, truth=np.where(others[each.owner], each.truth, 0)) for name, each in val.items()}
    again = cross_fit(louder, *probabilities(louder), dict.fromkeys(val, "sha"))[0]
    changed = table.score != again.score
    # what is true of a source changes what is said of others, and nothing that is said of itself or of its fold
    assert changed.any() and not changed[(table.source == "cam3")[table.owner]].any()
    alone = {name: each.select(each.source == "cam3") for name, each in val.items()}
    assert "there is one source" in (cross_fit(alone, *probabilities(alone), dict.fromkeys(val, "sha")).reason or "")


def test_a_fold_that_holds_all_abnormal_videos_is_left_out() -> None:
    """Without it only one kind is known, and a mean of odds would stand beside what a fit says."""
    sources = [f"cam{number}" for number in range(8)]  # a fold each

    def keep(table: Scores) -> Scores:
        return table.select((~table.abnormal | (table.source == "cam3")) & np.isin(table.source, sources))

    val = {name: keep(table) for name, table in twins(0).items()}
    table, reason, left_out = cross_fit(val, *probabilities(val), dict.fromkeys(val, "sha"))
    assert reason is None and left_out == (val["a"].source == "cam3").sum() and "cam3" not in table.source
    base, frames, _ = align_tables(val, *probabilities(val))
    held_out = np.repeat(base["source"] != "cam3", np.diff(base["offsets"]))
    whole = fitted(val).odds({name: p[held_out] for name, p in frames.items()})
    # all on the scale of a fit on both kinds: nearly what the detector of all sources says
    assert np.corrcoef(table.score, whole)[0, 1] > 0.9
    assert abs(float(np.median(table.score - whole))) < 0.3


def test_where_each_kind_is_of_one_source_nothing_is_held_out() -> None:
    def keep(table: Scores) -> Scores:
        return table.select(np.where(table.abnormal, table.source == "cam3", table.source == "cam4"))

    val = {name: keep(table) for name, table in twins(0).items()}
    table, reason, left_out = cross_fit(val, *probabilities(val), dict.fromkeys(val, "sha"))
    assert reason is not None and reason.startswith("videos of a kind are of one source") and left_out == 0
    assert len(table.video) == len(val["a"].video)


def test_models_without_skill_have_none_when_they_are_fused() -> None:
    too_kind, honest = [], []
    for seed in range(3):
        val = drifting(seed, 8, frames=60)
        too_kind.append(area(fitted(val).table(val, *probabilities(val))))
        honest.append(area(cross_fit(val, *probabilities(val), dict.fromkeys(val, "sha"))[0]))
    assert np.mean(too_kind) > 0.55 > np.mean(honest) and np.mean(too_kind) > np.mean(honest) + 0.05


@pytest.mark.slow
def test_the_promise_of_the_fused_detector_is_kept() -> None:
    assert share_broken(100) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 100)
