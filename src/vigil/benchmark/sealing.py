"""Freezes results on disk before the data are opened that they are judged by, and scores them once on those."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vigil.benchmark.outcome import Record
from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file, write_json

SEAL = "frozen.json"


def digest_files(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Returns the sha256 of each file, by its path in `folder`."""
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(files)}


def seal(folder: Path, contents: dict[str, Any]) -> None:
    """Writes down what is frozen in `folder`; VigilError where that was written down before and has changed since."""
    if (folder / SEAL).exists() and read_json(folder / SEAL) != contents:
        raise VigilError(f"{folder}: something has changed since it was frozen. Delete the folder to freeze anew.")
    write_json(folder / SEAL, contents)


def score_once(path: Path, test: str, say: Callable[[str], object], compute: Callable[[], Record]) -> Record:
    """Returns the score on `test` that is stored at `path`; the first time it is computed and stored."""
    if path.exists():
        say(f"{test} was scored before by what is frozen here: that score is shown")
        record: Record = read_json(path)
        return record
    record = compute()
    write_json(path, record)
    return record
