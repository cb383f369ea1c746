"""Learning from bags: what a model says of a film is the mean of what it says of the most abnormal snippets.

A batch has the snippets of all its samples in a row, x (N, ...), and says under `snippets` (B,) how many each sample
has; a lone window is a sample of one. Without `snippets`, each row is a sample.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from vigil.core.errors import VigilError


def list_windows(items: list[dict[str, Tensor]]) -> tuple[list[Tensor], list[int]]:
    """Returns the windows of all samples in a row, and how many each sample has."""
    windows_of_items = [list(item["x"]) if "snippets" in item else [item["x"]] for item in items]
    return [window for windows in windows_of_items for window in windows], [
        len(windows) for windows in windows_of_items
    ]


def odds_of(model: Any, output: Any, name: str) -> Tensor:
    """Returns (N,) how abnormal each snippet is; VigilError where the model does not say that."""
    if not hasattr(model, "odds"):
        raise VigilError(
            f"{name}: it names classes and does not say how abnormal a window is, so it cannot learn from films of "
            "which the label alone is known. Give them times in labels.csv."
        )
    odds: Tensor = model.odds(output)
    return odds


def mean_of_top(output: Any, odds: Tensor, snippets: Tensor, snippets_per_top: int) -> Any:
    """Averages every tensor (N, ...) of `output` over the most abnormal snippets of each sample, to (B, ...).

    By their `odds` (N,) that is one in `snippets_per_top` of its `snippets` (B,), and one at least.
    """
    rows, sample_numbers, start = [], [], 0
    for number, count in enumerate(snippets.tolist()):
        top = odds[start : start + count].topk(max(1, count // snippets_per_top)).indices
        rows.append(start + top)
        sample_numbers.append(torch.full_like(top, number))
        start += count
    chosen, sample_number = torch.cat(rows), torch.cat(sample_numbers)
    sizes = torch.bincount(sample_number)

    def mean(values: Tensor) -> Tensor:
        sums = values.new_zeros(len(snippets), *values.shape[1:]).index_add(0, sample_number, values[chosen])
        return sums / sizes.view(-1, *[1] * (values.ndim - 1))

    return tree_map(mean, output)


def neighbour_terms(odds: Tensor, snippets: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean squared step between the scores 0..1 of neighbouring snippets, and the mean score, of a bag.

    Averaged over all B samples, of which lone windows count nothing: they have no neighbours. `odds` (N,).
    """
    bags = [scores for scores in odds.sigmoid().split(snippets.tolist()) if len(scores) > 1]
    nothing = odds.new_zeros(())
    smoothness = sum((scores.diff().square().mean() for scores in bags), nothing)
    sparsity = sum((scores.mean() for scores in bags), nothing)
    return smoothness / len(snippets), sparsity / len(snippets)
