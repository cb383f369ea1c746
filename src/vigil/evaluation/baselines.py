"""What needs no network: length, position, motion, people, what is unusual, trees on flow, the video's label, chance.

They are judged by the same metrics as the models, and are given every advantage that a model has. Each feature is there
twice: under its own name by the best of several readings (`READINGS`), upwards or downwards, chosen by `reference`
(validation); and as `plain_<feature>` as it is, read as a model is, by its highest value in a video. Without a
reference they learn from the data that are judged, which flatters them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.statistics.classes import balanced_accuracy
from vigil.statistics.ranking import area
from vigil.statistics.scores import Scores, lowest

PARTS = 20  # of a video, from its first to its last frame
RANGES = 8  # of a feature, in which classes are counted
TOP = 0.1  # share of a video's frames, the highest ones, that `top` is the mean of
ORACLE = "oracle_video_label"  # knows the answer: no model is expected to beat it
PLAIN = "plain_"
LEAST = 1e-6  # probability of a class, so that its logarithm is finite

Feature = Callable[[Scores], np.ndarray]

READINGS: dict[
    str, Callable[[np.ndarray], float]
] = {  # of the values that are known of a video; the first is a model's
    "maximum": np.max,
    "mean": np.mean,
    "top": lambda values: float(np.sort(values)[-max(1, round(TOP * len(values))) :].mean()),
    "deviation": np.std,  # from what is usual in this video
}


@dataclass(frozen=True, eq=False)
class Aids:
    """What baselines know beside the scores. Of the maps: the reading that was chosen on validation."""

    trees: LabelProbabilities | None = None
    difference: np.ndarray | None = None  # (M, h, w) of the maps of a table: what differs from the frame before

    def of_judged(self, scores: Scores) -> "Aids":
        """Returns the aids without the maps of videos that are not judged."""
        if self.difference is None:
            return self
        return replace(self, difference=self.difference[scores.class_index[scores.cells_video] >= 0])


NO_AIDS = Aids()


def baseline_tables(scores: Scores, reference: Scores | None = None, aids: Aids = NO_AIDS) -> dict[str, Scores]:
    """Returns what each baseline would have said of the same videos; without those whose features are not known."""
    scores = scores.select_judged()
    learnt = scores if reference is None else reference.select_judged()
    by_name = _feature_tables("length", scores, learnt, _length)
    by_name["position"] = _position_table(scores, learnt)
    features: dict[str, Feature] = {
        "motion": lambda table: table.motion,
        "people": lambda table: table.people,
        "unusual": lambda table: table.unusual,
    }
    for name, feature in features.items():
        if np.isfinite(feature(scores)).any():
            by_name |= _feature_tables(name, scores, learnt, feature)
    if aids.trees is not None and len(aids.trees.labels):
        by_name |= _tree_tables(scores, learnt, aids.trees)
    if scores.has_normal:
        label = scores.abnormal.astype(np.float64)
        by_name[ORACLE] = _replace_scores(scores, label[scores.owner], label)
    flat = np.zeros(len(scores.video))
    classes = np.zeros_like(scores.classes)
    chance = _replace_scores(scores, flat[scores.owner], flat, classes)
    by_name["chance"] = chance
    if aids.difference is not None and aids.difference.shape == scores.cells.shape:
        maps = {name: getattr(scores, name) for name in ("cells_truth", "cells_video")}
        by_name["difference"] = replace(chance, cells=aids.difference.astype(np.float64), **maps)
    return by_name


def choose_map_reading(maps: np.ndarray, truth: np.ndarray) -> int:
    """Which of the readings of `maps` (M, readings, h, w) ranks the cells of validation best; `truth` (M, h, w)."""
    usable = truth >= 0
    areas = [area(maps[:, reading][usable], truth[usable] == 1) for reading in range(maps.shape[1])]
    return int(np.argmax([0.5 if value is None else value for value in areas]))


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
        person_class_index=scores.person_class_index[:0],
        person_classes=scores.person_classes[:0],
    )


def _length(scores: Scores) -> np.ndarray:
    """(N,) seconds that the video of each frame lasts."""
    durations = np.bincount(scores.owner, scores.until_s - scores.time_s, minlength=len(scores.video))
    return durations[scores.owner]


def _feature_tables(name: str, scores: Scores, learnt: Scores, feature: Feature) -> dict[str, Scores]:
    """The feature by its best reading, and as it is; one table alone where both are the same."""
    frames = _best_frames(learnt, feature)(scores)
    reading, sign = _best_reading(learnt, feature)
    best = _replace_scores(scores, frames, _read_signed(scores, feature, reading, sign))
    plain = _replace_scores(scores, feature(scores), _read_videos(scores, feature, "maximum"))
    class_count = scores.classes.shape[1]
    if class_count and learnt.classes.shape[1] == class_count:
        best = replace(best, classes=_best_classes(scores, learnt, feature, class_count))
    same = np.array_equal(best.score, plain.score) and np.array_equal(best.video_score, plain.video_score)
    return {name: best} if same else {name: best, PLAIN + name: plain}


def _tree_tables(scores: Scores, learnt: Scores, trees: LabelProbabilities) -> dict[str, Scores]:
    """How probable the labels are that the model calls abnormal, among all labels that it knows; and its classes."""
    labels, indices = (
        np.concatenate([getattr(table, name) for table in (scores, learnt)]) for name in ("label", "class_index")
    )
    class_of_label = dict(zip(labels.tolist(), indices.tolist(), strict=True))
    class_index = np.array([class_of_label.get(label, -1) for label in trees.labels.tolist()])

    def abnormal_share(table: Scores) -> np.ndarray:
        rows = trees.of_frames(table)
        abnormal, of_known_labels = rows[:, class_index > 0].sum(1), rows[:, class_index >= 0].sum(1)
        unknown = np.where(np.isnan(of_known_labels), np.nan, 0.5)
        return np.divide(abnormal, of_known_labels, out=unknown, where=of_known_labels > 0)

    rows = trees.of_frames(scores)
    if not np.isfinite(rows).any():
        return {}
    if scores.has_normal:
        tables = _feature_tables("flow_trees", scores, learnt, abnormal_share)
    else:
        unknown = (np.full(len(owners), np.nan) for owners in (scores.owner, scores.video))
        tables = {"flow_trees": _replace_scores(scores, *unknown)}
    if class_count := scores.classes.shape[1]:

        def logits(table: Scores, reading: str) -> np.ndarray:
            rows = trees.of_frames(table)
            totals = [rows[:, class_index == number].sum(1) for number in range(class_count)]
            readings = [_read_values(table, total, reading) for total in totals]
            return np.log(np.nan_to_num(np.stack(readings, axis=1)) + LEAST)

        best = max(READINGS, key=lambda reading: _class_skill(logits(learnt, reading), learnt.class_index))
        tables["flow_trees"] = replace(tables["flow_trees"], classes=logits(scores, best))
    return tables


def _best_frames(learnt: Scores, feature: Feature) -> Feature:
    """Returns what ranks best: the feature upwards, downwards, or its distance from what is usual in normal frames."""
    values, positive = feature(learnt), learnt.truth == 1
    usable = (learnt.truth >= 0) & np.isfinite(values)
    normal = values[usable & ~positive]
    usual = float(np.median(normal)) if len(normal) else 0.0
    candidates: list[Feature] = [
        feature,
        lambda table: -feature(table),
        lambda table: np.abs(feature(table) - usual),
    ]
    areas = [area(candidate(learnt)[usable], positive[usable]) for candidate in candidates]
    return candidates[int(np.argmax([0.5 if value is None else value for value in areas]))]


def _best_reading(learnt: Scores, feature: Feature) -> tuple[str, int]:
    """The reading of a video, and whether up or down, that ranks the videos best; a model's own where all are alike."""
    candidates = {(name, sign): _read_signed(learnt, feature, name, sign) for sign in (1, -1) for name in READINGS}
    areas = {}
    for key, values in candidates.items():
        usable = np.isfinite(values)
        areas[key] = area(values[usable], learnt.abnormal[usable])
    return max(areas, key=lambda key: 0.5 if areas[key] is None else float(areas[key] or 0.0))


def _read_signed(scores: Scores, feature: Feature, reading: str, sign: int) -> np.ndarray:
    """(V,) the reading of the feature upwards or downwards: downwards the highest is the lowest."""
    if reading == "deviation":
        return sign * _read_videos(scores, feature, reading)
    return _read_videos(scores, lambda table: sign * feature(table), reading)


def _read_videos(scores: Scores, feature: Feature, reading: str) -> np.ndarray:
    """(V,) of the frames where the feature is known; NaN where it is in none."""
    return _read_values(scores, feature(scores), reading)


def _read_values(scores: Scores, values: np.ndarray, reading: str) -> np.ndarray:
    """(V,) the reading of `values` (N,) of frames."""
    rows = np.full(len(scores.video), np.nan)
    for index in range(len(scores.video)):
        of_video = values[scores.frames_of(index)]
        of_video = of_video[np.isfinite(of_video)]
        if len(of_video):
            rows[index] = READINGS[reading](of_video)
    return rows


def _best_classes(scores: Scores, learnt: Scores, feature: Feature, class_count: int) -> np.ndarray:
    """(V, class_count) logits by the reading that names the classes of the reference best."""

    def logits(table: Scores, reading: str) -> np.ndarray:
        of_learnt = _read_videos(learnt, feature, reading)
        return _class_logits(_read_videos(table, feature, reading), of_learnt, learnt.class_index, class_count)

    return logits(scores, max(READINGS, key=lambda reading: _class_skill(logits(learnt, reading), learnt.class_index)))


def _class_skill(logits: np.ndarray, class_index: np.ndarray) -> float:
    """The share of videos whose class has the highest of `logits` (V, C), each class counting as much."""
    return balanced_accuracy(logits.argmax(1), class_index)


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
