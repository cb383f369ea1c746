"""What a model said about some videos, and what is true of them: one flat table, as it lies in data/scores.

A frame without a score (nobody there, nothing known yet) raises no alarm, so it counts as the lowest score there is; so
does a video of which no frame has one. None is left out, and `unscored_counts` says how many there are. Scores are
compared as they are: nothing is scaled by video, for that would take the answer from the video that is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigil.core.clock import frame_ends, piece_starts
from vigil.core.errors import VigilError
from vigil.statistics.alerts import LONE_S

PER_VIDEO = ("video", "label", "source", "class_index", "video_score", "classes")
PER_FRAME = ("time_s", "truth", "event_truth", "score", "noncausal", "people", "motion", "unusual")

NEEDED = {"video", "label", "source", "class_index", "offsets", "time_s", "truth", "score", "video_score"}
SCORED = ("video_score", "score", "noncausal", "cells")  # float64, -inf where there is none
DTYPES: Mapping[str, type] = {  # of the other fields
    "video": str,
    "label": str,
    "source": str,
    "class_index": np.int64,
    "classes": np.float64,
    "offsets": np.int64,
    "time_s": np.float64,
    "truth": np.int8,
    "event_truth": np.int8,
    "people": np.float64,
    "motion": np.float64,
    "unusual": np.float64,
    "cells_truth": np.int8,
    "cells_video": np.int64,
    "person_video": np.int64,
    "person_class_index": np.int64,
    "person_classes": np.float64,
}


@dataclass(frozen=True, eq=False)
class Scores:
    """V videos, N frames in all. Class 0 is the normal one where `has_normal`; a video of class -1 is not judged."""

    video: np.ndarray  # (V,) str
    label: np.ndarray  # (V,) str
    source: np.ndarray  # (V,) str; what is alike and never split
    class_index: np.ndarray  # (V,) int64
    video_score: np.ndarray  # (V,) float64, -inf where there is none
    classes: np.ndarray  # (V, C) logits; C = 0 for what names no class
    offsets: np.ndarray  # (V + 1,) int64 into the frames
    time_s: np.ndarray  # (N,) float64, rising in each video
    truth: np.ndarray  # (N,) int8: 1 abnormal, 0 normal, -1 unknown, or before the model can have a score
    event_truth: np.ndarray  # (N,) int8: the same without regard to the model, which makes the events
    score: np.ndarray  # (N,) float64, known at the end of the frame; -inf where there is none
    noncausal: np.ndarray  # (N,) float64, with later frames in view; -inf where there is none
    people: np.ndarray  # (N,) float64, NaN unknown
    motion: np.ndarray  # (N,) float64, NaN unknown
    unusual: np.ndarray  # (N,) float64, NaN unknown: motion where there is none in normal video
    cells: np.ndarray  # (M, h, w) float64
    cells_truth: np.ndarray  # (M, h, w) int8
    cells_video: np.ndarray  # (M,) index of the video of a map
    person_video: np.ndarray  # (P,) index of the video of a segment of one person
    person_class_index: np.ndarray  # (P,) its own class, -1 not judged
    person_classes: np.ndarray  # (P, C) logits
    has_normal: bool = True

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], has_normal: bool | None = None, where: str = "scores") -> "Scores":
        """The arrays of a file of scores, checked; those that only some models have may be absent."""
        if absent := sorted(NEEDED - set(arrays)):
            raise VigilError(f"{where}: no {', '.join(absent)}. Write the scores again.")
        columns = _fill_in(arrays)
        _check_lengths(columns, where)
        _check_times(columns, where)
        fields: dict[str, np.ndarray] = {name: np.asarray(columns[name], dtype) for name, dtype in DTYPES.items()}
        fields |= {name: lowest(columns[name]) for name in SCORED}
        fields["people"] = np.where(fields["people"] < 0, np.nan, fields["people"])
        return cls(**fields, has_normal=bool(columns["has_normal"]) if has_normal is None else has_normal)

    @cached_property
    def abnormal(self) -> np.ndarray:
        """(V,) bool. All, where the model has no normal class."""
        return self.class_index > 0 if self.has_normal else self.class_index >= 0

    @cached_property
    def frames(self) -> np.ndarray:
        """(V,) how many of them each video has."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> np.ndarray:
        """(N,) the video that a frame is of."""
        return np.repeat(np.arange(len(self.video)), self.frames)

    @cached_property
    def until_s(self) -> np.ndarray:
        """(N,) when each frame ends; see core/clock.py. One that is alone lasts as long as most of all others."""
        times = [self.time_s[self.frames_of(index)] for index in range(len(self.video))]
        steps = np.diff(self.time_s)[np.diff(self.piece) == 0]
        usual_s = float(np.median(steps)) if len(steps) else LONE_S
        return np.concatenate([np.empty(0), *(frame_ends(of_video, usual_s) for of_video in times)])

    @cached_property
    def piece(self) -> np.ndarray:
        """(N,) int: the piece of the recordings that a frame is of; no two videos share one."""
        starts = np.zeros(len(self.time_s), np.int64)
        for index in range(len(self.video)):
            frames = self.frames_of(index)
            starts[frames][piece_starts(self.time_s[frames])] = 1
        return np.cumsum(starts)

    @cached_property
    def names(self) -> np.ndarray:
        """(S,) str: the sources, in order."""
        return np.unique(self.source)

    @property
    def unscored_counts(self) -> tuple[int, int]:
        """How many frames have no score, and how many videos."""
        return int((self.score == -np.inf).sum()), int((self.video_score == -np.inf).sum())

    def frames_of(self, index: int) -> slice:
        """The frames of a video."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def select(self, keep: np.ndarray) -> "Scores":
        """The videos where `keep` (V,) is true."""
        frames = keep[self.owner]
        maps, people = keep[self.cells_video], keep[self.person_video]
        new_index = np.cumsum(keep) - 1
        columns = {name: getattr(self, name)[keep] for name in PER_VIDEO}
        columns |= {name: getattr(self, name)[frames] for name in PER_FRAME}
        return Scores(
            **columns,
            offsets=np.append(0, np.cumsum(self.frames[keep])),
            cells=self.cells[maps],
            cells_truth=self.cells_truth[maps],
            cells_video=new_index[self.cells_video[maps]],
            person_video=new_index[self.person_video[people]],
            person_class_index=self.person_class_index[people],
            person_classes=self.person_classes[people],
            has_normal=self.has_normal,
        )

    def select_judged(self) -> "Scores":
        """Returns the table without the videos whose label the model does not know."""
        return self if (self.class_index >= 0).all() else self.select(self.class_index >= 0)


def lowest(values: np.ndarray) -> np.ndarray:
    """Returns float64 with -inf for NaN: what has no score is below whatever has one."""
    values = np.asarray(values, np.float64)
    return np.where(np.isnan(values), -np.inf, values)


def _fill_in(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the arrays, and those that are absent as of a model that has no such."""
    videos, frames = len(arrays["video"]), len(arrays["score"])
    unknown = np.full(frames, np.nan)
    return {
        "classes": np.zeros((videos, 0)),
        "event_truth": arrays["truth"],
        "noncausal": arrays["score"],
        "people": unknown,
        "motion": unknown,
        "unusual": unknown,
        "cells": np.zeros((0, 1, 1)),
        "cells_truth": np.zeros((0, 1, 1), np.int8),
        "cells_video": np.zeros(0, np.int64),
        "person_video": np.zeros(0, np.int64),
        "person_class_index": np.zeros(0, np.int64),
        "person_classes": np.zeros((0, 0)),
        "has_normal": np.array(True),
        **arrays,
    }


def _check_lengths(columns: Mapping[str, np.ndarray], where: str) -> None:
    """VigilError where arrays do not belong together: of videos, of frames, of maps, or of segments of people."""
    videos, frames = len(columns["video"]), len(columns["score"])
    offsets = np.asarray(columns["offsets"], np.int64)
    for names, expected in ((PER_VIDEO, videos), (PER_FRAME, frames), (("offsets",), videos + 1)):
        for name in names:
            if len(columns[name]) != expected:
                entries = len(columns[name])
                raise VigilError(f"{where}: {name} has {entries} entries, expected {expected}. Score again.")
    if offsets[0] != 0 or offsets[-1] != frames or (np.diff(offsets) < 0).any():
        raise VigilError(f"{where}: the offsets do not cut {frames} frames into {videos} videos. Score again.")
    cells, cells_truth = columns["cells"], columns["cells_truth"]
    if cells.shape != cells_truth.shape or len(cells) != len(columns["cells_video"]):
        raise VigilError(f"{where}: the maps and the truth of the maps differ in shape. Score again.")
    if not len(columns["person_video"]) == len(columns["person_class_index"]) == len(columns["person_classes"]):
        raise VigilError(f"{where}: the segments of people, their classes and their videos differ. Score again.")


def _check_times(columns: Mapping[str, np.ndarray], where: str) -> None:
    """VigilError where the times of a video do not rise; it names the video."""
    time_s, offsets = np.asarray(columns["time_s"], np.float64), np.asarray(columns["offsets"], np.int64)
    late, next_starts = np.diff(time_s) <= 0, offsets[1:-1]
    late[next_starts[(next_starts > 0) & (next_starts < len(time_s))] - 1] = False
    if late.any():
        video = columns["video"][np.searchsorted(offsets, int(np.argmax(late)), side="right") - 1]
        raise VigilError(f"{where}: {video}: times that do not rise. Score again.")
