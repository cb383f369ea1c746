"""Digests of a user's files, remembered in `.vigil`."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file, write_json
from vigil.footage.video.images import SUFFIXES


def list_pictures(folder: Path) -> list[Path]:
    """Lists the images that lie directly in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")


class Hashes:
    """Reads a file again only when its size, time or inode changed since the last time. Use with `with`."""

    def __enter__(self) -> Self:
        self._file = settings.home() / "hashes.json"
        try:
            self._digests: dict[str, list[int | str]] = dict(read_json(self._file))
        except (VigilError, OSError, TypeError, ValueError):
            self._digests = {}
        self._before = dict(self._digests)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._digests != self._before:
            write_json(self._file, self._digests)

    def fingerprint(self, path: Path) -> tuple[int, str]:
        """Returns bytes and digest of a file; of a folder, those of the pictures in it and of their names."""
        if not path.is_dir():
            return path.stat().st_size, self.file_digest(path)
        digest, size = hashlib.sha256(), 0
        for image in list_pictures(path):
            size += image.stat().st_size
            digest.update(f"{image.name}\0{self.file_digest(image)}\0".encode())
        return size, digest.hexdigest()

    def file_digest(self, path: Path) -> str:
        """Returns the digest of a file's content."""
        status = path.stat()
        signature: list[int | str] = [status.st_size, status.st_mtime_ns, status.st_ino]
        key = str(path.absolute())
        remembered = self._digests.get(key)
        if remembered and remembered[:3] == signature:
            return str(remembered[3])
        digest = sha256_file(path)
        self._digests[key] = [*signature, digest]
        return digest
