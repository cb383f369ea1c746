"""What needs no model scores what it should, and shows up data in which it scores well."""

import numpy as np
import pytest
from tables import arrays as tables_arrays
from tables import city, scores, video

from vigil.evaluation.baselines import Aids, baseline_tables, choose_map_reading
from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.evaluation.metrics import evaluate, statistics
from vigil.evaluation.model_metrics import describe_leads, find_unbeaten
from vigil.statistics.intervals import draws
from vigil.statistics.scores import Scores


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
    assert areas(scores(rows), "plain_unusual") == pytest.approx(0.9)
    assert areas(scores(rows), "unusual") == 1  # by its distance from 1, which is usual


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
                    f"v{number}",
                    [min(class_index, 1)] * length,
                    np.zeros(length),
                    class_index=class_index,
                    classes=[0, 0, 0],
                )
            )
        return scores(rows)

    accuracy = statistics(baseline_tables(table_of(True), table_of(True))["length"])["balanced_accuracy"].value
    assert accuracy is not None and accuracy > 0.8
    blind = statistics(baseline_tables(table_of(False), table_of(False))["length"])["balanced_accuracy"].value
    assert blind is not None and blind < 0.6
    assert statistics(baseline_tables(table_of(True))["chance"])["balanced_accuracy"].value == pytest.approx(1 / 3)


def test_a_model_without_a_normal_class_has_no_label_to_be_told() -> None:
    table = scores([video("a", [1], [1], classes=[1, 0], class_index=0), video("b", [1], [1], classes=[1, 0])], False)
    assert "oracle_video_label" not in baseline_tables(table)


def motion_city(seed: int, column: str = "score", reach: float = 0.5):
    """Motion that peaks for a moment in abnormal videos, in which a mean drowns it; `column` is the motion itself."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(24):
        truth = np.zeros(40, int)
        if number % 2:
            truth[20:24] = 1
        motion = rng.random(40) + rng.random() * 2 * (1 - reach) + 1.5 * reach * truth
        rows.append(video(f"{seed}-{number}", truth, motion if column == "score" else np.zeros(40), motion=motion))
    return scores(rows)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0])
def test_a_model_that_is_the_motion_never_beats_the_motion(seed: int, reach: float) -> None:
    reference, table = motion_city(100 + seed, reach=reach), motion_city(seed, reach=reach)
    tables = {name: baseline for name, baseline in baseline_tables(table, reference).items() if "motion" in name}
    trivial = {name: statistics(baseline) for name, baseline in tables.items()}
    leads = describe_leads(table, trivial, draws(len(table.names), 200))
    assert leads["video_auc"]["apart"]["value"] <= 0
    assert not leads["video_auc"]["beaten"] and not leads["frame_auc_micro"]["beaten"]


def test_the_reading_is_chosen_on_validation() -> None:
    """A peak on an uneven ground: by its mean 0.5, by how far it stands out in its video 1."""

    def table_of(seed: int):
        rng = np.random.default_rng(seed)
        rows = []
        for number in range(20):
            motion = np.full(40, 10 * rng.random())
            motion[20] += number % 2
            rows.append(video(f"v{number}", [0] * 20 + [number % 2] + [0] * 19, np.zeros(40), motion=motion))
        return scores(rows)

    tables = baseline_tables(table_of(0), table_of(1))
    assert statistics(tables["motion"])["video_auc"].value == 1
    assert statistics(tables["plain_motion"])["video_auc"].value < 0.8


def test_a_forest_of_all_labels_answers_a_model_by_the_labels_that_it_knows() -> None:
    rows = [video(f"v{k}", [0, k % 2], [0, 0], label=("normal", "panic")[k % 2]) for k in range(6)]
    table = scores(rows)
    labels = np.array(["normal", "panic", "theft"])
    quiet, loud = [0.2, 0.1, 0.7], [0.1, 0.6, 0.3]
    by_video = {f"v{k}": np.array([quiet, loud if k % 2 else quiet], np.float32) for k in range(6)}
    tree_table = baseline_tables(table, None, Aids(LabelProbabilities(labels, by_video)))["flow_trees"]
    assert tree_table.score[2:4] == pytest.approx([0.1 / 0.3, 0.6 / 0.7])  # theft is not asked for
    assert statistics(tree_table)["video_auc"].value == statistics(tree_table)["frame_auc_micro"].value == 1
    assert "flow_trees" not in baseline_tables(table, None, Aids(LabelProbabilities(labels, {})))


def test_the_classes_of_a_forest_are_read_as_validation_prefers() -> None:
    """A moment of sureness amid frames that lean the other way: the mean is always wrong, the maximum never."""

    def table_of(seed: int) -> Scores:
        rng = np.random.default_rng(seed)
        names = ("theft", "panic")
        return scores(
            [
                video(
                    f"{seed}-{k}",
                    [1] * 20,
                    rng.random(20),
                    label=names[k % 2],
                    class_index=k % 2,
                    classes=rng.random(2).tolist(),
                )
                for k in range(12)
            ],
            has_normal=False,
        )

    def frames_of(kind: int) -> np.ndarray:
        others = np.tile(np.roll([0.3, 0.5], kind), (20, 1))
        others[7] = np.roll([0.9, 0.1], kind)
        return others.astype(np.float32)

    validation, test = table_of(0), table_of(1)
    by_video = {name: frames_of(k % 2) for table in (validation, test) for k, name in enumerate(table.video.tolist())}
    trees = LabelProbabilities(np.array(["theft", "panic"]), by_video)
    table = baseline_tables(test, validation, Aids(trees))["flow_trees"]
    assert statistics(table)["balanced_accuracy"].value == 1


def test_differing_frames_are_a_baseline_of_maps_by_the_reading_that_validation_prefers() -> None:
    truth = np.array([[[1, 0], [0, -1]]], np.int8)
    maps = np.array([[[[0, 9], [9, 9]], [[5, 1], [2, 9]]]], np.float32)
    assert choose_map_reading(maps, truth) == 1
    arrays = {"cells": np.zeros((1, 2, 2)), "cells_truth": truth, "cells_video": np.zeros(1, np.int64)}
    rows = tables_arrays([video("a", [1], [1]), video("n", [0], [0])])
    table = Scores.of(rows | arrays, True)
    tables = baseline_tables(table, None, Aids(None, maps[:, 1]))
    assert statistics(tables["difference"])["cell_auc"].value == 1
    assert statistics(tables["chance"])["cell_auc"].value == 0.5
