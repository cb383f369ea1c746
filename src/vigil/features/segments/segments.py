"""What one person did in the last T frames: the unit that the pose models judge.

A run is what is known of one track without a break. A person who is not found holds the last pose, with the mask down,
for at most `gap_s`; after that the run is over and the next sighting begins another. Nothing is looked up in later
frames, so that a live source makes the same segments. What is left of a run when it ends is dropped.

A joint that is not known goes along with the joints that are; one that was never known lies in the middle of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.features.landmarks.pose_table import JOINTS, XY, Pose

HIPS = [JOINTS.index("HIP_LEFT"), JOINTS.index("HIP_RIGHT")]
SHOULDERS = [JOINTS.index("SHOULDER_LEFT"), JOINTS.index("SHOULDER_RIGHT")]
SMALLEST_TORSO = 0.1  # of the body's extent: a torso seen end-on must not blow the rest up
FLAT = 1e-4  # of the picture; a coordinate with a smaller range never changed
FASTEST = 20.0  # torso lengths per second; a glitch is no faster
BODY = (
    *(f"{name[:-2]}_BODY{name[-2:]}" for name in XY),
    *(f"{name[:-2]}_SPEED{name[-2:]}" for name in XY),
)


class Settings(Frozen):
    """What segments depend on; kept beside the weights of a model that was trained on them."""

    frames: Annotated[int, Field(ge=2)]  # T
    stride: Annotated[int, Field(ge=1)]  # frames from one segment of a run to the next
    gap_s: Annotated[float, Field(ge=0)]  # s; who is lost for longer begins a new run
    normalise: Literal["minmax", "body", "both"]


@dataclass(frozen=True, eq=False)
class Segment:
    """T frames of one person."""

    person: int
    frame: np.ndarray  # (T,) int32, numbers in the video
    time_s: np.ndarray  # (T,) float64
    poses: np.ndarray  # (T, 13, 2) float32 px of the video, every joint known or filled in
    seen: np.ndarray  # (T, 13) bool: the joint was found in this frame
    mask: np.ndarray  # (T,) bool: the person was found in this frame; else the last pose is held


@dataclass(frozen=True, eq=False)
class Run:
    """The newest T frames of a track, oldest first, as the rows of a segment."""

    length: int  # frames since the run began
    last_seen_s: Fraction  # when the person was last found
    frame: np.ndarray
    time_s: np.ndarray
    poses: np.ndarray
    seen: np.ndarray


State = Mapping[int, Run]  # by person
START: State = {}


def update(
    state: State, frame: int, time_s: Fraction, people: Sequence[Pose], settings: Settings
) -> tuple[State, list[Segment]]:
    """Returns the runs with one more stored frame, in which `people` were found, and the segments that it completes."""
    pose_of_person = {pose.person: pose for pose in people if np.isfinite(pose.joints).all(axis=1).any()}
    gap_s = Fraction(repr(settings.gap_s))
    runs: dict[int, Run] = {}
    for person in sorted(state.keys() | pose_of_person.keys()):
        run, pose = state.get(person), pose_of_person.get(person)
        missed = pose is None or (run is not None and not run.seen[-1].any())
        if run is not None and missed and time_s - run.last_seen_s > gap_s:
            run = None
        if pose is not None:
            runs[person] = _append_seen(run, frame, time_s, pose, settings.frames)
        elif run is not None:
            runs[person] = _append_held(run, frame, time_s, settings.frames)
    due = (person for person, run in runs.items() if _is_due(run, settings))
    return runs, [_make_segment(person, runs[person]) for person in due]


@dataclass(frozen=True)
class Scaler:
    """The range of each of the 26 coordinates, as shares of the picture, over the training split alone."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, ranges: Mapping[str, Sequence[float]]) -> Self:
        """Makes the scaler from what scaler.json holds."""
        return cls(tuple(ranges[name][0] for name in XY), tuple(ranges[name][1] for name in XY))

    @property
    def ranges(self) -> dict[str, list[float]]:
        """What scaler.json holds: smallest and largest by the name of the coordinate."""
        return {name: [low, high] for name, low, high in zip(XY, self.low, self.high, strict=True)}

    def __call__(self, shares: np.ndarray) -> np.ndarray:
        """Scales (..., 26) so that the training range is 0..1; what lies beyond it stays beyond."""
        low, span = np.array(self.low), np.array(self.high) - np.array(self.low)
        return (shares - low) / np.where(span > FLAT, span, 1.0)


def fit_scaler(shares: np.ndarray) -> Scaler:
    """Fits the scaler to (N, T, 26) shares of the picture; without any it changes nothing."""
    flat = shares.reshape(-1, len(XY))
    if not len(flat):
        return Scaler((0.0,) * len(XY), (1.0,) * len(XY))
    low, high = (np.round(edge.astype(np.float64), 6).tolist() for edge in (flat.min(axis=0), flat.max(axis=0)))
    return Scaler(tuple(low), tuple(high))


def picture_shares(poses: np.ndarray, source_size: np.ndarray) -> np.ndarray:
    """Returns (N, T, 26): `poses` (N, T, 13, 2) px as shares of width and height, `source_size` (N, 2)."""
    scaled = poses / source_size[:, None, None, :]
    return scaled.reshape(*poses.shape[:2], len(XY))


def body_features(poses: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Returns (N, T, 52): place and speed of each joint in torso lengths.

    `poses` is (N, T, 13, 2) px and `time_s` (N, T). Places are from the middle of the hips, upright as in the picture;
    speeds are those in the picture, per second, the body's own way included. A torso is as long as it mostly was in the
    segment, so that bending does not enlarge legs.
    """
    middle, top = poses[:, :, HIPS].mean(axis=2), poses[:, :, SHOULDERS].mean(axis=2)
    extent = np.ptp(poses, axis=2).max(axis=-1)
    torso = np.maximum(np.hypot(*(top - middle).transpose(2, 0, 1)), SMALLEST_TORSO * extent)
    unit = np.maximum(np.median(torso, axis=1), 1e-6)[:, None, None, None]
    places = (poses - middle[:, :, None]) / unit
    elapsed_s = np.maximum(np.diff(time_s, axis=1), 1e-6)[:, :, None, None]
    speeds = np.zeros_like(places)
    speeds[:, 1:] = np.clip(np.diff(poses, axis=1) / unit / elapsed_s, -FASTEST, FASTEST)
    return np.concatenate([block.reshape(*poses.shape[:2], len(XY)) for block in (places, speeds)], axis=-1)


def segment_features(
    poses: np.ndarray, time_s: np.ndarray, source_size: np.ndarray, settings: Settings, scaler: Scaler
) -> np.ndarray:
    """Returns (N, T, F) float32, the columns of `feature_names`."""
    parts = []
    if settings.normalise != "body":
        parts.append(scaler(picture_shares(poses.astype(np.float64), source_size)))
    if settings.normalise != "minmax":
        parts.append(body_features(poses.astype(np.float64), time_s))
    return np.concatenate(parts, axis=-1).astype(np.float32)


def feature_names(settings: Settings) -> tuple[str, ...]:
    """Returns the names of the features, in order."""
    return (XY if settings.normalise != "body" else ()) + (BODY if settings.normalise != "minmax" else ())


def _is_due(run: Run, settings: Settings) -> bool:
    return run.length >= settings.frames and (run.length - settings.frames) % settings.stride == 0


def _make_segment(person: int, run: Run) -> Segment:
    return Segment(
        person, run.frame, run.time_s, run.poses.astype(np.float32), run.seen, np.asarray(run.seen.any(axis=1))
    )


def _append_seen(run: Run | None, frame: int, time_s: Fraction, pose: Pose, keep: int) -> Run:
    seen = np.isfinite(pose.joints).all(axis=1)
    if run is None:
        run = Run(0, time_s, np.empty(0, np.int32), np.empty(0), np.empty((0, 13, 2)), np.empty((0, 13), bool))
        guess = np.broadcast_to(pose.joints[seen].mean(axis=0), pose.joints.shape)
    else:
        guess = run.poses[-1] + np.median((pose.joints - run.poses[-1])[seen], axis=0)
    joints = np.where(seen[:, None], pose.joints, guess)
    return replace(_append_frame(run, frame, time_s, joints, seen, keep), last_seen_s=time_s)


def _append_held(run: Run, frame: int, time_s: Fraction, keep: int) -> Run:
    return _append_frame(run, frame, time_s, run.poses[-1], np.zeros(len(JOINTS), bool), keep)


def _append_frame(run: Run, frame: int, time_s: Fraction, joints: np.ndarray, seen: np.ndarray, keep: int) -> Run:
    return Run(
        run.length + 1,
        run.last_seen_s,
        np.append(run.frame, np.int32(frame))[-keep:],
        np.append(run.time_s, float(time_s))[-keep:],
        np.concatenate([run.poses, joints[None]])[-keep:],
        np.concatenate([run.seen, seen[None]])[-keep:],
    )
