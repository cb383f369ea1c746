"""How people usually move where: the baseline that learns panic's task by counting, without a network.

    norm = learn_norm(videos)              # int8 planes (T, 3, H, W) of normal videos, as stage `flow` writes them
    scores = score_unusual(norm, planes)    # (T,), from each frame alone

The picture is a grid of cells. In each, over normal video, speed times people density has a mean and a deviation; a
frame is as unusual as its most unusual cells are, in deviations. Training-free as it is, it can be learnt per camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vigil.core.errors import VigilError
from vigil.features.flow.dense import LEVELS

GRID = 8  # cells to a side
TOP = 4  # cells by which a frame is judged: one may be noise
BELIEF = 100  # frames that a cell must have been seen for its own deviation to count as much as that of all cells
LEAST = 1e-4  # deviation below which even a still camera's noise would be news


@dataclass(frozen=True, eq=False)
class Norm:
    """Mean and deviation of the motion in each cell over normal video."""

    mean: np.ndarray  # (GRID, GRID)
    deviation: np.ndarray  # (GRID, GRID), above 0


def learn_norm(videos: Iterable[np.ndarray]) -> Norm:
    """Learns the norm in one pass, with one video in memory at a time."""
    count, total, squares = 0, np.zeros((GRID, GRID)), np.zeros((GRID, GRID))
    for planes in videos:
        cells = crowd_motion(planes)
        count += len(cells)
        total += cells.sum(axis=0)
        squares += np.square(cells).sum(axis=0)
    if not count:
        raise VigilError("usual motion: no frame of normal video to learn it from. Add videos labelled normal.")
    mean = total / count
    variance = np.maximum(squares / count - np.square(mean), 0)
    everywhere = squares.mean() / count - np.square(mean.mean())
    shared = (count * variance + BELIEF * max(0.0, everywhere)) / (count + BELIEF)
    return Norm(mean, np.sqrt(shared + LEAST**2))


def score_unusual(norm: Norm, planes: np.ndarray) -> np.ndarray:
    """Returns (T,) of (T, 3, H, W) int8: deviations from the mean, averaged over the `TOP` cells with the largest."""
    distances = deviations(norm, planes).reshape(len(planes), -1)
    return np.sort(distances, axis=1)[:, -TOP:].mean(axis=1)


def deviations(norm: Norm, planes: np.ndarray) -> np.ndarray:
    """Returns (T, GRID, GRID): how many deviations more is going on than usual; negative: less."""
    return (crowd_motion(planes) - norm.mean) / norm.deviation


def crowd_motion(planes: np.ndarray) -> np.ndarray:
    """Returns (T, GRID, GRID) of (T, 3, H, W) int8: the mean over each cell of speed times people density."""
    height, width = planes.shape[2:]
    across, down, people = (planes[:, plane].astype(np.float64) / LEVELS for plane in range(3))
    weighted_speed = np.hypot(across, down) * people
    rows, columns = (np.linspace(0, side, GRID + 1).round().astype(int) for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(weighted_speed, rows[:-1], axis=1), columns[:-1], axis=2)
    return sums / np.outer(np.diff(rows), np.diff(columns))
