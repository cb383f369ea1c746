"""What some normal video can promise about all that will follow.

A threshold that lets k alerts through in H hours of normal video is a place in the order of the alerts' peaks. If
alerts come independently of each other, the rate of those above that place, times H, is below the `confidence` quantile
of Gamma(k + 1), whatever the scores are. k is fixed before the scores are looked at: the most that the budget allows.
Alerts that come in bunches (one camera has many, others none) are worth fewer independent ones: `dispersion` is how
many make one, and the hours count for that much less.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaincinv  # type: ignore[import-untyped]

LEAST_UNITS, LEAST_ALERTS = 6, 10  # to tell whether alerts come in bunches
STEP = 1.05  # of the number of frames above the threshold, from one that is tried to the next
FLOOR = 0.5  # of normal frames; no threshold lets more of them alarm


def upper_rate(alerts: float, hours: float, confidence: float, dispersion: float = 1.0) -> float:
    """Alerts per hour that the true rate is below with this confidence, when so many were seen."""
    return float(dispersion * gammaincinv(alerts / dispersion + 1, confidence) / hours) if hours > 0 else float("inf")


def allowed(hours: float, budget: float, confidence: float, dispersion: float = 1.0) -> int | None:
    """The most alerts with which `budget` per hour can be promised; None: not even silence is proof enough."""
    if upper_rate(0, hours, confidence, dispersion) > budget:
        return None
    low, high = 0, 1
    while upper_rate(high, hours, confidence, dispersion) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_rate(middle, hours, confidence, dispersion) <= budget else (low, middle)
    return low


def hours_needed(budget: float, confidence: float, dispersion: float = 1.0) -> float:
    """Of normal video without an alert, to promise `budget` per hour: 3.0 for 1 per hour at 95 %."""
    return dispersion * -float(np.log1p(-confidence)) / budget


def dispersion(alerts: np.ndarray, hours: np.ndarray) -> float | None:
    """Variance over mean of the alerts of units (cameras, videos) of so many hours each, at least 1; None: too few."""
    alerts, hours = alerts[hours > 0], hours[hours > 0]
    if len(alerts) < LEAST_UNITS or alerts.sum() < LEAST_ALERTS:
        return None
    expected = hours * alerts.sum() / hours.sum()
    return max(1.0, float(((alerts - expected) ** 2 / expected).sum() / (len(alerts) - 1)))


def lowest_threshold(normal: np.ndarray, alerts: Callable[[float], float], most: float) -> float:
    """The lowest threshold at which, and above which, there are at most so many alerts.

    `normal` are the finite scores of normal frames. From the highest down only some are tried until one is too low,
    and then the ones between that and the last.
    """
    ordered = np.unique(normal)[::-1]
    end = max(1, int(np.searchsorted(-ordered, -np.quantile(normal, FLOOR), side="right")))
    good, tried = -1, 0
    while tried < end and alerts(float(ordered[tried])) <= most:
        good, tried = tried, max(tried + 1, int(tried * STEP))
    bad = min(tried, end)
    while bad - good > 1:
        middle = (bad + good) // 2
        good, bad = (middle, bad) if alerts(float(ordered[middle])) <= most else (good, middle)
    return float(ordered[good]) if good >= 0 else float(np.nextafter(ordered[0], np.inf))


def video_threshold(maxima: np.ndarray, share: float) -> float | None:
    """What at most this share of normal videos will reach, on average over what could be drawn; None: too few."""
    rank = int(np.ceil((len(maxima) + 1) * (1 - share)))
    if not 1 <= rank <= len(maxima):
        return None
    return float(np.nextafter(np.sort(maxima)[rank - 1], np.inf))
