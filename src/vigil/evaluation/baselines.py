"""What needs no model: length, position, motion, people, what is unusual, the label of the video, chance: as scores.

They are judged by the same metrics as the models. Which way a baseline points, and in which parts of a video things
happen, is learnt from `reference` (validation); without one from the data that are judged, which flatters them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vigil.statistics.ranking import area
from vigil.statistics.scores import Scores, lowest

PARTS = 20  # of a video, from its first to its last frame
RANGES = 8  # of a feature, in which classes are counted
ORACLE = "oracle_video_label"  # knows the answer: no model is expected to beat it

Feature = Callable[[Scores], np.ndarray]


def baseline_tables(scores: Scores, reference: Scores | None = None) -> dict[str, Scores]:
    """By the name of a baseline, what it would have said of the same videos; without features that are not known."""
    scores = scores.select_judged()
    learnt = scores if reference is None else reference.select_judged()
    by_name = {"length": _feature_table(scores, learnt, _length), "position": _position_table(scores, learnt)}
    features: dict[str, Feature] = {
        "motion": lambda table: table.motion,
        "people": lambda table: table.people,
        "unusual": lambda table: table.unusual,
    }
    for name, feature in features.items():
        if np.isfinite(feature(scores)).any():
            by_name[name] = _feature_table(scores, learnt, feature)
    if scores.has_normal:
        label = scores.abnormal.astype(np.float64)
        by_name[ORACLE] = _replace_scores(scores, label[scores.owner], label)
    flat = np.zeros(len(scores.video))
    classes = np.zeros_like(scores.classes)
    return by_name | {"chance": _replace_scores(scores, flat[scores.owner], flat, classes)}


def _replace_scores(
    scores: Scores, frames: np.ndarray, videos: np.ndarray, classes: np.ndarray | None = None
) -> Scores:
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
    """(N,) seconds that the video of each frame lasts."""
    durations = np.bincount(scores.owner, scores.until_s - scores.time_s, minlength=len(scores.video))
    return durations[scores.owner]


def _feature_table(scores: Scores, learnt: Scores, feature: Feature) -> Scores:
    """Its value in the frame, and its mean over the video; the higher or the lower, the more abnormal."""
    usable = (learnt.truth >= 0) & np.isfinite(feature(learnt))
    frame_sign = _sign(feature(learnt)[usable], learnt.truth[usable] == 1)
    learnt_means = _video_means(learnt, feature)
    usable = np.isfinite(learnt_means)
    video_sign = _sign(learnt_means[usable], learnt.abnormal[usable])
    means = _video_means(scores, feature)
    table = _replace_scores(scores, frame_sign * feature(scores), video_sign * means)
    class_count = scores.classes.shape[1]
    if not class_count or learnt.classes.shape[1] != class_count:
        return table
    return replace(table, classes=_class_logits(means, learnt_means, learnt.klass, class_count))


def _position_table(scores: Scores, learnt: Scores) -> Scores:
    """How often a moment at this place of a video is abnormal, in videos that have such a moment."""
    usable = (learnt.truth >= 0) & learnt.abnormal[learnt.owner]
    moment = _moment_of_video(learnt)[usable]
    hits = np.bincount(moment, learnt.truth[usable] == 1, minlength=PARTS)
    share = hits / np.maximum(np.bincount(moment, minlength=PARTS), 1)
    return _replace_scores(scores, share[_moment_of_video(scores)], np.zeros(len(scores.video)))


def _moment_of_video(scores: Scores) -> np.ndarray:
    """(N,) in which of the PARTS of its video a frame lies."""
    number = np.arange(len(scores.owner)) - scores.offsets[scores.owner]
    return (number * PARTS / scores.frames[scores.owner]).astype(np.int64)


def _sign(values: np.ndarray, positive: np.ndarray) -> float:
    """1 if the higher values are the more abnormal ones, else -1; 1 where one kind is absent."""
    auc = area(values, positive)
    return -1.0 if auc is not None and auc < 0.5 else 1.0


def _video_means(scores: Scores, feature: Feature) -> np.ndarray:
    """(V,) over the frames where it is known; NaN where it is in none."""
    values = feature(scores)
    usable = np.isfinite(values)
    count = np.bincount(scores.owner[usable], minlength=len(scores.video))
    total = np.bincount(scores.owner[usable], values[usable], minlength=len(scores.video))
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _class_logits(values: np.ndarray, learnt: np.ndarray, class_index: np.ndarray, class_count: int) -> np.ndarray:
    """(V, class_count) logits: how common each class is in the same range of the feature; 0 where that is unknown."""
    usable = np.isfinite(learnt)
    if not usable.any():
        return np.zeros((len(values), class_count))
    edges = np.unique(np.quantile(learnt[usable], np.arange(1, RANGES) / RANGES))
    table = np.ones((len(edges) + 1, class_count))
    np.add.at(table, (np.searchsorted(edges, learnt[usable], side="right"), class_index[usable]), 1)
    table = np.log(table / table.sum(0))
    return np.where(np.isfinite(values)[:, None], table[np.searchsorted(edges, values, side="right")], 0.0)
