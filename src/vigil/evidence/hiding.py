"""Heads hidden in pictures that are written: blurred until no more than STONES x STONES colours of each are left.

    heads = HeadTimes()
    heads.add(time_s, circles)                  at every stored frame
    image = hide_heads(image, heads.near(time_s), source_size)

A head is hidden where it is at a moment, and where it was or will be within HOLD_S: people move between stored frames,
and the networks miss somebody for a frame.
"""

from bisect import bisect_left, bisect_right
from collections import deque

import cv2
import numpy as np

from vigil.detect.heads import NOBODY

HOLD_S = 0.5  # s before and after
STONES = 3  # across a head


class HeadTimes:
    """Heads by time, the newest `most` of them."""

    def __init__(self, most: int | None = None) -> None:
        self._heads: deque[tuple[float, np.ndarray]] = deque(maxlen=most)

    def add(self, time_s: float, heads: np.ndarray) -> None:
        """Times rise. Another thread may ask meanwhile."""
        self._heads.append((time_s, heads))

    def near(self, time_s: float) -> np.ndarray:
        """(N, 3) of all moments within HOLD_S, and always of the newest before it."""
        near = [heads for _, heads in self._near(time_s, time_s)]
        return np.concatenate(near) if near else NOBODY

    def between(self, start_s: float, stop_s: float) -> "HeadTimes":
        """Those that are near any moment from `start_s` to `stop_s`: a copy, which does not grow."""
        copied = HeadTimes()
        copied._heads.extend(self._near(start_s, stop_s))
        return copied

    def _near(self, start_s: float, stop_s: float) -> list[tuple[float, np.ndarray]]:
        entries = tuple(self._heads)  # of one moment: another thread may add to them
        first = min(
            bisect_left(entries, start_s - HOLD_S, key=_time_of), bisect_right(entries, start_s, key=_time_of) - 1
        )
        return list(entries[max(0, first) : bisect_right(entries, stop_s + HOLD_S, key=_time_of)])


def _time_of(entry: tuple[float, np.ndarray]) -> float:
    return entry[0]


def hide_heads(image: np.ndarray, heads: np.ndarray, source_size: tuple[int, int]) -> np.ndarray:
    """A copy of `image` (H, W, 3) uint8, any size of a source of `source_size` (width, height), with heads hidden."""
    hidden = image.copy()
    height, width = image.shape[:2]
    across, down = width / source_size[0], height / source_size[1]
    for x, y, radius in heads:
        reach_x, reach_y = max(radius * across, 2.0), max(radius * down, 2.0)
        left, right = _clip(x * across - reach_x, width), _clip(x * across + reach_x + 1, width)
        top, bottom = _clip(y * down - reach_y, height), _clip(y * down + reach_y + 1, height)
        if left >= right or top >= bottom:
            continue
        patch = image[top:bottom, left:right]
        stones = cv2.resize(patch, (STONES, STONES), interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(stones, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        rows, columns = np.ogrid[top:bottom, left:right]
        inside = ((columns - x * across) / reach_x) ** 2 + ((rows - y * down) / reach_y) ** 2 <= 1
        hidden[top:bottom, left:right] = np.where(inside[..., None], blurred, hidden[top:bottom, left:right])
    return hidden


def _clip(edge: float, side: int) -> int:
    return int(min(max(edge, 0), side))
