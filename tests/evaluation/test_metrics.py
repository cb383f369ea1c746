"""The numbers of a model, on paper and at the size of UCF-Crime; what has nothing to be measured has no number."""

from dataclasses import replace

import numpy as np
import pytest
from tables import arrays, city, point_at, scores, video

from vigil.core.errors import VigilError
from vigil.evaluation.metrics import evaluate, statistics
from vigil.statistics.events import OperatingPoint
from vigil.statistics.scores import Scores

AT = point_at(0.5, hold_s=0.0)


def value(table: Scores, name: str, operating_point: OperatingPoint | None = AT) -> float | None:
    return statistics(table, operating_point)[name].value


def two_videos() -> Scores:
    return scores([video("a", [0, 0, 1, 1, 0], [0, 0.6, 0.7, 0.4, 0]), video("b", [0, 0, 0, 0], [0.1, 0.2, 0.9, 0.3])])


# --- on paper


def test_frame_areas_pooled_within_and_averaged_differ() -> None:
    # frames, from the top: .9- .7+ .6- .4+ .3- .2- .1- 0- 0-: of 2 * 7 pairs .7 loses one, .4 two: 11 of 14
    assert value(two_videos(), "frame_auc_micro") == pytest.approx(11 / 14)
    # of video a alone: .7 beats all 3, .4 all but .6: 5 of 6
    assert value(two_videos(), "frame_auc_abnormal") == pytest.approx(5 / 6)
    assert value(two_videos(), "frame_auc_macro") == pytest.approx(5 / 6)
    # from the top: the 2nd and the 4th are abnormal: (1/2 + 2/4) / 2
    assert value(two_videos(), "frame_ap") == pytest.approx(0.5)
    assert value(two_videos(), "precision_at_k") == 0.5  # of .9 and .7 one is


def test_macro_is_the_mean_over_videos_and_not_the_pool_of_them() -> None:
    # trap 14: each video is ordered perfectly, but on a level of its own
    table = scores([video("a", [0, 1], [1, 2]), video("b", [0, 1], [11, 12]), video("c", [0, 0], [3, 3])])
    assert value(table, "frame_auc_macro") == 1
    # 2 beats 1; 12 beats 1, 11, 3, 3: 5 of 8
    assert value(table, "frame_auc_micro") == pytest.approx(5 / 8)
    # without c: 2 beats 1, 12 beats both: 3 of 4
    assert value(table, "frame_auc_abnormal") == pytest.approx(3 / 4)


def test_overlap_in_time_is_of_alarmed_and_abnormal_frames() -> None:
    # video a: alarmed are frames 1 and 2, abnormal 2 and 3: one of three. b has nothing abnormal and does not count
    assert value(two_videos(), "tiou") == pytest.approx(1 / 3)


def test_videos_at_the_frozen_threshold() -> None:
    table = scores(
        [video("a", [1], [0.9]), video("b", [1], [0.4]), video("c", [0], [0.6])]
        + [video(f"n{k}", [0], [0.1]) for k in range(3)]
    )
    assert value(table, "accuracy") == pytest.approx(4 / 6)
    assert value(table, "balanced_accuracy") == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert value(table, "video_auc") == pytest.approx((4 + 3) / 8)
    assert evaluate(table, AT).confusion == [[3, 1], [1, 1]]
    assert value(table, "accuracy", replace(AT, video_threshold=0.3)) == pytest.approx(5 / 6)


def test_without_an_operating_point_nothing_is_said_that_needs_one() -> None:
    result = evaluate(two_videos())
    assert {"accuracy", "tiou", "event_recall", "false_alarms_per_hour"}.isdisjoint(result.metrics)
    assert result.confusion == []


def test_classes_by_the_highest_logit() -> None:
    logits = {"n": [3, 1, 0], "t": [0, 2, 1], "x": [5, 1, 2], "d": [0, 1, 2]}
    table = scores(
        [
            video("n", [0], [0], classes=logits["n"]),
            video("t", [1], [1], classes=logits["t"], class_index=1, label="theft"),
            video("x", [1], [1], classes=logits["x"], class_index=2, label="damage"),
            video("d", [1], [1], classes=logits["d"], class_index=2, label="damage"),
        ]
    )
    result = evaluate(table, AT)
    assert result.confusion == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert result.metrics["balanced_accuracy"].value == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert result.metrics["accuracy"].value == 1  # abnormal or not, at the threshold
    assert result.classes["damage"]["recall"] == 0.5


def test_a_model_without_a_normal_class_has_accuracy_and_no_area() -> None:
    table = scores(
        [
            video("a", [1], [1], classes=[2, 1], class_index=0, label="Abuse"),
            video("b", [1], [1], classes=[2, 1], class_index=1, label="Arson"),
        ],
        has_normal=False,
    )
    metrics = evaluate(table).metrics
    assert metrics["accuracy"].value == metrics["balanced_accuracy"].value == 0.5
    assert "video_auc" not in metrics and metrics["frame_auc_micro"].reason == "nothing normal here"


def test_trap_10_classes_are_told_apart_with_and_without_the_normal_one() -> None:
    # the normal ones come from elsewhere and are always named right; theft and damage are guessed
    rows = [video(f"n{k}", [0], [0], classes=[9, 0, 0]) for k in range(4)]
    for number, class_index in enumerate([1, 1, 2, 2]):
        logits = [0, 1, 2] if number % 2 else [5, 2, 1]
        rows.append(video(f"a{number}", [1], [1], classes=logits, class_index=class_index, label=f"c{class_index}"))
    metrics = evaluate(scores(rows), AT).metrics
    assert metrics["balanced_accuracy_abnormal"].value == 0.5  # named 1, 2, 1, 2 if normal may not be said
    assert metrics["balanced_accuracy"].value == pytest.approx((1 + 0 + 1 / 2) / 3)


def test_segments_of_people_are_named_apart_from_their_videos() -> None:
    columns = arrays([video("a", [1], [1], classes=[0, 1]), video("n", [0], [0], classes=[1, 0])])
    columns |= {
        "person_video": np.array([0, 0, 0, 1]),
        "person_class_index": np.array([1, 1, 0, -1]),
        "person_classes": np.array([[0, 1], [1, 0], [1, 0], [0, 9]]),
    }
    # class 1: one of two; class 0: one of one; the last is not judged
    assert value(Scores.of(columns), "segment_balanced_accuracy") == 0.75


def test_trap_18_accuracy_is_never_without_false_alarms() -> None:
    for table in (two_videos(), city(0)):
        metrics = evaluate(table, AT).metrics
        assert {"accuracy", "false_alarms_per_hour", "alarmed_share"} <= set(metrics)
        assert "accuracy" not in evaluate(table).metrics


def test_trap_20_a_detector_that_abstains_is_not_alarmed_and_not_excused() -> None:
    # it sees nobody in the second video, in which something happens: missed, and counted
    table = scores([video("a", [0, 1], [0, 1]), video("b", [0, 1], [np.nan, np.nan])])
    result = evaluate(table, AT)
    assert result.metrics["event_recall"].value == 0.5 and result.metrics["false_alarms_per_hour"].value == 0
    assert result.counts["unscored_videos"] == 1


def test_maps_are_judged_cell_by_cell() -> None:
    columns = arrays([video("a", [0, 1], [0, 1]), video("b", [0, 0], [0, 0])])
    cells = np.array([[[2.0, -1], [0.5, -2]], [[1, -1], [-1, -1]]])
    truth = np.array([[[1, 0], [0, 1]], [[0, 0], [0, -1]]], np.int8)
    table = Scores.of({**columns, "cells": cells, "cells_truth": truth, "cells_video": np.array([0, 1])})
    # abnormal 2 and -2, normal -1 .5 1 -1 -1: 5 + 0 of 10 pairs; one cell is unknown
    assert value(table, "cell_auc") == 0.5
    assert value(table, "cell_iou", AT) == pytest.approx(1 / 4)  # 2 of {2, .5, 1, -2}


def test_each_class_and_each_source_is_told_apart() -> None:
    result = evaluate(two_videos(), AT)
    assert result.classes["bad"]["video_auc"] == 0 and result.classes["bad"]["event_recall"] == 1
    assert result.sources["b"] == {
        "videos": 1, "abnormal_videos": 0, "right_videos": 0, "events": 0, "missed_events": 0, "false_alarms": 1,
        "normal_minutes": pytest.approx(4 / 60, abs=1e-6),
    }  # fmt: skip


def test_causal_and_non_causal_never_mix() -> None:
    # trap 13: later frames help here, so the headline must not have them
    truth = [0, 0, 1, 1]
    table = scores(
        [
            video("a", truth, [0, 1, 0, 1], noncausal=[0, 0, 1, 1]),
            video("b", [0, 0], [0.5, 0.5], noncausal=[0.5, 0.5]),
        ]
    )
    metrics = evaluate(table, AT).metrics
    assert metrics["noncausal_frame_auc_abnormal"].value == 1 and metrics["frame_auc_abnormal"].value == 0.5
    assert metrics["noncausal_tiou"].value == 1 and metrics["tiou"].value == pytest.approx(1 / 3)
    assert not any(name.startswith("noncausal_") for name in evaluate(two_videos(), AT).metrics)


# --- what is not there


def test_frames_without_a_score_count_as_the_lowest_and_are_told() -> None:
    # trap 13 too: nobody seen is no alarm. Abnormal frames: nan and 2; normal: 1, 0, nan
    table = scores([video("a", [1, 1, 0], [np.nan, 2, 1]), video("b", [0, 0], [0, np.nan])])
    # 2 beats all 3; nan loses to 1 and 0 and ties with nan: 3 1/2 of 6
    assert value(table, "frame_auc_micro") == pytest.approx(3.5 / 6)
    result = evaluate(table, AT)
    assert result.counts["unscored_frames"] == 2 and result.counts["frames"] == 5
    assert "2 of 5 frames and 0 of 2 videos have no score" in result.notes[0]


def test_a_video_without_any_score_is_the_lowest_and_not_left_out() -> None:
    table = scores([video("a", [1], [np.nan]), video("b", [1], [1]), video("c", [0], [0])])
    assert value(table, "video_auc") == 0.5
    assert evaluate(table, AT).counts["unscored_videos"] == 1


def test_frames_of_unknown_truth_count_in_nothing() -> None:
    with_unknown = scores([video("a", [0, 1, -1, -1], [0, 1, 5, -5]), video("b", [0], [0.2])])
    without = scores([video("a", [0, 1], [0, 1]), video("b", [0], [0.2])])
    for name in ("frame_auc_micro", "frame_ap", "frame_auc_macro", "frame_auc_abnormal", "tiou", "precision_at_k"):
        assert value(with_unknown, name) == value(without, name)
    assert evaluate(with_unknown, AT).counts["unknown_frames"] == 2


@pytest.mark.parametrize("truth", [[0, 0], [1, 1], [-1, -1]])
def test_of_one_kind_there_is_no_area_made_of_nothing(truth: list[int]) -> None:
    result = evaluate(scores([video("a", truth, [0, 1]), video("b", truth, [1, 0])]), AT)
    for name in ("video_auc", "video_ap", "eer", "frame_auc_micro", "frame_ap", "precision_at_k", "frame_auc_macro"):
        interval = result.metrics[name]
        assert (interval.value, interval.low, interval.high) == (None, None, None) and interval.reason, name
        assert any(name in note.split(": ")[0].split(", ") for note in result.notes)


def test_an_area_of_one_video_is_never_quoted() -> None:
    # trap 9: with one event at the end, the number of the frame scores 1
    clip = video("a", [0] * 80 + [1] * 20, np.arange(100.0))
    result = evaluate(scores([clip]))
    for name in ("frame_auc_micro", "frame_auc_macro", "frame_auc_abnormal", "frame_ap"):
        assert result.metrics[name].value is None
        assert result.metrics[name].reason == "one video alone says nothing"


def test_labels_that_a_model_does_not_know_are_not_judged() -> None:
    result = evaluate(scores([video("a", [1], [1]), video("b", [0], [0]), video("x", [1], [-9], class_index=-1)]), AT)
    assert result.metrics["video_auc"].value == 1 and result.counts["not_judged_videos"] == 1
    assert any("does not know" in note for note in result.notes)


def test_an_empty_table_has_reasons_and_no_numbers() -> None:
    result = evaluate(scores([video("x", [1], [1], class_index=-1)]), AT)
    assert result.metrics and all(interval.value is None and interval.reason for interval in result.metrics.values())


def test_few_sources_and_agreeing_ones_are_told() -> None:
    notes = " ".join(evaluate(two_videos(), AT).notes)
    assert "2 sources: intervals over fewer than 6 mean little" in notes
    assert "the interval is too narrow" in notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": np.array(["a"])}, "label has 1 entries, expected 2"),
        ({"truth": np.zeros(3, np.int8)}, "truth has 3 entries, expected 9"),
        ({"offsets": np.array([0, 5, 8])}, "do not cut 9 frames into 2 videos"),
        ({"time_s": np.zeros(9)}, "a: times that do not rise"),
        ({"score": None}, "no score"),
        ({"cells": np.zeros((1, 2, 2))}, "maps"),
        ({"offsets": np.array([0, 9])}, "offsets has 2 entries, expected 3"),
        ({"person_video": np.zeros(1, np.int64)}, "the segments of people"),
        ({"time_s": np.array([0, 1, 2, 3, 4, 0, 1, 1, 2])}, "b: times that do not rise"),
    ],
)
def test_a_table_that_does_not_fit_itself_is_refused_in_a_line(change: dict, words: str) -> None:
    # trap 15: as many scores as frames, in every video
    columns = arrays(
        [video("a", [0, 0, 1, 1, 0], [0, 0.6, 0.7, 0.4, 0]), video("b", [0, 0, 0, 0], [0.1, 0.2, 0.9, 0.3])]
    )
    columns = {name: array for name, array in {**columns, **change}.items() if array is not None}
    with pytest.raises(VigilError, match=words):
        Scores.of(columns)
