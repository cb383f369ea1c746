"""Alerts on their way: written to the outbox, and carried from there to all who shall have them."""

import logging
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from vigil.core.counts import count
from vigil.delivery.alert import Alert
from vigil.delivery.courier import Couriers
from vigil.delivery.database import OutboxError
from vigil.delivery.outbox import Outbox
from vigil.delivery.retention import delete_old_alerts
from vigil.delivery.watched import end_abandoned_alerts, watching
from vigil.delivery.writer import AlertWriter
from vigil.watch.request import Request

LOG = logging.getLogger("vigil.delivery")
DELETE_EVERY_S = 3600.0
DRAIN_S = 10.0  # s that deliveries are waited for in the end; what is left waits in the outbox
STOPPED_S = 2.0  # s, the same for who has pressed Ctrl-C


class Sending:
    """`with Sending(request) as sending: sending.put(alert)`; what was put is on the disk, or said to be held."""

    def __init__(self, request: Request) -> None:
        self._targets = request.make_targets()
        self._path = request.outbox_path
        self._keep_days, self._evidence = request.keep_days, request.evidence
        self._delete_at_s = 0.0  # by the steady clock
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        handler = logging.StreamHandler(sys.stderr)
        LOG.addHandler(handler)
        self._stack.callback(LOG.removeHandler, handler)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.outbox = self._stack.enter_context(Outbox(self._path, [target.name for target in self._targets]))
        self._couriers = self._stack.enter_context(Couriers(self.outbox, self._targets))
        self._writer = AlertWriter(self.outbox)
        end_abandoned_alerts(self.outbox, self.put)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind in (None, KeyboardInterrupt):
                self._writer.finish()
                if left := self._couriers.drain(DRAIN_S if kind is None else STOPPED_S):
                    print(
                        f"for the next start wait in {self._path}: {count(left, 'delivery', 'deliveries')}",
                        file=sys.stderr,
                    )
                    for target in self.outbox.deliveries.states():
                        if target.waiting and target.last_error:
                            print(f"{target.name}: {target.last_error}", file=sys.stderr)
            else:
                self._writer.retry()
        finally:
            self._stack.__exit__(kind, error, at)

    def put(self, alert: Alert) -> None:
        """Written for good, or held in memory while the outbox cannot be written."""
        self._writer.write(alert)

    def check(self) -> None:
        """Writes what is held, deletes what is too old, and raises what has ended a courier."""
        self._writer.retry()
        self._delete_old()
        self._couriers.check()

    def _delete_old(self) -> None:
        """Once an hour, and at the start."""
        if self._keep_days is None or time.monotonic() < self._delete_at_s:
            return
        self._delete_at_s = time.monotonic() + DELETE_EVERY_S
        try:
            delete_old_alerts(self.outbox, self._keep_days, self._evidence)
        except (OutboxError, OSError) as error:
            LOG.warning("Old alerts cannot be deleted: %s", error)

    def problems(self) -> list[str]:
        """What is wrong with the deliveries, a line each."""
        return [*self._couriers.problems(), *self._writer.problems()]

    def watching(self, source: str) -> AbstractContextManager[None]:
        """For as long as a source is watched; what is open of it outside of that is ended by the next start."""
        return watching(self._path, source)

    def resume(self, alert: Alert) -> Alert:
        """An alert that is raised, as the revision that follows one by which a watch of it was interrupted, if any."""
        latest = self.outbox.latest(alert.id)
        was_interrupted = latest is not None and latest.ended == "interrupted"
        return alert.model_copy(update={"revision": latest.revision}) if latest and was_interrupted else alert
