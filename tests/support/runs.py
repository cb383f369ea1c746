"""People who are followed from frame to frame, and the segments that come of it."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from vigil.features.landmarks.pose_table import Pose
from vigil.features.segments.segments import START, Segment, Settings, update

FPS = 8
FOUR = Settings(span_s=0.5, frames=4, stride_s=0.25, gap_s=0.25, normalise="minmax")  # a clock of 8 a second
TWO_SECONDS = Settings(span_s=2.0, frames=16, stride_s=0.5, gap_s=0.5, normalise="both")
SIZE = np.array([[640, 480]])


def pose(frame: int, person: int = 0, joints: np.ndarray | None = None) -> Pose:
    """Joint k of frame f is at (100 k + f, 100 k + f) where nothing else is said."""
    if joints is None:
        joints = np.arange(13.0)[:, None] * 100 + [frame, frame]
    return Pose(frame, Fraction(frame, FPS), person, 1.0, 1.0, np.asarray(joints, float), np.ones(13))


def fold(frames: int, people: list[Pose], settings: Settings = FOUR) -> list[Segment]:
    state, complete_segments = START, []
    for frame in range(frames):
        people_in_frame = [row for row in people if row.frame == frame]
        state, complete = update(state, frame, Fraction(frame, FPS), people_in_frame, settings)
        complete_segments += complete
    return complete_segments


def fold_times(times: Sequence[Fraction], joints: Sequence[np.ndarray], settings: Settings) -> list[Segment]:
    """One person, at times of any kind."""
    state, complete_segments = START, []
    for frame, (time_s, joints_now) in enumerate(zip(times, joints, strict=True)):
        state, complete = update(state, frame, time_s, [pose(frame, joints=joints_now)], settings)
        complete_segments += complete
    return complete_segments


def arrays_of(segments: Sequence[Segment], larger: int = 1) -> dict[str, np.ndarray]:
    """As stage `segments` stores them, of a picture of SIZE or `larger`."""
    names = ("poses", "seen", "near", "time_s")
    arrays = {name: np.array([getattr(segment, name) for segment in segments]) for name in names}
    return arrays | {"source_size": np.repeat(SIZE * larger, len(segments), axis=0)}


def walk(frames: range, person: int = 0) -> list[Pose]:
    return [pose(frame, person) for frame in frames]


def standing(height: float, at: tuple[float, float] = (300.0, 100.0), lean: float = 0.0) -> np.ndarray:
    """(13, 2): somebody upright, feet below; `lean` is how far the head is to the right."""
    down = np.array([0.2, 0.35, 0.5, 0.2, 0.35, 0.5, 0.5, 0.75, 1.0, 0.5, 0.75, 1.0, 0.0])
    side = np.array([0.1, 0.12, 0.12, -0.1, -0.12, -0.12, 0.06, 0.06, 0.06, -0.06, -0.06, -0.06, 0.0])
    return np.stack([side * height + at[0] + lean * (1 - down), down * height + at[1]], axis=1)
