"""What one person did in some seconds, at T evenly spaced ticks: the unit that the pose models judge.

The ticks are those of a clock of its own, T / `span_s` a second, so that segments are alike whatever the camera's
rate. When a frame arrives, the ticks since the frame before are fed: at each, the joints lie on the straight way from
the last pose to this one. Nothing is looked up in later frames, so that a live source makes the same segments.

A run is what is known of one track without a break. A person who is not found holds the last pose, with the mask down,
for at most `gap_s`; after that, and at a pause in the recording, the run is over and the next sighting begins another.
What is left of a run when it ends is dropped.

A joint that is not known goes along with the joints that are; one that was never known lies in the middle of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from vigil.core import clock
from vigil.core.clock import Pace, exact_fraction, reached_tick, update_pace
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

    span_s: Annotated[float, Field(gt=0)]  # s
    frames: Annotated[int, Field(ge=2)]  # T, ticks in a span
    stride_s: Annotated[float, Field(gt=0)]  # s from one segment of a run to the next, rounded to ticks
    gap_s: Annotated[float, Field(ge=0)]  # s; who is lost for longer begins a new run
    normalise: Literal["minmax", "body", "both"]

    @property
    def rate(self) -> Fraction:
        """Ticks a second."""
        return self.frames / exact_fraction(self.span_s)

    @property
    def stride(self) -> int:
        """Ticks from one segment of a run to the next."""
        return max(1, round(exact_fraction(self.stride_s) * self.rate))


@dataclass(frozen=True, eq=False)
class Segment:
    """T ticks of one person."""

    person: int
    frame: np.ndarray  # (T,) int32, number in the video of the frame with which the tick was fed: at the tick or after
    time_s: np.ndarray  # (T,) float64, of the tick
    poses: np.ndarray  # (T, 13, 2) float32 px of the video, every joint known or filled in
    seen: np.ndarray  # (T, 13) bool: the joint was found in `frame`
    mask: np.ndarray  # (T,) bool: the person was found in `frame`; else the last pose is held


@dataclass(frozen=True, eq=False)
class Run:
    """The newest pose of a track, and its newest T ticks, oldest first, as the rows of a segment."""

    length: int  # ticks since the run began
    last_seen_s: Fraction  # when the person was last found
    joints: np.ndarray  # (13, 2) px, at the newest frame
    found: bool  # in the newest frame
    frame: np.ndarray
    time_s: np.ndarray
    poses: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from frame to frame."""

    pace: Pace = clock.START
    time_s: Fraction | None = None  # of the newest frame
    runs: Mapping[int, Run] = field(default_factory=dict)  # by person


START = State()


def update(
    state: State, frame: int, time_s: Fraction, people: Sequence[Pose], settings: Settings
) -> tuple[State, list[Segment]]:
    """Returns the state after one more frame, in which `people` were found, and the segments that it completes."""
    pace, paused = update_pace(state.pace, float(time_s))
    before_s, runs_before = (None, {}) if paused else (state.time_s, state.runs)
    steps = _steps_since(before_s, time_s, settings.rate)
    first_steps = [(tick_s, 1.0) for tick_s, _ in steps if tick_s >= time_s - clock.SLACK_S]
    pose_of_person = {pose.person: pose for pose in people if np.isfinite(pose.joints).all(axis=1).any()}
    gap_s = exact_fraction(settings.gap_s)
    runs: dict[int, Run] = {}
    complete: list[Segment] = []
    for person in sorted(runs_before.keys() | pose_of_person.keys()):
        run, pose = runs_before.get(person), pose_of_person.get(person)
        missed = pose is None or (run is not None and not run.found)
        if run is not None and missed and time_s - run.last_seen_s > gap_s:
            run = None
        if run is None and pose is None:
            continue
        run, run_segments = _extend_run(
            run, person, pose, frame, time_s, first_steps if run is None else steps, settings
        )
        runs[person] = run
        complete += run_segments
    return State(pace, time_s, runs), complete


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


def _steps_since(before_s: Fraction | None, time_s: Fraction, rate: Fraction) -> list[tuple[Fraction, float]]:
    """Returns the ticks that a frame at `time_s` feeds: the time, and the share 0..1 of the way from the last frame.

    The first frame of a piece, before which there is none, feeds one tick at most.
    """
    newest = reached_tick(time_s, rate)
    if before_s is None:
        return [(newest / rate, 1.0)]
    ticks = [tick / rate for tick in range(reached_tick(before_s, rate) + 1, newest + 1)]
    return [(tick_s, min(1.0, float((tick_s - before_s) / (time_s - before_s)))) for tick_s in ticks]


def _extend_run(
    run: Run | None,
    person: int,
    pose: Pose | None,
    frame: int,
    time_s: Fraction,
    steps: Sequence[tuple[Fraction, float]],
    settings: Settings,
) -> tuple[Run, list[Segment]]:
    """Returns the run with a frame more and the segments that it completes.

    `steps` are the ticks to feed, as `_steps_since` returns them. A run begins at the first tick that has a pose before
    it or on it.
    """
    if pose is None:
        assert run is not None
        seen, joints, last_seen_s = np.zeros(len(JOINTS), bool), run.joints, run.last_seen_s
    else:
        seen, last_seen_s = np.isfinite(pose.joints).all(axis=1), time_s
        joints = _fill_joints(pose.joints, seen, run)
    if run is None:
        run = Run(
            0, time_s, joints, True, np.empty(0, np.int32), np.empty(0), np.empty((0, 13, 2)), np.empty((0, 13), bool)
        )
    start, complete = run.joints, []
    run = replace(run, last_seen_s=last_seen_s, joints=joints, found=pose is not None)
    for tick_s, share in steps:
        between = joints if share == 1 else start + share * (joints - start)
        run = _append_tick(run, frame, tick_s, between, seen, settings.frames)
        if run.length >= settings.frames and (run.length - settings.frames) % settings.stride == 0:
            complete.append(_make_segment(person, run))
    return run, complete


def _fill_joints(joints: np.ndarray, seen: np.ndarray, run: Run | None) -> np.ndarray:
    """Returns (13, 2) with a place for the joints that are not `seen` (13,)."""
    if run is None:
        guess = np.broadcast_to(joints[seen].mean(axis=0), joints.shape)
    else:
        guess = run.joints + np.median((joints - run.joints)[seen], axis=0)
    return np.where(seen[:, None], joints, guess)


def _append_tick(run: Run, frame: int, time_s: Fraction, joints: np.ndarray, seen: np.ndarray, keep: int) -> Run:
    return replace(
        run,
        length=run.length + 1,
        frame=np.append(run.frame, np.int32(frame))[-keep:],
        time_s=np.append(run.time_s, float(time_s))[-keep:],
        poses=np.concatenate([run.poses, joints[None]])[-keep:],
        seen=np.concatenate([run.seen, seen[None]])[-keep:],
    )


def _make_segment(person: int, run: Run) -> Segment:
    return Segment(
        person, run.frame, run.time_s, run.poses.astype(np.float32), run.seen, np.asarray(run.seen.any(axis=1))
    )
