"""The table of videos: what is written is read back, exactly, and what is wrong in it is named."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import entry

from vigil.core.errors import VigilError
from vigil.core.storage import read_table, write_table
from vigil.footage.video_table import COLUMNS, decimal, read, write

TABLE = Path("videos.csv")
ROW = {
    "video": "a/b",
    "path": "data/raw/a/b.mp4",
    "source": "cam",
    "grouped_by": "folder",
    "label": "theft",
    "spans": "[[1.5, 3], [4, 4.25]]",
    "split": "",
    "fps": "29.97002997",
    "frames": "300",
    "width": "640",
    "height": "360",
    "duration_s": "10.01",
    "pauses": "[[3, 3.5]]",
    "damage": "2 of 302 frames are lost or distorted",
    "sha256": "ab",
    "url": "",
    "licence": "CC0-1.0",
}


def table(**changes: str) -> Path:
    write_table(TABLE, [ROW | changes], COLUMNS)
    return TABLE


def test_a_row_becomes_exact_numbers() -> None:
    (video,) = read(table(fps="30000/1001"))
    assert video.fps == Fraction(30000, 1001)
    assert video.duration_s == Fraction(1001, 100)
    assert video.spans == ((Fraction(3, 2), Fraction(3)), (Fraction(4), Fraction(17, 4)))
    assert (video.frames, video.width, video.height) == (300, 640, 360)
    assert (video.set, video.stem, video.abnormal, video.pictures) == ("a", "b", True, True)


def test_what_is_read_is_written_byte_for_byte() -> None:
    before = table().read_bytes()
    write(Path("again.csv"), read(TABLE))
    assert Path("again.csv").read_bytes() == before


def test_rows_are_written_sorted_whatever_their_order() -> None:
    write(TABLE, [entry("a/2"), entry("b/1"), entry("a/10")])
    assert [row["video"] for row in read_table(TABLE)] == ["a/10", "a/2", "b/1"]


def test_landmarks_have_no_pictures_and_static_scenes_nothing_abnormal() -> None:
    assert not entry("a/b", path="data/raw/a/b.csv").pictures
    assert not entry("a/b", label="static").abnormal


def test_an_empty_table_has_no_videos() -> None:
    write(TABLE, [])
    assert read(TABLE) == []


@pytest.mark.parametrize(
    ("column", "text", "complaint"),
    [
        ("split", "tset", "Did you mean 'test'?"),
        ("fps", "fast", "fps: expected a number, found 'fast'"),
        ("fps", "1/0", "fps: expected a number"),
        ("duration_s", "-1", "from 0 up"),
        ("frames", "2.5", "frames: expected a whole number"),
        ("spans", "[[3, 1]]", "start before stop"),
        ("spans", "[[1]]", "a list of"),
        ("spans", "[[0, Infinity]]", "a list of"),
        ("spans", "{", "a list of"),
        ("source", "", "column 'source' is empty"),
    ],
)
def test_a_bad_cell_is_named(column: str, text: str, complaint: str) -> None:
    with pytest.raises(VigilError) as caught:
        read(table(**{column: text}))
    assert complaint in str(caught.value)
    assert "video 1 (a/b)" in str(caught.value)


def test_a_missing_column_is_named() -> None:
    write_table(
        TABLE,
        [{("fsp" if key == "fps" else key): value for key, value in ROW.items()}],
        ["fsp", *[c for c in COLUMNS if c != "fps"]],
    )
    with pytest.raises(VigilError, match=r"no column 'fps'.*Did you mean 'fsp'"):
        read(TABLE)


def test_one_id_cannot_be_there_twice() -> None:
    write_table(TABLE, [ROW, ROW], COLUMNS)
    with pytest.raises(VigilError, match="a/b is there twice"):
        read(TABLE)


@given(st.fractions())
def test_decimal_text_is_exact(value: Fraction) -> None:
    assert Fraction(decimal(value)) == value


def test_decimal_text_is_decimal_where_a_number_ends() -> None:
    assert [decimal(Fraction(*pair)) for pair in ((3, 1), (1, 8), (-1, 20), (1001, 1000), (1, 3))] == [
        "3",
        "0.125",
        "-0.05",
        "1.001",
        "1/3",
    ]


@given(st.lists(st.tuples(st.fractions(0, 100), st.fractions(min_value=Fraction(1, 1000), max_value=9)), max_size=3))
def test_spans_survive_the_file(pairs: list[tuple[Fraction, Fraction]]) -> None:
    video = entry("a/b", label="theft", spans=tuple((start, start + length) for start, length in pairs))
    write(TABLE, [video])
    assert read(TABLE) == [video]
