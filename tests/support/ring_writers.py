"""What is written into the rings of a live camera, and processes that do nothing else."""

import time
from fractions import Fraction

import numpy as np

from vigil.capture.live.frame_ring import FrameRing, RingFrame
from vigil.capture.live.packet_ring import PacketRing, RingPacket


def ring_frame(number: int, size: tuple[int, int] = (48, 64)) -> RingFrame:
    return RingFrame(
        number, Fraction(number, 25), number / 25, number // 10, np.full((*size, 3), number % 251, np.uint8)
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
