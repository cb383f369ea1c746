"""The content-addressed store: what was computed once is linked, not computed again.

    .vigil/store/<2 hex>/<key>/     result.json, and the files of one result, read-only
    .vigil/store/tmp/               results being written; what a killed process left is swept by the next one
    .vigil/store/lock               shared by every stage for as long as it runs, exclusive to `gc`

An entry appears whole, by one rename. It lies apart from storage.py because that file is part of the code version of
nearly every result and this one of none.
"""

import errno
import fcntl
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import replacing

RESULT = "result.json"
UNLINKABLE = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Entry:
    """One result: its JSON value or the reason why there is none, and its files."""

    value: Any
    reason: str | None
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Usage:
    entries: int
    bytes: int
    linked: int  # bytes that are also somewhere else (outputs, DVC's cache), so that the store costs nothing for them

    def __str__(self) -> str:
        return (
            f"{self.entries} results, {_size(self.bytes)} ({_size(self.linked)} of it also in outputs or DVC's cache)"
        )


@dataclass(frozen=True)
class FreedSpace:
    entries: int
    bytes: int  # as the disk sees it: a file that is also linked elsewhere frees nothing
    leftovers: int  # unfinished results of killed processes

    def __str__(self) -> str:
        return f"freed {_size(self.bytes)}: {self.entries} results, {self.leftovers} leftovers of killed runs"


class Store:
    """Results by key, in `folder` (by default that of the project, which temporary experiments share)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or settings.home() / "store"

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keeps `gc` away for the length of the block; waits for one that is running."""
        with self._lock() as lock:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._sweep()
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    def find(self, key: str) -> Entry | None:
        """Returns the entry, and marks it as used just now; None when there is none or it is damaged."""
        entry_folder = self._entry_folder(key)
        try:
            record = json.loads((entry_folder / RESULT).read_bytes())
            files = []
            for name, size in record["files"]:
                if (entry_folder / name).stat().st_size != size:
                    return None
                files.append(entry_folder / name)
            os.utime(entry_folder / RESULT)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Entry(record["value"], record["reason"], tuple(files))

    @contextmanager
    def new_folder(self) -> Iterator[Path]:
        """Makes an empty folder in which to write the files of a result; it is gone after the block."""
        folder = self.folder / "tmp" / secrets.token_hex(8)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def add(
        self, key: str, folder: Path, names: Sequence[str] = (), value: Any = None, reason: str | None = None
    ) -> Entry:
        """Turns a `new_folder` into the entry. When another process was first, its entry stays and ours is dropped."""
        files = [[name, _seal(folder / name)] for name in names]
        text = json.dumps({"value": value, "reason": reason, "files": files}, sort_keys=True, allow_nan=False)
        (folder / RESULT).write_text(text, encoding="utf-8")
        for leftover in {path.name for path in folder.iterdir()} - {RESULT, *names}:
            _remove(folder / leftover)
        entry_folder = self._entry_folder(key)
        entry_folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.rename(entry_folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                if (entry := self.find(key)) is not None:
                    return entry
                self._discard(entry_folder)
            else:
                return Entry(json.loads(text)["value"], reason, tuple(entry_folder / name for name in names))

    def remove(self, key: str) -> None:
        """Throws the entry out, such as one whose files are damaged; the result is computed again when it is needed."""
        self._discard(self._entry_folder(key))

    def usage(self) -> Usage:
        """Measures what lies in the store."""
        entries = [_weigh(entry_folder) for entry_folder in self._entry_folders()]
        linked = sum(weight.linked for weight in entries)
        return Usage(len(entries), sum(weight.unshared for weight in entries) + linked, linked)

    def gc(self, max_bytes: int) -> FreedSpace:
        """Evicts the least recently used results until the store alone holds at most `max_bytes`.

        Files that also lie in outputs or in DVC's cache cost no space, so they do not count, and their results go last.
        """
        with self._lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise VigilError(f"{self.folder}: in use by a stage. Run `vigil store gc` when it has ended.") from None
            leftovers = self._sweep()
            weights = sorted(
                map(_weigh, self._entry_folders()),
                key=lambda weight: (weight.linked > 0, weight.used_ns, weight.entry_folder),
            )
            used = sum(weight.unshared for weight in weights)
            evicted = freed = 0
            for weight in weights:
                if used - freed <= max_bytes:
                    break
                self._discard(weight.entry_folder)
                evicted, freed = evicted + 1, freed + weight.unshared
            return FreedSpace(evicted, freed, leftovers)

    def _entry_folder(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _entry_folders(self) -> list[Path]:
        if not self.folder.exists():
            return []
        shelves = [path for path in self.folder.iterdir() if len(path.name) == 2]
        return [entry_folder for shelf in shelves for entry_folder in shelf.iterdir()]

    def _lock(self) -> BinaryIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        return (self.folder / "lock").open("ab")

    def _sweep(self) -> int:
        """Removes unfinished results. The caller has the exclusive lock, so those who wrote them are dead."""
        leftovers = list((self.folder / "tmp").glob("*"))
        for leftover in leftovers:
            shutil.rmtree(leftover, ignore_errors=True)
        return len(leftovers)

    def _discard(self, entry_folder: Path) -> None:
        """Takes the entry out of sight in one rename, then off the disk."""
        with self.new_folder() as folder, suppress(FileNotFoundError):
            entry_folder.rename(folder / "discarded")


def link(source: Path, final: Path) -> None:
    """Makes `final` the very file `source` (a copy where no link is possible), instead of whatever lies there."""
    with suppress(FileNotFoundError):
        existing, status = final.lstat(), source.stat()
        if (existing.st_dev, existing.st_ino) == (status.st_dev, status.st_ino):
            return
    with replacing(final) as temporary:
        try:
            temporary.hardlink_to(source)
        except OSError as error:
            if error.errno not in UNLINKABLE:
                raise
            shutil.copy2(source, temporary)


@dataclass(frozen=True)
class _Weight:
    entry_folder: Path
    unshared: int  # bytes that lie in the store alone
    linked: int  # bytes that are also somewhere else
    used_ns: int


def _weigh(entry_folder: Path) -> _Weight:
    unshared = linked = used_ns = 0
    for file in os.scandir(entry_folder):
        status = file.stat(follow_symlinks=False)
        if status.st_nlink > 1:
            linked += status.st_size
        else:
            unshared += status.st_size
        if file.name == RESULT:
            used_ns = status.st_mtime_ns
    return _Weight(entry_folder, unshared, linked, used_ns)


def _seal(path: Path) -> int:
    """Makes a file read-only and returns its size. One that is linked elsewhere is copied: it may be a user's own."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        with replacing(path) as temporary:
            shutil.copyfile(path, temporary)
    path.chmod(0o444)
    return path.stat().st_size


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
