"""The curves of all models as one table per plot, with a column `model`: what `dvc plots` draws side by side."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vigil.core.storage import replacing

CURVES = {  # the columns of a model's file that are drawn
    "roc": ["fpr", "tpr"],
    "pr": ["recall", "precision"],
    "reliability": ["predicted", "observed"],
    "confusion": ["actual", "predicted"],
}
LOSSES = ["train_loss", "val_loss"]
POINTS = 200  # of a curve at most; more make a picture slow and no clearer


def write_curves(plots: Path, points: Path, histories: Path, models: Sequence[str]) -> None:
    """Writes a table for each curve; `points` holds <model>/<curve>.csv, `histories` <model>.csv, if there are any."""
    shutil.rmtree(plots, ignore_errors=True)
    for curve, columns in CURVES.items():
        curves = _read_tables({model: points / model / f"{curve}.csv" for model in models})
        if curve != "confusion":  # which has a row for each video instead
            curves = {model: _thin(table.dropna(subset=columns)) for model, table in curves.items()}
        _write_table(plots / f"{curve}.csv", curves, columns)
    losses = {
        model: table.groupby("epoch", as_index=False)[LOSSES].mean().round(6)  # over the members of the model
        for model, table in _read_tables({model: histories / f"{model}.csv" for model in models}).items()
    }
    _write_table(plots / "history.csv", losses, ["epoch", *LOSSES])


def _read_tables(paths: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    """Reads the tables that exist. Only an empty cell is a missing number, not a class that is called `None`."""
    return {
        model: pd.read_csv(path, dtype=dict.fromkeys(CURVES["confusion"], str), keep_default_na=False, na_values=[""])
        for model, path in paths.items()
        if path.exists()
    }


def _write_table(path: Path, tables: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> None:
    """Writes all rows of the models, below each other, with the name of the model before each."""
    rows = [table[columns].assign(model=model) for model, table in tables.items()]
    table = pd.concat(rows) if rows else pd.DataFrame(columns=list(columns))
    with replacing(path) as temporary:
        table.reindex(columns=["model", *columns]).to_csv(temporary, index=False, lineterminator="\n")


def _thin(table: pd.DataFrame) -> pd.DataFrame:
    """Returns at most POINTS rows, evenly spread, the first and the last among them."""
    if len(table) <= POINTS:
        return table
    return table.iloc[np.arange(POINTS) * (len(table) - 1) // (POINTS - 1)]
