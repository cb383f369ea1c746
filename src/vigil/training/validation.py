"""What a model is worth on the validation split while it learns: the losses, and the metric that chooses the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vigil.models.blocks.layers import Clip, Judged

DIGITS = 6  # of a metric; epochs that differ by less are told apart by their loss


@dataclass(frozen=True)
class Part:
    """What was found of some of the samples."""

    number: int  # of the first of them
    size: int
    losses: dict[str, float]
    found: np.ndarray  # scores, or class numbers
    truth: np.ndarray


def metric(clip: Clip, classes: int) -> str | None:
    """None: the loss is all there is."""
    if clip.target == "class":
        return "auc" if classes == 2 else "balanced_accuracy"
    return "cell_auc" if clip.target == "cells" else None


def part(name: str | None, batch: Mapping[str, Tensor], losses: Mapping[str, Tensor], judged: Judged) -> Part:
    """What the metric `name` needs to know of a batch with `x`, `y` and `number`."""
    found, truth = torch.empty(0), torch.empty(0)
    if name == "balanced_accuracy":
        found, truth = judged["classes"].argmax(dim=1), batch["y"]
    elif name == "auc":
        found, truth = _odds(judged), batch["y"]
    elif name == "cell_auc":
        found, truth = judged["cells"].flatten(), batch["y"].flatten()
    numbers = {key: value.item() for key, value in losses.items()}
    return Part(
        int(batch["number"][0]), len(batch["x"]), numbers, found.float().cpu().numpy(), truth.float().cpu().numpy()
    )


def _odds(judged: Judged) -> Tensor:
    """A model that only names classes has no score of the window: that of the second of two is as good."""
    return judged["window"] if "window" in judged else judged["classes"][:, 1] - judged["classes"][:, 0]


def summary(name: str | None, parts: Sequence[Part]) -> dict[str, float | None]:
    """`val_...`: the mean of each loss over all samples, and the metric; None where the truth does not allow it."""
    parts = sorted({each.number: each for each in parts}.values(), key=lambda each: each.number)
    sizes = [each.size for each in parts]
    row: dict[str, float | None] = {
        f"val_{key}": float(np.average([each.losses[key] for each in parts], weights=sizes)) for key in parts[0].losses
    }
    if name is not None:
        found = np.concatenate([each.found for each in parts])
        truth = np.concatenate([each.truth for each in parts])
        value = accuracy(found, truth) if name == "balanced_accuracy" else auc(found, truth)
        row[f"val_{name}"] = None if value is None else round(value, DIGITS)
    return row


def balanced(labels: np.ndarray, classes: int) -> Tensor:
    """(classes,) weights that let every class weigh the same, 1 on average over the samples."""
    counts = np.bincount(labels, minlength=classes)
    return torch.tensor(len(labels) / (classes * np.maximum(counts, 1)), dtype=torch.float32)


def auc(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """How often a positive has the higher score than a negative, ties counting half; None where one kind is missing."""
    positive = truth > 0.5
    count = int(positive.sum())
    if not 0 < count < len(truth):
        return None
    _, place, many = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(many) - (many - 1) / 2)[place]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(truth) - count)))


def accuracy(found: np.ndarray, truth: np.ndarray) -> float | None:
    """Balanced: the share that is right of each class that occurs, on average; None where only one does."""
    shares = [float((found[truth == number] == number).mean()) for number in np.unique(truth)]
    return float(np.mean(shares)) if len(shares) > 1 else None
