"""A file of alerts, one JSON record a line: each is in it once, also after a crash or a loss of power.

A line is written, brought to the disk, and then marked as delivered. After a crash in between, the alert that is sent
first is the one whose line may be there already, whole or torn: whole it is not written again, torn it is completed.
The file may be renamed while vigil runs, as programs that rotate logs do: a new one is begun.
"""

import os
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.delivery.deliveries import Delivery
from vigil.delivery.target import Unreachable


class AlertFile:
    """A target that appends to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # so that two names of one file are one

    @property
    def name(self) -> str:
        return f"file {self.path}"

    def check(self) -> None:
        """The file can be opened for appending; it is made where there is none."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab"):
                pass
        except OSError as error:
            raise VigilError(f"{self.path}: alerts cannot be written there: {error.strerror}.") from None
        if not self.path.is_file():
            raise VigilError(f"{self.path}: no file but a device; expected a file, to which alerts are appended.")

    def is_empty(self) -> bool:
        return not self.path.exists() or self.path.stat().st_size == 0

    def send(self, delivery: Delivery) -> None:
        line = delivery.body.encode() + b"\n"
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                _append(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Unreachable(f"cannot be written: {error.strerror}") from None

    def idle(self) -> None:
        """The file is opened for each line."""

    def interrupt(self) -> None:
        """A write to a disk ends by itself."""

    def close(self) -> None:
        """Nothing is held between two lines."""


def _append(descriptor: int, line: bytes) -> None:
    """Let the file end with this line, whatever part of it is there already."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, len(line), max(size - len(line), 0))
    if tail == line:
        return
    torn = tail.rpartition(b"\n")[2]  # what follows the last whole line
    rest = line[len(torn) :] if line.startswith(torn) else b"\n" + line  # a line of somebody else that has no end
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, size)  # as it was: the disk is full
        raise
