"""Trees that see no picture: they know length, frame rate and size of a clip alone.

A model that is no better may have recognised how the clips were collected. The learner is that of the flow trees.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vigil.evaluation.flow_trees import ForestParams, fit_forest, load_forest, save_forest
from vigil.footage.video_table import ORDINARY, Video


def learn_shortcuts(path: Path, clips: Sequence[Video], params: ForestParams) -> None:
    """Writes trees that have learnt from `clips`."""
    save_forest(path, fit_forest(_read_properties(clips), np.array([clip.label for clip in clips]), params))


def judge_by_shortcuts(path: Path, clips: Sequence[Video]) -> np.ndarray:
    """Returns (V,): the probability, by the trees in `path`, that each clip is abnormal."""
    forest = load_forest(path)
    abnormal = ~np.isin(forest.labels, list(ORDINARY))
    return forest.predict(_read_properties(clips))[:, abnormal].sum(axis=1).astype(np.float64)


def _read_properties(clips: Sequence[Video]) -> np.ndarray:
    """Returns (V, 4) float32: seconds, frames per second, width and height."""
    return np.array([(clip.watched_s, clip.fps, clip.width, clip.height) for clip in clips], np.float32)
