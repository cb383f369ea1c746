"""One table of landmarks as the clips and segments that the pipeline would make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.landmarks.folds import Recording
from vigil.benchmark.result_cache import digest
from vigil.clips.labels import Classes, label_to_class
from vigil.core.errors import VigilError
from vigil.features.landmarks.pose_table import group_by_frame, poses_from_table
from vigil.features.segments import columns, segments
from vigil.features.segments.segments import HIPS
from vigil.footage.datasets import landmark_csv
from vigil.statistics.intervals import rounded

NAME = "landmarks"


@dataclass(frozen=True, eq=False)
class LandmarkTable:
    """V clips, and the N segments of what one body does in them."""

    clips: list[Recording]
    positions: np.ndarray  # (V, 4): mean and deviation of x and y of the hips, as shares of the picture
    digests: list[str]  # of each clip's coordinates
    owner: np.ndarray  # (N,) int, the clip of each segment
    x: np.ndarray  # (N, T, 67) float32, see features/segments/columns.py
    too_short: int  # clips without a segment, which are not among the V
    warnings: list[str]  # of what is left out, or cannot be known

    def select(self, classes: Classes) -> "LandmarkTable":
        """Returns the clips with a label of these classes."""
        class_of_label = label_to_class(classes)
        chosen = np.array([clip.label in class_of_label for clip in self.clips], bool)
        number = np.cumsum(chosen) - 1
        rows = chosen[self.owner]
        return LandmarkTable(
            [clip for clip, is_chosen in zip(self.clips, chosen, strict=True) if is_chosen],
            self.positions[chosen],
            [value for value, is_chosen in zip(self.digests, chosen, strict=True) if is_chosen],
            number[self.owner[rows]],
            self.x[rows],
            self.too_short,
            self.warnings,
        )

    def truth(self, classes: Classes) -> np.ndarray:
        """Returns (V,) int: the class of each clip."""
        class_of_label = label_to_class(classes)
        return np.array([class_of_label[clip.label] for clip in self.clips])

    @property
    def sources(self) -> np.ndarray:
        """Returns (V,) str: the source of each clip."""
        return np.array([clip.source for clip in self.clips])


def read_landmarks(
    path: Path, dataset: Mapping[str, Any], segment_settings: segments.Settings, folder: Path
) -> LandmarkTable:
    """Reads the table at `path` as a set of the pipeline that is described by `dataset`; `folder` is for its clips."""
    require_table(path)
    keys = {key: value for key, value in dataset.items() if key != "kind"} | {"path": str(path.resolve())}
    params = landmark_csv.Params.read(keys, "preset landmarks")
    listing = landmark_csv.list_clips(NAME, params, folder)
    clips: list[Recording] = []
    positions, digests, owner, body_columns, too_short = [], [], [], [], 0
    for row in listing.rows:
        assert row.probe is not None
        arrays = _cut_clip(Path(row.path), row.probe.fps, segment_settings)
        if not len(arrays["poses"]):
            too_short += 1
            continue
        owner += [len(clips)] * len(arrays["poses"])
        middles = arrays["all"][:, HIPS].mean(axis=1) / [row.probe.width, row.probe.height]
        positions.append([*middles.mean(axis=0), *middles.std(axis=0)])
        digests.append(digest(arrays["all"].tolist()))
        body_columns.append(_body_columns(arrays))
        clips.append(Recording(row.video, row.label, row.source, row.probe.frames))
    if not clips:
        raise VigilError(
            f"{path}: no clip of {float(segment_settings.span_s):g} s or more with a label that the preset knows."
        )
    warnings = [f"{reject.path} is left out: {reject.reason}" for reject in listing.rejects] + listing.warnings
    return LandmarkTable(
        clips, np.array(positions), digests, np.array(owner), np.concatenate(body_columns), too_short, warnings
    )


def require_table(path: Path) -> None:
    """Raises VigilError unless there is a file."""
    if not path.is_file():
        actual = "a folder" if path.is_dir() else "nothing"
        raise VigilError(f"{path}: expected a table of landmarks (.csv), found {actual}. Correct the path.")


def describe_clips(table: LandmarkTable) -> dict[str, Any]:
    """Counts clips, sources and mean length of each label."""
    labels = [clip.label for clip in table.clips]
    return {
        label: {
            "clips": labels.count(label),
            "sources": len({clip.source for clip in table.clips if clip.label == label}),
            "mean_length": rounded(float(np.mean([clip.length for clip in table.clips if clip.label == label]))),
        }
        for label in dict.fromkeys(labels)
    }


def _cut_clip(path: Path, fps: Fraction, segment_settings: segments.Settings) -> dict[str, np.ndarray]:
    """Returns the segments of a clip, and `all` poses (P, 13, 2) of it before they were cut."""
    state, complete, all_poses = segments.START, [], []
    for frame, people in sorted(group_by_frame(poses_from_table(path, fps)).items()):
        all_poses += [pose.joints for pose in people]
        state, new_segments = segments.update(state, frame, people[0].time_s, people, segment_settings)
        complete += new_segments
    arrays = {
        name: np.array([getattr(segment, name) for segment in complete]) for name in ("poses", "seen", "near", "time_s")
    }
    return arrays | {"all": np.nan_to_num(np.array(all_poses))}


def _body_columns(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    poses, near = arrays["poses"].astype(np.float64), arrays["near"].astype(np.float64)
    return columns.body_features(poses, arrays["seen"], near, arrays["time_s"]).astype(np.float32)
