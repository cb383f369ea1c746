"""What needs no model: length, position, motion, people, what is unusual, the label of the video, chance: as scores.

They are judged by the same metrics as the models. Which way a baseline points, and at which places of a video things
happen, is learnt from `reference` (validation); without one from the data that are judged, which flatters them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vigil.statistics.ranking import area
from vigil.statistics.scores import Scores, lowest

PLACES = 20  # of a video, from its first to its last frame
RANGES = 8  # of a feature, in which classes are counted

Feature = Callable[[Scores], np.ndarray]


def tables(scores: Scores, reference: Scores | None = None) -> dict[str, Scores]:
    """Name -> what it would have said of the same videos. Features that are not known are left out."""
    scores = scores.judged()
    learnt = scores if reference is None else reference.judged()
    found = {"length": _of_feature(scores, learnt, _length), "position": _position(scores, learnt)}
    for name, feature in (("motion", _motion), ("people", _people), ("unusual", _unusual)):
        if np.isfinite(feature(scores)).any():
            found[name] = _of_feature(scores, learnt, feature)
    if scores.has_normal:
        label = scores.abnormal.astype(np.float64)
        found["oracle_video_label"] = _table(scores, label[scores.owner], label)
    flat = np.zeros(len(scores.video))
    classes = np.zeros_like(scores.classes)
    return found | {"chance": _table(scores, flat[scores.owner], flat, classes)}


def _table(scores: Scores, frames: np.ndarray, videos: np.ndarray, classes: np.ndarray | None = None) -> Scores:
    """The same videos with other scores."""
    frames = lowest(frames)
    cells = np.zeros_like(scores.cells) if classes is not None else scores.cells[:0]
    return replace(
        scores,
        score=frames,
        noncausal=frames,
        video_score=lowest(videos),
        classes=np.zeros((len(scores.video), 0)) if classes is None else classes,
        cells=cells,
        cells_truth=scores.cells_truth[: len(cells)],
        cells_video=scores.cells_video[: len(cells)],
        person_video=scores.person_video[:0],
        person_klass=scores.person_klass[:0],
        person_classes=scores.person_classes[:0],
    )


def _length(scores: Scores) -> np.ndarray:
    lasts = np.bincount(scores.owner, scores.until_s - scores.time_s, minlength=len(scores.video))
    return lasts[scores.owner]


def _motion(scores: Scores) -> np.ndarray:
    return scores.motion


def _people(scores: Scores) -> np.ndarray:
    return scores.people


def _unusual(scores: Scores) -> np.ndarray:
    return scores.unusual


def _of_feature(scores: Scores, learnt: Scores, feature: Feature) -> Scores:
    """Its value in the frame, and its mean over the video; the higher or the lower, the more abnormal."""
    known = (learnt.truth >= 0) & np.isfinite(feature(learnt))
    at_frame = _sign(feature(learnt)[known], learnt.truth[known] == 1)
    mean = _means(learnt, feature)
    known = np.isfinite(mean)
    at_video = _sign(mean[known], learnt.abnormal[known])
    own = _means(scores, feature)
    kinds = scores.classes.shape[1]
    classes = _classes(own, mean, learnt.klass, kinds) if kinds and learnt.classes.shape[1] == kinds else None
    table = _table(scores, at_frame * feature(scores), at_video * own)
    return table if classes is None else replace(table, classes=classes)


def _position(scores: Scores, learnt: Scores) -> Scores:
    """How often a moment at this place of a video is abnormal, in videos that have such a moment."""
    known = (learnt.truth >= 0) & learnt.abnormal[learnt.owner]
    place = _place(learnt)[known]
    hits = np.bincount(place, learnt.truth[known] == 1, minlength=PLACES)
    share = hits / np.maximum(np.bincount(place, minlength=PLACES), 1)
    return _table(scores, share[_place(scores)], np.zeros(len(scores.video)))


def _place(scores: Scores) -> np.ndarray:
    number = np.arange(len(scores.owner)) - scores.offsets[scores.owner]
    return (number * PLACES / scores.frames[scores.owner]).astype(np.int64)


def _sign(values: np.ndarray, positive: np.ndarray) -> float:
    found = area(values, positive)
    return -1.0 if found is not None and found < 0.5 else 1.0


def _means(scores: Scores, feature: Feature) -> np.ndarray:
    """(V,) over the frames where it is known; NaN where it is in none."""
    values = feature(scores)
    known = np.isfinite(values)
    many = np.bincount(scores.owner[known], minlength=len(scores.video))
    total = np.bincount(scores.owner[known], values[known], minlength=len(scores.video))
    return np.divide(total, many, out=np.full(len(many), np.nan), where=many > 0)


def _classes(values: np.ndarray, learnt: np.ndarray, klass: np.ndarray, kinds: int) -> np.ndarray:
    """(V, kinds) logits: how common each class is in the same range of the feature; the same for all where unknown."""
    known = np.isfinite(learnt)
    if not known.any():
        return np.zeros((len(values), kinds))
    edges = np.unique(np.quantile(learnt[known], np.arange(1, RANGES) / RANGES))
    table = np.ones((len(edges) + 1, kinds))
    np.add.at(table, (np.searchsorted(edges, learnt[known], side="right"), klass[known]), 1)
    table = np.log(table / table.sum(0))
    return np.where(np.isfinite(values)[:, None], table[np.searchsorted(edges, values, side="right")], 0.0)
