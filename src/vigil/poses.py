"""Landmarks on disk: one row per frame and tracked person, data/landmarks/<set>/<video>.csv.

    frame, time_s                 number of the frame in its video, and its time
    person                        id of the track within the video
    score, coverage               0..1
    <JOINT>_X, <JOINT>_Y          px of the video as shown; empty where the joint is not known
    <JOINT>_V                     visibility, 0..1

A pose has the precision that a file keeps (`rounded`), so that one that never saw a file is the same pose.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.errors import VigilError, near_miss
from vigil.storage import read_table, write_table

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


def rounded(pose: Pose) -> Pose:
    """What a reader gets back once `pose` is written."""
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


def write(path: Path, rows: Iterable[Pose]) -> None:
    """Sorted by frame, then person. Nobody at all is a header alone."""
    ordered = sorted((rounded(pose) for pose in rows), key=lambda pose: (pose.frame, pose.person))
    write_table(path, map(_row, ordered), COLUMNS)


def read(path: Path) -> list[Pose]:
    """In the order of the file; VigilError names the line and the column of what is no number."""
    rows = read_table(path)
    if rows:
        _expect(rows[0], COLUMNS, path)
    return [_pose(row, f"{path}: line {line}") for line, row in enumerate(rows, 2)]


def by_frame(poses: Iterable[Pose]) -> dict[int, list[Pose]]:
    """The people of each frame in which there is anybody."""
    frames: dict[int, list[Pose]] = {}
    for pose in poses:
        frames.setdefault(pose.frame, []).append(pose)
    return frames


def tracks(poses: Iterable[Pose]) -> dict[int, list[Pose]]:
    """The poses of each person in the order of time, persons in the order of their ids."""
    people: dict[int, list[Pose]] = {}
    for pose in sorted(poses, key=lambda pose: (pose.person, pose.frame)):
        people.setdefault(pose.person, []).append(pose)
    return people


def from_table(path: Path, fps: Fraction) -> list[Pose]:
    """The clip of a `landmark_csv` set: AI-Hub's columns, one row per body, `fps` rows in a second.

    Joints that are not among the 13 are ignored, and every coordinate becomes a whole pixel: tables of which one class
    has whole numbers and another fractions would tell the classes apart without a look at the pose. For the same reason
    rows are counted, and FRAME_NUM, which a class may lack, only says which rows are bodies of one frame. ID is heeded
    where there are such rows; elsewhere the lone body is one track, whatever its ID.
    """
    rows = read_table(path)
    if rows:
        _expect(rows[0], XY, path)
    numbers = [row.get("FRAME_NUM", "").strip() for row in rows]
    together = [bool(number) and number == before for number, before in zip(numbers, ["", *numbers], strict=False)]
    poses: list[Pose] = []
    frame = -1
    for line, (row, same) in enumerate(zip(rows, together, strict=True), 2):
        where = f"{path}: line {line}"
        frame += not same
        person = int(_number(row.get("ID", ""), f"{where}: ID")) if any(together) else 0
        if same and any(pose.person == person for pose in poses if pose.frame == frame):
            raise VigilError(f"{where}: a second body of ID {person} in one frame; each needs an ID of its own.")
        joints = np.round(_numbers(row, XY, where)).reshape(-1, 2)
        known = np.isfinite(joints).all(axis=1)
        poses.append(rounded(Pose(frame, frame / fps, person, 1.0, float(known.mean()), joints, known.astype(float))))
    return poses


def _row(pose: Pose) -> dict[str, str]:
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


def _pose(row: Mapping[str, str], where: str) -> Pose:
    try:
        frame, person, time_s = int(row["frame"]), int(row["person"]), Fraction(row["time_s"])
    except (ValueError, ZeroDivisionError):
        found = ", ".join(f"{column} '{row[column]}'" for column in ("frame", "person", "time_s"))
        raise VigilError(
            f"{where}: expected numbers, found {found}. Delete the file and run stage `landmarks`."
        ) from None
    score, coverage = _numbers(row, ("score", "coverage"), where)
    joints = _numbers(row, XY, where).reshape(-1, 2)
    return Pose(frame, time_s, person, float(score), float(coverage), joints, _numbers(row, SEEN, where))


def _numbers(row: Mapping[str, str], columns: Sequence[str], where: str) -> np.ndarray:
    """float64, NaN for an empty cell."""
    try:
        return np.array([float(row[column] or "nan") for column in columns])
    except ValueError:
        return np.array([_number(row[column] or "nan", f"{where}: {column}") for column in columns])


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise VigilError(f"{where}: expected a number, found '{text}'.") from None


def _expect(row: Mapping[str, str], columns: Sequence[str], path: Path) -> None:
    missing = [column for column in columns if column not in row]
    if missing:
        hint = near_miss(missing[0], row)
        raise VigilError(f"{path}: no column '{missing[0]}' ({len(missing)} are missing).{hint}")
