"""The newest compressed packets of a camera in shared memory, from which clips are cut, also when the camera is gone.

One process writes, another reads, and neither waits. It holds what fits; what is older is overwritten. A reader copies
a packet and then looks whether it has been overwritten meanwhile. A writer may be killed at any moment.
"""

import struct
from dataclasses import dataclass

import numpy as np

from vigil.capture.live.shared_memory import SharedMemory

RECORD = struct.Struct("<QQQqqII")  # number, offset (of all bytes ever), size, pts, dts, configuration, key
RECORDS = 16384  # nine minutes at 30 frames a second
PACKETS, BYTES = 0, 8  # places of how many were ever written
START = 4096
TABLE = START + RECORDS * RECORD.size


@dataclass(frozen=True)
class RingPacket:
    """A packet; `pts` and `dts` are in ns of the camera's time. `configuration` says what decodes it."""

    pts: int
    dts: int
    is_key: bool
    configuration: int
    data: bytes


class PacketRing:
    """Packets of at most `capacity` bytes in all; `write` in one process, `packets` in another."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.memory = SharedMemory(TABLE + capacity)

    def write(self, packet: RingPacket) -> bool:
        """Adds a packet; False where it is larger than the ring, and so is left out."""
        size = len(packet.data)
        if size > self.capacity:
            return False
        view = self.memory.view
        number, offset = self.memory.load(PACKETS), self.memory.load(BYTES)
        self.memory.store(BYTES, offset + size)  # what is overwritten is given up first
        position = offset % self.capacity
        first = min(size, self.capacity - position)
        view[TABLE + position : TABLE + position + first] = packet.data[:first]
        view[TABLE : TABLE + size - first] = packet.data[first:]
        number += 1
        RECORD.pack_into(
            view,
            START + number % RECORDS * RECORD.size,
            number,
            offset,
            size,
            packet.pts,
            packet.dts,
            packet.configuration,
            packet.is_key,
        )
        self.memory.store(PACKETS, number)
        return True

    def packets(self, start: int, stop: int) -> list[RingPacket]:
        """Copies the packets with `start` <= dts < `stop` (ns), and those before back to the nearest key packet."""
        count = self.memory.load(PACKETS)
        packets: list[RingPacket] = []
        for number in range(count, max(count - RECORDS + 1, 0), -1):
            packet = self._copy(number)
            if packet is None:
                break
            if packet.dts < stop:
                packets.append(packet)
            if packet.dts <= start and packet.is_key:
                break
        packets.reverse()
        while packets and not packets[0].is_key:
            del packets[0]
        return packets

    def span(self) -> tuple[int, int] | None:
        """Returns the dts (ns) of the oldest key packet and of the newest packet; None where there is none."""
        count = self.memory.load(PACKETS)
        oldest = newest = None
        for number in range(count, max(count - RECORDS + 1, 0), -1):
            record = self._record(number)
            if record is None:
                break
            newest = record[4] if newest is None else newest
            oldest = record[4] if record[6] else oldest
        return None if oldest is None or newest is None else (oldest, newest)

    def _record(self, number: int) -> tuple[int, ...] | None:
        """Returns the table's line of a packet; None where the packet is overwritten already."""
        view, position = self.memory.view, START + number % RECORDS * RECORD.size
        record = RECORD.unpack_from(view, position)
        is_there = record[0] == number and record == RECORD.unpack_from(view, position)  # not in the middle of writing
        return record if is_there and self.memory.load(BYTES) - record[1] <= self.capacity else None

    def _copy(self, number: int) -> RingPacket | None:
        """Copies a packet by its number; None where it is overwritten already."""
        view, record = self.memory.view, self._record(number)
        if record is None:
            return None
        _, offset, size, pts, dts, configuration, key = record
        position = offset % self.capacity
        first = min(size, self.capacity - position)
        data = bytes(view[TABLE + position : TABLE + position + first]) + bytes(view[TABLE : TABLE + size - first])
        return RingPacket(pts, dts, bool(key), configuration, data) if self._record(number) else None


def nanoseconds(seconds: float | np.floating) -> int:
    return round(float(seconds) * 1e9)
