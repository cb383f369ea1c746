"""The curves of all models as one table per plot, with a column `model`: what `dvc plots` draws side by side."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from vigil.core.storage import read_table, write_table

CURVES = {  # columns beside `model`, and how many points of a model are drawn at most
    "roc": ("fpr", "tpr"),
    "pr": ("recall", "precision"),
    "reliability": ("told", "true"),
    "confusion": ("actual", "predicted"),
}
LOSSES = ("epoch", "train_loss", "val_loss")
MOST = 200  # points of a curve; more make a picture slow and no clearer


def write_curves(plots: Path, points: Path, histories: Path, models: Sequence[str]) -> None:
    """`points` holds <model>/<curve>.csv, `histories` <model>.csv; a model without is left out."""
    shutil.rmtree(plots, ignore_errors=True)
    for curve, columns in CURVES.items():
        rows = []
        for model in models:
            path = points / model / f"{curve}.csv"
            if path.exists():
                table = read_table(path)
                kept = table if curve == "confusion" else _thinned(table)
                rows += [{"model": model} | {column: row[column] for column in columns} for row in kept]
        write_table(plots / f"{curve}.csv", rows, ["model", *columns])
    losses = []
    for model in models:
        path = histories / f"{model}.csv"
        if path.exists():
            losses += [{"model": model} | {column: row[column] for column in LOSSES} for row in read_table(path)]
    write_table(plots / "history.csv", losses, ["model", *LOSSES])


def _thinned(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """At most MOST rows, evenly spread, the last one among them."""
    if len(rows) <= MOST:
        return rows
    return [rows[number * (len(rows) - 1) // (MOST - 1)] for number in range(MOST)]
