"""Alerts on their way: written to the outbox, and carried from there to all who shall have them."""

import logging
import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from vigil.core import settings
from vigil.delivery.alert import Alert, revise
from vigil.delivery.courier import Couriers
from vigil.delivery.outbox import Outbox
from vigil.delivery.targets import make_targets
from vigil.delivery.writer import AlertWriter
from vigil.watch.request import Request

DRAIN_S = 10.0  # s that deliveries are waited for in the end; what is left waits in the outbox


class Sending:
    """`with Sending(request) as sending: sending.put(alert)`; what was put is on the disk, or said to be held."""

    def __init__(self, request: Request) -> None:
        self._targets = make_targets(request.outputs.alerts, request.webhooks, request.brokers)
        self._path = request.outbox or settings.home() / "outbox.sqlite"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        log, handler = logging.getLogger("vigil.delivery"), logging.StreamHandler(sys.stderr)
        log.addHandler(handler)
        self._stack.callback(log.removeHandler, handler)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.outbox = self._stack.enter_context(Outbox(self._path, [target.name for target in self._targets]))
        self._couriers = self._stack.enter_context(Couriers(self.outbox, self._targets))
        self._writer = AlertWriter(self.outbox)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._writer.finish()
                if left := self._couriers.drain(DRAIN_S):
                    print(f"{left} deliveries wait in {self._path} for the next start", file=sys.stderr)
        finally:
            self._stack.__exit__(kind, error, at)

    def put(self, alert: Alert) -> None:
        """Written for good, or held in memory while the outbox cannot be written."""
        self._writer.write(alert)

    def check(self) -> None:
        """Writes what is held, and raises what has ended a courier."""
        self._writer.retry()
        self._couriers.check()

    def problems(self) -> list[str]:
        """What is wrong with the deliveries, a line each."""
        return [*self._couriers.problems(), *self._writer.problems()]

    def end_open_alerts(self, camera: str) -> None:
        """Ends what a watch that was killed has left open: nobody else will."""
        for stored in self.outbox.open_alerts(camera):
            self.put(revise(stored.alert, stop=stored.alert.peak, ended="interrupted"))
