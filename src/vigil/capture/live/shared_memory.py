"""Memory that a process shares with those that it starts, and that is gone with the last of them, however they end.

It has no name, so a process that is killed leaves nothing behind, and nobody else can open it. What is never written to
takes no room.
"""

import mmap
import os
import tempfile
from contextlib import suppress
from multiprocessing.reduction import DupFd
from typing import Any


class SharedMemory:
    """`size` bytes of zeros; `view` is a mutable view of them. Can be handed to a process when it is started."""

    def __init__(self, size: int) -> None:
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("vigil")
        else:
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())
        os.ftruncate(self._file, size)
        self._map(size)

    def _map(self, size: int) -> None:
        self.size = size
        self._mapped = mmap.mmap(self._file, size)
        self.view = memoryview(self._mapped)

    def load(self, offset: int) -> int:
        """Returns the number that `store` has put at `offset`, a multiple of 8: the old one or the new one, no mixture.

        `struct` would not do: it writes zeros first, and then byte after byte.
        """
        with self.view[offset : offset + 8] as window, window.cast("q") as number:
            return number[0]

    def store(self, offset: int, number: int) -> None:
        """Puts a number of 64 bits at `offset`, a multiple of 8, at once."""
        with self.view[offset : offset + 8] as window, window.cast("q") as memory:
            memory[0] = number

    def close(self) -> None:
        """Lets go of it; views that are still held keep it."""
        self.view.release()
        with suppress(BufferError):  # whoever holds an array of it lets go of it later
            self._mapped.close()
        os.close(self._file)

    def __getstate__(self) -> tuple[Any, int]:
        return DupFd(self._file), self.size

    def __setstate__(self, state: tuple[Any, int]) -> None:
        descriptor, size = state
        self._file = descriptor.detach()
        self._map(size)
