"""Windows over frames or ticks, and times in spans of seconds. Spans are half-open."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Generator

from vigil.core.errors import VigilError

Span = tuple[int, int]


def slide_windows(frames: int, length: int, stride: int) -> list[Span]:
    """Slides windows of `length` frames over a video, one every `stride` frames, in order.

    Every frame is in some window when `stride` <= `length`: the last window is moved back to end with the video, and a
    video shorter than `length` is one short window.
    """
    if min(length, stride) < 1:
        raise VigilError(f"windows of {length} frames every {stride}: expected 1 or more of each.")
    windows = [(start, start + length) for start in range(0, frames - length + 1, stride)]
    if frames and (not windows or windows[-1][1] < frames):
        windows.append((max(0, frames - length), frames))
    return windows


def inside_spans(times: Sequence[Fraction], spans: Sequence[tuple[Fraction, Fraction]]) -> np.ndarray:
    """Returns (T,) bool: whether each time lies in one of the half-open spans of seconds."""
    return np.array([any(start <= time < stop for start, stop in spans) for time in times], bool)


def evenly_spaced(total: int, count: int) -> np.ndarray:
    """Returns `count` of the numbers below `total`, evenly spread; all of them when `count` is 0."""
    return np.arange(total) if not 0 < count < total else np.arange(count) * total // count


def draw_snippets(total: int, count: int, generator: Generator | None) -> np.ndarray:
    """Returns at most `count` of the numbers below `total`, in order, one drawn from each of as many parts.

    All of them when there are no more; the first of each part without a generator.
    """
    if generator is None or total <= count:
        return evenly_spaced(total, count)
    edges = np.arange(count + 1) * total // count
    offsets = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
    return edges[:-1] + (offsets * np.diff(edges)).astype(np.int64)
