"""What is true of the stored frames of a video, from the point of view of one model."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.clips.places import ordinary
from vigil.clips.windows import inside
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.features.pictures import coarse
from vigil.footage.video_table import Video
from vigil.judging.judgements import Judgement
from vigil.models.checkpoint import Card


@dataclass(frozen=True)
class Context:
    """The stored frames of one video; see stages/context.py."""

    frame: np.ndarray
    times: list[Fraction]
    people: np.ndarray
    motion: np.ndarray
    unusual: np.ndarray

    @classmethod
    def read(cls, path: Path) -> "Context":
        arrays = load_arrays(path)
        base = Fraction(int(arrays["time_base"][0]), int(arrays["time_base"][1]))
        times = [int(pts) * base for pts in arrays["pts"]]
        return cls(arrays["frame"], times, arrays["people"], arrays["motion"], arrays["unusual"])


def truth(card: Card, video: Video, klass: int, times: Sequence[Fraction], ready: int = 1) -> np.ndarray:
    """(T,) int8: 1 abnormal, 0 normal, -1 unknown: where nobody said when, or it is not what the model is about.

    Unknown too is what is before the `ready`-th frame, when the model cannot have a score: little happens at the
    beginning of a video, so that no score there would be a good one.
    """
    known = np.full(len(times), -1, np.int8)
    if klass >= 0 and klass == ordinary(card.classes):
        known[:] = 0
    elif klass >= 0 and card.clip.target != "cells" and video.spans:
        known[:] = inside(times, video.spans)
    known[: min(ready, len(times)) - 1] = -1
    return known


def maps(video: Video, klass: int, found: Sequence[Judgement], context: Context, folder: Path) -> dict[str, np.ndarray]:
    """What moves, as told and as known, of the newest frame shown of every window."""
    cells = np.array([one.cells for one in found])
    side, path = cells.shape[-1], folder / f"{video.video}.npz"
    known = load_arrays(path).get("cells") if path.exists() else None
    last = [one.shown[-1] for one in found]
    if known is not None:
        if known.ndim != 3 or len(known) <= context.frame[-1]:
            raise VigilError(f"{path}: maps {known.shape}, the video has frame {context.frame[-1]}. Draw it again.")
        since = np.concatenate([[0], context.frame[:-1] + 1])  # what has moved since the stored frame before
        moved = np.maximum.reduceat(known[: int(context.frame[-1]) + 1], since, axis=0)
        true = np.stack([coarse(moved[place], side) for place in last]).astype(np.int8)
    else:
        true = np.full(cells.shape, -1 if klass else 0, np.int8)  # class 0 is what does not move
    return {"cells": cells.astype(np.float16), "cells_truth": true, "cells_frame": context.frame[last].astype(np.int32)}
