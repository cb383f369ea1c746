"""Videos that come as bytes: standard input, and files on a server.

What can be decoded as it comes is decoded so. An MP4 may have its index at the end, and an AVI has it there, so these
are kept in a temporary file to their end first; so is a file on a server, which is asked for the rest when the
connection breaks.
"""

import io
import shutil
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from vigil.capture.addresses import open_address, renew
from vigil.capture.sources import Source
from vigil.core.errors import Rejected, VigilError

CHUNK = 1 << 16  # bytes
HEAD = 12  # bytes by which a kind of file is known
TRIES = 5  # at the rest of a file, with ever longer pauses


class Pipe(io.RawIOBase):
    """Bytes that come once, in order, of which the first were looked at already."""

    name = "/dev/null"  # where a reader that looks for the file itself finds nothing

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Returns what is there, at least one byte, at most `size`; nothing at the end."""
        if self._head:
            chunk, self._head = self._head[:size], self._head[size:]
            return chunk
        read1 = getattr(self._rest, "read1", self._rest.read)
        return read1(size)


@contextmanager
def keep_standard_input(stdin: BinaryIO | None = None) -> Iterator[Path | Pipe]:
    """Gives standard input as it comes, or as a file once it has ended, whichever its kind of video allows."""
    stdin = stdin or sys.stdin.buffer
    head = b"" if stdin.isatty() else _read_head(stdin)
    if not head:
        raise Rejected("no video comes: pipe one into it (ffmpeg ... -f mpegts - | vigil detect -)")
    if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip") and head[:4] != b"RIFF":
        yield Pipe(head, stdin)
        return
    with _temporary("stdin") as path:
        with path.open("wb") as file:
            file.write(head)
            shutil.copyfileobj(stdin, file, CHUNK)
        yield path


@contextmanager
def download(source: Source) -> Iterator[tuple[Path, str]]:
    """Fetches a file from a server into a temporary one; with it comes why it is not whole, or ''."""
    with _temporary(source.name) as path:
        broken_off = ""
        with path.open("wb") as file:
            for attempt in range(1, TRIES + 1):
                broken_off = _fetch_rest(source, file)
                if not broken_off:
                    break
                if attempt < TRIES:
                    time.sleep(0.2 * 2**attempt)
                    source = _find_again(source)
        if broken_off and not path.stat().st_size:
            raise Rejected(broken_off)
        yield path, broken_off


def _find_again(source: Source) -> Source:
    """Where the file is now; Rejected where its page does not say: the other recordings are judged all the same."""
    try:
        return renew(source)
    except VigilError as error:
        raise Rejected(str(error)) from None


def _fetch_rest(source: Source, file: BinaryIO) -> str:
    """Fetches what is missing from the file; returns why it did not all come, or ''."""
    have = file.tell()
    try:
        with open_address(source, {"Range": f"bytes={have}-"} if have else {}) as answer:
            if have and answer.status != 206:  # the server sends all of it again
                file.seek(0)
                file.truncate()
                have = 0
            expected = answer.headers.get("Content-Length")
            while chunk := answer.read1(CHUNK):
                file.write(chunk)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return ""
        return f"the server answers {error.code} ({error.reason})"
    except (OSError, HTTPException) as error:
        return f"the connection broke after {file.tell():,} bytes ({type(error).__name__})"
    whole = have + int(expected) if expected and expected.isdecimal() else None
    if whole is not None and file.tell() < whole:
        return f"the connection broke after {file.tell():,} of {whole:,} bytes"
    return ""


def _read_head(stdin: BinaryIO) -> bytes:
    head = b""
    while len(head) < HEAD and (chunk := stdin.read(HEAD - len(head))):
        head += chunk
    return head


@contextmanager
def _temporary(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vigil-") as folder:
        yield Path(folder) / name
