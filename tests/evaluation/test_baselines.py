"""What needs no model scores what it should, and shows up data in which it scores well."""

import numpy as np
import pytest
from tables import city, scores, video

from vigil.evaluation.baselines import baseline_tables
from vigil.evaluation.metrics import evaluate, statistics
from vigil.evaluation.model_metrics import find_unbeaten
from vigil.statistics.intervals import draws


def areas(table, name: str, metric: str = "frame_auc_micro", reference=None) -> float | None:
    return statistics(baseline_tables(table, reference)[name])[metric].value


def test_trap_7_length_alone_tells_where_the_abnormal_videos_are_longer() -> None:
    rows = [video(f"a{k}", [1] * (30 + k), np.zeros(30 + k)) for k in range(6)]
    rows += [video(f"n{k}", [0] * (10 + k), np.zeros(10 + k)) for k in range(6)]
    table = scores(rows)
    assert areas(table, "length", "video_auc") == areas(table, "length") == 1
    assert areas(table, "chance") == areas(table, "chance", "video_auc") == 0.5


def test_trap_8_where_everybody_has_fled_counting_people_is_enough() -> None:
    rows = []
    for number in range(8):
        truth = [0] * 20 + [1] * 10
        rows.append(video(f"p{number}", truth, np.zeros(30), people=[9] * 22 + [0] * 8, motion=[1.0] * 30))
    table = scores(rows)
    area = areas(table, "people")  # the fewer the more abnormal, which is learnt
    assert area == pytest.approx((8 + 2 / 2) / 10)  # 8 of 10 abnormal frames are above all normal ones, 2 tie
    assert areas(table, "motion") == 0.5
    # a model that does no better is reported, and told by its delay too
    trivial = {"people": statistics(baseline_tables(table)["people"])}
    assert any("`people`" in line for line in find_unbeaten(table, trivial, draws(len(table.names))))


def test_what_is_unusual_by_counting_alone_is_a_baseline_too() -> None:
    rows = [
        video(f"p{k}", [0] * 20 + [1] * 10, np.zeros(30), unusual=[1.0] * 20 + [4.0] * 9 + [0.5], motion=[1.0] * 30)
        for k in range(4)
    ]
    assert areas(scores(rows), "unusual") == pytest.approx(0.9)


def test_trap_9_the_place_in_the_video_is_enough_where_it_always_ends_badly() -> None:
    table = scores([video(f"v{k}", [0] * 80 + [1] * 20, np.zeros(100)) for k in range(4)])
    assert areas(table, "position", "frame_auc_abnormal") == 1
    even = scores([video(f"v{k}", np.roll([0] * 80 + [1] * 20, 20 * k), np.zeros(100)) for k in range(5)])
    assert areas(even, "position", "frame_auc_abnormal") == 0.5


def test_trap_6_the_label_of_the_video_is_no_localisation() -> None:
    table = city(0)
    label = evaluate(baseline_tables(table)["oracle_video_label"]).metrics
    assert label["video_auc"].value == 1 and label["frame_auc_micro"].value is not None
    assert label["frame_auc_micro"].value > 0.7
    assert label["frame_auc_abnormal"].value == label["frame_auc_macro"].value == 0.5


def test_chance_is_a_half_and_the_base_rate() -> None:
    table = city(1)
    chance = evaluate(baseline_tables(table)["chance"]).metrics
    assert chance["frame_auc_micro"].value == chance["video_auc"].value == chance["eer"].value == 0.5
    assert chance["frame_ap"].value == pytest.approx((table.truth == 1).mean())


def test_directions_are_learnt_from_the_reference_and_not_from_test() -> None:
    def table_of(long: int, short: int):
        return scores([video(f"a{k}", [1] * long, np.zeros(long)) for k in range(3)]
                      + [video(f"n{k}", [0] * short, np.zeros(short)) for k in range(3)])  # fmt: skip

    assert areas(table_of(9, 5), "length", "video_auc", table_of(20, 10)) == 1
    assert areas(table_of(9, 5), "length", "video_auc", table_of(10, 20)) == 0  # in the reference they were shorter
    assert areas(table_of(5, 9), "length", "video_auc") == 1


def test_unknown_people_and_motion_are_left_out_or_lowest() -> None:
    table = scores([video("a", [1, 1], [0, 0]), video("n", [0, 0], [0, 0])])
    assert {"motion", "people", "unusual"}.isdisjoint(baseline_tables(table))
    some = scores([video("a", [1, 1], [0, 0], people=[3, -1]), video("n", [0, 0], [0, 0], people=[-1, 1])])
    assert (baseline_tables(some)["people"].score == [3, -np.inf, -np.inf, 1]).all()


def test_classes_are_guessed_from_one_feature() -> None:
    rng = np.random.default_rng(0)

    def table_of(informative: bool):
        rows = []
        for number in range(60):
            class_index = number % 3
            length = int(10 + (20 * class_index if informative else 0) + rng.integers(0, 5))
            rows.append(
                video(
                    f"v{number}", [min(class_index, 1)] * length, np.zeros(length), klass=class_index, classes=[0, 0, 0]
                )
            )
        return scores(rows)

    accuracy = statistics(baseline_tables(table_of(True), table_of(True))["length"])["balanced_accuracy"].value
    assert accuracy is not None and accuracy > 0.8
    blind = statistics(baseline_tables(table_of(False), table_of(False))["length"])["balanced_accuracy"].value
    assert blind is not None and blind < 0.6
    assert statistics(baseline_tables(table_of(True))["chance"])["balanced_accuracy"].value == pytest.approx(1 / 3)


def test_a_model_without_a_normal_class_has_no_label_to_be_told() -> None:
    table = scores([video("a", [1], [1], classes=[1, 0], klass=0), video("b", [1], [1], classes=[1, 0])], False)
    assert "oracle_video_label" not in baseline_tables(table)
