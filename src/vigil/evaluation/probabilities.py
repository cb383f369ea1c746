"""How far a model's probabilities can be taken at their word on other videos than those that they were fitted on."""

import numpy as np

from vigil.judging.calibration import Calibration
from vigil.statistics.reliability import Bin, ece, prior_weights
from vigil.statistics.scores import Scores


def measure_reliability(scores: Scores, calibration: Calibration) -> tuple[float | None, list[Bin]]:
    """Expected calibration error and its bins, of what the curve was fitted on: frames, or the scores of videos.

    So it can be held against the error on validation. None where nothing has a probability, or no truth is known.
    """
    judged = scores.select_judged()
    if calibration.frame is None:
        return None, []
    if calibration.fitted_on == "frames":
        raw, truth = judged.score, judged.truth
    else:
        raw, truth = judged.video_score, judged.abnormal.astype(np.int8)
    usable = (truth >= 0) & np.isfinite(raw)
    if not usable.any():
        return None, []
    true = truth[usable] == 1
    weight = prior_weights(true, calibration.params.base_rate)
    return ece(calibration.frame(raw[usable]), true, weight=weight)
