"""Which sources are being watched, by whatever process: a lock on a file for each, beside the outbox.

The system lets a lock go when the process that holds it ends, however it ends. So an alert that is open, of a source
that nobody watches, is known to be of a watch that was killed, and nobody else will end it.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vigil.delivery.alert import Alert, revise
from vigil.delivery.outbox import Outbox


@contextmanager
def watching(outbox: Path, source: str) -> Iterator[None]:
    """Holds a source's lock, which several may hold at once; its file is there for as long as anybody does."""
    path = _lock_path(outbox, source)
    descriptor = _open_shared(path)
    try:
        yield
    finally:
        _remove_unless_held(path, descriptor)


def is_watched(outbox: Path, source: str) -> bool:
    """Whether anybody watches a source. The lock's file of a watch that was killed is removed."""
    path = _lock_path(outbox, source)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    return not _remove_unless_held(path, descriptor)


def end_abandoned_alerts(outbox: Outbox, put: Callable[[Alert], object]) -> None:
    """Ends, as interrupted, what is open of sources that nobody watches; `put` gets the revisions that say so."""
    for stored in outbox.open_alerts():
        if not is_watched(outbox.path, stored.alert.camera):
            put(revise(stored.alert, stop=stored.alert.peak, ended="interrupted"))


def _lock_path(outbox: Path, source: str) -> Path:
    return outbox.with_name(f"{outbox.name}.watched-{hashlib.sha256(source.encode()).hexdigest()[:12]}.lock")


def _open_shared(path: Path) -> int:
    """A descriptor that shares the lock of the file that is there now, and not of one that was just removed."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_file_at(path, descriptor):
            return descriptor
        os.close(descriptor)


def _remove_unless_held(path: Path, descriptor: int) -> bool:
    """Closes the descriptor and removes the file, unless another holds its lock; returns whether nobody does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_file_at(path, descriptor):
            path.unlink()
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_file_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
