"""Where an alarm sounds: at the frozen threshold, at a percentile of normal frames, or where somebody sets it."""

import numpy as np

from vigil.core.errors import VigilError
from vigil.detect.alarm_words import BUDGET, read_threshold
from vigil.judging.calibration import Calibration
from vigil.judging.curves import TINY, Curve
from vigil.statistics.alerts import Rule
from vigil.statistics.reliability import logit


def choose_rule(calibration: Calibration, threshold: str | None) -> tuple[Rule, bool]:
    """Returns the rule by which alerts are raised, and whether its threshold was set by hand.

    `threshold` is what a user has written; None: the frozen threshold.
    """
    thresholds, rule = calibration.thresholds, calibration.rule
    if thresholds is None or rule is None:
        raise VigilError("this model raises no alarm of its own: it has no threshold.")
    if threshold is None:
        return rule, False
    level = read_threshold(threshold)
    if isinstance(level, float):
        assert calibration.frame is not None
        raw = score_of_probability(calibration.frame, level)
    else:
        raw = float(getattr(thresholds, level))
    return calibration.params.alert.rule_at(raw, calibration.normal_median), level != BUDGET


def score_of_probability(curve: Curve, p: float) -> float:
    """The raw score that has probability `p`: the inverse of a curve."""
    x = (float(logit(p)) - curve.offset - curve.prior_shift) / curve.slope
    return float(np.exp(np.clip(x, np.log(TINY), 700))) if curve.transform == "log" else x
