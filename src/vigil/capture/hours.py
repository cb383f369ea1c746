"""When a camera raises alerts: spans of the day by the clock of a place, such as `22:00-06:00`, `mon-fri 08:00-18:00`.

    hours = read_hours(["22:00-06:00"], "Europe/Berlin")
    hours.include(frame.utc)

A span that ends before it begins goes on past midnight, and belongs to the day on which it begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60
SPAN = re.compile(r"(?:([a-z, -]+?)\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
EXPECTED = "expected such as 22:00-06:00, or mon-fri 08:00-18:00"


@dataclass(frozen=True)
class Span:
    """From one minute of the day to another, on some days; `stop` up to `start` is on the day after."""

    days: frozenset[int]  # 0 is Monday
    start: int  # min since midnight
    stop: int

    def includes(self, day: int, minute: float) -> bool:
        if self.start < self.stop:
            return day in self.days and self.start <= minute < self.stop
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.stop)


@dataclass(frozen=True)
class Hours:
    """Spans by the clock of `zone`; None: by that of this machine."""

    spans: tuple[Span, ...]
    zone: tzinfo | None = None

    def include(self, moment: datetime) -> bool:
        """Whether a moment, of any time zone, lies in them; by the clock on the wall, summer time and all."""
        local = moment.astimezone(self.zone)
        minute = 60 * local.hour + local.minute + local.second / 60
        return any(span.includes(local.weekday(), minute) for span in self.spans)


def read_hours(texts: Sequence[str], time_zone: str | None = None) -> Hours:
    """ValueError says what is wrong with one of them."""
    return Hours(tuple(_read_span(text) for text in texts), None if time_zone is None else find_zone(time_zone))


def find_zone(name: str) -> tzinfo:
    """By its name in the database of time zones, such as Europe/Berlin."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # what is no name, and a name that nobody has
        raise ValueError(f"no time zone '{name}' on this machine; expected such as Europe/Berlin, or UTC") from None


def _read_span(text: str) -> Span:
    match = SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"'{text}': {EXPECTED}")
    start = _read_minute(match[2], match[3], text)
    stop = _read_minute(match[4], match[5], text)
    if start in (stop, MINUTES):
        raise ValueError(f"'{text}': begins where it ends; {EXPECTED}; all day is 00:00-24:00")
    return Span(_read_days(match[1], text), start, stop)


def _read_minute(hour: str, minute: str, text: str) -> int:
    total = 60 * int(hour) + int(minute)
    if int(minute) > 59 or total > MINUTES:
        raise ValueError(f"'{text}': {hour}:{minute} is no time of day; {EXPECTED}")
    return total


def _read_days(names: str | None, text: str) -> frozenset[int]:
    if names is None:
        return frozenset(range(7))
    days = set[int]()
    for span in names.replace(" ", "").split(","):
        first, _, last = span.partition("-")
        for name in (first, last or first):
            if name not in DAYS:
                raise ValueError(f"'{text}': no day '{name}'. Known: {', '.join(DAYS)}")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(days)
