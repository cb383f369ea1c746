"""Several people: boxes start tracks, and the landmark network follows each of them from frame to frame.

The network is run on one region per person, and its own auxiliary points say where to look in the next frame. So most
frames cost one run per person and no detection, which is needed now and then for newcomers, when somebody is lost, and
to keep those who are followed apart: whoever is detected is looked for in the box, and nothing beyond it is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vigil.features.landmarks.blazepose import WIDER, BodyEstimate, Networks
from vigil.features.landmarks.moved import RecentMotion
from vigil.features.landmarks.moved import update as update_motion
from vigil.features.landmarks.skeleton import (
    HEAD,
    HIPS,
    SHOULDERS,
    hide_unseen,
    is_inside,
    is_plausible,
    is_same_body,
    similarity,
    with_margin,
)
from vigil.features.landmarks.tracks import (
    Person,
    Settings,
    State,
    Track,
    assign_pairs,
    begin_track,
    cost_table,
    mark_without_twins,
    match_returned,
    people_of_tracks,
    recall_tracks,
    region_distance,
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


@dataclass(frozen=True)
class Candidate:
    """Where a detector says that somebody may be."""

    region: np.ndarray  # (4,) see landmarks/blazepose.py
    score: float  # 0..1
    box: np.ndarray | None = None  # (4,) x0 y0 x1 y1, px; not every detector tells

    @property
    def window(self) -> np.ndarray | None:
        """Returns the box (4,) with a margin, None without a box."""
        return None if self.box is None else with_margin(self.box)

    @property
    def wide(self) -> bool:
        return self.box is not None and bool(self.box[2] - self.box[0] > WIDE * (self.box[3] - self.box[1]))


Finder = Callable[[np.ndarray], list[Candidate]]  # (H, W, 3) uint8 RGB


@dataclass(frozen=True)
class FrameView:
    """A frame, and what it takes to estimate a pose in it."""

    image: np.ndarray
    moved: RecentMotion
    networks: Networks
    settings: Settings

    def estimate(self, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
        return self.networks.estimate(self.image, region, window)

    def pose(self, estimate: BodyEstimate, presence: float, window: np.ndarray | None = None) -> np.ndarray | None:
        """Returns the pose (13, 3) with only the joints that are seen and in the picture; None without such a body."""
        if estimate.presence < presence or not np.isfinite(estimate.region).all():
            return None
        pose = hide_unseen(estimate.joints, self.image.shape, self.settings.visibility)
        if window is not None and not is_inside(pose, window):
            return None
        return pose if is_plausible(pose, float(estimate.region[2]) / WIDER) else None


def update(
    state: State, image: np.ndarray, time_s: float, networks: Networks, find: Finder, settings: Settings
) -> tuple[State, tuple[Person, ...]]:
    """Finds the people in the next frame, `image` (H, W, 3) uint8 RGB."""
    state, recalled = recall_tracks(state, image, time_s, settings)
    moved = update_motion(state.moved, image, time_s)
    state, view = replace(state, moved=moved), FrameView(image, moved, networks, settings)
    last_s = max((track.seen_s for track in recalled), default=0.0)
    before = [track for track in recalled if track.seen_s == last_s]
    due = state.is_detection_due(time_s, settings.every_s)
    candidates = find(image) if due else []
    pairs = dict(_match_candidates([track.expected_region(time_s) for track in before], candidates))
    after = [
        _follow(track, candidates[pairs[n]] if n in pairs else None, time_s, view) for n, track in enumerate(before)
    ]
    seen = [(earlier, new) for earlier, new in zip(before, after, strict=True) if new is not None]
    keep = mark_without_twins([new for _, new in seen], [earlier for earlier, _ in seen], time_s, settings.alike)
    in_view = [new for (_, new), is_kept in zip(seen, keep, strict=True) if is_kept]
    out_of_sight = [track for track in recalled if all(track.person != other.person for other in in_view)]
    if not due and len(in_view) < len(before):
        due, candidates = True, find(image)
    if not due:
        return replace(state, tracks=(*in_view, *out_of_sight)), people_of_tracks(in_view)
    in_view, out_of_sight, next_person = _detect(in_view, out_of_sight, state.next_person, candidates, time_s, view)
    state = replace(state, tracks=(*in_view, *out_of_sight), detected_s=time_s, next_person=next_person)
    return state, people_of_tracks(in_view)


def _match_candidates(regions: Sequence[np.ndarray], candidates: Sequence[Candidate]) -> list[tuple[int, int]]:
    return assign_pairs(cost_table(regions, [candidate.region for candidate in candidates], region_distance), HERE)


def _follow(track: Track, candidate: Candidate | None, time_s: float, view: FrameView) -> Track | None:
    """Returns the track as it is now, None when it is lost."""
    expected = track.expected_region(time_s)
    regions: list[tuple[np.ndarray, np.ndarray | None]] = [(expected, None)]
    if candidate is not None and candidate.box is not None:
        boxed = np.array([*candidate.region[:3], expected[3] if candidate.wide else 0.0])
        regions = [(expected, candidate.window), (boxed, candidate.window), *regions]
    for region, window in regions:
        estimate = view.estimate(region, window)
        pose = view.pose(estimate, view.settings.presence, window)
        if pose is not None and _is_near(expected, estimate.region):
            return track.with_sighting(estimate.region, pose, estimate.presence, time_s)
    return None


def _is_near(expected: np.ndarray, observed: np.ndarray) -> bool:
    """Whether a body can have come from one region to the other between two frames."""
    growth = max(expected[2], observed[2]) / max(min(expected[2], observed[2]), 1e-9)
    distance = float(np.hypot(*(expected[:2] - observed[:2])))
    return growth <= GROWTH and distance <= JUMP * float(expected[2])


def _is_vague(pose: np.ndarray) -> bool:
    """Whether the trunk and the head are guessed rather than seen: too little to begin with."""
    return float(pose[[*SHOULDERS, *HIPS, HEAD], 2].mean()) < CLEAR


def _detect(
    in_view: list[Track],
    out_of_sight: list[Track],
    next_person: int,
    candidates: Sequence[Candidate],
    time_s: float,
    view: FrameView,
) -> tuple[list[Track], list[Track], int]:
    """Returns the tracks in view, those out of sight and the next number after a detection."""
    settings = view.settings
    pairs = _match_candidates([track.region for track in in_view], candidates)
    matched = {column for _, column in pairs}
    free = [candidate for number, candidate in enumerate(candidates) if number not in matched]
    likely = [
        candidate
        for candidate in free
        if _deserves_estimate(candidate, view) or match_returned(out_of_sight, [candidate.region], time_s)
    ]
    likely.sort(key=lambda candidate: -candidate.region[2])  # the nearest are the largest, and come first
    new_bodies: list[tuple[np.ndarray, np.ndarray, float]] = []
    for candidate in likely:
        if len(in_view) + len(new_bodies) >= settings.max_people:
            break
        others = [(track.pose, track.size) for track in in_view] + [
            (pose, reg[2] / WIDER) for reg, pose, _ in new_bodies
        ]
        if new_body := _estimate_twice(candidate, others, view):
            new_bodies.append(new_body)
    regions = [region for region, _, _ in new_bodies]
    back = match_returned(out_of_sight, regions, time_s)
    for number, (region, pose, presence) in enumerate(new_bodies):
        if number in back:
            in_view.append(out_of_sight[back[number]].with_sighting(region, pose, presence, time_s))
        else:
            in_view.append(begin_track(next_person, region, pose, presence, time_s))
            next_person += 1
    return in_view, [track for number, track in enumerate(out_of_sight) if number not in back.values()], next_person


def _deserves_estimate(candidate: Candidate, view: FrameView) -> bool:
    """Whether to estimate a pose there: furniture may get a box, but not often a sure one, and it does not move."""
    return candidate.box is None or candidate.score >= view.settings.sure or view.moved.has_moved(candidate.box)


def _estimate_twice(
    candidate: Candidate, others: list[tuple[np.ndarray, float]], view: FrameView
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Returns region, pose and presence of somebody new; None when there is nobody, or one of the others."""
    settings, window = view.settings, candidate.window
    first = view.estimate(candidate.region, window)
    if candidate.wide:  # somebody who lies?
        turned = [view.estimate(candidate.region + (0, 0, 0, turn), window) for turn in LYING]
        first = max([first, *turned], key=lambda estimate: estimate.presence)
    if first.presence < settings.presence or not np.isfinite(first.region).all():
        return None
    second = view.estimate(first.region, window)
    upright = LEANING if window is None else TURNED
    for estimate, other in ((second, first), (first, second)):
        pose = view.pose(estimate, settings.start_presence, window)
        if (
            pose is None
            or not _is_near(candidate.region, estimate.region)
            or _is_vague(pose)
            or abs(estimate.region[3]) > upright
        ):
            continue
        size = float(estimate.region[2]) / WIDER
        if (
            similarity(estimate.joints, other.joints, size) < STEADY
            or region_distance(estimate.region, other.region) > HERE
        ):
            return None
        if any(is_same_body(pose, other_pose, size, length, settings.alike) for other_pose, length in others):
            continue
        typical = float(np.median([length for _, length in others])) if others else size
        if not typical / ODD <= size <= typical * ODD:
            return None
        return estimate.region, pose, estimate.presence
    return None
