"""From what a model says of segments to the class of a clip, as the pipeline decides it."""

import numpy as np

from vigil.clips.labels import Classes, normal_class
from vigil.judging.scoring import naming_count
from vigil.statistics.classes import balanced_accuracy


def clip_logits(logits: np.ndarray, owner: np.ndarray, classes: Classes) -> np.ndarray:
    """Returns (V, C): the mean over those segments of each clip that name its class.

    `logits` is (N, C), and `owner` (N,), the clip of each segment, rises.
    """
    count = naming_count(classes)
    odds = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]  # of anything abnormal, where class 0 is normal
    rows = []
    for clip in np.unique(owner):
        of_clip = np.flatnonzero(owner == clip)
        order = np.argsort(-odds[of_clip], kind="stable")[:count]
        rows.append(logits[of_clip[order]].mean(axis=0))
    return np.array(rows)


def choose_offset(logits: np.ndarray, truth: np.ndarray, classes: Classes) -> float:
    """Chooses what to add to the logit of the normal class to tell clips (V, C) apart best; 0 without such a class.

    The clips are those of the inner fold. Of offsets that do equally well the one nearest to 0 is taken.
    """
    if normal_class(classes) is None:
        return 0.0
    margins = np.sort(logits[:, 1:].max(axis=1) - logits[:, 0])
    candidates = [0.0, *(margins[1:] + margins[:-1]) / 2, margins[0] - 1.0, margins[-1] + 1.0]
    scores = [balanced_accuracy(decide(logits, float(offset), classes), truth) for offset in candidates]
    return float(min(zip(candidates, scores, strict=True), key=lambda pair: (-pair[1], abs(pair[0])))[0])


def decide(logits: np.ndarray, offset: float, classes: Classes) -> np.ndarray:
    """Returns (V,) int: the likeliest class of each clip."""
    if normal_class(classes) is None:
        return logits.argmax(axis=1)
    return (logits + offset * (np.arange(logits.shape[1]) == 0)).argmax(axis=1)
