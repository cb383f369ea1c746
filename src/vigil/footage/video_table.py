"""The table of videos, as data/videos.csv has it and as each split's data/manifest/<split>.csv keeps it.

Numbers are exact: `29.97` and `30000/1001` are both read as they stand and written back with the same value.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_table, write_table

COLUMNS = (
    "video",
    "path",
    "source",
    "grouped_by",
    "label",
    "spans",
    "split",
    "fps",
    "frames",
    "width",
    "height",
    "duration_s",
    "pauses",
    "damage",
    "sha256",
    "url",
    "licence",
)
SPLITS = ("train", "val", "test")
NORMAL = "normal"
ORDINARY = frozenset({NORMAL, "static", "dynamic"})  # every other label is something abnormal
DRAWN = "drawn camera"  # what made the source of a video that nobody filmed
FEW_SOURCES = 6  # in a split; intervals over fewer sources mean little


@dataclass(frozen=True)
class Video:
    """One line of the table."""

    video: str  # "<set>/<stem>"
    path: str  # "data/raw/<set>/<file>"
    source: str  # the group that no split may divide: camera, YouTube video, recording session
    label: str  # a class, or "normal"
    spans: tuple[tuple[Fraction, Fraction], ...]  # abnormal part, seconds, half-open; empty and abnormal: unknown
    split: str  # "train", "val" or "test"; "" in videos.csv where nobody said
    fps: Fraction
    frames: int
    width: int
    height: int
    duration_s: Fraction  # from the first frame to the end of the last, pauses and all
    sha256: str
    url: str = ""
    licence: str = ""
    pauses: tuple[tuple[Fraction, Fraction], ...] = ()  # seconds, half-open, in which nothing was recorded
    damage: str = ""  # what is lost of a damaged recording, in words
    grouped_by: str = ""  # what made the source: "file", "folder", "blocks of rows", ...

    @property
    def set(self) -> str:
        return self.video.split("/", 1)[0]

    @property
    def stem(self) -> str:
        return self.video.split("/", 1)[-1]

    @property
    def abnormal(self) -> bool:
        return self.label not in ORDINARY

    @property
    def drawn(self) -> bool:
        return self.grouped_by == DRAWN

    @property
    def watched_s(self) -> Fraction:
        """Returns how long it was recorded, without its pauses."""
        return self.duration_s - sum((stop - start for start, stop in self.pauses), Fraction(0))

    @property
    def pictures(self) -> bool:
        """Tells whether there is a video behind it, and not a table of landmarks alone."""
        return PurePosixPath(self.path).suffix.lower() != ".csv"


def read(path: Path) -> list[Video]:
    """Reads the videos in the order of the file; VigilError names the line and the column of what is wrong."""
    rows = read_table(path)
    missing = [column for column in COLUMNS if rows and column not in rows[0]]
    if missing:
        hint = near_miss(missing[0], rows[0])
        raise VigilError(f"{path}: no column '{missing[0]}'. Expected: {', '.join(COLUMNS)}.{hint}")
    videos = [_parse_video(row, f"{path}: video {number} ({row['video']})") for number, row in enumerate(rows, 1)]
    ids: set[str] = set()
    for video in videos:
        if video.video in ids:
            raise VigilError(f"{path}: {video.video} is there twice. Ids must differ: rename a file and sync again.")
        ids.add(video.video)
    return videos


def select_sets(videos: Iterable[Video], sets: Collection[str] | None) -> list[Video]:
    """Returns the videos of these sets; of all where `sets` is None."""
    return [video for video in videos if sets is None or video.set in sets]


def write(path: Path, videos: Iterable[Video]) -> None:
    """Writes every column of the videos, sorted by video."""
    write_table(path, (_format_row(video) for video in sorted(videos, key=lambda video: video.video)), COLUMNS)


def decimal(value: Fraction) -> str:
    """Returns the exact value as text: a decimal number where one exists, else `a/b`."""
    divisor, digits = value.denominator, 0
    while divisor > 1:
        step = 10 if divisor % 10 == 0 else 5 if divisor % 5 == 0 else 2 if divisor % 2 == 0 else 0
        if not step:
            return f"{value.numerator}/{value.denominator}"
        divisor, digits = divisor // step, digits + 1
    scaled = abs(value.numerator) * 10**digits // value.denominator
    whole, decimals = divmod(scaled, 10**digits)
    return ("-" if value < 0 else "") + (f"{whole}.{decimals:0{digits}d}" if digits else str(whole))


def _parse_video(row: dict[str, str], where: str) -> Video:
    for column in ("video", "path", "source", "label"):
        if not row[column]:
            raise VigilError(f"{where}: column '{column}' is empty.")
    if row["split"] not in ("", *SPLITS):
        hint = near_miss(row["split"], SPLITS)
        raise VigilError(f"{where}: split '{row['split']}': expected nothing or one of {', '.join(SPLITS)}.{hint}")
    numbers = {column: _parse_number(row[column], f"{where}: {column}") for column in ("fps", "duration_s")}
    counts = {column: _parse_number(row[column], f"{where}: {column}") for column in ("frames", "width", "height")}
    for column, value in counts.items():
        if value.denominator != 1:
            raise VigilError(f"{where}: {column}: expected a whole number, found '{row[column]}'.")
    return Video(
        video=row["video"],
        path=row["path"],
        source=row["source"],
        label=row["label"],
        spans=_parse_spans(row["spans"], f"{where}: spans"),
        split=row["split"],
        fps=numbers["fps"],
        frames=int(counts["frames"]),
        width=int(counts["width"]),
        height=int(counts["height"]),
        duration_s=numbers["duration_s"],
        sha256=row["sha256"],
        url=row["url"],
        licence=row["licence"],
        pauses=_parse_spans(row["pauses"], f"{where}: pauses"),
        damage=row["damage"],
        grouped_by=row["grouped_by"],
    )


def _format_row(video: Video) -> dict[str, Any]:
    row = {column: getattr(video, column) for column in COLUMNS}
    lists = {"spans": _format_spans(video.spans), "pauses": _format_spans(video.pauses)}
    return row | lists | {"fps": decimal(video.fps), "duration_s": decimal(video.duration_s)}


def _format_spans(spans: Iterable[tuple[Fraction, Fraction]]) -> str:
    return f"[{', '.join(f'[{_format_json(start)}, {_format_json(stop)}]' for start, stop in spans)}]"


def _format_json(value: Fraction) -> str:
    text = decimal(value)
    return f'"{text}"' if "/" in text else text


def _parse_number(text: str, where: str) -> Fraction:
    """Parses a number that is 0 or more."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise VigilError(f"{where}: expected a number, found '{text}'.") from None
    if value < 0:
        raise VigilError(f"{where}: expected a number from 0 up, found '{text}'.")
    return value


def _parse_spans(text: str, where: str) -> tuple[tuple[Fraction, Fraction], ...]:
    problem = VigilError(f"{where}: expected a list of [start, stop] in seconds, start before stop, found '{text}'.")
    try:
        pairs = json.loads(text or "[]", parse_float=Fraction, parse_int=Fraction)
        spans = tuple((Fraction(start), Fraction(stop)) for start, stop in pairs)
    except (ValueError, TypeError, ArithmeticError):
        raise problem from None
    if any(not 0 <= start < stop for start, stop in spans):
        raise problem
    return spans
