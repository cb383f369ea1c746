"""Data on disk: JSON, tables, arrays and pointers to a user's own files. A reader never sees half a file.

Everything is written beside its place and then renamed, which also replaces the read-only files that DVC leaves.
The same values give the same bytes, always.
"""

import csv
import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core import settings
from vigil.core.errors import VigilError

POINTER = ".link.json"
NPY_HEADER = 4096  # bytes, at most


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, with its extension; it replaces `path` unless the block fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(6)}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_file(path: Path) -> str:
    """Returns the hexadecimal digest of the content, which is read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """Returns the hexadecimal digest of a value that JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Writes sorted keys and a newline at the end. The caller rounds floats; NaN is refused, as JSON has none."""
    try:
        text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise VigilError(
            f"{path}: cannot be written as JSON: {error}. Write null for a number that is not known."
        ) from None
    _write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file; VigilError names the line of what is no JSON."""
    try:
        return json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise VigilError(f"{path}: line {error.lineno}: not valid JSON: {error.msg}.") from None


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Writes CSV with a header. Every row has exactly these columns; None is an empty cell."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

        def write(cells: Sequence[Any]) -> None:
            carriage_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)  # ends a line to a reader
            (quoted if carriage_return else plain).writerow(cells)

        write(columns)
        for row in rows:
            if row.keys() != set(columns):
                raise ValueError(f"{path}: a row has the columns {sorted(row)}, the table {sorted(columns)}")
            write([row[column] for column in columns])


def read_table(path: Path) -> list[dict[str, str]]:
    """Reads the rows of a CSV file with a header, every cell as text."""
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        columns = next(reader, None)
        if columns is None:
            raise VigilError(f"{path}: empty; expected a table with a header.")
        rows = []
        for cells in reader:
            if cells and len(cells) != len(columns):
                raise VigilError(f"{path}: line {reader.line_num}: {len(cells)} cells, the header has {len(columns)}.")
            if cells:
                rows.append(dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise VigilError(f"{path}: line {reader.line_num}: not a valid table: {error}.") from None
    return rows


def save_arrays(path: Path, /, **arrays: Any) -> None:
    """Writes an uncompressed .npz, whose bytes depend on nothing but names and values of the arrays."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            array = np.asarray(arrays[name], order="C")
            with archive.open(npz_entry(name, array.nbytes), "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def npz_entry(name: str, size: int) -> zipfile.ZipInfo:
    """Returns the entry of an array of `size` bytes in an .npz; with the size every Python writes the same header."""
    info = zipfile.ZipInfo(f"{name}.npy")
    info.file_size = size + NPY_HEADER
    return info


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads all arrays of an .npz by name. A file that would run code on loading is refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {}
            for entry_name in archive.namelist():
                with archive.open(entry_name) as file:
                    arrays[entry_name.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
            return arrays
    except FileNotFoundError:
        raise VigilError(f"{path}: not found.") from None
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError) as error:
        raise VigilError(f"{path}: not a readable array archive: {error}. Delete it and run again.") from None


def write_pointer(path: Path, target: Path, size: int, sha256: str) -> Path:
    """Lets `<path>.link.json` stand for a user's own file, which is neither copied nor touched."""
    pointer = path.with_name(path.name + POINTER)
    write_json(pointer, {"path": os.path.relpath(target, settings.root()), "size": size, "sha256": sha256})
    return pointer


def raw_file(path: Path) -> Path:
    """Returns the real file behind an entry of data/raw: the target of its pointer, else the entry itself."""
    pointer = path if path.name.endswith(POINTER) else path.with_name(path.name + POINTER)
    if (pointer != path and path.exists()) or not pointer.exists():
        return path
    record = read_json(pointer)
    target = settings.root() / record["path"]
    if not target.exists():
        raise VigilError(f"{record['path']}: not found, {pointer} points to it. Bring it back, or run `vigil sync`.")
    if target.is_file() and target.stat().st_size != record["size"]:
        raise VigilError(
            f"{record['path']}: {target.stat().st_size} bytes, {pointer} says {record['size']}. "
            "Run `vigil sync` to take the change in."
        )
    return target


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except FileNotFoundError:
        raise VigilError(f"{path}: not found.") from None
    except UnicodeDecodeError as error:
        raise VigilError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}. Save it as UTF-8.") from None
