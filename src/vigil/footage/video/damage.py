"""Evidence that a video file is cut short or broken inside, as opposed to a container that merely claims too much.

Cut short: the file says how long it is and is shorter, AND frames are missing; or it ends in the middle of a picture.
Broken inside: pictures that the decoder refuses, flags or builds upon a flagged one, and indexed pictures that are not
there, are more than `LIMIT` of all. A claim alone (duration, frame count) is no evidence: containers lie.
Damage that leaves no trace stays unnoticed: a few bytes inside a picture (mostly noticed in H.264 and MPEG, hardly in
HEVC, VP8 and JPEG), or pictures that are gone from FLV, AVI or a raw stream, in which nothing counts them.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

LIMIT = Fraction(1, 400)  # a camera's rare glitch in a long recording is below it, any damage to a short clip above
UNKNOWN = (1 << 64) - 1


@dataclass(frozen=True)
class Losses:
    """The counts of a file that was read to its end."""

    sound: int  # pictures
    lost: int  # pictures that are distorted, or that the decoder refused
    packets: int
    is_cut: bool  # ends in the middle of a picture
    claimed: int | None  # pictures, by the container
    indexed: int  # packets in the container's table
    complaints: int  # of the reader about the structure


def explain_damage(path: Path, losses: Losses) -> str:
    """Says what is lost of the file, or ''. A rare glitch in a long recording is not told."""
    fewer = losses.claimed is not None and losses.packets < losses.claimed
    decodes = (
        f"{losses.sound}" + (f" of {losses.claimed}" if fewer else "") + f" frame{'s' * (losses.sound != 1)} decode"
    )
    cut = explain_cut(path)
    if cut and fewer:
        return f"{decodes}; {cut}"
    missing = max(losses.indexed - losses.packets, 0)
    if losses.complaints and losses.claimed is not None:
        missing = max(missing, losses.claimed - losses.packets)
    total = losses.sound + losses.lost + missing
    is_lost = losses.lost + missing - losses.is_cut > LIMIT * total
    if is_lost:
        return f"{losses.lost + missing} of {total} frames are lost or distorted; the file is damaged"
    if losses.is_cut:
        return f"{decodes}; the file ends in the middle of a picture (cut short)"
    return ""


def explain_unopenable(path: Path, problem: str) -> str:
    """Says why the file cannot even be opened; `problem` is what the library says."""
    try:
        if not path.exists():
            return "not found: it was moved or deleted, or is a link to nothing"
        if not path.stat().st_size:
            return "empty file (0 bytes): fetch it again"
        words = first_words(path)
        if words:
            return f"text, no video (it starts with {words!r}): fetch the video itself"
        if not has_index(path):
            return (
                "its index (moov atom) is missing: the file is cut short or was never finished; fetch it again, or "
                "repair it with 'untrunc SOUND BROKEN', SOUND being any whole recording of the same camera"
            )
        cut = explain_cut(path)
        if cut:
            return f"{cut}; fetch it again"
    except OSError as error:
        return f"cannot be read ({error.strerror}): check the permissions of the file"
    return f"no video that can be opened ({problem}): the file is damaged or of another kind; fetch or convert it again"


def explain_cut(path: Path) -> str:
    """Says that the file is shorter than it declares, else ''."""
    size, declared = path.stat().st_size, declared_size(path) or 0
    return f"the file is cut short ({size:,} of {declared:,} bytes)" if declared > size else ""


def declared_size(path: Path) -> int | None:
    """Returns the bytes that the file should have by its own structure (ISO, RIFF, EBML); None when it does not say."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"\x1aE\xdf\xa3":
            return _ebml_end(file)
        if head[:4] == b"RIFF":
            return _last_end(_riff_chunks(file), {b"RIFF"})
        return _last_end(_iso_boxes(file), {b"mdat", b"moov", b"moof"})


def has_index(path: Path) -> bool:
    """Returns False for an ISO file (mp4, mov) without its moov box, which nothing can play."""
    with path.open("rb") as file:
        kinds = [kind for kind, _ in _iso_boxes(file)]
    return b"moov" in kinds or not {b"ftyp", b"mdat"} & set(kinds)


def first_words(path: Path) -> str:
    """Returns the first words of a file that is text, else ''."""
    with path.open("rb") as file:
        head = file.read(512)
    try:
        words = head.decode("utf-8", errors="ignore" if len(head) == 512 else "strict")
    except UnicodeDecodeError:
        return ""
    if not words or any(not char.isprintable() and char not in string.whitespace for char in words):
        return ""
    return " ".join(words.split())[:40]


def _last_end(boxes: Iterator[tuple[bytes, int]], kinds: set[bytes]) -> int | None:
    ends = [end for kind, end in boxes if kind in kinds]
    return max(ends) if ends else None


def _iso_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yields (kind, end) of the boxes at the top level, up to the first thing that is none."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(16)
        kind, size = head[4:8], int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8 or not kind.isalnum():
            return
        offset += size
        yield kind, offset


def _riff_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yields (kind, end) of the RIFF chunks, of which an AVI beyond 1 GB has several."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(8)
        size = int.from_bytes(head[4:8], "little")
        if len(head) < 8 or head[:4] != b"RIFF" or size in (0, 0xFFFFFFFF):
            return
        offset += 8 + size
        yield head[:4], offset


def _ebml_end(file: BinaryIO) -> int | None:
    """Returns where the Matroska segment ends; None when it was left open, as a live recording does."""
    file.seek(4)
    file.seek(min(_ebml_size(file), 1 << 20), 1)
    if file.read(4) != b"\x18S\x80g":
        return None
    size = _ebml_size(file)
    return None if size == UNKNOWN else file.tell() + size


def _ebml_size(file: BinaryIO) -> int:
    first = file.read(1)
    if not first or first == b"\x00":
        return 0
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    size = int.from_bytes(bytes([first[0] & (0xFF >> length)]) + rest, "big")
    return UNKNOWN if size == (1 << 7 * length) - 1 else size
