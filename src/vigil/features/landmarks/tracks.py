"""Who is who from frame to frame: tracks, where they are expected, and which finding belongs to which of them.

The usual scheme (SORT, ByteTrack, OC-SORT): constant velocity, one-to-one assignment of least cost, the tracks in view
first and then those that were lost a moment ago. Nothing looks ahead, and nobody is remembered across a pause in the
recording; numbers of persons go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np
from pydantic import Field
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from vigil.core import clock
from vigil.core.clock import Pace, update_pace
from vigil.core.params import Frozen
from vigil.features.landmarks.blazepose import WIDER
from vigil.features.landmarks.moved import RecentMotion
from vigil.features.landmarks.skeleton import coverage, is_same_body

INERTIA = 0.5  # share of the velocity that is kept when a new one is measured
TOP_SPEED = 4.0  # body lengths per second: nobody runs faster
COST_OF_SIZE = 0.5  # of a size that is e times another, in body lengths of distance
STEP = 0.6  # body lengths from where somebody was expected to where the same person is found
AGAIN = 0.6  # the same for somebody out of sight, and as much again for each second of absence
ROUNDING_S = 1e-6

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Person:
    """Somebody in one frame."""

    person: int  # the same number as long as it is the same person
    pose: np.ndarray  # (13, 3) see skeleton.py, px of the frame
    score: float  # 0..1: that there is a body there

    @property
    def coverage(self) -> float:
        """Share of the 13 joints that are seen."""
        return coverage(self.pose)


@dataclass(frozen=True)
class Track:
    """What is remembered of somebody."""

    person: int
    region: np.ndarray  # (4,) see blazepose.py; where it was at `seen_s`
    velocity: np.ndarray  # (2,) px per second
    pose: np.ndarray
    score: float
    seen_s: float

    @property
    def size(self) -> float:
        """Length of the body, px."""
        return float(self.region[2]) / WIDER

    def expected_region(self, time_s: float) -> np.ndarray:
        """Returns the region (4,) in which the person is expected."""
        return self.region + (*(self.velocity * (time_s - self.seen_s)), 0.0, 0.0)

    def with_sighting(self, region: np.ndarray, pose: np.ndarray, score: float, time_s: float) -> Self:
        """Returns the track after its person was seen again."""
        passed = time_s - self.seen_s
        velocity = self.velocity
        if passed > 0:
            now = (region[:2] - self.region[:2]) / passed
            velocity = INERTIA * velocity + (1 - INERTIA) * now
            speed, limit = float(np.hypot(*velocity)), TOP_SPEED * self.size
            velocity = velocity * min(1.0, limit / max(speed, 1e-9))
        return replace(self, region=region, velocity=velocity, pose=pose, score=score, seen_s=time_s)


@dataclass(frozen=True)
class State:
    """What is known after a frame."""

    tracks: tuple[Track, ...] = ()
    next_person: int = 0
    detected_s: float | None = None  # when people were detected last
    shape: tuple[int, ...] = ()
    moved: RecentMotion | None = None  # where something moves
    pace: Pace = clock.START

    def is_detection_due(self, time_s: float, every_s: float) -> bool:
        return is_look_due(self.pace, self.detected_s, time_s, every_s)


START = State()


def is_look_due(pace: Pace, looked_s: float | None, time_s: float, every_s: float) -> bool:
    """Whether to look in the frame at `time_s`, when no later frame is nearer to `every_s` after the last look."""
    half_step = (pace.usual_s or 0.0) / 2
    return looked_s is None or time_s - looked_s + half_step >= every_s - ROUNDING_S


class Settings(Frozen):
    """How people are told apart and followed."""

    every_s: Annotated[float, Field(gt=0)]  # s from one detection to the next, rounded to frames
    max_people: Annotated[int, Field(ge=1)]  # at once; the nearest to the camera come first
    sure: Share  # of a box, below which somebody new must move
    presence: Share  # certainty of the network that there is a body, below which somebody is lost
    start_presence: Share  # the same for somebody new
    visibility: Share  # of a joint, below which it has no place
    alike: Share  # similarity of two poses, above which they are one person
    occlusion_s: Annotated[float, Field(gt=0)]  # out of sight for longer: comes back as somebody else


def recall_tracks(state: State, image: np.ndarray, time_s: float, settings: Settings) -> tuple[State, list[Track]]:
    """Returns the state for a new frame and the tracks that may be in it.

    There are none after a pause in the recording, and when the picture has another size.
    """
    pace, paused = update_pace(state.pace, time_s)
    recent = [track for track in state.tracks if time_s - track.seen_s <= settings.occlusion_s]
    if paused or image.shape != state.shape:
        state, recent = replace(state, detected_s=None, shape=image.shape, moved=None), []
    return replace(state, tracks=tuple(recent), pace=pace), recent


def people_of_tracks(tracks: Sequence[Track]) -> tuple[Person, ...]:
    """Returns the people of these tracks, by number."""
    ordered = sorted(tracks, key=lambda track: track.person)
    return tuple(Person(track.person, track.pose, track.score) for track in ordered)


def follow_bodies(
    state: State, bodies: Sequence[tuple[np.ndarray, np.ndarray, float]], time_s: float
) -> tuple[State, tuple[Person, ...]]:
    """Tell who is who among (region, pose, score) found anew in a frame, after `recall_tracks`."""
    last_s = max((track.seen_s for track in state.tracks), default=0.0)
    before = [track for track in state.tracks if track.seen_s == last_s]
    out_of_sight = [track for track in state.tracks if track.seen_s != last_s]
    table = cost_table(
        [track.expected_region(time_s) for track in before], [region for region, _, _ in bodies], region_distance
    )
    pairs = {column: before[row] for row, column in assign_pairs(table, STEP)}
    out_of_sight += [track for track in before if all(track is not other for other in pairs.values())]
    unmatched = [number for number in range(len(bodies)) if number not in pairs]
    reappeared = match_returned(out_of_sight, [bodies[number][0] for number in unmatched], time_s)
    pairs |= {unmatched[column]: out_of_sight[row] for column, row in reappeared.items()}
    in_view, next_person = [], state.next_person
    for number, (region, pose, score) in enumerate(bodies):
        if number in pairs:
            in_view.append(pairs[number].with_sighting(region, pose, score, time_s))
        else:
            in_view.append(begin_track(next_person, region, pose, score, time_s))
            next_person += 1
    out_of_sight = [track for number, track in enumerate(out_of_sight) if number not in reappeared.values()]
    return replace(state, tracks=(*in_view, *out_of_sight), next_person=next_person), people_of_tracks(in_view)


def match_returned(out_of_sight: Sequence[Track], regions: Sequence[np.ndarray], time_s: float) -> dict[int, int]:
    """Matches regions with the tracks that were out of sight, as {region: track}."""
    reach = np.array([AGAIN * (1 + time_s - track.seen_s) for track in out_of_sight]).reshape(-1, 1)
    table = cost_table([track.expected_region(time_s) for track in out_of_sight], regions, region_distance)
    return {column: row for row, column in assign_pairs(table / reach, 1.0)} if table.size else {}


def begin_track(person: int, region: np.ndarray, pose: np.ndarray, score: float, time_s: float) -> Track:
    return Track(person, region, np.zeros(2), pose, score, time_s)


def region_distance(region: np.ndarray, other: np.ndarray) -> float:
    """Returns how far apart and how unlike in size two regions are, in body lengths of the smaller."""
    small, large = sorted((float(region[2]), float(other[2])))
    distance = float(np.hypot(*(region[:2] - other[:2])))
    return distance * WIDER / max(small, 1e-9) + COST_OF_SIZE * float(np.log(max(large, 1e-9) / max(small, 1e-9)))


def assign_pairs(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Returns the pairs (row, column) of least total cost, none of which costs more than `limit`."""
    if not costs.size:
        return []
    capped = np.minimum(costs, 10 * limit)  # one hopeless pair must not decide over the others
    rows, columns = linear_sum_assignment(capped)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if costs[row, column] <= limit]


def cost_table(
    rows: Sequence[np.ndarray], columns: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """Returns the table (rows, columns) of what `measure` says of each pair."""
    table = [[measure(row, column) for column in columns] for row in rows]
    return np.array(table, np.float64).reshape(len(rows), len(columns))


def mark_without_twins(tracks: Sequence[Track], before: Sequence[Track], time_s: float, alike: float) -> list[bool]:
    """Marks the tracks to keep when several have come to show one body: the one that was expected there stays.

    `before` holds the same tracks as they were.
    """
    surprise = [
        region_distance(old.expected_region(time_s), new.region) for old, new in zip(before, tracks, strict=True)
    ]
    keep = [True] * len(tracks)
    for first in range(len(tracks)):
        for second in range(first + 1, len(tracks)):
            a, b = tracks[first], tracks[second]
            if keep[first] and keep[second] and is_same_body(a.pose, b.pose, a.size, b.size, alike):
                keep[second if surprise[first] <= surprise[second] else first] = False
    return keep
