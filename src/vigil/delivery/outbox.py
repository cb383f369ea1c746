"""The outbox: every alert is in it before it is sent anywhere, and stays until all who shall have it have it.

    with Outbox(Path(".vigil/outbox.sqlite"), targets=[target.name for target in targets]) as outbox:
        outbox.put(alert)

What `put` has returned from is on the disk. Putting the same revision again changes nothing, so whoever is not sure
puts it again: a film that is judged anew after a crash, for one.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from vigil.delivery.alert import Alert, alert_json, read_alert
from vigil.delivery.database import Database
from vigil.delivery.deliveries import Deliveries

ROWS = "SELECT seq, raised, written, body FROM alerts"
OLD_ALERTS = (  # in their latest revision: they are over, and settled with every target before a moment
    "SELECT id, body FROM alerts WHERE latest = 1 AND ended = 1 AND id NOT IN (SELECT id FROM alerts LEFT "
    "JOIN deliveries USING (seq) WHERE written >= ?1 OR state = 'waiting' OR settled >= ?1)"
)


@dataclass(frozen=True)
class StoredAlert:
    """A revision of an alert in the outbox."""

    seq: int  # place in the order of writing
    raised: int  # seq of the alert's first revision
    written: float  # seconds since 1970
    alert: Alert


class Outbox:
    """Alerts in the order of writing. Its threads, and other processes with the same file, may use it at once."""

    def __init__(self, path: Path, targets: Iterable[str] = ()) -> None:
        """Opens the file, or makes it. What is put from here is to be delivered to `targets`, by their names."""
        self.path = path
        self.targets = tuple(targets)
        self._database = Database(path)
        self.deliveries = Deliveries(self._database)
        self.changed = threading.Condition()  # notified when something was put, in this process
        self.puts = 0  # how often that was

    def put(self, alert: Alert) -> bool:
        """Write one revision of an alert, for good; returns whether it is new.

        OutboxFull where the disk is full, and then nothing of it is written. A revision that is there already stays as
        it is, and goes to those targets that were not among the outbox's when it was written.
        """
        with self._database.write() as connection:
            stored = connection.execute(
                "SELECT seq FROM alerts WHERE id = ? AND revision = ?", (alert.id, alert.revision)
            ).fetchone()
            seq = self._insert(connection, alert) if stored is None else stored["seq"]
            connection.executemany(
                "INSERT OR IGNORE INTO deliveries (target, seq, camera) VALUES (?, ?, ?)",
                [(target, seq, alert.camera) for target in self.targets],
            )
        with self.changed:
            self.puts += 1
            self.changed.notify_all()
        return stored is None

    def newest(self, limit: int, before: int | None = None, camera: str | None = None) -> list[StoredAlert]:
        """Returns alerts in their latest revision, the one that was raised last first.

        `before` is the `raised` of the last one of the page before.
        """
        return self._stored(
            "latest = 1", "raised DESC", limit, {"raised <": before} if before is not None else {}, camera
        )

    def after(self, seq: int, limit: int, camera: str | None = None) -> list[StoredAlert]:
        """Returns every revision that was written after `seq`, the oldest first."""
        return self._stored("1", "seq", limit, {"seq >": seq}, camera)

    def open_alerts(self, camera: str | None = None) -> list[StoredAlert]:
        """Returns the alerts that are not over, the oldest first; see watched.py for those of a killed process."""
        return self._stored("latest = 1 AND ended = 0", "raised", -1, {}, camera)

    def latest(self, alert_id: str) -> Alert | None:
        """Returns the latest revision of an alert; None where the outbox has none."""
        rows = self._database.read("SELECT body FROM alerts WHERE id = ? AND latest = 1", (alert_id,))
        return read_alert(rows[0]["body"], str(self.path)) if rows else None

    def last_seq(self) -> int:
        """Place of the newest revision; 0 in an empty outbox."""
        return int(self._database.read("SELECT coalesce(max(seq), 0) AS seq FROM alerts")[0]["seq"])

    def totals(self) -> list[tuple[str, str, int]]:
        """Camera, label, and how many alerts were ever raised; deleting old ones does not change it."""
        return [tuple(row) for row in self._database.read("SELECT camera, label, raised FROM totals")]

    def delete_old(self, days: float) -> list[Alert]:
        """Delete alerts that were over and settled with every target `days` ago; returns them.

        What still waits for a target, is open, or was parked since then stays, whatever its age.
        """
        with self._database.write() as connection:
            rows = connection.execute(OLD_ALERTS, (time.time() - days * 86400,)).fetchall()
            connection.executemany("DELETE FROM alerts WHERE id = ?", [(row["id"],) for row in rows])
        return [read_alert(row["body"], str(self.path)) for row in rows]

    def find_old(self, days: float) -> list[Alert]:
        """Return what `delete_old` would delete."""
        rows = self._database.read(OLD_ALERTS, (time.time() - days * 86400,))
        return [read_alert(row["body"], str(self.path)) for row in rows]

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _insert(self, connection: sqlite3.Connection, alert: Alert) -> int:
        """Write a revision that is not there yet; returns its place in the order."""
        first, highest = connection.execute(
            "SELECT min(raised), max(revision) FROM alerts WHERE id = ?", (alert.id,)
        ).fetchone()
        latest = highest is None or alert.revision > highest
        if latest:
            connection.execute("UPDATE alerts SET latest = 0 WHERE id = ? AND latest = 1", (alert.id,))
        ended = alert.ended is not None
        facts = (
            alert.id,
            alert.revision,
            first,
            latest,
            alert.camera,
            alert.label,
            ended,
            time.time(),
            alert_json(alert),
        )
        seq = connection.execute(
            "INSERT INTO alerts (id, revision, raised, latest, camera, label, ended, written, body) "
            "VALUES (?1, ?2, coalesce(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9)",
            facts,
        ).lastrowid
        assert seq is not None
        if first is None:
            connection.execute("UPDATE alerts SET raised = seq WHERE seq = ?", (seq,))
            connection.execute(
                "INSERT INTO totals VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET raised = raised + 1",
                (alert.camera, alert.label),
            )
        return seq

    def _stored(
        self, which: str, order: str, limit: int, bounds: dict[str, int], camera: str | None
    ) -> list[StoredAlert]:
        conditions = [which, *(f"{column} ?" for column in bounds), *(["camera = ?"] if camera is not None else [])]
        values = [*bounds.values(), *([camera] if camera is not None else []), limit]
        rows = self._database.read(f"{ROWS} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?", values)
        return [
            StoredAlert(
                row["seq"], row["raised"], row["written"], read_alert(row["body"], f"{self.path}: {row['seq']}")
            )
            for row in rows
        ]
