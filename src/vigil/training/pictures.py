"""What a model says of some validation samples while it learns, as a picture; for models that draw maps."""

from pathlib import Path

import numpy as np
from torch import Tensor

from vigil.core.storage import replacing
from vigil.models.blocks.layers import Predictions

SAMPLES = 4  # rows of a picture
Panel = tuple[str, np.ndarray, str, float | None]  # title, values (H, W) or (H, W, 3), colours, largest value


def spread_samples(total: int) -> list[int]:
    """Returns the numbers of the samples that are drawn: the same in every epoch, evenly spread over all."""
    return sorted({int(number) for number in np.linspace(0, total - 1, SAMPLES)})


def draw_samples(path: Path, x: Tensor, y: Tensor, predictions: Predictions, target: str) -> bool:
    """Draws a row per sample; returns False, and writes no file, where the model makes no map of the picture."""
    if "cells" not in predictions or x.ndim != 5:
        return False
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    x, y, cells = x.float().cpu(), y.float().cpu(), predictions["cells"].float().cpu()
    rows = [
        _map_panels(x[number], y[number], cells[number])
        if target == "cells"
        else _error_panels(x[number], cells[number])
        for number in range(len(x))
    ]
    figure = Figure(figsize=(2.6 * len(rows[0]), 2.6 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for row, panels in enumerate(rows):
        for axis, (title, values, colours, largest) in zip(axes[row], panels, strict=True):
            axis.imshow(values, cmap=colours, vmin=0, vmax=largest)
            axis.set_axis_off()
            if row == 0:
                axis.set_title(title, fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100, metadata={"Software": None})
    return True


def _map_panels(clip: Tensor, truth: Tensor, cells: Tensor) -> list[Panel]:
    """Makes the panels of `clip` (T, 3, H, W) pictures, `truth` (1, h, w) of 0 and 1, and `cells` (h, w) log odds."""
    newest = clip[-1] - clip[-1].min()
    picture = newest / newest.max().clamp_min(1e-6)
    return [
        ("newest frame", picture.permute(1, 2, 0).numpy(), "gray", None),
        ("what moves", truth[0].numpy(), "viridis", 1.0),
        ("what it says", cells.sigmoid().numpy(), "viridis", 1.0),
    ]


def _error_panels(clip: Tensor, cells: Tensor) -> list[Panel]:
    """Makes the panels of `clip` (T, 3, H, W), flow and people, and `cells` (h, w), the errors of its newest frame."""
    return [
        ("motion", clip[-1, :2].norm(dim=0).numpy(), "gray", None),
        ("error", cells.numpy(), "viridis", None),
    ]
