"""The SQLite file behind the outbox: what is in it, how it is opened, and what its errors mean.

    alerts       every revision of every alert, as it is sent, in the order in which they were written
    deliveries   what each target still has to get, has got, or will not take
    targets      how each target fares
    totals       how many alerts were ever raised, which outlasts the alerts

It is in WAL mode with synchronous=FULL: what was committed is there after a loss of power. Several processes may
write and read at once. A later vigil brings older files up to date (MIGRATIONS); an earlier one refuses newer files.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.delivery.locks import FileLock

APPLICATION_ID = 0x7669676C  # "vigl": tells an outbox from any other SQLite file
BUSY_S = 10.0  # s to wait while another process writes
MIGRATIONS = (
    """
    CREATE TABLE alerts (
        seq      INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of writing; never used twice
        id       TEXT    NOT NULL,
        revision INTEGER NOT NULL,
        raised   INTEGER NOT NULL,                   -- seq of the first revision that was written of this alert
        latest   INTEGER NOT NULL,                   -- 1 for the highest revision of this alert, else 0
        camera   TEXT    NOT NULL,
        label    TEXT    NOT NULL,
        ended    INTEGER NOT NULL,                   -- 1 when the alert is over, else 0
        written  REAL    NOT NULL,                   -- seconds since 1970
        body     TEXT    NOT NULL,                   -- the alert in JSON
        UNIQUE (id, revision)
    );
    CREATE INDEX alerts_latest ON alerts (raised) WHERE latest = 1;
    CREATE INDEX alerts_latest_of_camera ON alerts (camera, raised) WHERE latest = 1;
    CREATE INDEX alerts_of_camera ON alerts (camera, seq);
    CREATE TABLE deliveries (
        target       TEXT    NOT NULL,
        seq          INTEGER NOT NULL REFERENCES alerts (seq) ON DELETE CASCADE,
        camera       TEXT    NOT NULL,
        state        TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'parked')),
        attempts     INTEGER NOT NULL DEFAULT 0,     -- that failed
        first_failed REAL,                           -- seconds since 1970, as all times here
        next_attempt REAL    NOT NULL DEFAULT 0,
        last_error   TEXT,
        settled      REAL,                           -- when it was delivered or parked
        PRIMARY KEY (target, seq)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_waiting ON deliveries (target, seq, camera, next_attempt) WHERE state = 'waiting';
    CREATE INDEX deliveries_delayed ON deliveries (target, next_attempt, camera)
        WHERE state = 'waiting' AND next_attempt > 0;
    CREATE INDEX deliveries_parked ON deliveries (target) WHERE state = 'parked';
    CREATE INDEX deliveries_of_alert ON deliveries (seq);
    CREATE TABLE targets (
        name          TEXT PRIMARY KEY,
        delivered     INTEGER NOT NULL DEFAULT 0,    -- how many, ever
        delivered_at  REAL,                          -- the newest
        failing_since REAL,                          -- NULL while all goes well
        last_error    TEXT
    ) WITHOUT ROWID;
    CREATE TABLE totals (
        camera TEXT NOT NULL,
        label  TEXT NOT NULL,
        raised INTEGER NOT NULL,
        PRIMARY KEY (camera, label)
    ) WITHOUT ROWID;
    """,
)


class OutboxError(VigilError):
    """The outbox cannot be read or written; what is in it stays."""


class OutboxFull(OutboxError):
    """There is no room left on the disk; it can be written again when there is."""


class Database:
    """One connection, which the threads of a process share; each transaction is a few milliseconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f"{path.name}.lock")):
                self._connection = sqlite3.connect(path, BUSY_S, isolation_level=None, check_same_thread=False)
                try:
                    self._prepare()
                except BaseException:
                    self._connection.close()
                    raise
        except OSError as error:
            raise OutboxError(f"{path}: the outbox cannot be written: {error.strerror}.") from None
        except sqlite3.Error as error:
            raise self._explain(error) from None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block is on the disk when it is left, or nothing of it."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # a full disk has ended it already
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._explain(error) from None

    def read(self, query: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            try:
                return self._connection.execute(query, tuple(values)).fetchall()
            except sqlite3.Error as error:
                raise self._explain(error) from None

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != APPLICATION_ID and (owner, version, tables) != (0, 0, 0):
            raise OutboxError(f"{self.path}: a database of another program. Name another file for the outbox.")
        if version > len(MIGRATIONS):
            raise OutboxError(
                f"{self.path}: format {version} of the outbox; this vigil knows {len(MIGRATIONS)}. Use a newer vigil."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(
                f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; {migration} PRAGMA user_version = {number}; COMMIT;"
            )

    def _explain(self, error: sqlite3.Error) -> OutboxError:
        """What an error of SQLite means to whoever must mend it."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the details
        if code == sqlite3.SQLITE_FULL or (
            code == sqlite3.SQLITE_IOERR and not shutil.disk_usage(self.path.parent).free
        ):
            return OutboxFull(f"{self.path}: no room left on the disk. What is in the outbox stays; make room.")
        reasons = {
            sqlite3.SQLITE_BUSY: f"another process has written for longer than {BUSY_S:.0f} s",
            sqlite3.SQLITE_READONLY: "it or its folder is read-only",
            sqlite3.SQLITE_CANTOPEN: "it cannot be opened in its folder",
            sqlite3.SQLITE_NOTADB: "it is no SQLite database; name another file for the outbox",
            sqlite3.SQLITE_CORRUPT: "it is damaged; move it away, and a new one is made",
        }
        return OutboxError(f"{self.path}: the outbox cannot be used: {reasons.get(code, str(error))}.")
