"""The newest frames of a camera in shared memory: one process writes, another reads, and neither waits.

Each slot holds one frame, with the number of the frame before and after its pixels. Whoever reads a slot while it is
being written sees that in the numbers and looks again. A writer may be killed at any moment.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vigil.capture.live.shared_memory import SharedMemory

SLOTS = 4
# Number, numerator and denominator of time_s, captured, piece, height, width, those of the camera, side of the square.
HEADER = struct.Struct("<QqqdQIIIII")
LARGEST = 8192 * 8192 * 4  # bytes of a frame; only what is written to takes room
PAGE = 4096
SLOT = PAGE + LARGEST
NEWEST = 0  # place of its number


@dataclass(frozen=True, eq=False)
class RingFrame:
    """A frame in the ring. `captured_s` is on the machine's steady clock, `number` counts from 1."""

    number: int
    time_s: Fraction
    captured_s: float
    piece: int
    size: tuple[int, int]  # px, width and height of what the camera sent
    image: np.ndarray  # (H, W, 3) uint8
    square: np.ndarray | None = None  # (side, side) uint8


class FrameRing:
    """The ring; `write` in one process, `newest` in another."""

    def __init__(self) -> None:
        self.memory = SharedMemory(PAGE + SLOTS * SLOT)

    def write(self, frame: RingFrame) -> None:
        """Puts a frame in the place of the oldest."""
        height, width = frame.image.shape[:2]
        square = np.zeros((0, 0), np.uint8) if frame.square is None else frame.square
        pixels = frame.image.nbytes
        if pixels + square.nbytes > LARGEST:
            raise ValueError(f"a frame of {width}x{height} px is too large to be shared")
        start = PAGE + frame.number % SLOTS * SLOT
        time = (frame.time_s.numerator, frame.time_s.denominator)
        view = self.memory.view
        HEADER.pack_into(view, start, 0, 0, 1, 0.0, 0, 0, 0, 0, 0, 0)  # being written
        pixels_view = np.frombuffer(view, np.uint8, pixels + square.nbytes, start + PAGE)
        pixels_view[:pixels], pixels_view[pixels:] = frame.image.reshape(-1), square.reshape(-1)
        shapes = (height, width, frame.size[1], frame.size[0], len(square))
        HEADER.pack_into(view, start, frame.number, *time, frame.captured_s, frame.piece, *shapes)
        self.memory.store(NEWEST, frame.number)

    @property
    def newest_number(self) -> int:
        """The number of the newest frame; 0 before the first."""
        return self.memory.load(NEWEST)

    def newest(self, after: int = 0) -> RingFrame | None:
        """Copies the newest frame; None where there is none with a number above `after`."""
        while (number := self.newest_number) > after:
            start = PAGE + number % SLOTS * SLOT
            header = HEADER.unpack_from(self.memory.view, start)
            height, width, sent_height, sent_width, side = header[5:]
            if header[0] != number:
                continue
            pixels = height * width * 3
            values = np.frombuffer(self.memory.view, np.uint8, pixels + side * side, start + PAGE).copy()
            if HEADER.unpack_from(self.memory.view, start) == header:
                image, square = values[:pixels].reshape(height, width, 3), values[pixels:].reshape(side, side)
                time_s, size = Fraction(header[1], header[2]), (sent_width, sent_height)
                return RingFrame(number, time_s, header[3], header[4], size, image, square if side else None)
        return None
