"""Average precision, worked out on paper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.features.quality.box_quality import Judged, average_precision, judge, overlaps, summary

BOX = [0.0, 0.0, 10.0, 10.0]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 5)


def judged(*right: bool, things: int) -> Judged:
    """Boxes in falling order of their scores."""
    return Judged(np.linspace(0.9, 0.1, len(right)), np.array(right, bool), things)


def test_overlap_is_intersection_over_union() -> None:
    """Shifted by half: 50 of 150; a quarter inside: 25 of 100; apart: 0."""
    others = np.array([[5, 0, 15, 10], [0, 0, 5, 5], [20, 20, 30, 30], BOX])
    np.testing.assert_allclose(overlaps(np.array([BOX]), others), [[1 / 3, 1 / 4, 0, 1]])


def test_all_found_and_nothing_else_is_one() -> None:
    assert average_precision([judged(True, True, things=2)]) == 1.0


def test_nothing_found_is_zero_and_nothing_to_find_is_unknown() -> None:
    assert average_precision([judged(things=3)]) == 0.0
    assert average_precision([judged(False, things=0)]) is None


def test_half_found_is_half() -> None:
    """One of two found at once: precision 1 up to recall 0.5, which is 51 of the 101 levels, and 0 beyond."""
    assert average_precision([judged(True, things=2)]) == pytest.approx(51 / 101)


def test_a_false_box_before_a_right_one_costs_precision() -> None:
    """Right, wrong, right: precision 1 up to recall 0.5 (51 levels), then 2/3 (50 levels)."""
    assert average_precision([judged(True, False, True, things=2)]) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_false_box_after_all_right_ones_costs_nothing() -> None:
    assert average_precision([judged(True, True, False, things=2)]) == 1.0


def test_a_second_box_on_one_thing_is_wrong() -> None:
    found = judge(boxes([*BOX, 0.9], [1, 0, 11, 10, 0.8]), np.array([BOX]), np.array([True]))
    assert found.right.tolist() == [True, False]


def test_what_does_not_count_is_neither_missed_nor_wrongly_found() -> None:
    truth = np.array([BOX, [50.0, 50, 60, 60]])
    found = judge(boxes([*BOX, 0.9], [50, 50, 60, 60, 0.8]), truth, np.array([True, False]))
    assert (found.right.tolist(), found.things) == ([True], 1)
    assert judge(boxes(), truth, np.array([True, False])).things == 1


def test_a_box_goes_to_the_thing_that_counts() -> None:
    """One hidden body behind one that is seen, both in nearly the same place."""
    truth = np.array([[0.0, 0, 10, 11], BOX])
    assert judge(boxes([*BOX, 0.9]), truth, np.array([True, False])).right.tolist() == [True]


def test_pictures_without_anything() -> None:
    empty = judge(boxes(), np.zeros((0, 4)), np.zeros(0, bool))
    assert (len(empty.scores), empty.things) == (0, 0)
    wrong = judge(boxes([*BOX, 0.9]), np.zeros((0, 4)), np.zeros(0, bool))
    assert wrong.right.tolist() == [False]


def test_the_interval_is_over_sources() -> None:
    """Ten pictures of one camera are one draw: with a good and a bad camera the interval spans from bad to good."""
    good, bad = judged(True, things=1), judged(things=1)
    told = summary([("good", good)] * 10 + [("bad", bad)] * 10)
    assert (told["low"], told["high"]) == (0.0, 1.0)
    assert {key: told[key] for key in ("n", "sources", "pictures")} == {"n": 20, "sources": 2, "pictures": 20}
    assert summary([("good", good)] * 10)["low"] is None


def test_no_picture_at_all() -> None:
    assert summary([]) == {"value": None, "low": None, "high": None, "n": 0, "sources": 0, "pictures": 0}


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 40))
def test_between_none_and_all(right: list[bool], more: int) -> None:
    value = average_precision([judged(*right, things=sum(right) + more)])
    assert value is not None
    assert 0 <= value < 1
