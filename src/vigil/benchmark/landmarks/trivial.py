"""Baselines that need no model: the commonest class, the length of a clip, and where in the picture somebody is."""

from collections.abc import Mapping, Sequence

import numpy as np

from vigil.benchmark.landmarks.folds import Recording

TREES, LEAF = 100, 3


def predict(
    clips: Sequence[Recording], positions: np.ndarray, truth: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int
) -> Mapping[str, np.ndarray]:
    """Predicts classes of the `test` clips by each baseline, learnt from those of `train`; both (V,) bool.

    Trees learn from length and position: as good a learner as the models have.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    lengths = np.array([clip.length for clip in clips], np.float64)[:, None]
    commonest = np.bincount(truth[train]).argmax()
    predicted = {"majority": np.full(int(test.sum()), commonest)}
    for name, features in (("clip length", lengths), ("position", positions)):
        trees = ExtraTreesClassifier(TREES, min_samples_leaf=LEAF, class_weight="balanced", random_state=seed, n_jobs=1)
        predicted[name] = trees.fit(features[train], truth[train]).predict(features[test])
    return predicted
