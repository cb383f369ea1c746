"""How a training went, epoch by epoch: a table, a picture and lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil.core.storage import replacing, write_table

Row = dict[str, float | int | None]  # epoch (from 1), lr, then train_... and val_...: losses, their parts, the metric
FIRST_COLUMNS = ("member", "epoch", "lr", "train_loss", "val_loss")


def write_history(path: Path, members: Sequence[Sequence[Row]]) -> None:
    """Writes history.csv: a line per epoch of each member."""
    rows = [{"member": member} | row for member, history in enumerate(members) for row in history]
    names = {name for row in rows for name in row}
    columns = [*FIRST_COLUMNS, *sorted(names - set(FIRST_COLUMNS))]
    write_table(path, ({column: row.get(column) for column in columns} for row in rows), columns)


def describe_epoch(row: Row, epochs: int, best: int, keep: str) -> str:
    """Describes an epoch of the `epochs` that are planned. Where the best is to be kept, `best` is the best so far."""
    values = {name: value for name, value in row.items() if name != "epoch" and value is not None}
    names = (
        "lr",
        "train_loss",
        "val_loss",
        "train_accuracy",
        *(name for name in values if name.startswith("val_") and name != "val_loss"),
    )
    numbers = ", ".join(
        f"{name.replace('_', ' ')} {values[name]:.4g}" for name in dict.fromkeys(names) if name in values
    )
    return f"epoch {row['epoch']} of {epochs}: {numbers}{f'; best so far: epoch {best}' if keep == 'best' else ''}"


def describe_best(best: Mapping[str, Any]) -> str:
    """Describes the best epoch in words."""
    metric = "" if best["value"] is None else f", val {best['metric'].replace('_', ' ')} {best['value']:.4g}"
    return f"epoch {best['epoch']}: val loss {best['loss']:.4g}{metric}"


def draw_picture(path: Path, members: Sequence[Sequence[Row]], best: Sequence[Mapping[str, Any]], metric: str) -> None:
    """Draws history.png: losses, beside them validation metric and accuracies where there are any; a line per member.

    The best epoch is marked.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    name = f"val_{metric}"
    curves = {"train_accuracy": "tab:blue", "val_accuracy": "tab:orange", name: "tab:green"}
    curves = {
        column: colour
        for column, colour in curves.items()
        if any(row.get(column) is not None for rows in members for row in rows)
    }
    figure = Figure(figsize=(10 if curves else 5.5, 3.6), layout="constrained")
    panels = figure.subplots(1, 2 if curves else 1, squeeze=False)[0]
    for member, rows in enumerate(members):
        epochs = [row["epoch"] for row in rows]
        for column, colour in (("train_loss", "tab:blue"), ("val_loss", "tab:orange")):
            label = column.replace("_", " ") if member == 0 else None
            panels[0].plot(epochs, [row[column] for row in rows], color=colour, label=label, linewidth=1.2)
        for column, colour in curves.items():
            label = column.replace("_", " ") if member == 0 else None
            values = [float("nan") if row.get(column) is None else row[column] for row in rows]
            panels[1].plot(epochs, values, color=colour, label=label, linewidth=1.2)
        for panel in panels:
            panel.axvline(best[member]["epoch"], color="0.7", linewidth=0.8, linestyle="--", zorder=0)
    panels[0].set_ylabel("loss")
    if curves:
        panels[1].set_ylabel("share, or area" if len(curves) > 1 else next(iter(curves)).replace("_", " "))
    for panel in panels:
        panel.legend(frameon=False)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set_xlabel("epoch (dashed: the best)")
        panel.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100, metadata={"Software": None})
