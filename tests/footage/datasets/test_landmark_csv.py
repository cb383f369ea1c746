"""Clips out of one table of landmarks."""

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import corpora
import pytest

from vigil.core.errors import VigilError
from vigil.core.storage import read_table
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import landmark_csv
from vigil.footage.listing.records import Listing

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
KEYS = {"classes": {0: "theft", 1: "assault", 2: "damage", 3: "normal"}, "fps": 3.0, "size": (1920, 1080)}
TABLE = Path("poses.csv")


def bring(rows: list[str], **changes: Any) -> Listing:
    corpora.write_landmarks(TABLE, rows)
    params = landmark_csv.Params.read({"path": str(TABLE), **KEYS, **changes}, "here")
    return landmark_csv.videos("l", params, landmark_csv.sources("l", params), Path("raw"), Path("truth"), SERIAL)


def test_a_clip_ends_where_the_frame_number_falls() -> None:
    rows = corpora.landmarks("0", [80, 90, 110], x=0) + corpora.landmarks("0", [70, 80], x=30)
    listing = bring(rows)
    assert [(row.video, row.label, row.probe and row.probe.frames) for row in listing.rows] == [
        ("l/theft-001", "theft", 3),
        ("l/theft-002", "theft", 2),
    ]
    probe = listing.rows[0].probe
    assert probe is not None
    assert (probe.fps, probe.duration_s, probe.width, probe.height) == (3, Fraction(1), 1920, 1080)


def test_a_clip_ends_where_the_label_changes() -> None:
    rows = corpora.landmarks("0", [10, 20], x=0) + corpora.landmarks("2", [30, 40], x=20)
    assert [row.label for row in bring(rows).rows] == ["theft", "damage"]


def test_without_frame_numbers_a_clip_ends_where_the_body_jumps() -> None:
    rows = corpora.landmarks("3", [None] * 4, x=0) + corpora.landmarks("3", [None] * 2, x=30 + 151)
    assert [row.probe and row.probe.frames for row in bring(rows).rows] == [4, 2]
    assert [row.probe and row.probe.frames for row in bring(rows, jump_px=200.0).rows] == [6]


def test_a_wrist_that_flies_is_no_jump_of_the_body() -> None:
    rows = corpora.landmarks("3", [None] * 3, x=0)
    cells = rows[1].split(",")
    cells[4] = "900"
    assert len(bring([rows[0], ",".join(cells), rows[2]]).rows) == 1


def test_coordinates_are_whole_pixels_for_every_class_and_columns_stay() -> None:
    (row,) = bring(corpora.landmarks("0", [10, 20], x=100.6)).rows
    table = read_table(Path(row.path))
    assert list(table[0]) == TABLE.read_text().splitlines()[0].split(",")
    assert table[0]["SHOULDER_LEFT_X"] == "101"
    assert [line["FRAME_NUM"] for line in table] == ["10", "20"]
    assert not any("." in cell for line in table for cell in line.values())


def test_views_of_one_event_share_a_source() -> None:
    rows = [row for start in range(5) for row in corpora.landmarks("1", [50 - start, 60 - start], x=0)]
    assert [row.source for row in bring(rows, views=2).rows] == [
        "l/assault-event-001",
        "l/assault-event-001",
        "l/assault-event-002",
        "l/assault-event-002",
        "l/assault-event-003",
    ]


def test_a_cell_that_is_no_number_rejects_its_clip_alone() -> None:
    rows = corpora.landmarks("0", [10, 20], x=0) + corpora.landmarks("1", [10, 20], x=0)
    rows[1] = rows[1].replace("10.0,200" if "10.0,200" in rows[1] else "10,200", "oops,200", 1)
    listing = bring(rows)
    assert [row.label for row in listing.rows] == ["assault"]
    assert [(reject.path, reject.reason) for reject in listing.rejects] == [
        ("l/poses.csv lines 2 to 3", "line 3: SHOULDER_LEFT_X is 'oops', no number; mend the line or remove it")
    ]


def test_a_label_without_a_class_rejects_its_clips() -> None:
    listing = bring(corpora.landmarks("0", [10, 20], x=0) + corpora.landmarks("7", [10, 20], x=0))
    assert [reject.reason for reject in listing.rejects] == ["label '7' has no class in `classes`"]
    assert len(listing.rows) == 1


def test_a_table_without_a_joint_is_a_mistake() -> None:
    TABLE.write_text("HEAD_X,HEAD_Y,label\n1,2,0\n")
    params = landmark_csv.Params.read({"path": str(TABLE), **KEYS}, "here")
    with pytest.raises(VigilError, match=r"^l/poses.csv: no column ANKLE_LEFT_X, "):
        landmark_csv.videos("l", params, landmark_csv.sources("l", params), Path("raw"), Path("truth"), SERIAL)


def test_the_real_table(real_data: Path) -> None:
    """25 clips of each crime (5 events from 5 cameras), the normal rows in some thirty pieces, and no row lost."""
    params = landmark_csv.Params.read(
        {"path": str(real_data / "landmarks/aihub-landmarks.csv"), "views": 5, **KEYS}, "here"
    )
    sources = landmark_csv.sources("l", params)
    listing = landmark_csv.videos("l", params, sources, Path("raw"), Path("truth"), SERIAL)
    assert listing.rejects == []
    counts = Counter(row.label for row in listing.rows)
    assert (counts["theft"], counts["assault"], counts["damage"]) == (25, 25, 25)
    assert 25 <= counts["normal"] <= 35
    assert sum(row.probe.frames for row in listing.rows if row.probe) == 12834
    assert len({row.source for row in listing.rows if row.label == "theft"}) == 5
