"""What a user wrote about videos: labels.csv, and a JSON file beside each video.

labels.csv, in the dataset's folder. One line per video, or per span of a video:

    video      path relative to the dataset's folder (`path` will do as the header too)
    label      a class, or normal
    spans      the abnormal part: [[start_s, stop_s], ...]; or one span in start_s and stop_s
    source     the group that no split may divide, as it is: two sets that name one source share it
    split      train, val or test

All but the first column may be missing or empty. A JSON file holds one record, or a list of them:

    video_path         relative to the JSON file or to the dataset's folder; without it, the video of the same name
    label              a class, normal, 0 or 1
    frame_annotations  0 or 1 for each frame, or a list of [start, stop) pairs in frames
"""

import csv
import io
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_json
from vigil.footage.listing.local import SPLITS, resolve_reference
from vigil.footage.listing.records import Reject, Row
from vigil.footage.video_table import NORMAL

ANOMALY = "anomaly"  # abnormal, and that is all that is known
COLUMNS = ("video", "label", "spans", "start_s", "stop_s", "source", "split")
ALIASES = {"path": "video", "folder_name": "video", "type": "label"}  # what other tables call them
KEYS = ("video_path", "label", "frame_annotations")


@dataclass(frozen=True)
class Note:
    """What one place says about one video; empty where it says nothing."""

    where: str
    label: str = ""
    spans: tuple[tuple[Fraction, Fraction], ...] = ()
    frame_spans: tuple[tuple[int, int], ...] = ()
    annotated_frames: int | None = None
    source: str = ""
    split: str = ""
    problem: str = ""  # why it cannot be believed


Notes = tuple[dict[str, list[Note]], list[Reject]]


def label_of(text: str) -> str:
    """Recognises `normal` and `anomaly` in the spellings that folders use; any other label stays."""
    word = text.strip()
    if word.casefold() in ("normal", "normals", "normal_videos", "0"):
        return NORMAL
    return ANOMALY if word.casefold() in ("abnormal", "anomaly", "anomalies", "anomalous", "1") else word


def apply_notes(row: Row, notes: Iterable[Note]) -> Row | Reject:
    """Adds to the row what the notes say, the later ones winning; returns a Reject where they contradict each other.

    A folder that is named neither normal nor anomaly may be named after a camera: it contradicts no note.
    """
    claim, is_claimed = f"its folder says {row.label}", row.label in (NORMAL, ANOMALY)
    for note in notes:
        if note.problem:
            return Reject(row.origin, f"{note.where}: {note.problem}")
        if note.label and is_claimed and (note.label == NORMAL) != (row.label == NORMAL):
            return Reject(row.origin, f"{claim}, {note.where} says {note.label}; mend one of them")
        claim, is_claimed = (f"{note.where} says {note.label}", True) if note.label else (claim, is_claimed)
        row = replace(
            row,
            label=note.label or row.label,
            source=note.source or row.source,
            grouped_by="table" if note.source else row.grouped_by,
            split=note.split or row.split,
            spans=note.spans or row.spans,
            frame_spans=note.frame_spans or row.frame_spans,
            annotated_frames=row.annotated_frames if note.annotated_frames is None else note.annotated_frames,
        )
        if row.label == NORMAL and (note.spans or note.frame_spans):
            return Reject(
                row.origin, f"{note.where}: normal, and yet a part of it is marked abnormal; mend one of them"
            )
        if row.label not in ("", NORMAL) and note.annotated_frames is not None and not note.frame_spans:
            return Reject(
                row.origin, f"{note.where}: {row.label}, and yet no frame is marked abnormal; mend one of them"
            )
    return row


def read_lines(name: str, root: Path, table: str) -> list[tuple[int, dict[str, str]]]:
    """Reads a table like labels.csv: the numbers of its lines, and their cells by the names of columns here."""
    where, content = f"{name}/{table}", _read_text(name, root, table)
    head = content.partition("\n")[0]
    semicolons = ";" in head and "," not in head
    reader = csv.reader(io.StringIO(content, newline=""), strict=True, delimiter=";" if semicolons else ",")
    columns: list[str] = []
    numbered_lines = []
    try:
        previous_end = 0
        for cells in reader:
            line_number, previous_end = previous_end + 1, reader.line_num
            if not columns:
                columns = _parse_header(where, cells)
            elif cells and len(cells) != len(columns):
                raise VigilError(f"{where}: line {line_number}: {len(cells)} cells, the header has {len(columns)}.")
            elif cells:
                line = dict(zip(columns, cells, strict=True))
                numbered_lines.append((line_number, line | {"video": line["video"].replace("\\", "/")}))
    except csv.Error as error:
        raise VigilError(f"{where}: line {reader.line_num}: not a valid table: {error}.") from None
    if not columns:
        raise VigilError(f"{where}: empty; expected a table with a header.")
    return numbered_lines


def _read_text(name: str, root: Path, table: str) -> str:
    try:
        with (root / table).open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise VigilError(
            f"{name}/{table}: not UTF-8 text: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from None
    except OSError as error:
        raise VigilError(f"{name}/{table}: cannot be read: {(error.strerror or 'unknown error').lower()}.") from None


def _parse_header(where: str, header: list[str]) -> list[str]:
    """Returns the columns by the names that they have here, whatever their case."""
    words = [word.strip().casefold() for word in header]
    columns = [ALIASES.get(word, word) for word in words]
    for column in columns if any(columns) else ():
        if column not in COLUMNS:
            expected = ", ".join(COLUMNS)
            raise VigilError(f"{where}: unknown column '{column}'. Known: {expected}.{near_miss(column, COLUMNS)}")
        if columns.count(column) > 1:
            raise VigilError(f"{where}: more than one column '{column}'.")
    if any(columns) and "video" not in columns:
        raise VigilError(f"{where}: no column 'video'. Found: {', '.join(columns)}.")
    return columns if any(columns) else []  # a blank line before the header


def notes_from_table(name: str, root: Path, table: str, videos: Collection[str]) -> Notes:
    """Reads notes by video out of a table like labels.csv; what it says about no listed video becomes a reject."""
    notes: dict[str, list[Note]] = {}
    rejects = []
    for number, line in read_lines(name, root, table):
        path = resolve_reference(root, root, line["video"])
        if path is None or path not in videos:
            rejects.append(
                Reject(f"{name}/{table}", f"line {number}: {_explain_missing_video(path, line['video'])}", True)
            )
            continue
        note = _note_from_line(line, f"{table} line {number}")
        before = notes.get(path, [])
        if before and note.spans and not note.problem:
            note = replace(note, spans=tuple(sorted({*before[-1].spans, *note.spans})))
        notes[path] = [*before, note]
    return notes, rejects


def notes_from_json(name: str, root: Path, file: str, videos: Collection[str], beside: str | None) -> Notes:
    """Reads notes by video out of a JSON file, `beside` being the video of its name; other JSON files say nothing."""
    origin = f"{name}/{file}"
    try:
        content = read_json(root / file)
    except VigilError as error:
        problem = str(error).removeprefix(f"{root / file}: ")
        return ({beside: [Note(file, problem=problem)]}, []) if beside else ({}, [Reject(origin, problem, True)])
    notes: dict[str, list[Note]] = {}
    rejects = []
    for record in content if isinstance(content, list) else [content]:
        if not isinstance(record, Mapping) or not any(key in record for key in KEYS):
            continue
        path: str | None = beside
        if "video_path" in record:
            text = str(record["video_path"]).replace("\\", "/")
            candidates = [resolve_reference(root, base, text) for base in ((root / file).parent, root)]
            path = next((candidate for candidate in candidates if candidate in videos), None)
            if path is None:
                rejects.append(
                    Reject(origin, _explain_missing_video(None if None in candidates else candidates[-1], text), True)
                )
                continue
        if path is None:
            rejects.append(Reject(origin, "no video has its name, and it has no 'video_path'", True))
            continue
        notes.setdefault(path, []).append(_note_from_record(record, file))
    return notes, rejects


def parse_seconds(value: object) -> Fraction:
    """Parses a time in seconds; ValueError where it is none."""
    number = float(str(value))
    if not math.isfinite(number) or not 0 <= number < 1e9:
        raise ValueError(f"{value} is no time in seconds")
    return Fraction(repr(number))


def _explain_missing_video(path: str | None, text: str) -> str:
    if path is None:
        return f"names a path outside the dataset's folder ('{PurePosixPath(text).name}'): refused"
    return f"names '{path}', and there is no such video; run `vigil sync` if it is new"


def _note_from_line(line: Mapping[str, str], where: str) -> Note:
    split = SPLITS.get(line.get("split", "").strip().casefold(), "")
    if line.get("split", "").strip() and not split:
        hint = near_miss(line["split"], ("train", "val", "test"))
        return Note(where, problem=f"split '{line['split']}' is none of train, val, test.{hint}")
    bounds = {column: line.get(column, "").strip() for column in ("start_s", "stop_s")}
    for column, text in bounds.items() if any(bounds.values()) else ():
        if not text:
            return Note(where, problem=f"{column} is empty: give both or neither, in seconds")
        try:
            parse_seconds(text)
        except ValueError:
            return Note(where, problem=f"{column} = '{text}': expected seconds")
    try:
        pairs = json.loads(line.get("spans", "").strip() or "[]")
        if any(bounds.values()):
            pairs = [*pairs, list(bounds.values())]
        spans = tuple(sorted((parse_seconds(start), parse_seconds(stop)) for start, stop in pairs))
        if any(start >= stop for start, stop in spans):
            raise ValueError("a span ends before it starts")
    except (ValueError, TypeError) as error:
        return Note(where, problem=f"spans cannot be read: {error}; expected [[start_s, stop_s], ...]")
    return Note(where, label_of(line.get("label", "")), spans, source=line.get("source", "").strip(), split=split)


def _note_from_record(record: Mapping[str, Any], where: str) -> Note:
    label = record.get("label", "")
    if not isinstance(label, str | int):
        return Note(where, problem=f"label {label!r}: expected a class, normal, 0 or 1")
    marks = record.get("frame_annotations") or []
    label = label_of(str(int(label)) if isinstance(label, bool) else str(label))
    if isinstance(marks, list) and all(isinstance(mark, int) and mark in (0, 1) for mark in marks):
        return Note(where, label, frame_spans=_runs(marks), annotated_frames=len(marks) or None)
    if not isinstance(marks, list) or not all(map(_is_pair, marks)):
        return Note(where, problem="frame_annotations: expected 0 or 1 for each frame, or pairs [start, stop)")
    spans = tuple(sorted((start, stop) for start, stop in marks))
    if any(not 0 <= start < stop for start, stop in spans):
        return Note(where, problem="frame_annotations: a pair ends before it starts")
    return Note(where, label, frame_spans=spans)


def _is_pair(mark: object) -> bool:
    return isinstance(mark, list) and len(mark) == 2 and all(type(number) is int for number in mark)


def _runs(marks: list[int]) -> tuple[tuple[int, int], ...]:
    """Returns the half-open runs of ones: [0, 1, 1, 0, 1] has ((1, 3), (4, 5))."""
    edges = [
        index
        for index, (previous, current) in enumerate(zip([0, *marks], [*marks, 0], strict=True))
        if previous != current
    ]
    return tuple(zip(edges[::2], edges[1::2], strict=True))
