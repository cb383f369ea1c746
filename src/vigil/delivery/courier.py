"""Carries alerts from the outbox to the targets: a thread for each target, which waits for none of the others.

    with Couriers(outbox, targets) as couriers:
        ...                      outbox.put(alert) wakes them
        couriers.check()         now and then: an error of a thread is raised here
        couriers.drain(30.0)     after a film: wait until all is delivered

At least once: an alert is sent, and then marked as delivered, so what is killed in between is sent again. Of several
processes with one outbox only one carries for a target; another takes over when that one ends.
"""

import hashlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from vigil.core.counts import count
from vigil.delivery.database import OutboxError
from vigil.delivery.deliveries import Delivery
from vigil.delivery.locks import FileLock
from vigil.delivery.outbox import Outbox
from vigil.delivery.target import Backoff, Failed, Interrupted, NotDelivered, Refused, Target, Unreachable

LOG = logging.getLogger("vigil.delivery")
BATCH = 100  # alerts that are read at once
POLL_S = 1.0  # s after which other processes' alerts are noticed
STOP_S = 1.0  # s from `stop` until all threads are at rest
INTERRUPT_S = 0.3  # s of these for requests to end that do not end by themselves


class Courier:
    """Carries what waits for one target, in a thread of its own."""

    def __init__(self, target: Target, outbox: Outbox, backoff: Backoff) -> None:
        self.target = target
        self.error: BaseException | None = None  # that ended the thread, which is a fault of vigil
        self._outbox = outbox
        self._backoff = backoff
        self._parked = Counter[str]()  # revisions of alerts, by the reason
        self._failures = 0  # in a row, of the target as a whole
        self._leave_alone_until = 0.0  # by time.monotonic()
        self._stop_at: float | None = None  # by time.monotonic(); no attempt begins after it
        self._thread = threading.Thread(target=self._run, name=f"courier of {target.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, stop_at: float) -> None:
        """Carry what is due until then, and end; returns at once."""
        self._stop_at = stop_at
        with self._outbox.changed:
            self._outbox.changed.notify_all()

    def join(self, until: float) -> bool:
        """Wait for the end of the thread until a time of time.monotonic(); returns whether it has ended."""
        self._thread.join(max(until - time.monotonic(), 0.0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        name = hashlib.sha256(self.target.name.encode()).hexdigest()[:12]
        claim = FileLock(self._outbox.path.with_name(f"{self._outbox.path.name}.{name}.lock"))
        try:
            while not claim.try_acquire():
                self._rest(POLL_S, self._outbox.puts)
                if self._stop_at is not None:
                    return
            while self._stop_at is None:
                puts = self._outbox.puts
                self._carry()
                if not self._failures:
                    self.target.idle()
                self._rest(self._pause_s(), puts)
            self._carry()
            self._count_parked()
        except Exception as error:  # noqa: BLE001  # `Couriers.check` raises it in the main thread
            self.error = error
        finally:
            self.target.close()
            claim.release()

    def _rest(self, seconds: float, puts: int) -> None:
        """Wait, at most so long, for the end or for another `put` than these."""
        with self._outbox.changed:
            self._outbox.changed.wait_for(
                lambda: self._stop_at is not None or self._outbox.puts != puts, timeout=seconds
            )

    def _pause_s(self) -> float:
        """Seconds until something may be due that is in the outbox now, or else until another look."""
        pause_s = self._leave_alone_until - time.monotonic()
        if pause_s > 0:
            return min(pause_s, POLL_S)
        now = time.time()
        try:
            due_at = self._outbox.deliveries.next_attempt(self.target.name, now)
        except OutboxError:
            return POLL_S
        return POLL_S if due_at is None else min(due_at - now, POLL_S)

    def _carry(self) -> None:
        """Send all that is due, in order."""
        try:
            while not self._is_over() and time.monotonic() >= self._leave_alone_until:
                batch = self._outbox.deliveries.due(self.target.name, time.time(), BATCH)
                if not batch:
                    return
                self._carry_batch(batch)
        except OutboxError as error:  # it is sent again when the outbox can be written again
            self._fail("what is sent cannot be marked as such", error)
        except Interrupted:
            return

    def _carry_batch(self, batch: Sequence[Delivery]) -> None:
        """Send these, each camera's up to the first that fails."""
        halted = set[str]()
        for delivery in batch:
            if self._is_over():
                return
            if delivery.camera in halted:
                continue
            try:
                self.target.send(delivery)
            except Unreachable as failure:
                self._fail(self.target.name, failure, failure.retry_after_s)
                self._keep(delivery, failure, 0.0)  # the first to be tried when the target is, or after a new start
                return
            except Refused as failure:
                self._park(delivery, str(failure))
            except Failed as failure:
                halted.add(delivery.camera)
                self._keep(delivery, failure, self._backoff.delay_s(delivery.attempts + 1, 0.0, random.random()))
            else:
                self._outbox.deliveries.mark_delivered(delivery, time.time())
                if self._failures:
                    LOG.warning("%s: reached again", self.target.name)
                self._failures, self._leave_alone_until = 0, 0.0

    def _fail(self, what: str, error: Exception, retry_after_s: float = 0.0) -> None:
        """Leave the target alone for a while. Only the first failure in a row is said."""
        if not self._failures:
            LOG.warning("%s: %s. What waits for it is kept and tried again.", what, str(error).rstrip("."))
        self._failures += 1
        delay = self._backoff.delay_s(self._failures, retry_after_s, random.random())
        self._leave_alone_until = time.monotonic() + delay

    def _keep(self, delivery: Delivery, failure: NotDelivered, delay_s: float) -> None:
        """Note the failure of an alert, which is tried again, or parked when it has failed for too long."""
        now = time.time()
        if delivery.first_failed is not None and now - delivery.first_failed > self._backoff.give_up_s:
            days = self._backoff.give_up_s / 86400
            self._park(delivery, f"given up after {days:g} days: {failure}")
        else:
            self._outbox.deliveries.mark_failed(delivery, str(failure), now, now + delay_s)

    def _park(self, delivery: Delivery, reason: str) -> None:
        """It will not be tried again. That is said of the first with such a reason, and of the others in the end."""
        self._outbox.deliveries.mark_parked(delivery, reason, time.time())
        kind = reason.partition(": ")[0]  # without what a receiver says of this alert alone
        self._parked[kind] += 1
        if self._parked[kind] == 1:
            LOG.warning(
                "%s: will not take %s: %s. `vigil outbox parked` lists what is not taken.",
                self.target.name, delivery.key, reason.rstrip("."),
            )  # fmt: skip

    def _count_parked(self) -> None:
        for kind, parked in self._parked.items():
            if parked > 1:
                LOG.warning("%s: %s not taken: %s", self.target.name, count(parked, "revision"), kind)

    def _is_over(self) -> bool:
        return self._stop_at is not None and time.monotonic() >= self._stop_at


class Couriers:
    """All couriers of a process."""

    def __init__(self, outbox: Outbox, targets: Iterable[Target], backoff: Backoff | None = None) -> None:
        self._outbox = outbox
        self._couriers = [Courier(target, outbox, backoff or Backoff()) for target in targets]

    def start(self) -> None:
        for courier in self._couriers:
            if courier.target.is_empty():  # a file that was deleted: a film that is judged again fills it again
                self._outbox.deliveries.forget_delivered(courier.target.name)
            courier.start()

    def check(self) -> None:
        """Raise what has ended a thread that should still run."""
        for courier in self._couriers:
            if courier.error is not None:
                raise courier.error

    def problems(self) -> list[str]:
        """Returns what has ended a thread that should still run, a line each."""
        errors = [(courier.target.name, courier.error) for courier in self._couriers]
        return [f"{name}: nothing is sent any more: {error!r}" for name, error in errors if error is not None]

    def drain(self, timeout_s: float) -> int:
        """Wait until nothing waits for these targets, at most so long; returns how many deliveries still wait."""
        names = [courier.target.name for courier in self._couriers]
        until = time.monotonic() + timeout_s
        while (waiting := self._outbox.deliveries.waiting(names)) and time.monotonic() < until:
            self.check()
            time.sleep(0.02)
        return waiting

    def stop(self) -> None:
        """Send what can be sent within a second, and end; the rest waits in the outbox for the next start."""
        end = time.monotonic() + STOP_S
        for courier in self._couriers:
            courier.stop(end - INTERRUPT_S)
        busy = [courier for courier in self._couriers if not courier.join(end - INTERRUPT_S)]
        for courier in busy:
            courier.target.interrupt()
        for courier in busy:
            courier.join(end)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
