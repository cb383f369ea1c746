"""How many things of each class are given their class, every class counting as much as another.

scikit-learn computes the same as `balanced_accuracy` (the tests compare them), in 1.1 ms for a
thousand things instead of 0.07, and its import takes three seconds: longer than some trainings.
"""

import numpy as np

from vigil.statistics.intervals import Statistic, mean_of_shares


def balanced_accuracy(predicted: np.ndarray, truth: np.ndarray) -> float:
    """The mean recall of the classes that occur in `truth` (N,), of which there must be one."""
    return float(np.mean([float((predicted[truth == index] == index).mean()) for index in np.unique(truth)]))


def balanced_accuracy_by_source(
    predicted: np.ndarray, truth: np.ndarray, group: np.ndarray, sources: int, class_count: int, reason: str
) -> Statistic:
    """Balanced accuracy as a function of how often each source is drawn; none, for `reason`, of fewer than two classes.

    `predicted` (N,) or (R, N), of R rounds that are pooled; `group` (N,) is the number of the source.
    """
    right, total = np.zeros((2, sources, class_count))
    for row in np.atleast_2d(predicted):
        np.add.at(right, (group, truth), row == truth)
        np.add.at(total, (group, truth), 1)
    return mean_of_shares(right, total, reason)
