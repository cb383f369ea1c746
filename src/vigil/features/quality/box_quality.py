"""How good boxes are, against true ones: average precision at half overlap, with an interval over sources."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigil.statistics.intervals import interval_over_sources

HIT = 0.5  # intersection over union at which a box is right
LEVELS = np.linspace(0, 1, 101)  # of recall, at which precision is averaged, as for COCO


@dataclass(frozen=True, eq=False)
class BoxMatches:
    """Which boxes that a detector gave in some pictures of one source are right."""

    scores: np.ndarray  # (N,)
    correct: np.ndarray  # (N,) bool; boxes of things that are not counted are left out
    truth_count: int  # true boxes that are to be found


def match_boxes(detections: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> BoxMatches:
    """Matches detected boxes (N, 5) of one picture with its true boxes (M, 4), of which some count (M,).

    Whatever does not count, because too little of it is seen, is neither missed nor wrongly found.
    """
    detections = detections[np.argsort(-detections[:, 4], kind="stable")]
    table = box_iou(detections[:, :4], truth)
    free = np.ones(len(truth), bool)
    correct, keep = np.zeros(len(detections), bool), np.ones(len(detections), bool)
    for row in range(len(detections)):
        options = np.where(free & counted, table[row], 0.0)
        if len(truth) and options.max() >= HIT:
            correct[row] = True
            free[int(options.argmax())] = False
        elif len(truth) and np.where(counted, 0.0, table[row]).max() >= HIT:
            keep[row] = False
    return BoxMatches(detections[keep, 4], correct[keep], int(counted.sum()))


def box_iou(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns (N, M) intersection over union of boxes (N, 4) and (M, 4)."""
    low = np.maximum(boxes[:, None, :2], other[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)
    areas = [(array[:, 2:] - array[:, :2]).prod(1) for array in (boxes, other)]
    return common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9)


def average_precision(pictures: Sequence[BoxMatches]) -> float | None:
    """Returns the mean precision over LEVELS of recall; None where nothing is to be found."""
    truth_count = sum(picture.truth_count for picture in pictures)
    if not truth_count:
        return None
    scores = np.concatenate([picture.scores for picture in pictures])
    correct = np.concatenate([picture.correct for picture in pictures])[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(correct)
    precision = hits / np.arange(1, len(correct) + 1)
    best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0: recall that is never reached
    return float(best_from_here[np.searchsorted(hits / truth_count, LEVELS)].mean())


def summarise_precision(pictures: Iterable[tuple[str, BoxMatches]]) -> dict[str, Any]:
    """Returns `value` over (source, BoxMatches) of pictures, `low` and `high` of its 95 % interval, `n` true boxes.

    The interval draws whole sources anew, because pictures of one camera are alike; null with a single source that has
    true boxes.
    """
    by_source: Mapping[str, list[BoxMatches]] = defaultdict(list)
    for source, matches in pictures:
        by_source[source].append(matches)
    sources = [_join(by_source[name]) for name in sorted(by_source)]
    interval = interval_over_sources(sources, average_precision)
    record: dict[str, Any] = {name: _rounded(getattr(interval, name)) for name in ("value", "low", "high")}
    record |= {"n": sum(source.truth_count for source in sources), "sources": len(sources)}
    record["pictures"] = sum(len(parts) for parts in by_source.values())
    return record


def _join(pictures: Sequence[BoxMatches]) -> BoxMatches:
    scores, correct = (
        np.concatenate([getattr(picture, name) for picture in pictures]) for name in ("scores", "correct")
    )
    return BoxMatches(scores, correct, sum(picture.truth_count for picture in pictures))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
