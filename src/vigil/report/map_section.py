"""What a model with maps says of the parts of a frame: the maps that agree best with the truth, and the worst."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vigil.evaluation.summary import Entry
from vigil.report.film import Film, overlay
from vigil.report.records import Picture

MAPS = 3  # of the best, and as many of the worst


class MapPictures(NamedTuple):
    cells: str  # such as 10x10
    pictures: Sequence[Picture]


def map_pictures(entry: Entry, film: Film) -> MapPictures | None:
    """Draws maps over their frames; None of a model without maps, and where no frame is stored."""
    scores, arrays = entry.test, entry.arrays
    if scores is None or not scores.cells.size or "cells_frame" not in arrays:
        return None
    p, moves = cell_probabilities(scores.cells), scores.cells_truth == 1
    with_truth = (scores.cells_truth >= 0).all(axis=(1, 2)) & moves.any(axis=(1, 2))
    error = np.abs(p - moves).mean(axis=(1, 2)) / np.maximum(moves.mean(axis=(1, 2)), 0.02)
    order = [int(index) for index in np.argsort(error, kind="stable") if with_truth[index]]
    best = _of_different_videos(order, scores.cells_video)
    worst = [index for index in _of_different_videos(order[::-1], scores.cells_video) if index not in best]
    pictures = []
    for index, verdict in [*((index, "Agrees") for index in best), *((index, "Disagrees") for index in worst)]:
        video, number = str(scores.video[int(scores.cells_video[index])]), int(arrays["cells_frame"][index])
        frame = film.find_frame(video, number)
        if frame is not None:
            words = f"{verdict} with the truth: {video.split('/', 1)[-1]}, frame {number}"
            pictures.append(Picture(overlay(frame, p[index], scores.cells_truth[index]), words))
    return MapPictures("x".join(map(str, scores.cells.shape[1:])), pictures) if pictures else None


def cell_probabilities(cells: np.ndarray) -> np.ndarray:
    """Returns raw maps as 0..1: logits through a sigmoid; what is within 0..1 already stays."""
    cells = np.nan_to_num(cells, neginf=0.0)
    return cells if cells.min() >= 0 and cells.max() <= 1 else 1 / (1 + np.exp(-np.clip(cells, -30, 30)))


def _of_different_videos(order: Sequence[int], videos: np.ndarray) -> list[int]:
    """Returns the first map of each video, at most `MAPS`."""
    by_video: dict[int, int] = {}
    for index in order:
        by_video.setdefault(int(videos[index]), index)
    return list(by_video.values())[:MAPS]
