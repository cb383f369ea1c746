"""How good a model is on the validation split while it learns: the losses, and the metric that chooses the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vigil.models.blocks.layers import Clip, Predictions
from vigil.statistics.classes import balanced_accuracy
from vigil.statistics.ranking import area

METRIC_DECIMALS = 6  # of a metric; epochs that differ by less are told apart by their loss


@dataclass(frozen=True)
class BatchResult:
    """What a model says of some consecutive samples."""

    first: int  # index of the first of them
    size: int
    losses: dict[str, float]  # means over the samples
    predictions: np.ndarray  # scores, or class indices
    truth: np.ndarray
    bags: np.ndarray | None = None  # (size,) bool, whether each is a bag of several snippets; None: none is


def metric_of(clip: Clip, class_count: int) -> str | None:
    """Returns the metric that chooses the best epoch; None where the loss alone does."""
    if clip.target == "class":
        return "auc" if class_count == 2 else "balanced_accuracy"
    return "cell_auc" if clip.target == "cells" else None


def judge_batch(
    metric: str | None, batch: Mapping[str, Tensor], losses: Mapping[str, Tensor], predictions: Predictions
) -> BatchResult:
    """Returns what `metric` needs to know of a batch with `x`, `y` and `number`."""
    predicted, truth = torch.empty(0), torch.empty(0)
    if metric == "balanced_accuracy":
        predicted, truth = predictions["classes"].argmax(dim=1), batch["y"]
    elif metric == "auc":
        predicted, truth = _window_score(predictions), batch["y"]
    elif metric == "cell_auc":
        predicted, truth = predictions["cells"].flatten(), batch["y"].flatten()
    return BatchResult(
        first=int(batch["number"][0]),
        size=len(batch["y"]),
        losses={name: value.item() for name, value in losses.items()},
        predictions=predicted.float().cpu().numpy(),
        truth=truth.float().cpu().numpy(),
        bags=(batch["snippets"] > 1).cpu().numpy() if metric == "auc" and "snippets" in batch else None,
    )


def accuracy(predictions: Predictions, y: Tensor) -> Tensor:
    """Returns the accuracy: the share of samples whose class `y` (B,) is the one that the model names."""
    classes = predictions["classes"].argmax(dim=1) if "classes" in predictions else predictions["window"] > 0
    return (classes.long() == y.long()).float().mean()


def _window_score(predictions: Predictions) -> Tensor:
    """Returns the score of each window; of a model that only names classes, the margin of the second over the first."""
    if "window" in predictions:
        return predictions["window"]
    return predictions["classes"][:, 1] - predictions["classes"][:, 0]


def summarise(metric: str | None, results: Sequence[BatchResult]) -> dict[str, float | None]:
    """Returns `val_...`: the mean of each loss over all samples, and the metric; None where the truth forbids it."""
    results = sorted({result.first: result for result in results}.values(), key=lambda result: result.first)
    sizes = [result.size for result in results]
    row: dict[str, float | None] = {
        f"val_{name}": float(np.average([result.losses[name] for result in results], weights=sizes))
        for name in results[0].losses
    }
    if metric is not None:
        predictions = np.concatenate([result.predictions for result in results])
        truth = np.concatenate([result.truth for result in results])
        bags = np.concatenate(
            [np.zeros(len(result.truth), bool) if result.bags is None else result.bags for result in results]
        )
        if metric == "balanced_accuracy":
            value = balanced_accuracy(predictions, truth) if len(np.unique(truth)) > 1 else None
        else:
            value = auc(predictions, truth, bags)
        row[f"val_{metric}"] = None if value is None else round(value, METRIC_DECIMALS)
    return row


def balanced_class_weights(labels: np.ndarray, class_count: int) -> Tensor:
    """Returns (class_count,) weights that let every class weigh the same, 1 on average over the samples."""
    counts = np.bincount(labels, minlength=class_count)
    return torch.tensor(len(labels) / (class_count * np.maximum(counts, 1)), dtype=torch.float32)


def auc(scores: np.ndarray, truth: np.ndarray, kinds: np.ndarray | None = None) -> float | None:
    """Returns how often a positive has the higher score than a negative, ties counting half; None where one is missing.

    With `kinds` (N,) only those of the same kind are compared: the highest of many windows is higher than one of them.
    """
    won, pairs = 0.0, 0
    for kind in [None] if kinds is None else np.unique(kinds):
        members = slice(None) if kinds is None else kinds == kind
        positive = truth[members] > 0.5
        pairs_of_kind = int(positive.sum()) * int((~positive).sum())
        won, pairs = won + pairs_of_kind * (area(scores[members], positive) or 0.0), pairs + pairs_of_kind
    return won / pairs if pairs else None
