"""What some normal video can promise about all that will follow.

A threshold that lets k alerts through in H hours of normal video is a place in the order of the alerts' peaks. If
alerts come independently of each other, the rate of those above that place, times H, is below the `confidence` quantile
of Gamma(k + 1), whatever the scores are. k is fixed before the scores are looked at: the most that the budget allows.
Where the same video has chosen the model, by its best epoch, each epoch must promise with more than the confidence that
is stated: `confidence_of_each`.

Cameras differ: one has many alerts, others none, and what a few of them have says less than as many independent alerts
would. `variation` is the variance between the cameras' rates over their squared mean. It is measured, and mixed with an
assumption: rates that vary like an exponential's, as if ASSUMED_CAMERAS had shown that. `dispersion` follows from it
and from the alerts that a camera may have within the budget: how many alerts make an independent one. On one camera,
which may be the quiet one of a loud hundred, nothing can be measured: fewer than LEAST_SOURCES promise nothing, at any
confidence and however long they are watched.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaincinv  # type: ignore[import-untyped]

LEAST_SOURCES = 2  # with normal video, below which nothing is promised
LEAST_ALERTS = 10  # that say how far cameras differ; with fewer there is the assumption alone
ASSUMED_VARIATION, ASSUMED_CAMERAS = 1.0, 5.0  # an exponential's, as if so many cameras (less one) had shown it
STEP = 1.05  # of the number of frames above the threshold, from one that is tried to the next
FLOOR = 0.5  # of normal frames; no threshold lets more of them alarm


def upper_rate(alerts: float, hours: float, confidence: float, dispersion: float = 1.0) -> float:
    """Alerts per hour that the true rate is below with this confidence, when so many were seen."""
    return float(dispersion * gammaincinv(alerts / dispersion + 1, confidence) / hours) if hours > 0 else float("inf")


def allowed(hours: np.ndarray, budget: float, confidence: float, dispersion: float = 1.0) -> int | None:
    """The most alerts in so many hours of each source (S,) with which `budget` per hour can be promised.

    None: not even silence is proof enough.
    """
    total = float(hours.sum())
    if np.count_nonzero(hours > 0) < LEAST_SOURCES or upper_rate(0, total, confidence, dispersion) > budget:
        return None
    low, high = 0, 1
    while upper_rate(high, total, confidence, dispersion) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_rate(middle, total, confidence, dispersion) <= budget else (low, middle)
    return low


def variation(alerts: np.ndarray, hours: np.ndarray) -> float:
    """Squared coefficient of variation of the rates of cameras that had so many alerts in so many hours.

    What is measured counts as much as there are cameras, the assumption as ASSUMED_CAMERAS; more is taken at its word.
    """
    alerts, hours = alerts[hours > 0], hours[hours > 0]
    if len(alerts) < 2 or alerts.sum() < LEAST_ALERTS:
        return ASSUMED_VARIATION
    expected = hours * alerts.sum() / hours.sum()
    freedom = len(alerts) - 1
    ratio = float(((alerts - expected) ** 2 / expected).sum() / freedom)
    measured = max(0.0, ratio - 1) / float((hours * expected).sum() / hours.sum())
    return max(measured, (ASSUMED_CAMERAS * ASSUMED_VARIATION + freedom * measured) / (ASSUMED_CAMERAS + freedom))


def dispersion(variation: float, budget: float, hours: np.ndarray) -> float:
    """Variance over mean of all alerts, where cameras watched for so many hours have `budget` of them per hour."""
    total = float(hours.sum())
    return 1.0 + variation * budget * float((hours**2).sum()) / total if total > 0 else 1.0


def hours_to_promise(budget: float, confidence: float, variation: float, hours: np.ndarray) -> float | None:
    """More hours without an alert, as much for each camera, that would promise `budget`; None: more cameras are needed.

    With the same cameras for longer, the alerts that each may have grow, and with them the dispersion.
    """
    attainable = attainable_budget(confidence, variation, hours)
    return None if attainable is None else max(0.0, float(hours.sum()) * (attainable / budget - 1))


def confidence_of_each(confidence: float, choices: int) -> float:
    """Returns what each of `choices` models needs, so that the one that the same video chooses keeps `confidence`.

    All promises hold together with at least it (Bonferroni), and so does that of the one that is chosen, however.
    """
    return min(1 - (1 - confidence) / max(choices, 1), 1 - 1e-12)


def attainable_budget(confidence: float, variation: float, hours: np.ndarray) -> float | None:
    """The smallest budget per hour that cameras without an alert could promise; None: with so few of them none."""
    if np.count_nonzero(hours > 0) < LEAST_SOURCES:
        return None
    total, quiet = float(hours.sum()), -float(np.log1p(-confidence))
    growth = quiet * variation * float((hours**2).sum()) / total**2
    return None if growth >= 1 else quiet / total / (1 - growth)


def lowest_threshold(normal: np.ndarray, alerts: Callable[[float], float], most: float) -> float:
    """A threshold, nearly the lowest, at which and above which there are at most so many alerts as far as was tried.

    `normal` are the finite scores of normal frames, which alone are tried. Down from the highest, each step passes over
    a twentieth of the frames above it (STEP), until a threshold has too many alerts; between that one and the one
    before, halves are taken. Alerts that merge can make their number fall and rise again, so a threshold that was
    passed over may have too many, and one below the first that failed is never tried. Never below FLOOR of the frames;
    above the highest where even that has too many.
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
