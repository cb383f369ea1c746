"""Landmarks on disk: what is written is what is read, and a missing joint stays missing."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vigil.core.errors import VigilError
from vigil.core.storage import read_table, write_table
from vigil.features.landmarks.pose_table import (
    COLUMNS,
    JOINTS,
    XY,
    Pose,
    group_by_frame,
    poses_from_table,
    read_along,
    read_poses,
    round_pose,
    write_poses,
)

AIHUB = ("NUMOFBODIES", "ID", "PELVIS_X", "PELVIS_Y", *XY, "FRAME_NUM", "label")


def pose(frame: int = 0, person: int = 0, **changes: object) -> Pose:
    joints = np.arange(26, dtype=float).reshape(13, 2)
    values = {"time_s": Fraction(frame, 8), "score": 0.9, "coverage": 0.75, "joints": joints, "visibility": np.ones(13)}
    return Pose(frame=frame, person=person, **(values | changes))  # type: ignore[arg-type]


def same(a: Pose, b: Pose) -> bool:
    plain = all(getattr(a, name) == getattr(b, name) for name in ("frame", "time_s", "person", "score", "coverage"))
    return (
        plain
        and np.array_equal(a.joints, b.joints, equal_nan=True)
        and np.array_equal(a.visibility, b.visibility, equal_nan=True)
    )


def aihub(path: Path, rows: list[dict[str, str]]) -> Path:
    empty = dict.fromkeys(AIHUB, "") | dict.fromkeys(XY, "7") | {"NUMOFBODIES": "1", "ID": "0", "label": "0"}
    write_table(path, [empty | row for row in rows], AIHUB)
    return path


def test_the_columns_are_26_coordinates_and_13_visibilities() -> None:
    assert COLUMNS[:7] == ("frame", "time_s", "person", "score", "coverage", "SHOULDER_LEFT_X", "SHOULDER_LEFT_Y")
    assert len(COLUMNS) == 5 + 26 + 13
    assert COLUMNS[5 + 26 - 1] == "HEAD_Y"
    assert COLUMNS[-1] == "HEAD_V"


def test_joint_k_goes_to_the_columns_of_joint_k(tmp_path: Path) -> None:
    write_poses(tmp_path / "a.csv", [pose()])
    cells = dict(zip(COLUMNS, (tmp_path / "a.csv").read_text().splitlines()[1].split(","), strict=True))
    assert [float(cells[f"{joint}_X"]) for joint in JOINTS] == list(range(0, 26, 2))
    assert [float(cells[f"{joint}_Y"]) for joint in JOINTS] == list(range(1, 27, 2))


@settings(max_examples=50, deadline=None)
@given(
    joints=arrays(np.float64, (13, 2), elements=st.floats(-1e5, 1e5) | st.just(np.nan)),
    visibility=arrays(np.float64, 13, elements=st.floats(0, 1)),
    time_s=st.fractions(0, 10_000),
    score=st.floats(0, 1),
)
def test_what_is_read_is_what_was_rounded(
    tmp_path_factory: pytest.TempPathFactory,
    joints: np.ndarray,
    visibility: np.ndarray,
    time_s: Fraction,
    score: float,
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    written = pose(joints=joints, visibility=visibility, time_s=time_s, score=score)
    write_poses(path, [written])
    [back] = read_poses(path)
    assert same(back, round_pose(written))
    assert same(round_pose(back), back)


def test_a_missing_joint_is_an_empty_cell_and_half_a_joint_is_missing(tmp_path: Path) -> None:
    joints = np.ones((13, 2))
    joints[3, 1] = np.nan
    write_poses(tmp_path / "a.csv", [pose(joints=joints)])
    [back] = read_poses(tmp_path / "a.csv")
    assert np.isnan(back.joints[3]).all()
    assert np.isfinite(np.delete(back.joints, 3, axis=0)).all()
    assert ",,," in (tmp_path / "a.csv").read_text()


def test_rows_are_sorted_by_frame_then_person_whatever_their_order(tmp_path: Path) -> None:
    some = [pose(2, 1), pose(0, 5), pose(2, 0), pose(1, 5)]
    write_poses(tmp_path / "a.csv", some)
    write_poses(tmp_path / "b.csv", some[::-1])
    assert [(row.frame, row.person) for row in read_poses(tmp_path / "a.csv")] == [(0, 5), (1, 5), (2, 0), (2, 1)]
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_nobody_is_a_header_alone(tmp_path: Path) -> None:
    write_poses(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert read_poses(tmp_path / "a.csv") == []


def test_people_by_frame() -> None:
    some = [pose(0, 1), pose(0, 0), pose(3, 1)]
    assert {frame: [row.person for row in group] for frame, group in group_by_frame(some).items()} == {
        0: [1, 0],
        3: [1],
    }


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_poses(path, [pose(), pose(1)])
    path.write_text(path.read_text().replace("0.900", "high", 1))
    with pytest.raises(VigilError, match=r"a\.csv: line 2: score: expected a number, found 'high'"):
        read_poses(path)


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_poses(path, [pose()])
    path.write_text(path.read_text().replace("HEAD_V", "VISIBLE"))
    with pytest.raises(VigilError, match=r"no column 'HEAD_V' \(1 are missing\)\."):
        read_poses(path)


def test_an_aihub_table_is_rounded_and_its_other_joints_are_ignored(tmp_path: Path) -> None:
    row = {"PELVIS_X": "999", "WRIST_LEFT_X": "10.6", "WRIST_LEFT_Y": "20.4", "HEAD_X": "", "HEAD_Y": "3"}
    [converted] = poses_from_table(aihub(tmp_path / "a.csv", [row]), Fraction(3))
    assert converted.joints[2].tolist() == [11, 20]
    assert np.isnan(converted.joints[12]).all()
    assert converted.visibility.tolist() == [1] * 12 + [0]
    assert converted.coverage == round(12 / 13, 3)
    assert not (converted.joints == 999).any()


def test_the_rows_of_a_lone_body_are_one_track_at_a_steady_rate_whatever_id_and_frame_number(tmp_path: Path) -> None:
    numbered = [{"FRAME_NUM": str(number), "ID": str(number % 2)} for number in (80, 90, 120)]
    plain: list[dict[str, str]] = [{}] * 3
    for rows in (numbered, plain):
        poses = poses_from_table(aihub(tmp_path / "a.csv", rows), Fraction(3))
        assert [(row.frame, row.person) for row in poses] == [(0, 0), (1, 0), (2, 0)]
        assert [row.time_s for row in poses] == [0, Fraction("0.333333"), Fraction("0.666667")]


def test_two_bodies_of_one_frame_are_told_apart_by_their_id(tmp_path: Path) -> None:
    rows = [{"FRAME_NUM": "10", "ID": "0"}, {"FRAME_NUM": "10", "ID": "1"}, {"FRAME_NUM": "20", "ID": "1"}]
    poses = poses_from_table(aihub(tmp_path / "a.csv", rows), Fraction(3))
    assert [(row.frame, row.person) for row in poses] == [(0, 0), (0, 1), (1, 1)]
    rows[1]["ID"] = "0"
    with pytest.raises(VigilError, match=r"line 3: a second body of ID 0 in one frame"):
        poses_from_table(aihub(tmp_path / "a.csv", rows), Fraction(3))


def test_a_converted_table_survives_the_file(tmp_path: Path) -> None:
    poses = poses_from_table(aihub(tmp_path / "a.csv", [{}, {"HEAD_X": ""}]), Fraction(3))
    write_poses(tmp_path / "b.csv", poses)
    assert all(same(a, b) for a, b in zip(read_poses(tmp_path / "b.csv"), poses, strict=True))


def test_people_along_the_frames_are_those_of_each_frame(tmp_path: Path) -> None:
    write_poses(tmp_path / "a.csv", [pose(0, 1), pose(0, 2), pose(6, 1), pose(7, 1), pose(9, 3)])
    people_of_frames = read_along(tmp_path / "a.csv", [0, 3, 6, 9, 12])
    assert [[row.person for row in people] for people in people_of_frames] == [[1, 2], [], [1], [3], []]
    write_poses(tmp_path / "b.csv", [])
    assert list(read_along(tmp_path / "b.csv", [0, 3])) == [[], []]


def test_frames_out_of_order_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_poses(path, [pose(0), pose(1), pose(2)])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2], lines[1], lines[3]]) + "\n")
    with pytest.raises(VigilError, match=r"a\.csv: frame 0 comes after 1"):
        list(read_along(path, [0, 1, 2]))


@pytest.mark.parametrize(("column", "place"), [("frame", 0), ("time_s", 1), ("person", 2), ("HEAD_V", -1)])
def test_any_cell_that_is_no_number_is_named(tmp_path: Path, column: str, place: int) -> None:
    path = tmp_path / "a.csv"
    write_poses(path, [pose()])
    head, row = path.read_text().splitlines()
    cells = row.split(",")
    cells[place] = "much"
    path.write_text(f"{head}\n{','.join(cells)}\n")
    with pytest.raises(VigilError, match=rf"line 2: {column}: expected a number, found 'much'"):
        read_poses(path)
    path.write_text(f"{head}\n{','.join(cells[:-1])}\n")
    with pytest.raises(VigilError, match=r"line 2: 43 cells, the header has 44"):
        read_poses(path)


def test_a_file_that_is_missing_or_has_its_columns_in_another_order_is_said(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match="not found"):
        read_poses(tmp_path / "none.csv")
    write_table(tmp_path / "a.csv", [], COLUMNS[::-1])
    with pytest.raises(VigilError, match="not in the order"):
        read_poses(tmp_path / "a.csv")


def test_the_aihub_table_becomes_whole_pixels_whatever_its_class(real_data: Path, tmp_path: Path) -> None:
    table = real_data / "landmarks/aihub-landmarks.csv"
    if not table.exists():
        pytest.skip(f"{table.name} is not in the folder with real data")
    rows = read_table(table)
    for label in "0123":
        some = [row for row in rows if row["label"] == label][:300]
        write_table(tmp_path / "clip.csv", some, list(some[0]))
        poses = poses_from_table(tmp_path / "clip.csv", Fraction(3))
        assert [converted.frame for converted in poses] == list(range(300))
        joints = np.stack([converted.joints for converted in poses])
        assert np.array_equal(joints, np.round(joints))
        write_poses(tmp_path / "back.csv", poses)
        assert all(same(a, b) for a, b in zip(read_poses(tmp_path / "back.csv"), poses, strict=True))
