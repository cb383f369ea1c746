"""Landmarks on disk: one row per frame and tracked person, data/landmarks/<set>/<video>.csv.

    frame, time_s                 number of the frame in its video, and its time
    person                        id of the track within the video
    score, coverage               0..1
    <JOINT>_X, <JOINT>_Y          px of the video as shown; empty where the joint is not known
    <JOINT>_V                     visibility, 0..1

A pose has the precision that a file keeps (`round_pose`), so that one that never saw a file is the same pose.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_table, write_table

JOINTS = (
    "SHOULDER_LEFT",
    "ELBOW_LEFT",
    "WRIST_LEFT",
    "SHOULDER_RIGHT",
    "ELBOW_RIGHT",
    "WRIST_RIGHT",
    "HIP_LEFT",
    "KNEE_LEFT",
    "ANKLE_LEFT",
    "HIP_RIGHT",
    "KNEE_RIGHT",
    "ANKLE_RIGHT",
    "HEAD",
)
XY = tuple(f"{joint}_{axis}" for joint in JOINTS for axis in "XY")  # the 26 features of a pose
SEEN = tuple(f"{joint}_V" for joint in JOINTS)
COLUMNS = ("frame", "time_s", "person", "score", "coverage", *XY, *SEEN)
PX_DIGITS, SHARE_DIGITS, TIME_DIGITS = 2, 3, 6


@dataclass(frozen=True, eq=False)
class Pose:
    """One person in one frame."""

    frame: int  # number in the video
    time_s: Fraction
    person: int  # id of the track
    score: float  # 0..1, that this is a person
    coverage: float  # 0..1
    joints: np.ndarray  # (13, 2) px of the video as shown, in the order of JOINTS; NaN: not known
    visibility: np.ndarray  # (13,) 0..1


def round_pose(pose: Pose) -> Pose:
    """Rounds a pose to what a reader gets back once it is written."""
    joints = np.round(np.asarray(pose.joints, np.float64), PX_DIGITS)
    joints[~np.isfinite(joints).all(axis=1)] = np.nan  # half a joint is none
    return replace(
        pose,
        time_s=round(Fraction(pose.time_s), TIME_DIGITS),
        score=round(float(pose.score), SHARE_DIGITS),
        coverage=round(float(pose.coverage), SHARE_DIGITS),
        joints=joints + 0.0,  # no minus zero
        visibility=np.round(np.asarray(pose.visibility, np.float64), SHARE_DIGITS) + 0.0,
    )


def write_poses(path: Path, rows: Iterable[Pose]) -> None:
    """Writes the poses, sorted by frame and then person; without any the file is a header alone."""
    ordered = sorted((round_pose(pose) for pose in rows), key=lambda pose: (pose.frame, pose.person))
    write_table(path, map(format_pose, ordered), COLUMNS)


def read_poses(path: Path) -> list[Pose]:
    """Reads the poses in the order of the file; VigilError names the line and the column of what is no number."""
    return list(_stream_poses(path))


def read_along(path: Path, frames: Iterable[int]) -> Iterator[list[Pose]]:
    """Yields the people of each of these frames, which ascend; it reads as it goes, so a long video fits in memory."""
    groups = groupby(_stream_poses(path), lambda pose: pose.frame)
    frame, group = next(groups, (None, iter(())))
    for number in frames:
        while frame is not None and frame < number:
            before = frame
            frame, group = next(groups, (None, iter(())))
            if frame is not None and frame < before:
                raise VigilError(f"{path}: frame {frame} comes after {before}. Run stage `landmarks` again.")
        yield list(group) if frame == number else []


def group_by_frame(poses: Iterable[Pose]) -> dict[int, list[Pose]]:
    """Groups poses by the number of their frame."""
    frames: dict[int, list[Pose]] = {}
    for pose in poses:
        frames.setdefault(pose.frame, []).append(pose)
    return frames


def poses_from_table(path: Path, fps: Fraction) -> list[Pose]:
    """Reads the clip of a `landmark_csv` set: AI-Hub's columns, one row per body, `fps` rows in a second.

    Joints that are not among the 13 are ignored, and every coordinate becomes a whole pixel: tables of which one class
    has whole numbers and another fractions would tell the classes apart without a look at the pose. For the same reason
    rows are counted, and FRAME_NUM, which a class may lack, only says which rows are bodies of one frame. ID is heeded
    where there are such rows; elsewhere the lone body is one track, whatever its ID.
    """
    rows = read_table(path)
    if rows:
        _require_columns(rows[0], XY, path)
    numbers = [row.get("FRAME_NUM", "").strip() for row in rows]
    together = [bool(number) and number == before for number, before in zip(numbers, ["", *numbers], strict=False)]
    poses: list[Pose] = []
    frame = -1
    for line, (row, same) in enumerate(zip(rows, together, strict=True), 2):
        where = f"{path}: line {line}"
        frame += not same
        person = int(_parse_number(row.get("ID", ""), f"{where}: ID")) if any(together) else 0
        if same and any(pose.person == person for pose in poses if pose.frame == frame):
            raise VigilError(f"{where}: a second body of ID {person} in one frame; each needs an ID of its own.")
        joints = np.round(_parse_numbers(row, XY, where)).reshape(-1, 2)
        located = np.isfinite(joints).all(axis=1)
        poses.append(
            round_pose(Pose(frame, frame / fps, person, 1.0, float(located.mean()), joints, located.astype(float)))
        )
    return poses


def format_pose(pose: Pose) -> dict[str, str]:
    """The cells of a row, by column."""
    cells = [
        str(pose.frame),
        f"{float(pose.time_s):.{TIME_DIGITS}f}",
        str(pose.person),
        f"{pose.score:.{SHARE_DIGITS}f}",
        f"{pose.coverage:.{SHARE_DIGITS}f}",
        *("" if np.isnan(value) else f"{value:.{PX_DIGITS}f}" for value in pose.joints.reshape(-1)),
        *("" if np.isnan(value) else f"{value:.{SHARE_DIGITS}f}" for value in pose.visibility),
    ]
    return dict(zip(COLUMNS, cells, strict=True))


def _stream_poses(path: Path) -> Iterator[Pose]:
    if not path.exists():
        raise VigilError(f"{path}: not found. Run stage `landmarks`.")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        _require_columns(columns, COLUMNS, path)
        if tuple(columns) != COLUMNS:
            raise VigilError(f"{path}: the columns are not in the order {', '.join(COLUMNS[:7])}, ...")
        for cells in reader:
            if len(cells) != len(COLUMNS):
                raise VigilError(f"{path}: line {reader.line_num}: {len(cells)} cells, the header has {len(COLUMNS)}.")
            yield _parse_pose(cells, path, reader.line_num)


def _parse_pose(cells: Sequence[str], path: Path, line: int) -> Pose:
    try:
        frame, time_s, person = int(cells[0]), _parse_time(cells[1]), int(cells[2])
        values = np.array([float(cell) if cell else np.nan for cell in cells[3:]])
    except (ValueError, ZeroDivisionError):
        column, cell = next((pair for pair in zip(COLUMNS, cells, strict=True) if not _is_number(*pair)), ("", ""))
        raise VigilError(f"{path}: line {line}: {column}: expected a number, found '{cell}'.") from None
    joints, visibility = values[2 : 2 + len(XY)].reshape(-1, 2), values[2 + len(XY) :]
    return Pose(frame, time_s, person, float(values[0]), float(values[1]), joints, visibility)


def _parse_time(text: str) -> Fraction:
    """Does what `Fraction(text)` does, faster for what `write_poses` writes."""
    whole, _, decimals = text.partition(".")
    if len(decimals) == TIME_DIGITS and whole.isdecimal() and decimals.isdecimal():
        return Fraction(int(whole + decimals), 10**TIME_DIGITS)
    return Fraction(text)


def _is_number(column: str, cell: str) -> bool:
    kind = {"frame": int, "person": int, "time_s": Fraction}.get(column, float)
    try:
        kind(cell or ("nan" if kind is float else ""))
    except (ValueError, ZeroDivisionError):
        return False
    return True


def _parse_numbers(row: Mapping[str, str], columns: Sequence[str], where: str) -> np.ndarray:
    """Parses the cells of these columns as float64; an empty cell is NaN."""
    try:
        return np.array([float(row[column] or "nan") for column in columns])
    except ValueError:
        return np.array([_parse_number(row[column] or "nan", f"{where}: {column}") for column in columns])


def _parse_number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise VigilError(f"{where}: expected a number, found '{text}'.") from None


def _require_columns(row: Collection[str], columns: Sequence[str], path: Path) -> None:
    missing = [column for column in columns if column not in row]
    if missing:
        hint = near_miss(missing[0], row)
        raise VigilError(f"{path}: no column '{missing[0]}' ({len(missing)} are missing).{hint}")
