"""Several people: boxes start tracks, and the landmark network follows each of them from frame to frame.

The network is run on one region per person, and its own auxiliary points say where to look in the next frame. So most
frames cost one run per person and no detection, which is needed now and then for newcomers, and when somebody is lost.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vigil.features.blazepose import WIDER, Networks, Sight
from vigil.features.skeleton import HEAD, HIPS, SHOULDERS, plausible, similarity
from vigil.features.tracks import (
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

Finder = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 RGB -> (N, 5) regions and scores, see blazepose.py

HERE = 0.35  # body lengths: what is found so close to somebody in view is that person
JUMP = 0.45  # body lengths from where somebody was expected: nobody moves so from frame to frame
GROWTH = 1.6  # times larger or smaller: nobody grows so from frame to frame
ODD = 3.0  # times larger or smaller than the others in the picture: no person
LYING = (np.pi / 2, -np.pi / 2)  # radians
CLEAR = 0.6  # mean visibility
STEADY = 0.6  # likeness of two looks at one body; on furniture the second sees something else


def update(
    state: State, image: np.ndarray, time_s: float, networks: Networks, find: Finder, settings: Settings
) -> tuple[State, tuple[Person, ...]]:
    """The people in the next frame, `image` (H, W, 3) uint8 RGB."""
    state, known = remembered(state, image, time_s, settings)
    last_s = max((track.seen_s for track in known), default=0.0)
    before, after = [], []
    for track in known:
        if track.seen_s == last_s and (now := _follow(track, image, time_s, networks, settings)):
            before.append(track)
            after.append(now)
    keep = without_twins(after, before, time_s, settings.alike)
    here = [track for track, kept in zip(after, keep, strict=True) if kept]
    away = [track for track in known if all(track.person != other.person for other in here)]
    state = replace(state, since=None if state.since is None else state.since + 1)
    lost_now = any(track.seen_s == last_s for track in away)
    if state.since is None or state.since >= settings.every or lost_now:
        here, away, next_person = _detect(here, away, state.next_person, image, time_s, networks, find, settings)
        state = replace(state, since=0, next_person=next_person)
    return replace(state, tracks=(*here, *away)), people(here)


def _follow(track: Track, image: np.ndarray, time_s: float, networks: Networks, settings: Settings) -> Track | None:
    """The track as it is now, None when it is lost."""
    expected = track.at(time_s)
    sight = networks.look(image, expected)
    now = _pose(sight, image, settings.presence, settings.visibility)
    if now is None or not _near(expected, sight.region):
        return None
    return track.seen(sight.region, now, sight.presence, time_s)


def _near(expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether a body can have come from one region to the other between two frames."""
    growth = max(expected[2], found[2]) / max(min(expected[2], found[2]), 1e-9)
    away = float(np.hypot(*(expected[:2] - found[:2])))
    return growth <= GROWTH and away <= JUMP * float(expected[2])


def _pose(sight: Sight, image: np.ndarray, presence: float, visibility: float) -> np.ndarray | None:
    """(13, 3) with only the joints that are seen and in the picture; None when there is no such body."""
    if sight.presence < presence or not np.isfinite(sight.region).all():
        return None
    pose = visible(sight.joints, image.shape, visibility)
    return pose if plausible(pose, float(sight.region[2]) / WIDER) else None


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
    here: list[Track],
    away: list[Track],
    next_person: int,
    image: np.ndarray,
    time_s: float,
    networks: Networks,
    find: Finder,
    settings: Settings,
) -> tuple[list[Track], list[Track], int]:
    """Those in view, those out of sight and the next number after a detection."""
    found = find(image)
    pairs = assign(costs([track.region for track in here], list(found), distance), HERE)
    doubted = set(range(len(here))) - {row for row, _ in pairs}
    here = [replace(track, doubts=track.doubts + 1 if number in doubted else 0) for number, track in enumerate(here)]
    if settings.doubts is not None:
        here = [track for track in here if track.doubts < settings.doubts]
    taken = {column for _, column in pairs}
    fresh = [region for number, region in enumerate(found) if number not in taken]
    fresh.sort(key=lambda region: -region[2])  # the nearest are the largest, and come first
    sights: list[tuple[np.ndarray, np.ndarray, float]] = []
    for region in fresh:
        if len(here) + len(sights) >= settings.max_people:
            break
        others = [(track.pose, track.size) for track in here] + [(pose, reg[2] / WIDER) for reg, pose, _ in sights]
        if sight := _look_twice(region, others, image, networks, settings):
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


def _look_twice(
    region: np.ndarray,
    others: list[tuple[np.ndarray, float]],
    image: np.ndarray,
    networks: Networks,
    settings: Settings,
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Region, pose and presence of somebody new; None when there is nobody, or one of the others."""
    first = networks.look(image, region[:4])
    if first.presence < settings.presence:  # somebody who lies?
        turned = [networks.look(image, region[:4] + (0, 0, 0, turn)) for turn in LYING]
        first = max(turned, key=lambda sight: sight.presence)
    if first.presence < settings.presence or not np.isfinite(first.region).all():
        return None
    second = networks.look(image, first.region)
    for sight, other in ((second, first), (first, second)):
        pose = _pose(sight, image, settings.start_presence, settings.visibility)
        if pose is None or not _near(region, sight.region) or _vague(pose):
            continue
        size = float(sight.region[2]) / WIDER
        if similarity(sight.joints, other.joints, size) < STEADY or distance(sight.region, other.region) > HERE:
            return None
        if any(similarity(pose, known, min(size, length)) > settings.alike for known, length in others):
            continue
        typical = float(np.median([length for _, length in others])) if others else size
        if not typical / ODD <= size <= typical * ODD:
            return None
        return sight.region, pose, sight.presence
    return None
