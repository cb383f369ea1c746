"""What each target still has to get: the queue, kept in the outbox's database.

For each target a camera's alerts leave in the order in which they were written: while one of them waits for its next
attempt, those after it wait too. Other cameras and other targets go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vigil.delivery.database import Database

CLOCK_SLACK_S = 2 * 86400.0  # s; what is due later than that was delayed by a clock that has been set back since


@dataclass(frozen=True)
class Delivery:
    """One revision of an alert that a target has to get."""

    target: str
    seq: int
    camera: str
    key: str  # the alert's id and revision: what a receiver has seen of this, it need not take again
    body: str  # the alert in JSON
    attempts: int  # that failed so far
    first_failed: float | None  # seconds since 1970


@dataclass(frozen=True)
class ParkedDelivery:
    """One revision of an alert that a target will not take."""

    target: str
    key: str
    camera: str
    parked: float  # seconds since 1970
    reason: str


@dataclass(frozen=True)
class TargetState:
    """How a target fares."""

    name: str
    waiting: int
    parked: int  # what it will not take, with the reason, until somebody lets go of them
    delivered: int  # ever
    oldest_waiting: float | None  # when it was written; seconds since 1970
    failing_since: float | None  # None while all goes well
    last_error: str | None  # of the failure that lasts, else of the newest that is parked


class Deliveries:
    """The queue of all targets. Times are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, target: str, now: float, limit: int) -> list[Delivery]:
        """Returns what may be sent now, in the order in which it must be."""
        rows = self._database.read(
            "SELECT seq, d.camera AS camera, id, revision, body, attempts, first_failed "
            "FROM deliveries d CROSS JOIN alerts USING (seq) WHERE target = ?1 AND state = 'waiting' "
            "AND d.camera NOT IN (SELECT camera FROM deliveries WHERE target = ?1 AND state = 'waiting' "
            "AND next_attempt > 0 AND next_attempt > ?2 AND next_attempt < ?3) ORDER BY seq LIMIT ?4",
            (target, now, now + CLOCK_SLACK_S, limit),
        )
        return [
            Delivery(
                target, row["seq"], row["camera"], f"{row['id']}.{row['revision']}", row["body"], row["attempts"],
                row["first_failed"],
            )
            for row in rows
        ]  # fmt: skip

    def next_attempt(self, target: str, now: float) -> float | None:
        """When the first of those that have failed will be due again; None where all are due, or none has failed."""
        query = (
            "SELECT min(next_attempt) AS due_at FROM deliveries "
            "WHERE target = ? AND state = 'waiting' AND next_attempt > 0 AND next_attempt > ?"
        )
        due_at: float | None = self._database.read(query, (target, now))[0]["due_at"]
        return due_at

    def mark_delivered(self, delivery: Delivery, now: float) -> None:
        """The target has it."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE deliveries SET state = 'delivered', settled = ?, last_error = NULL "
                "WHERE target = ? AND seq = ? AND state = 'waiting'",
                (now, delivery.target, delivery.seq),
            )
            connection.execute(
                "INSERT INTO targets (name, delivered, delivered_at) VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE SET "
                "delivered = delivered + 1, delivered_at = ?2, failing_since = NULL, last_error = NULL",
                (delivery.target, now),
            )

    def mark_failed(self, delivery: Delivery, error: str, now: float, next_attempt: float) -> None:
        """It could not be delivered, and will be tried again from `next_attempt` on."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE deliveries SET attempts = attempts + 1, first_failed = coalesce(first_failed, ?), "
                "next_attempt = ?, last_error = ? WHERE target = ? AND seq = ? AND state = 'waiting'",
                (now, next_attempt, error, delivery.target, delivery.seq),
            )
            connection.execute(
                "INSERT INTO targets (name, failing_since, last_error) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
                "failing_since = coalesce(failing_since, ?2), last_error = ?3",
                (delivery.target, now, error),
            )

    def mark_parked(self, delivery: Delivery, reason: str, now: float) -> None:
        """The target will not take it. It is kept, and no longer in the way of what comes after it."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE deliveries SET state = 'parked', settled = ?, last_error = ? WHERE target = ? AND seq = ?",
                (now, reason, delivery.target, delivery.seq),
            )

    def parked(self) -> list[ParkedDelivery]:
        """Returns what is parked, by target, in the order of writing."""
        rows = self._database.read(
            "SELECT target, d.camera AS camera, id, revision, settled, last_error FROM deliveries d "
            "JOIN alerts USING (seq) WHERE state = 'parked' ORDER BY target, seq"
        )
        return [
            ParkedDelivery(
                row["target"], f"{row['id']}.{row['revision']}", row["camera"], row["settled"], row["last_error"] or ""
            )
            for row in rows
        ]

    def release_parked(self, target: str) -> int:
        """Let everything that was parked be tried anew; returns how many these are."""
        with self._database.write() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'waiting', attempts = 0, first_failed = NULL, next_attempt = 0, "
                "settled = NULL WHERE target = ? AND state = 'parked'",
                (target,),
            ).rowcount

    def forget_delivered(self, target: str) -> None:
        """The target has lost what it had: whatever is put again is delivered again."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM deliveries WHERE target = ? AND state = 'delivered'", (target,))

    def forget_target(self, target: str) -> int:
        """It is no target any more; returns how many that waited for it, or were parked, nobody will get."""
        with self._database.write() as connection:
            lost = connection.execute(
                "SELECT count(*) AS n FROM deliveries WHERE target = ? AND state IN ('waiting', 'parked')", (target,)
            ).fetchone()["n"]
            connection.execute("DELETE FROM deliveries WHERE target = ?", (target,))
            connection.execute("DELETE FROM targets WHERE name = ?", (target,))
        return int(lost)

    def waiting(self, targets: Iterable[str]) -> int:
        """How many deliveries to these targets wait."""
        names = list(targets)
        marks = ", ".join("?" * len(names))
        query = f"SELECT count(*) AS n FROM deliveries WHERE state = 'waiting' AND target IN ({marks})"  # noqa: S608
        return int(self._database.read(query, names)[0]["n"])

    def states(self) -> list[TargetState]:
        """How each target fares that ever was one, by name; those too that are no target now but have some waiting."""
        rows = self._database.read(
            "SELECT name, waiting, parked, delivered, written AS oldest_waiting, failing_since, "
            "coalesce(targets.last_error, why) AS error "
            "FROM (SELECT DISTINCT target AS name FROM deliveries UNION SELECT name FROM targets) "
            "LEFT JOIN targets USING (name) "
            "LEFT JOIN (SELECT target AS name, count(*) AS waiting, min(seq) AS seq FROM deliveries "
            "WHERE state = 'waiting' GROUP BY target) USING (name) LEFT JOIN alerts USING (seq) "
            "LEFT JOIN (SELECT target AS name, count(*) AS parked, last_error AS why, max(settled) FROM deliveries "
            "WHERE state = 'parked' GROUP BY target) USING (name) ORDER BY name"
        )
        return [
            TargetState(
                row["name"], row["waiting"] or 0, row["parked"] or 0, row["delivered"] or 0, row["oldest_waiting"],
                row["failing_since"], row["error"],
            )
            for row in rows
        ]  # fmt: skip
