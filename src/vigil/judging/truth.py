"""What is true of the stored frames of a video, from the point of view of one model."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.clips.labels import normal_class
from vigil.clips.windows import inside_spans
from vigil.core.clock import pieces, tick_counts
from vigil.core.storage import load_arrays
from vigil.features.motion_truth import read_motion_truth
from vigil.features.pictures import coarsen_truth
from vigil.footage.video_table import Video
from vigil.judging.judgements import Judgement
from vigil.models.checkpoint import Card


@dataclass(frozen=True)
class Context:
    """The stored frames of one video, as stage `context` lays them out; see there."""

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


def frame_truth(card: Card, video: Video, class_index: int, times: Sequence[Fraction]) -> np.ndarray:
    """(T,) int8: 1 abnormal, 0 normal, -1 unknown: where nobody said when, or it is not what the model is about."""
    truth = np.full(len(times), -1, np.int8)
    if class_index >= 0 and class_index == normal_class(card.classes):
        truth[:] = 0
    elif class_index >= 0 and card.clip.target != "cells" and video.spans:
        truth[:] = inside_spans(times, video.spans)
    return truth


def mask_warm_up(truth: np.ndarray, times: Sequence[Fraction], ready: int, fps: Fraction) -> np.ndarray:
    """The truth, unknown in each piece before the `ready`-th tick of a clock of `fps`: the model can have no score yet.

    Little happens at the beginning of a video, so that no score there would be a good one: frames are ranked without
    it, and it is no time in which a model was watching. Events are not masked: one that is over by then is missed.
    The last frame of a piece is known however short the piece is, for a model judges it when the piece has ended.
    """
    masked, counts = truth.copy(), tick_counts(times, fps)
    for start, stop in pieces([float(time_s) for time_s in times]):
        early = np.cumsum(counts[start:stop]) < ready
        masked[start : stop - 1][early[:-1]] = -1
    return masked


def map_arrays(
    video: Video, class_index: int, judgements: Sequence[Judgement], context: Context, truth_folder: Path
) -> dict[str, np.ndarray]:
    """Maps of what moves in the newest frame shown of every window: what the model says, and what is true."""
    cells = np.array([judgement.cells for judgement in judgements])
    side = cells.shape[-1]
    moved = read_motion_truth(truth_folder / f"{video.video}.npz", context.frame, context.times)
    newest = [judgement.shown[-1] for judgement in judgements]
    if moved is not None:
        true_cells = np.stack([coarsen_truth(moved[index], side) for index in newest]).astype(np.int8)
    else:
        true_cells = np.full(cells.shape, -1 if class_index else 0, np.int8)  # class 0 is what does not move
    return {
        "cells": cells.astype(np.float16),
        "cells_truth": true_cells,
        "cells_frame": context.frame[newest].astype(np.int32),
    }
