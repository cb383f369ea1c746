"""Where something truly moves, of videos whose truth is known: drawn ones."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.core.clock import piece_starts
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays


def read_motion_truth(path: Path, frames: np.ndarray, times: Sequence[Fraction]) -> np.ndarray | None:
    """Returns (T, h, w) uint8: what has moved since the stored frame before; None where the truth does not say.

    `frames` (T,) are the stored ones' numbers in the video, `times` their seconds. Of a pause nobody knows, so that the
    first frame after one shows its own motion alone.
    """
    cells = load_arrays(path).get("cells") if path.exists() else None
    if cells is None:
        return None
    last = int(frames[-1])
    if cells.ndim != 3 or len(cells) <= last:
        raise VigilError(f"{path}: maps {cells.shape}, the video has {last + 1} frames. Run `dvc repro download`.")
    since = np.concatenate([[0], frames[:-1] + 1])
    starts = piece_starts([float(time_s) for time_s in times])[1:]
    since[starts] = frames[starts]
    edges = np.column_stack([since, frames + 1]).ravel()[:-1]
    return np.maximum.reduceat(cells[: last + 1], edges, axis=0)[::2]
