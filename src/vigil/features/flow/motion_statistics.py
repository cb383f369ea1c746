"""What the flow between two frames comes to in a few dozen numbers that depend on neither size nor rate.

Lengths are sides of the picture, so that speed is in sides per second, acceleration (the change of velocity at a place)
in sides per second squared, and divergence and curl in turns of a whole side: 1 / second.
"""

import numpy as np

SPEEDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # sides/s; shares of the picture that are faster are counted
ACCELERATIONS = (0.5, 1, 2, 4, 8)  # sides/s^2
QUANTILES = (0.5, 0.9, 0.99)
HIGH = (0.9, 0.99)  # quantiles of divergence and curl, most of which is 0
CROWDED = 0.3  # people density


def _level_names(quantity: str, shares: tuple[float, ...]) -> list[str]:
    quantiles = [f"q{100 * quantile:.0f}" for quantile in QUANTILES]
    return [f"{quantity}_{level}" for level in ("mean", *quantiles, "max", *(f"over_{share:g}" for share in shares))]


STEP_NAMES = (
    *_level_names("speed", SPEEDS),
    *_level_names("acceleration", ACCELERATIONS),
    *(f"{quantity}_{level}" for quantity in ("divergence", "curl") for level in ("mean", "q90", "q99", "max")),
)
PEOPLE_NAMES = ("people_mean", "people_crowded", "people_speed_mean", "people_speed_max")
NAMES = (
    *(f"whole_{name}" for name in STEP_NAMES),  # of the mean velocity since the stored frame before
    *(f"mean_{name}" for name in STEP_NAMES),  # over the frames since then, at the video's own rate
    *(f"max_{name}" for name in STEP_NAMES),
    *PEOPLE_NAMES,
)


def measure_step(velocity: np.ndarray, before: np.ndarray | None, elapsed_s: float) -> np.ndarray:
    """Returns (len(STEP_NAMES),) float32 of `velocity` (S, S, 2) float32, sides/s.

    `before` is the velocity `elapsed_s` ago; where there is none, no change is known, and it counts as 0.
    """
    change = np.zeros_like(velocity) if before is None else (velocity - before) / np.float32(elapsed_s)
    half = np.float32(len(velocity) / 2)  # central differences span two pixels
    across = (velocity[1:-1, 2:] - velocity[1:-1, :-2]) * half
    down = (velocity[2:, 1:-1] - velocity[:-2, 1:-1]) * half
    return np.array(
        [
            *_summarise_levels(vector_lengths(velocity), SPEEDS),
            *_summarise_levels(vector_lengths(change), ACCELERATIONS),
            *_summarise_high(np.abs(across[..., 0] + down[..., 1])),
            *_summarise_high(np.abs(across[..., 1] - down[..., 0])),
        ],
        np.float32,
    )


def measure_people(velocity: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Returns (len(PEOPLE_NAMES),) float32 of `velocity` (S, S, 2) sides/s and people density `heat` (S, S)."""
    weighted = np.hypot(velocity[..., 0], velocity[..., 1]) * heat
    return np.array([heat.mean(), (heat > CROWDED).mean(), weighted.mean(), weighted.max()], np.float32)


def vector_lengths(vectors: np.ndarray) -> np.ndarray:
    """Returns (S, S) of (S, S, 2). OpenCV's own differ in the last bit with where in memory the vectors lie."""
    return np.sqrt(np.square(vectors[..., 0]) + np.square(vectors[..., 1]))


def _summarise_levels(levels: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    ranks = [int(quantile * (levels.size - 1)) for quantile in QUANTILES]
    quantiles = np.partition(levels.ravel(), ranks)[ranks]
    over = [np.count_nonzero(levels > share) / levels.size for share in shares]
    return [float(levels.mean()), *quantiles.tolist(), float(levels.max()), *over]


def _summarise_high(levels: np.ndarray) -> list[float]:
    ranks = [int(quantile * (levels.size - 1)) for quantile in HIGH]
    return [float(levels.mean()), *np.partition(levels.ravel(), ranks)[ranks].tolist(), float(levels.max())]
