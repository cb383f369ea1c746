"""How a training went, epoch by epoch: a table, a picture and lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vigil.core.storage import replacing, write_table

Row = dict[str, float | int | None]  # epoch (from 1), lr, then train_... and val_...: losses, their parts, the metric
FIRST = ("member", "epoch", "lr", "train_loss", "val_loss")


def write(path: Path, members: Sequence[Sequence[Row]]) -> None:
    """history.csv: a line per epoch of each member."""
    rows = [{"member": number} | row for number, rows in enumerate(members) for row in rows]
    names = {name for row in rows for name in row}
    columns = [*FIRST, *sorted(names - set(FIRST))]
    write_table(path, ({column: row.get(column) for column in columns} for row in rows), columns)


def line(row: Row, epochs: int, best: int) -> str:
    """What a person reads of an epoch."""
    shown = {name: value for name, value in row.items() if name != "epoch" and value is not None}
    keys = ("lr", "train_loss", "val_loss", *(name for name in shown if name.startswith("val_") and name != "val_loss"))
    numbers = ", ".join(f"{name.replace('_', ' ')} {shown[name]:.4g}" for name in dict.fromkeys(keys) if name in shown)
    return f"epoch {row['epoch']} of {epochs}: {numbers}; best so far: epoch {best}"


def picture(path: Path, members: Sequence[Sequence[Row]], best: Sequence[Mapping[str, object]], metric: str) -> None:
    """history.png: losses, and the validation metric where there is one; a line per member, the best epoch marked."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    name = f"val_{metric}"
    has = any(row.get(name) is not None for rows in members for row in rows)
    figure = Figure(figsize=(10 if has else 5.5, 3.6), layout="constrained")
    axes = figure.subplots(1, 2 if has else 1, squeeze=False)[0]
    for number, rows in enumerate(members):
        epochs = [row["epoch"] for row in rows]
        for column, colour in (("train_loss", "tab:blue"), ("val_loss", "tab:orange")):
            label = column.replace("_", " ") if number == 0 else None
            axes[0].plot(epochs, [row[column] for row in rows], color=colour, label=label, linewidth=1.2)
        if has:
            values = [float("nan") if row.get(name) is None else row[name] for row in rows]
            axes[1].plot(epochs, values, color="tab:green", linewidth=1.2)
        for each in axes:
            each.axvline(best[number]["epoch"], color="0.7", linewidth=0.8, linestyle="--", zorder=0)
    axes[0].set_ylabel("loss")
    axes[0].legend(frameon=False)
    if has:
        axes[1].set_ylabel(name.replace("_", " "))
    for each in axes:
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
        each.set_xlabel("epoch (dashed: the best)")
        each.spines[["top", "right"]].set_visible(False)
    with replacing(path) as part:
        figure.savefig(part, dpi=100, metadata={"Software": None})
