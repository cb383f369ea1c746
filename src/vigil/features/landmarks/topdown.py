"""Several people: boxes start tracks, and the landmark network follows each of them from frame to frame.

The network is run on one region per person, and its own auxiliary points say where to look in the next frame. So most
frames cost one run per person and no detection, which is needed now and then for newcomers, when somebody is lost, and
to keep those who are followed apart: whoever is detected is looked for in the box, and nothing beyond it is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vigil.features.landmarks.blazepose import WIDER, Networks, Sight
from vigil.features.landmarks.moved import Moved
from vigil.features.landmarks.moved import update as move
from vigil.features.landmarks.skeleton import HEAD, HIPS, SHOULDERS, plausible, share_inside, similarity, twins
from vigil.features.landmarks.tracks import (
    Person,
    Settings,
    State,
    Track,
    assign,
    begin,
    costs,
    distance,
    people,
    remembered,
    returned,
    without_twins,
)

HERE = 0.35  # body lengths: what is found so close to somebody in view is that person
JUMP = 0.45  # body lengths from where somebody was expected: nobody moves so from frame to frame
GROWTH = 1.6  # times larger or smaller: nobody grows so from frame to frame
ODD = 3.0  # times larger or smaller than the others in the picture: no person
WIDE = 0.8  # width of a box in heights, from which somebody may lie in it
LYING = (np.pi / 2, -np.pi / 2)  # radians
TURNED = 2.1  # radians from upright: nobody stands on the head
LEANING = 1.0  # the same for a place without a box: furniture looks like people who lie
CLEAR = 0.6  # mean visibility
STEADY = 0.6  # likeness of two looks at one body; on furniture the second sees something else
MARGIN = 0.12  # of a box's sides, beyond it: boxes are loose
MOVES = 0.1  # of the box of somebody new has changed a moment ago, at least
INSIDE = 0.75  # of the joints: a pose with fewer in the box is of somebody else too


@dataclass(frozen=True)
class Place:
    """Where somebody may be."""

    region: np.ndarray  # (4,) see blazepose.py
    score: float  # 0..1
    box: np.ndarray | None = None  # (4,) x0 y0 x1 y1, px; not every detector tells

    @property
    def window(self) -> np.ndarray | None:
        """(4,) the box with a margin."""
        if self.box is None:
            return None
        margin = MARGIN * (self.box[2:] - self.box[:2])
        return np.concatenate([self.box[:2] - margin, self.box[2:] + margin])

    @property
    def wide(self) -> bool:
        return self.box is not None and bool(self.box[2] - self.box[0] > WIDE * (self.box[3] - self.box[1]))


Finder = Callable[[np.ndarray], list[Place]]  # (H, W, 3) uint8 RGB


@dataclass(frozen=True)
class Look:
    """What it takes to see somebody in a frame."""

    image: np.ndarray
    moved: Moved
    networks: Networks
    settings: Settings

    def at(self, region: np.ndarray, window: np.ndarray | None = None) -> Sight:
        return self.networks.look(self.image, region, window)

    def pose(self, sight: Sight, presence: float, window: np.ndarray | None = None) -> np.ndarray | None:
        """(13, 3) with only the joints that are seen and in the picture; None when there is no such body."""
        if sight.presence < presence or not np.isfinite(sight.region).all():
            return None
        pose = visible(sight.joints, self.image.shape, self.settings.visibility)
        if window is not None and share_inside(pose, window) < INSIDE:
            return None
        return pose if plausible(pose, float(sight.region[2]) / WIDER) else None


def update(
    state: State, image: np.ndarray, time_s: float, networks: Networks, find: Finder, settings: Settings
) -> tuple[State, tuple[Person, ...]]:
    """The people in the next frame, `image` (H, W, 3) uint8 RGB."""
    state, known = remembered(state, image, time_s, settings)
    moved = move(state.moved, image, time_s)
    state, look = replace(state, moved=moved), Look(image, moved, networks, settings)
    last_s = max((track.seen_s for track in known), default=0.0)
    before = [track for track in known if track.seen_s == last_s]
    due = state.since is None or state.since + 1 >= settings.every
    found = find(image) if due else []
    pairs = dict(_pairs([track.at(time_s) for track in before], found))
    after = [_follow(track, found[pairs[n]] if n in pairs else None, time_s, look) for n, track in enumerate(before)]
    seen = [(old, new) for old, new in zip(before, after, strict=True) if new is not None]
    keep = without_twins([new for _, new in seen], [old for old, _ in seen], time_s, settings.alike)
    here = [new for (_, new), kept in zip(seen, keep, strict=True) if kept]
    away = [track for track in known if all(track.person != other.person for other in here)]
    if not due and len(here) < len(before):
        due, found = True, find(image)
    if not due:
        return replace(state, tracks=(*here, *away), since=(state.since or 0) + 1), people(here)
    here, away, next_person = _detect(here, away, state.next_person, found, time_s, look)
    return replace(state, tracks=(*here, *away), since=0, next_person=next_person), people(here)


def _pairs(regions: Sequence[np.ndarray], found: Sequence[Place]) -> list[tuple[int, int]]:
    return assign(costs(regions, [place.region for place in found], distance), HERE)


def _follow(track: Track, place: Place | None, time_s: float, look: Look) -> Track | None:
    """The track as it is now, None when it is lost."""
    expected = track.at(time_s)
    regions: list[tuple[np.ndarray, np.ndarray | None]] = [(expected, None)]
    if place is not None and place.box is not None:
        boxed = np.array([*place.region[:3], expected[3] if place.wide else 0.0])
        regions = [(expected, place.window), (boxed, place.window), *regions]
    for region, window in regions:
        sight = look.at(region, window)
        pose = look.pose(sight, look.settings.presence, window)
        if pose is not None and _near(expected, sight.region):
            return track.seen(sight.region, pose, sight.presence, time_s)
    return None


def _near(expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether a body can have come from one region to the other between two frames."""
    growth = max(expected[2], found[2]) / max(min(expected[2], found[2]), 1e-9)
    away = float(np.hypot(*(expected[:2] - found[:2])))
    return growth <= GROWTH and away <= JUMP * float(expected[2])


def _vague(pose: np.ndarray) -> bool:
    """Whether the trunk and the head are guessed rather than seen: too little to begin with."""
    return float(pose[[*SHOULDERS, *HIPS, HEAD], 2].mean()) < CLEAR


def visible(joints: np.ndarray, shape: tuple[int, ...], visibility: float) -> np.ndarray:
    """(13, 3) with a place only for joints that are seen, and in a picture of `shape`."""
    pose = joints.copy()
    x, y = pose[:, 0], pose[:, 1]
    there = (pose[:, 2] >= visibility) & (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
    pose[~there, :2] = np.nan
    return pose


def _detect(
    here: list[Track], away: list[Track], next_person: int, found: Sequence[Place], time_s: float, look: Look
) -> tuple[list[Track], list[Track], int]:
    """Those in view, those out of sight and the next number after a detection."""
    settings = look.settings
    pairs = _pairs([track.region for track in here], found)
    taken = {column for _, column in pairs}
    free = [place for number, place in enumerate(found) if number not in taken]
    fresh = [place for place in free if _likely(place, look) or returned(away, [place.region], time_s)]
    fresh.sort(key=lambda place: -place.region[2])  # the nearest are the largest, and come first
    sights: list[tuple[np.ndarray, np.ndarray, float]] = []
    for place in fresh:
        if len(here) + len(sights) >= settings.max_people:
            break
        others = [(track.pose, track.size) for track in here] + [(pose, reg[2] / WIDER) for reg, pose, _ in sights]
        if sight := _look_twice(place, others, look):
            sights.append(sight)
    regions = [region for region, _, _ in sights]
    back = returned(away, regions, time_s)
    for number, (region, pose, presence) in enumerate(sights):
        if number in back:
            here.append(away[back[number]].seen(region, pose, presence, time_s))
        else:
            here.append(begin(next_person, region, pose, presence, time_s))
            next_person += 1
    return here, [track for number, track in enumerate(away) if number not in back.values()], next_person


def _likely(place: Place, look: Look) -> bool:
    """Whether it is worth a look: furniture may get a box, but not often a sure one, and it does not move."""
    return place.box is None or place.score >= look.settings.sure or look.moved.share(place.box) >= MOVES


def _look_twice(
    place: Place, others: list[tuple[np.ndarray, float]], look: Look
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Region, pose and presence of somebody new; None when there is nobody, or one of the others."""
    settings, window = look.settings, place.window
    first = look.at(place.region, window)
    if place.wide:  # somebody who lies?
        turned = [look.at(place.region + (0, 0, 0, turn), window) for turn in LYING]
        first = max([first, *turned], key=lambda sight: sight.presence)
    if first.presence < settings.presence or not np.isfinite(first.region).all():
        return None
    second = look.at(first.region, window)
    upright = LEANING if window is None else TURNED
    for sight, other in ((second, first), (first, second)):
        pose = look.pose(sight, settings.start_presence, window)
        if pose is None or not _near(place.region, sight.region) or _vague(pose) or abs(sight.region[3]) > upright:
            continue
        size = float(sight.region[2]) / WIDER
        if similarity(sight.joints, other.joints, size) < STEADY or distance(sight.region, other.region) > HERE:
            return None
        if any(twins(pose, known, size, length, settings.alike) for known, length in others):
            continue
        typical = float(np.median([length for _, length in others])) if others else size
        if not typical / ODD <= size <= typical * ODD:
            return None
        return sight.region, pose, sight.presence
    return None
