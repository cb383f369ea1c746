"""What an attentive model looks at: the windows that it is surest of, frame by frame."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vigil.evaluation.summary import Entry
from vigil.report.film import Film
from vigil.report.plots import Strip, attention_bars
from vigil.report.records import Picture

WINDOWS = 3  # of a model, at most
FRAMES = 8  # of a window, at most


class AttendedWindow(NamedTuple):
    words: str
    frames: Sequence[Picture]
    weights: Strip


def attended_windows(entry: Entry, colour: int, film: Film) -> list[AttendedWindow]:
    """Describes one window of each of some abnormal videos; none of a model without attention."""
    arrays, scores = entry.arrays, entry.test
    if "attention" not in arrays or not len(arrays["attention"]) or scores is None:
        return []
    surest: dict[int, int] = {}  # row of a video -> its window with the highest score
    for window in np.argsort(-arrays["window_score"], kind="stable").tolist():
        row = int(arrays["window_video"][window])
        if scores.class_index[row] > 0:
            surest.setdefault(row, window)
    return [_describe_window(entry, window, row, colour, film) for row, window in list(surest.items())[:WINDOWS]]


def _describe_window(entry: Entry, window: int, row: int, colour: int, film: Film) -> AttendedWindow:
    scores = entry.test
    assert scores is not None
    frames, weights = entry.arrays["shown"][window], entry.arrays["attention"][window]
    video, truth = str(scores.video[row]), scores.truth[scores.frames_of(row)]
    abnormal = [float(weight) for weight, frame in zip(weights, frames, strict=True) if truth[frame] == 1]
    words = f"{video.split('/', 1)[-1]} ({scores.label[row]})"
    if (truth >= 0).all() and abnormal:
        words += f": {sum(abnormal) / (float(weights.sum()) or 1.0):.0%} of the attention"
        words += f" on the {len(abnormal) / len(frames):.0%} of frames that are abnormal"
    picks = np.linspace(0, len(frames) - 1, min(FRAMES, len(frames))).round().astype(int).tolist()
    return AttendedWindow(
        words,
        [Picture(film.address_at(video, int(frames[pick])), f"frame {pick + 1} of {len(frames)}") for pick in picks],
        attention_bars(
            weights, f"attention on {len(frames)} frames, most on frame {int(np.argmax(weights)) + 1}", colour
        ),
    )
