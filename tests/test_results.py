"""The tables that `vigil results` prints."""

from pathlib import Path

import pytest

from vigil.errors import VigilError
from vigil.results import CLOSE, OPEN, collect, render, write_into
from vigil.storage import write_json


def card() -> dict[str, object]:
    def some(count: int) -> dict[str, object]:
        return {"videos": count, "sources": count, "hours": count / 60} if count else {"videos": 0}

    return {
        "splits": {"train": some(12), "val": some(3), "test": some(0)},
        "classes": {
            "normal": {"train": some(9), "val": some(3), "test": some(0)},
            "theft": {"train": some(3), "val": some(0), "test": some(0)},
        },
        "leaks": {"found": 2, "allowed": 2},
        "rejects": 1,
        "warnings": ["no 'theft' in val"],
    }


def test_the_card_becomes_a_table_whose_columns_line_up() -> None:
    assert render({"data": card()}).splitlines() == [
        "| videos      | train | val | test |",
        "| ----------- | ----: | --: | ---: |",
        "| normal      |     9 |   3 |    0 |",
        "| theft       |     3 |   0 |    0 |",
        "| all videos  |    12 |   3 |    0 |",
        "| all sources |    12 |   3 |    0 |",
        "| minutes     |  12.0 | 3.0 |  0.0 |",
        "",
        "Leaks across splits: 2, of which allowed: 2. Rejected, with reasons in data/rejects.csv: 1.",
        "Mind: no 'theft' in val.",
    ]


def test_every_metrics_file_is_collected_by_name() -> None:
    write_json(Path("metrics/data.json"), card())
    write_json(Path("metrics/panic.json"), {"video_auc": {"value": 0.9}})
    assert collect(Path("metrics")) == {"data": card(), "panic": {"video_auc": {"value": 0.9}}}


def test_no_results_is_one_line_that_says_what_to_run() -> None:
    with pytest.raises(VigilError, match="make repro"):
        collect(Path("metrics"))


def test_the_tables_go_between_the_marks_and_nowhere_else() -> None:
    document = Path("README.md")
    document.write_text(f"above\n{OPEN}\nold\n{CLOSE}\nbelow\n")
    write_into(document, "new")
    assert document.read_text() == f"above\n{OPEN}\nnew\n{CLOSE}\nbelow\n"
    document.write_text("no marks")
    with pytest.raises(VigilError, match="expected the lines"):
        write_into(document, "new")
    assert document.read_text() == "no marks"
