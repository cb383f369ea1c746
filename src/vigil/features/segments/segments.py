"""What one person did in some seconds, at T evenly spaced ticks: the unit that the pose models judge.

The ticks are those of a clock of its own, T / `span_s` a second, so that segments are alike whatever the camera's
rate. When a frame arrives, the ticks since the frame before are fed: at each, a joint lies on the straight way from
where it was last seen to where it is now. Nothing is looked up in later frames, so that a live source makes the same
segments.

A run is what is known of one track without a break. A person who is not found holds the last pose, with the mask down,
for at most `gap_s`; after that, and at a pause in the recording, the run is over and the next sighting begins another.
What is left of a run when it ends is dropped.

A joint that is not known goes along with the joints that are; one that was never known lies in the middle of them.

Of the others in the picture a segment knows how far away the nearest is, and how fast the two close in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from vigil.core import clock
from vigil.core.clock import Pace, exact_fraction, reached_tick, update_pace
from vigil.core.params import Frozen
from vigil.features.landmarks.pose_table import JOINTS, Pose

HIPS = [JOINTS.index("HIP_LEFT"), JOINTS.index("HIP_RIGHT")]
NOBODY = (np.inf, 0.0)  # how far away the nearest other person is, and how fast the two close in


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
    near: np.ndarray  # (T, 2) float32: px to the nearest other person, from hips to hips, and px a second that the two
    # close in by; inf and 0 where there is nobody else


@dataclass(frozen=True, eq=False)
class Sight:
    """Where each joint was last seen, and when."""

    joints: np.ndarray  # (13, 2) px
    time_s: np.ndarray  # (13,); NaN: never


@dataclass(frozen=True, eq=False)
class Run:
    """The newest pose of a track, and its newest T ticks, oldest first, as the rows of a segment."""

    last_seen_s: Fraction  # when the person was last found
    joints: np.ndarray  # (13, 2) px, at the newest frame
    in_newest_frame: bool  # or the pose before is held
    sight: Sight
    length: int = 0  # ticks since the run began
    frame: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    time_s: np.ndarray = field(default_factory=lambda: np.empty(0))
    poses: np.ndarray = field(default_factory=lambda: np.empty((0, len(JOINTS), 2)))
    seen: np.ndarray = field(default_factory=lambda: np.empty((0, len(JOINTS)), bool))
    near: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))


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
    pose_of_person = {pose.person: pose for pose in people if np.isfinite(pose.joints).all(axis=1).any()}
    gap_s = exact_fraction(settings.gap_s)
    runs: dict[int, Run] = {}
    ways: dict[int, _Way] = {}
    for person in sorted(runs_before.keys() | pose_of_person.keys()):
        run, pose = runs_before.get(person), pose_of_person.get(person)
        missed = pose is None or (run is not None and not run.in_newest_frame)
        if run is not None and missed and time_s - run.last_seen_s > gap_s:
            run = None
        if run is None and pose is None:
            continue
        runs[person], ways[person] = _follow(run, pose, before_s, time_s)
    complete: list[Segment] = []
    for tick_s in _ticks_since(before_s, time_s, settings.rate):
        fed = {
            person: _append_tick(runs[person], frame, tick_s, way, settings.frames)
            for person, way in ways.items()
            if tick_s >= way.begins_s
        }
        runs |= _append_nearest(fed, settings.frames)
        complete += [_make_segment(person, runs[person]) for person in fed if _is_due(runs[person], settings)]
    complete.sort(key=lambda segment: segment.person)
    return State(pace, time_s, runs), complete


def _ticks_since(before_s: Fraction | None, time_s: Fraction, rate: Fraction) -> list[Fraction]:
    """Returns the times of the ticks that a frame at `time_s` feeds.

    The first frame of a piece, before which there is none, feeds one.
    """
    newest = reached_tick(time_s, rate)
    oldest = newest if before_s is None else reached_tick(before_s, rate) + 1
    return [tick / rate for tick in range(oldest, newest + 1)]


@dataclass(frozen=True, eq=False)
class _Way:
    """What happens to the joints of one person until a frame."""

    begins_s: Fraction  # of the first tick to be fed
    start: np.ndarray  # (13, 2) px
    start_s: np.ndarray  # (13,), when each joint is there
    end: np.ndarray  # (13, 2) px, at `end_s`
    end_s: Fraction
    seen: np.ndarray  # (13,) bool, at the end

    def at(self, time_s: Fraction) -> np.ndarray:
        """Returns (13, 2) px at a time on the way."""
        if time_s >= self.end_s:
            return self.end
        share = (float(time_s) - self.start_s) / np.maximum(float(self.end_s) - self.start_s, 1e-9)
        return self.start + np.clip(share, 0.0, 1.0)[:, None] * (self.end - self.start)


def _follow(run: Run | None, pose: Pose | None, before_s: Fraction | None, time_s: Fraction) -> tuple[Run, _Way]:
    """Returns the run after a frame more, before its ticks are fed, and the way of the joints since.

    A run begins at the first tick that has a pose before it or on it.
    """
    if run is None:
        assert pose is not None
        seen = np.isfinite(pose.joints).all(axis=1)
        joints = np.where(seen[:, None], pose.joints, pose.joints[seen].mean(axis=0))
        sight = Sight(joints, np.where(seen, float(time_s), np.nan))
        way = _Way(time_s - clock.SLACK_S, joints, np.full(len(JOINTS), float(time_s)), joints, time_s, seen)
        return Run(time_s, joints, True, sight), way
    assert before_s is not None
    seen, joints, last_seen_s = np.zeros(len(JOINTS), bool), run.joints, run.last_seen_s
    if pose is not None:
        seen, last_seen_s = np.isfinite(pose.joints).all(axis=1), time_s
        joints = _fill_joints(pose.joints, seen, run)
    from_sight = seen & np.isfinite(run.sight.time_s)
    way = _Way(
        before_s,
        np.where(from_sight[:, None], run.sight.joints, run.joints),
        np.where(from_sight, run.sight.time_s, float(before_s)),
        joints,
        time_s,
        seen,
    )
    sight = Sight(np.where(seen[:, None], joints, run.sight.joints), np.where(seen, float(time_s), run.sight.time_s))
    return replace(run, last_seen_s=last_seen_s, joints=joints, in_newest_frame=pose is not None, sight=sight), way


def _fill_joints(joints: np.ndarray, seen: np.ndarray, run: Run) -> np.ndarray:
    """Returns (13, 2) with a place for the joints that are not `seen` (13,)."""
    guess = run.joints + np.median((joints - run.joints)[seen], axis=0)
    return np.where(seen[:, None], joints, guess)


def _append_tick(run: Run, frame: int, time_s: Fraction, way: _Way, keep: int) -> Run:
    return replace(
        run,
        length=run.length + 1,
        frame=np.append(run.frame, np.int32(frame))[-keep:],
        time_s=np.append(run.time_s, float(time_s))[-keep:],
        poses=np.concatenate([run.poses, way.at(time_s)[None]])[-keep:],
        seen=np.concatenate([run.seen, way.seen[None]])[-keep:],
    )


def _append_nearest(runs: Mapping[int, Run], keep: int) -> dict[int, Run]:
    """Returns the runs, all at the same tick, with what each knows of the nearest of the others."""
    middles = np.array([run.poses[-1, HIPS].mean(axis=0) for run in runs.values()]).reshape(-1, 2)
    velocities = np.array([_middle_velocity(run) for run in runs.values()]).reshape(-1, 2)
    extended = {}
    for number, (person, run) in enumerate(runs.items()):
        near = NOBODY
        if len(runs) > 1:
            away = middles - middles[number]
            distances = np.hypot(*away.T)
            distances[number] = np.inf
            other = int(distances.argmin())
            direction = away[other] / max(float(distances[other]), 1e-6)
            near = float(distances[other]), float((velocities[number] - velocities[other]) @ direction)
        extended[person] = replace(run, near=np.concatenate([run.near, [near]])[-keep:])
    return extended


def _middle_velocity(run: Run) -> np.ndarray:
    """Returns (2,) px a second of the middle of the hips at the newest tick, since the person was found before."""
    sighted = np.flatnonzero(run.seen.any(axis=1))
    if len(sighted) < 2 or sighted[-1] != len(run.seen) - 1:
        return np.zeros(2)
    middles = run.poses[sighted[-2:], :][:, HIPS].mean(axis=1)
    return (middles[1] - middles[0]) / max(float(np.diff(run.time_s[sighted[-2:]])[0]), 1e-6)


def _is_due(run: Run, settings: Settings) -> bool:
    """Whether a segment ends with the newest tick."""
    return run.length >= settings.frames and (run.length - settings.frames) % settings.stride == 0


def _make_segment(person: int, run: Run) -> Segment:
    return Segment(
        person,
        run.frame,
        run.time_s,
        run.poses.astype(np.float32),
        run.seen,
        np.asarray(run.seen.any(axis=1)),
        run.near.astype(np.float32),
    )
