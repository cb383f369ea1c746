"""The tables that `vigil results` prints."""

from pathlib import Path

import pytest

from vigil.core.errors import VigilError
from vigil.core.storage import write_json
from vigil.report.results import CLOSE, OPEN, read_metrics, render_tables, write_into


def card() -> dict[str, object]:
    def counts(videos: int) -> dict[str, object]:
        return {"videos": videos, "sources": videos, "hours": videos / 60} if videos else {"videos": 0}

    return {
        "splits": {"train": counts(12), "val": counts(3), "test": counts(0)},
        "classes": {
            "normal": {"train": counts(9), "val": counts(3), "test": counts(0)},
            "theft": {"train": counts(3), "val": counts(0), "test": counts(0)},
        },
        "leaks": {"found": 2, "allowed": 2},
        "rejects": 1,
        "warnings": ["no 'theft' in val"],
    }


def test_the_card_becomes_a_table_whose_columns_line_up() -> None:
    assert render_tables({"data": card()}).splitlines() == [
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


def test_every_share_and_rate_stands_with_its_interval() -> None:
    alarm = {"event_recall": {"value": 0.75, "low": 0.5, "high": 0.9},
             "false_alarms_per_hour": {"value": 30.0, "low": 10.0, "high": 61.2, "alarms": 5, "minutes": 10.0},
             "alarmed_share": {"value": 0.02, "low": 0.0, "high": 0.05}}  # fmt: skip
    model = {"headline": "video_auc", "value": 0.9, "low": 0.8, "high": 0.95, **alarm}
    row = render_tables({"summary": {"models": {"panic": model}}}).splitlines()[2]
    for cell in ("0.8 to 0.95", "0.750 (0.5 to 0.9)", "30.0 (10 to 61.2; 5 in 10.0 min)", "0.020 (0 to 0.05)"):
        assert cell in row


def test_every_metrics_file_is_read_by_name() -> None:
    write_json(Path("metrics/data.json"), card())
    write_json(Path("metrics/panic.json"), {"video_auc": {"value": 0.9}})
    assert read_metrics(Path("metrics")) == {"data": card(), "panic": {"video_auc": {"value": 0.9}}}


def test_no_results_is_one_line_that_says_what_to_run() -> None:
    with pytest.raises(VigilError, match="make repro"):
        read_metrics(Path("metrics"))


def test_the_tables_go_between_the_marks_and_nowhere_else() -> None:
    document = Path("README.md")
    document.write_text(f"above\n{OPEN}\nold\n{CLOSE}\nbelow\n")
    write_into(document, "new")
    assert document.read_text() == f"above\n{OPEN}\nnew\n{CLOSE}\nbelow\n"
    document.write_text("no marks")
    with pytest.raises(VigilError, match="expected the lines"):
        write_into(document, "new")
    assert document.read_text() == "no marks"


ALARMS = {
    "event_recall": {"value": 0.5},
    "event_recall_3s": {"value": 0.25},
    "false_alarms_per_hour": {"value": 183.23, "low": 33.7, "high": 427.6, "alarms": 5, "minutes": 1.637},
    "alarmed_share": {"value": 0.083},
}


def summary() -> dict[str, object]:
    better = {"headline": "video_auc", "value": 0.91234, "low": 0.8, "high": 0.97, "n": 8}
    baseline = {"name": "motion", "value": 0.7, "apart": {"value": 0.2, "low": 0.1, "high": 0.3}}
    missing = {
        "headline": "cell_auc",
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "reason": "no metrics/activity.json",
    }
    not_better = better | {"baseline": baseline | {"apart": {"value": -0.1}}, "beats_baselines": False}
    return {
        "models": {
            "panic": better | {"baseline": baseline, "beats_baselines": True, **ALARMS},
            "i3d": not_better,
            "activity": missing | {"baseline": None, "beats_baselines": None},
        },
        "pairs": {},
    }


def test_each_model_stands_beside_the_best_that_needs_none() -> None:
    lines = render_tables({"summary": summary()}).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:5]]
    assert cells[2][:6] == ["panic", "video AUC", "0.912", "0.8 to 0.97", "0.700 (motion)", "yes"]
    assert cells[2][6:] == ["0.500", "0.250", "183.2 (33.7 to 428; 5 in 1.6 min)", "0.083"]
    assert cells[3][5] == "no"
    assert cells[4] == ["activity", "cell AUC", *["–"] * 8]
    assert lines[-2] == "Mind: activity: no metrics/activity.json."
    assert lines[-1] == "A baseline is at least as good as i3d (motion): use that, until the model is better."


def test_of_a_skipped_model_only_the_reason_is_said() -> None:
    models = summary()
    models["models"]["activity"]["reason"] = "skipped: trunk.px is null"  # type: ignore[index]
    lines = render_tables({"summary": models}).splitlines()
    assert [line.split()[1] for line in lines[2:4]] == ["panic", "i3d"] and not lines[4]
    assert "Mind: activity: skipped: trunk.px is null." in lines


def test_results_come_before_data() -> None:
    text = render_tables({"summary": summary(), "data": card()})
    assert text.index("| panic") < text.index("| normal")
