"""How good boxes are, against true ones: average precision at half overlap, with an interval over sources."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

HIT = 0.5  # intersection over union at which a box is right
ROUNDS = 500  # of the bootstrap
LEVELS = np.linspace(0, 1, 101)  # of recall, at which precision is averaged, as for COCO


@dataclass(frozen=True, eq=False)
class Judged:
    """The boxes that were found in some pictures of one source."""

    scores: np.ndarray  # (N,)
    right: np.ndarray  # (N,) bool; boxes of things that are not counted are left out
    things: int  # to be found


def judge(found: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> Judged:
    """One picture: boxes (N, 5), true boxes (M, 4), and which of those count (M,).

    Whatever does not count, because too little of it is seen, is neither missed nor wrongly found.
    """
    found = found[np.argsort(-found[:, 4], kind="stable")]
    table = overlaps(found[:, :4], truth)
    free = np.ones(len(truth), bool)
    right, keep = np.zeros(len(found), bool), np.ones(len(found), bool)
    for row in range(len(found)):
        options = np.where(free & counted, table[row], 0.0)
        if len(truth) and options.max() >= HIT:
            right[row] = True
            free[int(options.argmax())] = False
        elif len(truth) and np.where(counted, 0.0, table[row]).max() >= HIT:
            keep[row] = False
    return Judged(found[keep, 4], right[keep], int(counted.sum()))


def overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union of boxes (N, 4) and (M, 4)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9)


def average_precision(parts: Sequence[Judged]) -> float | None:
    """None where there is nothing to be found."""
    things = sum(part.things for part in parts)
    if not things:
        return None
    scores = np.concatenate([part.scores for part in parts])
    right = np.concatenate([part.right for part in parts])[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0: recall that is never reached
    return float(best_from_here[np.searchsorted(hits / things, LEVELS)].mean())


def summary(judged: Iterable[tuple[str, Judged]], seed: int = 0) -> dict[str, Any]:
    """`value` over all pictures given as (source, Judged), `low` and `high` of its 95 % interval; `n` things.

    The interval draws whole sources anew, because pictures of one camera are alike; null with a single source.
    """
    groups: Mapping[str, list[Judged]] = defaultdict(list)
    for source, part in judged:
        groups[source].append(part)
    sources = [_together(groups[name]) for name in sorted(groups)]
    value = average_precision(sources)
    told: dict[str, Any] = {"value": _rounded(value), "low": None, "high": None}
    told |= {"n": sum(source.things for source in sources), "sources": len(sources)}
    told["pictures"] = sum(len(parts) for parts in groups.values())
    if value is not None and len(sources) > 1:
        random = np.random.default_rng(seed)
        drawn = []
        for _ in range(ROUNDS):
            sample = average_precision([sources[k] for k in random.integers(len(sources), size=len(sources))])
            drawn += [sample] if sample is not None else []
        told["low"], told["high"] = (_rounded(float(value)) for value in np.percentile(drawn, (2.5, 97.5)))
    return told


def _together(parts: Sequence[Judged]) -> Judged:
    scores, right = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "right"))
    return Judged(scores, right, sum(part.things for part in parts))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
