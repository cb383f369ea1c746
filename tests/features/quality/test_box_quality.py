"""Average precision, worked out on paper."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ultralytics.utils import metrics as ultralytics_metrics

from vigil.features.quality.box_quality import BoxMatches, average_precision, box_iou, match_boxes, summarise_precision

BOX = [0.0, 0.0, 10.0, 10.0]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 5)


def matches(*correct: bool, truth_count: int) -> BoxMatches:
    """Boxes in falling order of their scores."""
    return BoxMatches(np.linspace(0.9, 0.1, len(correct)), np.array(correct, bool), truth_count)


def test_overlap_is_intersection_over_union() -> None:
    """Shifted by half: 50 of 150; a quarter inside: 25 of 100; apart: 0."""
    others = np.array([[5, 0, 15, 10], [0, 0, 5, 5], [20, 20, 30, 30], BOX])
    np.testing.assert_allclose(box_iou(np.array([BOX]), others), [[1 / 3, 1 / 4, 0, 1]])


@pytest.mark.parametrize("seed", range(5))
def test_overlap_is_that_of_a_library(seed: int) -> None:
    random = np.random.default_rng(seed)
    ours, others = (np.hstack([low, low + random.uniform(1, 60, (40, 2))]) for low in random.uniform(0, 90, (2, 40, 2)))
    expected = ultralytics_metrics.box_iou(torch.from_numpy(ours), torch.from_numpy(others)).numpy()
    np.testing.assert_allclose(box_iou(ours, others), expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_precision_is_that_of_a_library(seed: int) -> None:
    """Ultralytics takes the area of trapezoids between the same 101 levels, so a step may count half a level less."""
    random = np.random.default_rng(seed)
    correct = random.random(200) < np.linspace(1, 0.2, 200)
    truth_count = int(correct.sum()) + 30
    hits = np.cumsum(correct)
    expected, _, _ = ultralytics_metrics.compute_ap(hits / truth_count, hits / np.arange(1, 201))
    assert average_precision([matches(*correct, truth_count=truth_count)]) == pytest.approx(expected, abs=0.01)


def test_all_found_and_nothing_else_is_one() -> None:
    assert average_precision([matches(True, True, truth_count=2)]) == 1.0


def test_nothing_found_is_zero_and_nothing_to_find_is_unknown() -> None:
    assert average_precision([matches(truth_count=3)]) == 0.0
    assert average_precision([matches(False, truth_count=0)]) is None


def test_half_found_is_half() -> None:
    """One of two found at once: precision 1 up to recall 0.5, which is 51 of the 101 levels, and 0 beyond."""
    assert average_precision([matches(True, truth_count=2)]) == pytest.approx(51 / 101)


def test_a_false_box_before_a_right_one_costs_precision() -> None:
    """Right, wrong, right: precision 1 up to recall 0.5 (51 levels), then 2/3 (50 levels)."""
    assert average_precision([matches(True, False, True, truth_count=2)]) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_false_box_after_all_right_ones_costs_nothing() -> None:
    assert average_precision([matches(True, True, False, truth_count=2)]) == 1.0


def test_a_second_box_on_one_thing_is_wrong() -> None:
    matched = match_boxes(boxes([*BOX, 0.9], [1, 0, 11, 10, 0.8]), np.array([BOX]), np.array([True]))
    assert matched.correct.tolist() == [True, False]


def test_what_does_not_count_is_neither_missed_nor_wrongly_found() -> None:
    truth = np.array([BOX, [50.0, 50, 60, 60]])
    matched = match_boxes(boxes([*BOX, 0.9], [50, 50, 60, 60, 0.8]), truth, np.array([True, False]))
    assert (matched.correct.tolist(), matched.truth_count) == ([True], 1)
    assert match_boxes(boxes(), truth, np.array([True, False])).truth_count == 1


def test_a_box_goes_to_the_thing_that_counts() -> None:
    """One hidden body behind one that is seen, both in nearly the same place."""
    truth = np.array([[0.0, 0, 10, 11], BOX])
    assert match_boxes(boxes([*BOX, 0.9]), truth, np.array([True, False])).correct.tolist() == [True]


def test_pictures_without_anything() -> None:
    empty = match_boxes(boxes(), np.zeros((0, 4)), np.zeros(0, bool))
    assert (len(empty.scores), empty.truth_count) == (0, 0)
    wrong = match_boxes(boxes([*BOX, 0.9]), np.zeros((0, 4)), np.zeros(0, bool))
    assert wrong.correct.tolist() == [False]


def test_the_interval_is_over_sources() -> None:
    """Ten pictures of one camera are one draw: with a good and a bad camera the interval spans from bad to good."""
    good, bad = matches(True, truth_count=1), matches(truth_count=1)
    record = summarise_precision([("good", good)] * 10 + [("bad", bad)] * 10)
    assert (record["low"], record["high"]) == (0.0, 1.0)
    assert {key: record[key] for key in ("n", "sources", "pictures")} == {"n": 20, "sources": 2, "pictures": 20}
    assert summarise_precision([("good", good)] * 10)["low"] is None


def test_the_interval_of_few_sources_reaches_as_far_as_for_every_statistic() -> None:
    """Four good cameras and a bad one. In 5.8 % of draws the bad one comes thrice or more, in 0.7 % four times or more.

    A plain 2.5 % percentile is thus thrice, 41 of 101 levels of recall; five sources ask for the 0.1 % one: four times.
    """
    good, bad = matches(True, truth_count=1), matches(truth_count=1)
    record = summarise_precision([*((f"good{number}", good) for number in range(4)), ("bad", bad)])
    assert record["value"] == pytest.approx(81 / 101, abs=1e-4)
    assert record["low"] <= 21.001 / 101 and record["high"] == 1


def test_a_source_in_which_nothing_is_to_be_found_is_none_for_the_interval() -> None:
    record = summarise_precision([("good", matches(True, truth_count=1)), ("empty", matches(False, truth_count=0))])
    assert record["low"] is record["high"] is None and record["value"] is not None


def test_no_picture_at_all() -> None:
    assert summarise_precision([]) == {"value": None, "low": None, "high": None, "n": 0, "sources": 0, "pictures": 0}


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 40))
def test_between_none_and_all(correct: list[bool], more: int) -> None:
    value = average_precision([matches(*correct, truth_count=sum(correct) + more)])
    assert value is not None
    assert 0 <= value < 1
