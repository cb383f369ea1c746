"""What every target of alerts is, and how it says that it did not get one."""

from dataclasses import dataclass
from typing import Protocol

from vigil.delivery.deliveries import Delivery


class Target(Protocol):
    """Somebody who gets alerts, one after the other. Used by one thread, save for `interrupt`."""

    @property
    def name(self) -> str:
        """Which target it is, in the outbox and to people; has no secret in it and is always the same."""

    def check(self) -> None:
        """VigilError where it can never work as it is set up. Asks nobody outside this machine."""

    def is_empty(self) -> bool:
        """Whether it has certainly got nothing yet, or has lost what it had."""

    def send(self, delivery: Delivery) -> None:
        """Deliver one alert, and return when the target has it. NotDelivered or Interrupted otherwise."""

    def idle(self) -> None:
        """There is nothing to send; called about once a second then."""

    def interrupt(self) -> None:
        """Let a `send` that another thread is in end at once."""

    def close(self) -> None:
        """Let go of what it holds."""


class NotDelivered(Exception):
    """The target did not get it."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))


class Unreachable(NotDelivered):
    """The target gets nothing now, whatever it is. It asks to be left alone for `retry_after_s`, if it says so."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Failed(NotDelivered):
    """It did not get this one; it may get others, and this one later."""


class Refused(NotDelivered):
    """It will not take this one, however often it is tried."""


class Interrupted(Exception):
    """`interrupt` was called: nobody knows whether the target has it."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait after a failure: twice as long as before, from `first_s` up to `longest_s`."""

    first_s: float = 1.0
    longest_s: float = 900.0
    give_up_s: float = 7 * 86400.0  # since the first failure of an alert; then it is parked
    retry_after_s: float = 86400.0  # at most, whatever a target asks for

    def delay_s(self, failures: int, retry_after_s: float, chance: float) -> float:
        """Seconds until the next attempt, after so many failures in a row.

        `chance`, from 0 to 1, spreads the attempts of many senders over the upper half of the wait.
        """
        longest = min(self.first_s * 2.0 ** min(failures - 1, 60), self.longest_s)
        return max(longest * (1 + chance) / 2, min(retry_after_s, self.retry_after_s))
