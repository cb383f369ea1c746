"""Where an alarm sounds: at the frozen threshold, at a percentile of normal frames, or where somebody sets it."""

import re

import numpy as np

from vigil.core.errors import VigilError
from vigil.judging.calibration import Calibration
from vigil.judging.curves import TINY, Curve
from vigil.statistics.alerts import Rule
from vigil.statistics.reliability import logit

PERCENTILES = ("p90", "p95", "p98")
EXPECTED = f"expected a probability between 0 and 1 (0.7), {', '.join(PERCENTILES)}, or budget"


def choose_rule(calibration: Calibration, threshold: str | None) -> tuple[Rule, bool]:
    """Returns the rule by which alerts are raised, and whether its threshold was set by hand.

    `threshold` is what a user has written; None: the frozen threshold.
    """
    thresholds, rule = calibration.thresholds, calibration.rule
    if thresholds is None or rule is None:
        raise VigilError("this model raises no alarm of its own: it has no threshold.")
    if threshold is None:
        return rule, False
    text = str(threshold).strip().lower()
    if text == "budget":
        raw = thresholds.budget
    elif text in PERCENTILES:
        raw = float(getattr(thresholds, text))
    elif re.fullmatch(r"\d*\.?\d+(e-?\d+)?", text) and 0 < float(text) < 1:
        assert calibration.frame is not None
        raw = score_of_probability(calibration.frame, float(text))
    else:
        raise VigilError(f"threshold {threshold!r}: {EXPECTED}.")
    return calibration.params.alert.rule_at(raw, calibration.normal_median), text != "budget"


def score_of_probability(curve: Curve, p: float) -> float:
    """The raw score that has probability `p`: the inverse of a curve."""
    x = (float(logit(p)) - curve.offset - curve.prior_shift) / curve.slope
    return float(np.exp(np.clip(x, np.log(TINY), 700))) if curve.transform == "log" else x
