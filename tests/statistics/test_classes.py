"""Balanced accuracy, against scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from vigil.statistics.classes import balanced_accuracy, balanced_accuracy_by_source


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=40))
def test_it_is_that_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    predicted, truth, group = np.array(rows).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a predicted class that does not occur, and one class alone
        expected = balanced_accuracy_score(truth, predicted)
    assert balanced_accuracy(predicted, truth) == pytest.approx(expected)
    statistic = balanced_accuracy_by_source(predicted, truth, group, 5, 4, "one class")
    assert statistic.value == (pytest.approx(expected) if len(set(truth)) > 1 else None)


def test_rounds_are_pooled() -> None:
    """Class 0 is right in 3 of 4 cases, class 1 in 1 of 2."""
    predicted, truth, group = np.array([[0, 0, 0], [0, 1, 1]]), np.array([0, 0, 1]), np.array([0, 1, 1])
    assert balanced_accuracy_by_source(predicted, truth, group, 2, 2, "").value == pytest.approx((3 / 4 + 1 / 2) / 2)
