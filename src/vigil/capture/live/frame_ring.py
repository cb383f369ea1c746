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
HEADER = struct.Struct("<QqqdQII")  # number, numerator and denominator of time_s, captured, piece, height, width
LARGEST = 8192 * 8192 * 3  # bytes of a frame; only what is written to takes room
PAGE = 4096
SLOT = PAGE + LARGEST
NEWEST = struct.Struct("<Q")


@dataclass(frozen=True, eq=False)
class RingFrame:
    """A frame in the ring. `captured_s` is on the machine's steady clock, `number` counts from 1."""

    number: int
    time_s: Fraction
    captured_s: float
    piece: int
    image: np.ndarray


class FrameRing:
    """The ring; `write` in one process, `newest` in another."""

    def __init__(self) -> None:
        self.memory = SharedMemory(PAGE + SLOTS * SLOT)

    def write(self, frame: RingFrame) -> None:
        """Puts a frame in the place of the oldest."""
        height, width = frame.image.shape[:2]
        if frame.image.nbytes > LARGEST:
            raise ValueError(f"a frame of {width}x{height} px is too large to be shared")
        start = PAGE + frame.number % SLOTS * SLOT
        time = (frame.time_s.numerator, frame.time_s.denominator)
        view = self.memory.view
        HEADER.pack_into(view, start, 0, 0, 1, 0.0, 0, 0, 0)  # being written
        pixels = np.frombuffer(view, np.uint8, frame.image.nbytes, start + PAGE)
        pixels[:] = frame.image.reshape(-1)
        HEADER.pack_into(view, start, frame.number, *time, frame.captured_s, frame.piece, height, width)
        NEWEST.pack_into(view, 0, frame.number)

    @property
    def newest_number(self) -> int:
        """The number of the newest frame; 0 before the first."""
        return int(NEWEST.unpack_from(self.memory.view, 0)[0])

    def newest(self, after: int = 0) -> RingFrame | None:
        """Copies the newest frame; None where there is none with a number above `after`."""
        while (number := self.newest_number) > after:
            start = PAGE + number % SLOTS * SLOT
            header = HEADER.unpack_from(self.memory.view, start)
            height, width = header[5], header[6]
            if header[0] != number:
                continue
            image = np.frombuffer(self.memory.view, np.uint8, height * width * 3, start + PAGE).copy()
            if HEADER.unpack_from(self.memory.view, start) == header:
                time_s = Fraction(header[1], header[2])
                return RingFrame(number, time_s, header[3], header[4], image.reshape(height, width, 3))
        return None
