"""Windows over frames, and the way back from a score per window to a score per frame. Spans are half-open.

Two ways back: `hold` looks at no later frame, as a live source cannot; `blend` may, and its results are named so.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from vigil.core.errors import VigilError

Span = tuple[int, int]


def slide_windows(frames: int, length: int, stride: int, tail: bool = True) -> list[Span]:
    """Slides windows of `length` frames over a video, one every `stride` frames, in order.

    With `tail` every frame is in some window when `stride` <= `length`: the last window is moved back to end with the
    video, and a video shorter than `length` is one short window. Without, what does not fill a window is dropped.
    """
    if min(length, stride) < 1:
        raise VigilError(f"windows of {length} frames every {stride}: expected 1 or more of each.")
    windows = [(start, start + length) for start in range(0, frames - length + 1, stride)]
    if tail and frames and (not windows or windows[-1][1] < frames):
        windows.append((max(0, frames - length), frames))
    return windows


def hold_scores(scores: Sequence[float] | np.ndarray, windows: Sequence[Span], frames: int) -> np.ndarray:
    """Returns (frames,) float64: for each frame the score of the window that ended last by then.

    NaN before the first window ends. Of windows that end together the later one counts.
    """
    scores, ends = _check_scores(scores, windows, frames)
    held = np.full(frames, np.nan)
    last = np.searchsorted(ends, np.arange(1, frames + 1), side="right") - 1
    held[last >= 0] = scores[last[last >= 0]]
    return held


def blend_scores(scores: Sequence[float] | np.ndarray, windows: Sequence[Span], frames: int) -> np.ndarray:
    """Returns (frames,) float64: the mean of all windows with the frame in them, later ones too; NaN where none is."""
    scores, _ = _check_scores(scores, windows, frames)
    total, count = np.zeros(frames + 1), np.zeros(frames + 1)
    for score, (start, stop) in zip(scores, windows, strict=True):
        total[start:stop] += score
        count[start:stop] += 1
    return np.divide(total, count, out=np.full(frames + 1, np.nan), where=count > 0)[:frames]


def inside_spans(times: Sequence[Fraction], parts: Sequence[tuple[Fraction, Fraction]]) -> np.ndarray:
    """Returns (T,) bool: whether each time lies in one of the half-open spans of seconds."""
    return np.array([any(start <= time < stop for start, stop in parts) for time in times], bool)


def evenly_spaced(total: int, count: int) -> np.ndarray:
    """Returns `count` of the numbers below `total`, evenly spread; all of them when `count` is 0."""
    return np.arange(total) if not 0 < count < total else np.arange(count) * total // count


def _check_scores(
    scores: Sequence[float] | np.ndarray, windows: Sequence[Span], frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns scores and ends of the windows after checking that they fit each other and the video."""
    values = np.asarray(scores, np.float64)
    if values.shape != (len(windows),):
        raise VigilError(f"{len(windows)} windows need as many scores; found an array of shape {values.shape}.")
    if any(not 0 <= start < stop <= frames for start, stop in windows):
        raise VigilError(f"a window reaches beyond the {frames} frames: scores and frames are of different videos.")
    ends = np.array([stop for _, stop in windows], np.int64)
    if (np.diff(ends) < 0).any():
        raise VigilError("windows must be in the order of their ends.")
    return values, ends
