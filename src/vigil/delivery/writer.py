"""Writes alerts to an outbox that cannot be written for a while, as when the disk is full."""

import logging
from collections import deque
from threading import Lock

from vigil.delivery.alert import Alert
from vigil.delivery.database import OutboxError
from vigil.delivery.outbox import Outbox

LOG = logging.getLogger("vigil.delivery")


class AlertWriter:
    """Puts alerts in order. What the outbox does not take is held in memory, and written when it takes it.

        writer.write(alert)    for each alert
        writer.retry()         every second or so: writes what is held, if it can
        writer.finish()        at the end: what is still held is an error

    Several threads may write. What is held when the process is killed is lost, so the reason is said at once, and
    `problems` says it to the live page.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._held: deque[Alert] = deque()
        self._error: OutboxError | None = None  # why they are held
        self._lock = Lock()

    @property
    def held(self) -> int:
        """How many revisions of alerts are not on the disk yet."""
        return len(self._held)

    def write(self, alert: Alert) -> None:
        """Write an alert, after those that are held."""
        with self._lock:
            self._held.append(alert)
            self._write_held()

    def retry(self) -> None:
        """Write what is held, as far as the outbox takes it."""
        with self._lock:
            self._write_held()

    def _write_held(self) -> None:
        try:
            while self._held:
                self._outbox.put(self._held[0])
                self._held.popleft()
        except OutboxError as error:
            if self._error is None:
                LOG.warning("%s Alerts are held in memory until then.", error)
            self._error = error
        else:
            if self._error is not None:
                LOG.warning("%s: all alerts that were held are written", self._outbox.path)
            self._error = None

    def finish(self) -> None:
        """Write what is held; OutboxError where that cannot be."""
        self.retry()
        if self._error is not None:
            raise OutboxError(self.problems()[0])

    def problems(self) -> list[str]:
        """Returns what keeps alerts from being written, in a line; empty when all are."""
        if self._error is None:
            return []
        count = f"{self.held} alert is" if self.held == 1 else f"{self.held} alerts are"
        return [f"{self._error} {count} not written."]
