"""Where something has moved a moment ago, before a camera that stands still: what never moves is furniture.

Where all moves, as before a camera that turns, everything has moved and nothing is told.
"""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH = 160  # px, of the picture in which motion is looked for: sensor noise averages out
GREY = 2.0  # levels of brightness that never count ...
NOISE = 3.0  # ... beside so many times as much as half of the picture changes from frame to frame
RECENT_S = 0.5
MOVES = 0.1  # of a box has changed a moment ago: what is in it moves


@dataclass(frozen=True)
class RecentMotion:
    """Where and when the picture changed last, up to the newest frame."""

    grey: np.ndarray  # (h, w) float32, the frame, small
    last_s: np.ndarray  # (h, w) float64, when each place changed last; -inf: never
    scale: float  # its px per px of the frame
    time_s: float

    def changed_share(self, region: np.ndarray) -> float:
        """Returns the share 0..1 of the box x0 y0 x1 y1, px of the frame, that has changed a moment ago."""
        height, width = self.grey.shape
        left, top = (
            int(np.clip(value * self.scale, 0, limit - 1))
            for value, limit in zip(region[:2], (width, height), strict=True)
        )
        right, bottom = (int(np.ceil(value * self.scale)) for value in region[2:])
        changed_s = self.last_s[top : max(bottom, top + 1), left : max(right, left + 1)]
        return float((changed_s >= self.time_s - RECENT_S).mean())

    def has_moved(self, box: np.ndarray) -> bool:
        """Whether something in the box x0 y0 x1 y1, px of the frame, has moved a moment ago."""
        return self.changed_share(box) >= MOVES


def update(before: RecentMotion | None, image: np.ndarray, time_s: float) -> RecentMotion:
    """Returns the motion after the next frame (H, W, 3) uint8 RGB; None stands before the first."""
    scale = min(1.0, WIDTH / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(small.astype(np.float32), (3, 3), 0)
    if before is None or before.grey.shape != grey.shape:
        return RecentMotion(grey, np.full(grey.shape, -np.inf), scale, time_s)
    change = np.abs(grey - before.grey)
    moves = change > GREY + NOISE * np.median(change)
    return RecentMotion(grey, np.where(moves, time_s, before.last_s), scale, time_s)
