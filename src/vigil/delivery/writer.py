"""Writes alerts to an outbox whose disk may be full for a while."""

import logging
from collections import deque

from vigil.delivery.alert import Alert
from vigil.delivery.database import OutboxFull
from vigil.delivery.outbox import Outbox

LOG = logging.getLogger("vigil.delivery")


class AlertWriter:
    """Puts alerts in order. What there is no room for is held in memory, and written when there is.

        writer.write(alert)    for each alert
        writer.flush()         every second or so, and at the end, where what is still held is an error

    One thread writes. What is held when the process is killed is lost, so that a full disk is said at once.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._held: deque[Alert] = deque()

    @property
    def held(self) -> int:
        """How many revisions of alerts are not on the disk yet."""
        return len(self._held)

    def write(self, alert: Alert) -> None:
        """Write an alert, after those that are held."""
        was_full = bool(self._held)
        self._held.append(alert)
        try:
            self._put_held()
        except OutboxFull as error:
            if not was_full:
                LOG.warning("%s Alerts are held in memory until then.", error)
        else:
            if was_full:
                LOG.warning("%s: there is room again, and all alerts are written", self._outbox.path)

    def flush(self) -> None:
        """Write what is held; OutboxFull where there is still no room."""
        if self._held:
            self._put_held()
            LOG.warning("%s: there is room again, and all alerts are written", self._outbox.path)

    def _put_held(self) -> None:
        while self._held:
            try:
                self._outbox.put(self._held[0])
            except OutboxFull as error:
                count = len(self._held)
                raise OutboxFull(f"{error} {count} {'alert is' if count == 1 else 'alerts are'} not written.") from None
            self._held.popleft()
