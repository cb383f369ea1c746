"""The metrics that choose the best epoch, against arithmetic on paper and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vigil.models.blocks.layers import Clip
from vigil.training.validation import (
    BatchResult,
    accuracy,
    auc,
    balanced_class_weights,
    judge_batch,
    metric_of,
    summarise,
)


def test_auc_on_paper() -> None:
    """Positives 0.4 and 0.8 against 0.1, 0.4, 0.9: won 1 + half, won 2 of 3 each: 3.5 of 6."""
    assert auc(np.array([0.1, 0.4, 0.9, 0.4, 0.8]), np.array([0, 0, 0, 1, 1])) == pytest.approx(3.5 / 6)


def test_bags_are_compared_with_bags_and_windows_with_windows() -> None:
    """Bags 5 against 4 and 6 win 1 of 2, windows 1 against 0 and 2 and 3 win 1 of 3; all together 2 of 5."""
    scores, truth = np.array([5.0, 4.0, 6.0, 1.0, 0.0, 2.0, 3.0]), np.array([1, 0, 0, 1, 0, 0, 0])
    bags = np.array([True] * 3 + [False] * 4)
    assert auc(scores, truth, bags) == pytest.approx(2 / 5)
    assert auc(scores, truth) == pytest.approx(5 / 10)
    parts = [
        BatchResult(0, 3, {"loss": 1.0}, scores[:3], truth[:3], bags[:3]),
        BatchResult(3, 4, {"loss": 1.0}, scores[3:], truth[3:]),
    ]
    assert summarise("auc", parts)["val_auc"] == 0.4
    assert auc(scores[2:4], truth[2:4], bags[2:4]) is None  # no two of a kind


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40))
def test_auc_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, truth = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], float)
    if truth.min() == truth.max():
        assert auc(scores, truth) is None
    else:
        assert auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))


def test_weights_let_every_class_weigh_the_same() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [2])
    weights = balanced_class_weights(labels, 3).numpy()
    assert weights[labels].mean() == pytest.approx(1)
    assert (weights * [6, 3, 1]).tolist() == pytest.approx([10 / 3] * 3)


def part(number: int, loss: float, predictions: list[float], truth: list[float]) -> BatchResult:
    return BatchResult(number, len(predictions), {"loss": loss}, np.array(predictions), np.array(truth))


def test_parts_count_by_their_size_and_once() -> None:
    parts = [part(2, 4.0, [0.3], [0]), part(0, 1.0, [0.1, 0.9], [0, 1]), part(0, 1.0, [0.1, 0.9], [0, 1])]
    assert summarise("auc", parts) == {"val_loss": 2.0, "val_auc": 1.0}


def test_no_metric_is_made_of_nothing() -> None:
    assert summarise("auc", [part(0, 1.0, [0.1, 0.9], [1, 1])])["val_auc"] is None
    named = [part(0, 1.0, [1, 0], [1, 1])]
    assert summarise("balanced_accuracy", named)["val_balanced_accuracy"] is None
    assert summarise(None, [part(0, 1.0, [0.5], [0])]) == {"val_loss": 1.0}


def test_the_metric_follows_from_what_is_learnt() -> None:
    assert metric_of(Clip(1), 2) == "auc"
    assert metric_of(Clip(1), 4) == "balanced_accuracy"
    assert metric_of(Clip(1, target="cells"), 2) == "cell_auc"
    assert metric_of(Clip(1, target="itself"), 2) is None


def test_of_two_classes_without_a_score_the_second_is_the_score() -> None:
    """As crime_type has it, and the gate, i3d and activity have not."""
    batch = {"number": torch.tensor([0, 1]), "x": torch.zeros(2), "y": torch.tensor([0, 1])}
    named = judge_batch("auc", batch, {}, {"classes": torch.tensor([[2.0, 1.0], [1.0, 3.0]])})
    assert named.predictions.tolist() == [-1.0, 2.0]
    assert judge_batch("auc", batch, {}, {"window": torch.tensor([5.0, 6.0])}).predictions.tolist() == [5.0, 6.0]


def test_accuracy_is_the_share_of_classes_that_are_said() -> None:
    y = torch.tensor([0, 1, 1, 0])
    window = torch.tensor([-1.0, 2.0, -0.5, 3.0])
    assert float(accuracy({"window": window}, y)) == 0.5
    classes = torch.tensor([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0], [4.0, 3.0]])
    assert float(accuracy({"window": window, "classes": classes}, y)) == 1.0
