"""Who is who from frame to frame: tracks, where they are expected, and which finding belongs to which of them.

The usual scheme (SORT, ByteTrack, OC-SORT): constant velocity, one-to-one assignment of least cost, the tracks in view
first and then those that were lost a moment ago. Nothing looks ahead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from vigil.core.params import Frozen
from vigil.features.landmarks.blazepose import WIDER
from vigil.features.landmarks.moved import Moved
from vigil.features.landmarks.skeleton import coverage, twins

INERTIA = 0.5  # share of the velocity that is kept when a new one is measured
TOP_SPEED = 4.0  # body lengths per second: nobody runs faster
COST_OF_SIZE = 0.5  # of a size that is e times another, in body lengths of distance
STEP = 0.6  # body lengths from where somebody was expected to where the same person is found
AGAIN = 0.6  # the same for somebody out of sight, and as much again for each second of absence

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
    hits: int = 1  # frames in which it was seen

    @property
    def size(self) -> float:
        """Length of the body, px."""
        return float(self.region[2]) / WIDER

    def at(self, time_s: float) -> np.ndarray:
        """(4,) the region in which it is expected."""
        return self.region + (*(self.velocity * (time_s - self.seen_s)), 0.0, 0.0)

    def expected(self, time_s: float) -> np.ndarray:
        """(13, 3) the pose where it is expected."""
        return self.pose + (*(self.velocity * (time_s - self.seen_s)), 0.0)

    def seen(self, region: np.ndarray, pose: np.ndarray, score: float, time_s: float) -> "Track":
        """After being seen again."""
        passed = time_s - self.seen_s
        velocity = self.velocity
        if passed > 0:
            now = (region[:2] - self.region[:2]) / passed
            velocity = INERTIA * velocity + (1 - INERTIA) * now
            speed, limit = float(np.hypot(*velocity)), TOP_SPEED * self.size
            velocity = velocity * min(1.0, limit / max(speed, 1e-9))
        return replace(
            self, region=region, velocity=velocity, pose=pose, score=score, seen_s=time_s, hits=self.hits + 1
        )


@dataclass(frozen=True)
class State:
    """What is known after a frame."""

    tracks: tuple[Track, ...] = ()
    next_person: int = 0
    since: int | None = None  # frames since the last detection
    shape: tuple[int, ...] = ()
    moved: Moved | None = None  # where something moves
    time_s: float = 0.0


START = State()


class Settings(Frozen):
    """How people are told apart and followed."""

    every: Annotated[int, Field(ge=1)]  # frames from one detection to the next
    max_people: Annotated[int, Field(ge=1)]  # at once; the nearest to the camera come first
    sure: Share  # of a box, below which somebody new must move
    presence: Share  # certainty of the network that there is a body, below which somebody is lost
    start_presence: Share  # the same for somebody new
    visibility: Share  # of a joint, below which it has no place
    alike: Share  # similarity of two poses, above which they are one person
    occlusion_s: Annotated[float, Field(gt=0)]  # out of sight for longer: comes back as somebody else


def remembered(state: State, image: np.ndarray, time_s: float, settings: Settings) -> tuple[State, list[Track]]:
    """The state for a new frame, and those who may be in it: nobody when the picture has another size than before."""
    known = [track for track in state.tracks if time_s - track.seen_s <= settings.occlusion_s]
    if image.shape != state.shape:
        state, known = replace(state, since=None, shape=image.shape), []
    return replace(state, tracks=tuple(known), time_s=time_s), known


def people(tracks: Sequence[Track]) -> tuple[Person, ...]:
    """Those who are seen now, by number."""
    ordered = sorted(tracks, key=lambda track: track.person)
    return tuple(Person(track.person, track.pose, track.score) for track in ordered)


def follow(
    state: State, found: Sequence[tuple[np.ndarray, np.ndarray, float]], time_s: float
) -> tuple[State, tuple[Person, ...]]:
    """Tell who is who among (region, pose, score) found anew in a frame, after `remembered`."""
    last_s = max((track.seen_s for track in state.tracks), default=0.0)
    before = [track for track in state.tracks if track.seen_s == last_s]
    away = [track for track in state.tracks if track.seen_s != last_s]
    table = costs([track.at(time_s) for track in before], [region for region, _, _ in found], distance)
    pairs = {column: before[row] for row, column in assign(table, STEP)}
    away += [track for track in before if all(track is not other for other in pairs.values())]
    left = [number for number in range(len(found)) if number not in pairs]
    back = returned(away, [found[number][0] for number in left], time_s)
    pairs |= {left[column]: away[row] for column, row in back.items()}
    here, next_person = [], state.next_person
    for number, (region, pose, score) in enumerate(found):
        if number in pairs:
            here.append(pairs[number].seen(region, pose, score, time_s))
        else:
            here.append(begin(next_person, region, pose, score, time_s))
            next_person += 1
    away = [track for number, track in enumerate(away) if number not in back.values()]
    return replace(state, tracks=(*here, *away), next_person=next_person), people(here)


def returned(away: Sequence[Track], regions: Sequence[np.ndarray], time_s: float) -> dict[int, int]:
    """Which of `regions` is which of those who were out of sight: {region: track}."""
    reach = np.array([AGAIN * (1 + time_s - track.seen_s) for track in away]).reshape(-1, 1)
    table = costs([track.at(time_s) for track in away], regions, distance)
    return {column: row for row, column in assign(table / reach, 1.0)} if table.size else {}


def begin(person: int, region: np.ndarray, pose: np.ndarray, score: float, time_s: float) -> Track:
    return Track(person, region, np.zeros(2), pose, score, time_s)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of two regions, in body lengths of the smaller: how far their centres are apart, and how unlike their sizes."""
    small, large = sorted((float(one[2]), float(other[2])))
    away = float(np.hypot(*(one[:2] - other[:2])))
    return away * WIDER / max(small, 1e-9) + COST_OF_SIZE * float(np.log(max(large, 1e-9) / max(small, 1e-9)))


def assign(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of least total cost, none of which costs more than `limit`."""
    if not costs.size:
        return []
    capped = np.minimum(costs, 10 * limit)  # one hopeless pair must not decide over the others
    rows, columns = linear_sum_assignment(capped)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if costs[row, column] <= limit]


def costs(
    rows: Sequence[np.ndarray], columns: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """(rows, columns) of `measure`."""
    table = [[measure(row, column) for column in columns] for row in rows]
    return np.array(table, np.float64).reshape(len(rows), len(columns))


def without_twins(tracks: Sequence[Track], before: Sequence[Track], time_s: float, alike: float) -> list[bool]:
    """Which of `tracks` to keep when several have come to show one body: the one that was expected there.

    `before` holds the same tracks as they were.
    """
    surprise = [distance(old.at(time_s), new.region) for old, new in zip(before, tracks, strict=True)]
    keep = [True] * len(tracks)
    for one in range(len(tracks)):
        for other in range(one + 1, len(tracks)):
            a, b = tracks[one], tracks[other]
            if keep[one] and keep[other] and twins(a.pose, b.pose, a.size, b.size, alike):
                keep[other if surprise[one] <= surprise[other] else one] = False
    return keep
