"""What judges are fed of a video: a picture of every stored frame, the segments that it completes, or stored clips.

Of flow they are fed the planes (3, H, W) int8 as they are, and of changes (2, C) float16.
"""

from dataclasses import dataclass

import numpy as np

from vigil.features.pictures import decode_square

ARRAYS = ("flow", "trunk")  # inputs whose items are arrays as they are stored; what else is stored are pictures


class Picture:
    """A stored frame as JPEG, decoded once for every size that a model wants."""

    def __init__(self, jpeg: bytes) -> None:
        self._jpeg, self._squares = jpeg, dict[int, np.ndarray]()

    def square(self, size: int) -> np.ndarray:
        """(size, size, 3) uint8 RGB."""
        if size not in self._squares:
            self._squares[size] = decode_square(self._jpeg, size)
        return self._squares[size]


@dataclass(frozen=True, eq=False)
class Segment:
    """What one person did in the stored frames from `start` to `stop`, which is the frame after the current one."""

    person: int
    start: int
    stop: int
    x: np.ndarray  # (T, F) float32


@dataclass(frozen=True, eq=False)
class StoredClip:
    """A clip that the gate attended to, as stage `attend` stores it."""

    start: int  # stored frames, half-open
    stop: int
    odds: float  # log odds of a crime, as the gate judged them
    shown: tuple[int, ...]  # indices of the frames in it
    attention: np.ndarray  # (T,) float32
    pixels: np.ndarray  # (T, S, S, 3) uint8 RGB
