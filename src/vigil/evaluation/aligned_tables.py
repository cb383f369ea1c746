"""What several models say of the same videos, brought to common times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vigil.core.clock import piece_starts
from vigil.statistics.scores import Scores

OF_VIDEO, OF_FRAME = ("label", "source", "class_index"), ("time_s", "truth", "event_truth")


class AlignedTables(NamedTuple):
    """All videos that some model has, at the times of the model that has most of a video's frames."""

    columns: dict[str, np.ndarray]  # of a table of scores, without the scores
    frames: dict[str, np.ndarray]  # (N,) by model: the probability of each frame
    videos: dict[str, np.ndarray]  # (V,) by model: that of each video; NaN where the model does not judge it


@dataclass(frozen=True, eq=False)
class _Video:
    """One video, as the models together know it."""

    label: str
    source: str
    class_index: int  # 1: some model calls it abnormal; 0: normal; -1: none knows its label
    time_s: np.ndarray  # (T,)
    truth: np.ndarray  # (T,) int8
    event_truth: np.ndarray  # (T,) int8
    probability: Mapping[str, np.ndarray]  # (T,) by model; NaN where it has nothing to say


def align_tables(
    scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], videos: Mapping[str, np.ndarray]
) -> AlignedTables:
    """Arguments by model: its scores, and its probabilities of their frames (N,) and of their videos (V,)."""
    names = np.unique(np.concatenate([table.video for table in scores.values()]))
    index_of = {model: {name: index for index, name in enumerate(table.video)} for model, table in scores.items()}
    rows: list[_Video] = []
    p_videos = {model: np.full(len(names), np.nan) for model in scores}
    for number, name in enumerate(names.tolist()):
        indices = {model: index_of[model][name] for model in sorted(scores) if name in index_of[model]}
        rows.append(_align_video(scores, frames, indices))
        for model, index in indices.items():
            p_videos[model][number] = videos[model][index]
    columns = {column: np.array([getattr(row, column) for row in rows]) for column in OF_VIDEO}
    columns |= {column: np.concatenate([getattr(row, column) for row in rows]) for column in OF_FRAME}
    columns |= {"video": names, "offsets": np.append(0, np.cumsum([len(row.time_s) for row in rows]))}
    p_frames = {model: np.concatenate([row.probability[model] for row in rows]) for model in scores}
    return AlignedTables(columns, p_frames, p_videos)


def _align_video(scores: Mapping[str, Scores], frames: Mapping[str, np.ndarray], indices: Mapping[str, int]) -> _Video:
    """Brings the models that have a video to its times; `indices` says where in its table each of them has it.

    At a time that a model does not know, its last word counts, as it would live, but none from before a pause in the
    recording. Abnormal is what some model calls so.
    """
    finest = max(indices, key=lambda model: (scores[model].frames[indices[model]], model))
    table, index = scores[finest], indices[finest]
    times = table.time_s[table.frames_of(index)]
    label, source = table.label[index], table.source[index]
    truth, event_truth = np.full((2, len(times)), -1, np.int8)
    probability = {model: np.full(len(times), np.nan) for model in scores}
    class_index = -1
    for model, index in indices.items():
        table = scores[model]
        of_video = table.frames_of(index)
        latest = _latest_frames(table.time_s[of_video], times)
        probability[model] = _select_values(frames[model][of_video], latest, np.nan)
        truth = np.maximum(truth, _select_values(table.truth[of_video], latest, -1).astype(np.int8))
        of_events = _select_values(table.event_truth[of_video], latest, -1).astype(np.int8)
        event_truth = np.maximum(event_truth, of_events)
        named = int(table.class_index[index])
        class_index = max(class_index, min(named, 1) if table.has_normal else int(named >= 0))
    return _Video(label, source, class_index, times, truth, event_truth, probability)


def _latest_frames(model_times: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns for each of `times` the index of the model's newest frame up to it; -1: none since the last pause."""
    begins = times[piece_starts(times)]
    piece_begin = begins[np.searchsorted(begins, times, side="right") - 1]
    latest = np.searchsorted(model_times, times, side="right") - 1
    return np.where(np.append(model_times, -np.inf)[latest] >= piece_begin, latest, -1)


def _select_values(values: np.ndarray, indices: np.ndarray, otherwise: float) -> np.ndarray:
    """Returns the values at `indices`; `otherwise` where an index is -1."""
    if not len(values):
        return np.full(len(indices), otherwise)
    return np.where(indices >= 0, values[np.maximum(indices, 0)], otherwise)
