"""How a training went, epoch by epoch: a table, a picture and lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil.core.storage import replacing, write_table

Row = dict[str, float | int | None]  # epoch (from 1), lr, then train_... and val_...: losses, their parts, the metric
FIRST_COLUMNS = ("member", "epoch", "lr", "train_loss", "val_loss")


def write_history(path: Path, members: Sequence[Sequence[Row]]) -> None:
    """history.csv: a line per epoch of each member."""
    rows = [{"member": member} | row for member, history in enumerate(members) for row in history]
    names = {name for row in rows for name in row}
    columns = [*FIRST_COLUMNS, *sorted(names - set(FIRST_COLUMNS))]
    write_table(path, ({column: row.get(column) for column in columns} for row in rows), columns)


def describe_epoch(row: Row, epochs: int, best: int) -> str:
    """An epoch in words; `epochs` are planned, and `best` is the best so far."""
    shown = {name: value for name, value in row.items() if name != "epoch" and value is not None}
    keys = ("lr", "train_loss", "val_loss", *(name for name in shown if name.startswith("val_") and name != "val_loss"))
    numbers = ", ".join(f"{name.replace('_', ' ')} {shown[name]:.4g}" for name in dict.fromkeys(keys) if name in shown)
    return f"epoch {row['epoch']} of {epochs}: {numbers}; best so far: epoch {best}"


def describe_best(best: Mapping[str, Any]) -> str:
    """The best epoch in words."""
    metric = "" if best["value"] is None else f", val {best['metric'].replace('_', ' ')} {best['value']:.4g}"
    return f"epoch {best['epoch']}: val loss {best['loss']:.4g}{metric}"


def draw_picture(path: Path, members: Sequence[Sequence[Row]], best: Sequence[Mapping[str, Any]], metric: str) -> None:
    """history.png: losses, and the validation metric where there is one; a line per member, the best epoch marked."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    name = f"val_{metric}"
    has_metric = any(row.get(name) is not None for rows in members for row in rows)
    figure = Figure(figsize=(10 if has_metric else 5.5, 3.6), layout="constrained")
    panels = figure.subplots(1, 2 if has_metric else 1, squeeze=False)[0]
    for member, rows in enumerate(members):
        epochs = [row["epoch"] for row in rows]
        for column, colour in (("train_loss", "tab:blue"), ("val_loss", "tab:orange")):
            label = column.replace("_", " ") if member == 0 else None
            panels[0].plot(epochs, [row[column] for row in rows], color=colour, label=label, linewidth=1.2)
        if has_metric:
            values = [float("nan") if row.get(name) is None else row[name] for row in rows]
            panels[1].plot(epochs, values, color="tab:green", linewidth=1.2)
        for panel in panels:
            panel.axvline(best[member]["epoch"], color="0.7", linewidth=0.8, linestyle="--", zorder=0)
    panels[0].set_ylabel("loss")
    panels[0].legend(frameon=False)
    if has_metric:
        panels[1].set_ylabel(name.replace("_", " "))
    for panel in panels:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set_xlabel("epoch (dashed: the best)")
        panel.spines[["top", "right"]].set_visible(False)
    with replacing(path) as part:
        figure.savefig(part, dpi=100, metadata={"Software": None})
