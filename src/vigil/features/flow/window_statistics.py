"""What a window of optical flow comes to in a few dozen numbers, for a detector that needs no network.

statistics = frame_statistics(planes)              # (T, F) of planes (T, 3, H, W) int8
windows = trailing_windows(statistics, 16)         # (T, 3 F): mean, maximum and deviation over the last 16 frames
"""

from functools import cache

import numpy as np

LEVELS = 127  # int8 steps of a stored plane
SPEEDS = 256  # steps in which the length of a flow vector is counted; sqrt(2) * 127 fits
CHUNK = 64  # frames at a time
QUANTILES = (0.5, 0.9, 0.99)
SHARES = (
    3,
    6,
    13,
    25,
    51,
)  # of LEVELS: shares of the picture that are faster are 0.02, 0.05, 0.1, 0.2, 0.4 of the clip
CROWDED = 38  # of LEVELS: people density above 0.3


def frame_statistics(planes: np.ndarray) -> np.ndarray:
    """(T, F) float32 of (T, 3, H, W) int8: speed, its change since the frame before, and people, each summed up.

    The flow of the first frame is no motion, so its change is that to the second.
    """
    parts, before = [], None
    for start in range(0, len(planes), CHUNK):
        chunk = np.asarray(planes[start : start + CHUNK])
        speed = _speed_table()[np.abs(chunk[:, 0].astype(np.int16)), np.abs(chunk[:, 1].astype(np.int16))]
        previous = np.concatenate([speed[:1] if before is None else before, speed[:-1]]).astype(np.int16)
        change, before = np.abs(speed - previous).astype(np.uint8), speed[-1:]
        people = np.maximum(chunk[:, 2], 0)
        of_people = speed * (people / np.float32(LEVELS)) / np.float32(LEVELS)
        parts.append(
            np.hstack(
                [
                    _summarise_levels(speed),
                    _summarise_levels(change),
                    (people.mean((1, 2)) / LEVELS)[:, None],
                    (people > CROWDED).mean((1, 2))[:, None],
                    of_people.mean((1, 2))[:, None],
                    of_people.max((1, 2))[:, None],
                ]
            )
        )
    return np.concatenate(parts).astype(np.float32)


def trailing_windows(statistics: np.ndarray, length: int) -> np.ndarray:
    """(T, 3 F) float32: mean, maximum and deviation of each number over the `length` frames that end with a frame.

    NaN before so many frames are there; a shorter video has one window, which ends with it.
    """
    frames = len(statistics)
    windows = np.full((frames, 3 * statistics.shape[1]), np.nan, np.float32)
    if frames:
        length = min(length, frames)
        view = np.lib.stride_tricks.sliding_window_view(statistics, length, axis=0)
        windows[length - 1 :] = np.hstack([view.mean(-1), view.max(-1), view.std(-1)])
    return windows


@cache
def _speed_table() -> np.ndarray:
    """(129, 129) uint8: the length of a vector of these sides."""
    side = np.arange(129)
    return np.rint(np.hypot(side[:, None], side)).astype(np.uint8)


def _summarise_levels(levels: np.ndarray) -> np.ndarray:
    """(T, 10) of (T, H, W) uint8: mean, quantiles, shares above thresholds, maximum; all as shares of LEVELS."""
    frames, pixels = len(levels), levels[0].size
    cells = np.arange(frames)[:, None] * SPEEDS + levels.reshape(frames, -1)
    counts = np.bincount(cells.ravel(), minlength=frames * SPEEDS).reshape(frames, SPEEDS)
    below = np.cumsum(counts, axis=1)
    columns = [counts @ np.arange(SPEEDS) / pixels]
    columns += [(below >= quantile * pixels).argmax(1) for quantile in QUANTILES]
    maximum = SPEEDS - 1 - (counts[:, ::-1] > 0).argmax(1)
    values = np.stack([*columns, maximum], axis=1) / LEVELS
    return np.hstack([values, np.stack([1 - below[:, level] / pixels for level in SHARES], axis=1)])
