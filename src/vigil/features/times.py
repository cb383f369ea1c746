"""When each stored frame of a video is, exactly, beside features that do not say so.

A file of times (.npz, T frames): pts (T,) int64 and time_base (2,) int64; time_s = pts * time_base[0] / time_base[1].
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays


def write_times(path: Path, times: Sequence[Fraction], **others: np.ndarray) -> None:
    """Writes the seconds of each frame, and what `others` say of it beside them."""
    base = math.lcm(*(time_s.denominator for time_s in times))
    pts = np.array([int(time_s * base) for time_s in times], np.int64)
    save_arrays(path, pts=pts, time_base=np.array([1, base], np.int64), **others)


def read_times(path: Path, stage: str) -> list[Fraction]:
    """Reads the seconds of each frame; the error names the stage that writes the file."""
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro {stage}`.")
    arrays = load_arrays(path)
    numerator, denominator = arrays["time_base"].tolist()
    return [Fraction(pts * numerator, denominator) for pts in arrays["pts"].tolist()]
