"""The tables that `dvc plots` draws."""

from pathlib import Path
from typing import Any

import pytest
from dvc_render.vega import VegaRenderer
from verdicts import project as write_project

from vigil.core.params import load
from vigil.core.storage import read_json, read_table, write_table
from vigil.report.curves_table import write_curves


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a project whose models are evaluated, with its curves, and the names of the models."""
    root = tmp_path_factory.mktemp("project")
    models = list(write_project(root, pictures=False))
    write_all(root, models)
    return root, models


def write_all(root: Path, models: list[str]) -> None:
    write_curves(root / "plots", root / "metrics/points", root / "metrics/history", models)


def test_curves_of_all_models_lie_in_one_table_each(evaluated: tuple[Path, list[str]]) -> None:
    root, models = evaluated
    rows = read_table(root / "plots/roc.csv")
    drawn = [model for model in models if (root / f"metrics/points/{model}/roc.csv").exists()]
    assert drawn and list(dict.fromkeys(row["model"] for row in rows)) == drawn
    for model in drawn:
        curve = [row for row in rows if row["model"] == model]
        points = read_table(root / f"metrics/points/{model}/roc.csv")
        assert len(curve) == min(200, len(points))
        for row, point in ((curve[0], points[0]), (curve[-1], points[-1])):
            assert (float(row["fpr"]), float(row["tpr"])) == (float(point["fpr"]), float(point["tpr"]))
    losses = read_table(root / "plots/history.csv")
    assert {row["model"] for row in losses} == set(models) and {row["epoch"] for row in losses} == set("12345678")
    assert {tuple(row) for row in read_table(root / "plots/reliability.csv")} == {("model", "predicted", "observed")}


def test_the_confusion_has_a_row_for_each_judged_video(evaluated: tuple[Path, list[str]]) -> None:
    root, _ = evaluated
    rows = read_table(root / "plots/confusion.csv")
    for model in {row["model"] for row in rows}:
        confusion = read_json(root / f"metrics/models/{model}.json")["confusion"]
        classes = [str(name) for name in confusion["classes"]]
        pairs = [(row["actual"], row["predicted"]) for row in rows if row["model"] == model]
        assert [[pairs.count((actual, told)) for told in classes] for actual in classes] == confusion["table"]


def test_losses_are_the_mean_of_a_models_members(tmp_path: Path) -> None:
    columns = ["member", "epoch", "train_loss", "val_loss"]
    cells: list[tuple[Any, ...]] = [(0, 1, 0.5, ""), (0, 2, 0.25, ""), (1, 1, 0.75, 1.0), (1, 2, 0.5, "")]
    rows = [dict(zip(columns, row, strict=True)) for row in cells]
    write_table(tmp_path / "metrics/history/panic.csv", rows, columns)
    write_all(tmp_path, ["panic"])
    assert read_table(tmp_path / "plots/history.csv") == [
        {"model": "panic", "epoch": "1", "train_loss": "0.625", "val_loss": "1.0"},
        {"model": "panic", "epoch": "2", "train_loss": "0.375", "val_loss": ""},
    ]


def test_a_class_that_is_called_none_is_a_class(tmp_path: Path) -> None:
    pair = {"actual": "None", "predicted": "NA"}
    write_table(tmp_path / "metrics/points/panic/confusion.csv", [pair], list(pair))
    write_all(tmp_path, ["panic"])
    assert read_table(tmp_path / "plots/confusion.csv") == [{"model": "panic"} | pair]


def test_without_any_curve_the_tables_have_their_columns_and_no_row(tmp_path: Path) -> None:
    write_all(tmp_path, ["panic"])
    assert (tmp_path / "plots/roc.csv").read_text() == "model,fpr,tpr\n"


def test_a_model_that_is_gone_leaves_no_curve(evaluated: tuple[Path, list[str]]) -> None:
    root, models = evaluated
    write_all(root, [model for model in models if model != "panic"])
    assert "panic" not in {row["model"] for row in read_table(root / "plots/history.csv")}


def test_dvc_fills_the_template_of_every_plot(evaluated: tuple[Path, list[str]], project: Path) -> None:
    """From the columns that the tables have; nothing is left to fill in."""
    root, models = evaluated
    write_all(root, models)
    for plot in load(project / "dvc.yaml")["plots"]:
        [(title, settings)] = plot.items()
        [(file, column)] = settings["y"].items()
        rows = [{"rev": "workspace"} | row for row in read_table(root / "plots" / Path(file).name)]
        options = settings | {"y": column, "template_dir": str(project / ".dvc/plots")}
        spec = VegaRenderer(rows, file, title=title, **options).partial_html()
        assert title in spec and "<DVC" not in spec, title
