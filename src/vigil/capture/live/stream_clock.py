"""When the pictures of a stream were captured, how late they are, and when its clock jumped.

A packet carries a stamp of the camera's clock and arrives by ours. The difference is least where nothing was in the
way, so the least of the last minutes says how the clocks lie to each other, though they drift apart; what is above it
is lateness. The camera's clock jumped where a stamp is behind the one before, or farther ahead of it than the time that
passed; ours jumped where UTC moved against the steady clock.
"""

from dataclasses import dataclass

WINDOW_S = 150.0  # twice this is looked back; clocks of 100 ppm drift 30 ms apart in it
JUMP_S = 2.0
BACK_S = 1.0
STUCK_S = 5.0  # so long late although nothing waits to be read: it is not lateness but the clock
LONGEST_BURST_S = 30.0


@dataclass
class _Extremes:
    """The least and the greatest of the newest one or two windows."""

    begun: float
    least: float
    most: float
    least_before: float
    most_before: float

    def add(self, now: float, value: float) -> None:
        if now - self.begun > WINDOW_S:
            self.least_before, self.most_before = self.least, self.most
            self.begun, self.least, self.most = now, value, value
        self.least, self.most = min(self.least, value), max(self.most, value)


class StreamClock:
    """One piece of a stream. Times are seconds: stamps by the camera's clock, arrivals by the steady clock here."""

    def __init__(self) -> None:
        self._offsets: _Extremes | None = None
        self._last: tuple[float, float] | None = None  # stamp and arrival of the newest packet
        self._utc_offset: float | None = None
        self._late_since: float | None = None

    def see_packet(self, stamp: float, order: float, arrival: float, utc_offset: float, late_s: float) -> bool:
        """Takes note of a packet; True where a clock jumped, and this packet begins a new piece.

        `stamp` is when it is shown, `order` its place in the order of decoding. `late_s` is how late it may be.
        """
        is_jump = False
        if self._last is not None:
            step, passed = order - self._last[0], arrival - self._last[1]
            is_jump = step < -BACK_S or step > passed + JUMP_S + max(self.lateness(self._last[0], self._last[1]), 0.0)
        if self._utc_offset is not None:
            is_jump |= abs(utc_offset - self._utc_offset) > BACK_S
        self._utc_offset = utc_offset if self._utc_offset is None else self._utc_offset
        if is_jump:
            return True
        offset = arrival - stamp
        if self._offsets is None:
            self._offsets = _Extremes(arrival, offset, offset, offset, offset)
        self._offsets.add(arrival, offset)
        has_waited = self._last is not None and arrival - self._last[1] > 0.5 * (order - self._last[0]) > 0
        is_late = self.lateness(stamp, arrival) > late_s and has_waited
        if not is_late:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = arrival
        self._last = order, arrival
        return self._late_since is not None and arrival - self._late_since > STUCK_S

    def captured(self, stamp: float) -> float:
        """Returns when, by the steady clock, a picture was captured."""
        if self._offsets is None:
            raise ValueError("no packet was seen yet")
        return min(self._offsets.least, self._offsets.least_before) + stamp

    def due(self, stamp: float) -> float:
        """Returns when a picture of a stream that comes in bursts is to be shown, so that all are shown evenly."""
        if self._offsets is None:
            raise ValueError("no packet was seen yet")
        burst = max(self._offsets.most, self._offsets.most_before) - min(
            self._offsets.least, self._offsets.least_before
        )
        return self.captured(stamp) + min(burst, LONGEST_BURST_S)

    def lateness(self, stamp: float, arrival: float) -> float:
        """Returns how late a packet arrives, in seconds."""
        return arrival - self.captured(stamp) if self._offsets else 0.0
