"""Extremely randomised trees on statistics of optical flow: the baseline that a network has to beat.

    forest = fit_forest(windows, labels, params)      # of the training split
    save_forest(path, forest); forest = load_forest(path)
    probability = forest.predict(windows)             # (N, labels)

One forest tells all labels of the training split apart. A model asks it for its own classes: of the labels that it
knows, how probable the abnormal ones are. Half of the weight in training is that of ordinary labels, so that the trees
ask first whether anything happens and then what. docs/judging.md compares this with a forest for each model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import load_arrays, save_arrays
from vigil.footage.video_table import ORDINARY
from vigil.statistics.scores import Scores

LEAF = -1  # as the feature of a node


class ForestParams(Frozen):
    """Section `baselines` of params.yaml."""

    window_s: Annotated[float, Field(gt=0)]  # s, over which the flow is summed up
    windows: Annotated[int, Field(ge=1)]  # of the training split, at most
    trees: Annotated[int, Field(ge=1, le=1000)]
    leaf: Annotated[int, Field(ge=1)]  # windows that a leaf has at least
    seed: int


@dataclass(frozen=True, eq=False)
class Forest:
    """All trees one after the other; the nodes of a tree follow its root."""

    labels: np.ndarray  # (L,) str
    roots: np.ndarray  # (trees,) int32, a node each
    feature: np.ndarray  # (nodes,) int32; LEAF for a leaf
    threshold: np.ndarray  # (nodes,) float64; up to it a sample goes left
    left: np.ndarray  # (nodes,) int32, a node
    right: np.ndarray  # (nodes,) int32
    probability: np.ndarray  # (nodes, L) float32 of the labels

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """(N, L) float32 of (N, F): the mean over the trees; NaN where a statistic is unknown."""
        windows = np.asarray(windows, np.float32)
        usable = np.isfinite(windows).all(axis=1)
        x, rows = windows[usable], np.arange(int(usable.sum()))
        total = np.zeros((len(x), len(self.labels)))
        for root in self.roots.tolist():
            nodes = np.full(len(x), root)
            while (inner := self.feature[nodes] != LEAF).any():
                goes_left = x[rows, np.maximum(self.feature[nodes], 0)] <= self.threshold[nodes]
                nodes = np.where(inner, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)
            total += self.probability[nodes]
        probability = np.full((len(windows), len(self.labels)), np.nan, np.float32)
        probability[usable] = total / max(1, len(self.roots))
        return probability


def fit_forest(
    windows: np.ndarray, labels: np.ndarray, params: ForestParams, weights: np.ndarray | None = None
) -> Forest:
    """Trained on `windows` (N, F) with `labels` (N,), each as heavy as `weights` (N,) or `balanced_weights` say."""
    trees = train_trees(windows, labels, params, weights)
    parts = [estimator.tree_ for estimator in trees.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in parts)])[:-1]
    return Forest(
        trees.classes_.astype(str),
        roots.astype(np.int32),
        np.concatenate([np.where(tree.children_left < 0, LEAF, tree.feature) for tree in parts]).astype(np.int32),
        np.concatenate([tree.threshold for tree in parts]),
        np.concatenate([tree.children_left + root for tree, root in zip(parts, roots, strict=True)]).astype(np.int32),
        np.concatenate([tree.children_right + root for tree, root in zip(parts, roots, strict=True)]).astype(np.int32),
        np.concatenate([tree.value[:, 0] / tree.value[:, 0].sum(1, keepdims=True) for tree in parts]).astype(
            np.float32
        ),
    )


def train_trees(
    windows: np.ndarray, labels: np.ndarray, params: ForestParams, weights: np.ndarray | None = None
) -> Any:
    """The same as scikit-learn has it."""
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(params.trees, min_samples_leaf=params.leaf, random_state=params.seed, n_jobs=1)
    return trees.fit(windows, labels, sample_weight=balanced_weights(labels) if weights is None else weights)


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """(N,) mean 1: the ordinary labels together weigh as much as all others, and within each half all labels alike."""
    names, code, count = np.unique(labels, return_inverse=True, return_counts=True)
    ordinary = np.isin(names, list(ORDINARY))
    alike = np.where(ordinary, ordinary.sum(), (~ordinary).sum())
    weights = 1 / (alike * count)
    return (weights / (weights * count).sum() * len(labels))[code]


def save_forest(path: Path, forest: Forest) -> None:
    save_arrays(path, **{name: getattr(forest, name) for name in Forest.__dataclass_fields__})


def load_forest(path: Path) -> Forest:
    """VigilError where the file is not that of a forest."""
    arrays = load_arrays(path)
    if arrays.keys() != Forest.__dataclass_fields__.keys():
        raise VigilError(f"{path}: no forest: it has {', '.join(sorted(arrays))}. Run `dvc repro baselines`.")
    return Forest(**arrays)


@dataclass(frozen=True, eq=False)
class LabelProbabilities:
    """What the forest says of the stored frames of some videos, as stage `baselines` writes it."""

    labels: np.ndarray  # (L,) str
    by_video: Mapping[str, np.ndarray]  # (T, L) float32; NaN before a window is full

    @classmethod
    def read(cls, *paths: Path) -> "LabelProbabilities":
        """Reads the probabilities of several splits; without a file or without labels, nothing is known."""
        labels, by_video = np.zeros(0, str), dict[str, np.ndarray]()
        for path in paths:
            arrays = load_arrays(path)
            labels = arrays["labels"]
            tables = np.split(arrays["probability"], arrays["offsets"][1:-1])
            by_video |= dict(zip(arrays["video"].tolist(), tables, strict=bool(len(arrays["video"]))))
        return cls(labels, by_video)

    def of_frames(self, scores: Scores) -> np.ndarray:
        """(N, L) for the frames of a table of scores; NaN where a video is not known, or has other frames."""
        rows = np.full((len(scores.owner), len(self.labels)), np.nan)
        for index, name in enumerate(scores.video.tolist()):
            probability, frames = self.by_video.get(name), scores.frames_of(index)
            if probability is not None and len(probability) == frames.stop - frames.start:
                rows[frames] = probability
        return rows

    def write(self, path: Path) -> None:
        lengths = [len(table) for table in self.by_video.values()]
        save_arrays(
            path,
            labels=self.labels,
            video=np.array(list(self.by_video), str),
            offsets=np.append(0, np.cumsum(lengths)).astype(np.int64),
            probability=np.concatenate([np.zeros((0, len(self.labels)), np.float32), *self.by_video.values()]),
        )
