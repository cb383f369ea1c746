"""What is written into the rings of a live camera, and processes that do nothing else."""

import time
from fractions import Fraction

import numpy as np

from vigil.capture.live.frame_ring import FrameRing, RingFrame
from vigil.capture.live.packet_ring import PacketRing, RingPacket


def ring_frame(number: int, size: tuple[int, int] = (48, 64)) -> RingFrame:
    """Every pixel is its number, those of the grey square too."""
    shade = number % 251
    return RingFrame(
        number,
        Fraction(number, 25),
        number / 25,
        number // 10,
        (2 * size[1], 2 * size[0]),
        np.full((*size, 3), shade, np.uint8),
        np.full((16, 16), shade, np.uint8) if number % 2 else None,
    )


def is_whole(frame: RingFrame) -> bool:
    """Whether it is as `ring_frame` made it, its header too."""
    expected = ring_frame(frame.number, frame.image.shape[:2])
    squares = (frame.square is None) == (expected.square is None)
    return (
        squares
        and frame.time_s == expected.time_s
        and frame.size == expected.size
        and np.array_equal(frame.image, expected.image)
        and (frame.square is None or np.array_equal(frame.square, expected.square))
    )


def write_frames(ring: FrameRing) -> None:
    number = ring.newest_number
    while True:
        number += 1
        ring.write(ring_frame(number, (240, 320)))
        time.sleep(0.001)  # twenty times as fast as a camera


def packet(number: int, size: int = 100, key_every: int = 10) -> RingPacket:
    return RingPacket(number * 1000, number * 1000, number % key_every == 0, 1, bytes([number % 256]) * size)


def write_packets(ring: PacketRing) -> None:
    for number in range(10**9):
        ring.write(packet(number, 50 + number % 1000))
