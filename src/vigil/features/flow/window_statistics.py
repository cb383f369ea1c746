"""The statistics of motion over a window of seconds, for a detector that needs no network.

windows = trailing_windows(statistics, times, 2.0)     # (T, 2 F): mean and deviation over the last 2 seconds
"""

from collections.abc import Sequence

import numpy as np

from vigil.core import clock
from vigil.core.clock import pieces

SLACK_S = float(clock.SLACK_S)


def trailing_spans(times: Sequence[float] | np.ndarray, window_s: float) -> list[tuple[int, int] | None]:
    """Returns for each frame the half-open span of frames whose motion lies in the window that ends with it.

    The first frame of a piece of the recording has no motion and is in no window, and no window reaches across a pause.
    None before a piece is as long as a window is; a shorter piece has one window, which ends with it.
    """
    times = np.asarray(times, np.float64)
    spans: list[tuple[int, int] | None] = [None] * len(times)
    for start, stop in pieces(times):
        first = start + 1
        for frame in range(first, stop):
            if times[frame] - times[start] >= window_s - SLACK_S or frame == stop - 1:
                oldest = int(np.searchsorted(times[first : frame + 1], times[frame] - window_s + SLACK_S, side="right"))
                spans[frame] = (min(first + oldest, frame), frame + 1)
    return spans


def trailing_windows(statistics: np.ndarray, times: Sequence[float] | np.ndarray, window_s: float) -> np.ndarray:
    """Returns (T, 2 F) float32: mean and deviation of each of `statistics` (T, F) over `trailing_spans`; else NaN."""
    windows = np.full((len(statistics), 2 * statistics.shape[1]), np.nan, np.float32)
    for frame, span in enumerate(trailing_spans(times, window_s)):
        if span is not None:
            in_window = statistics[slice(*span)]
            windows[frame] = np.concatenate([in_window.mean(axis=0), in_window.std(axis=0)])
    return windows
