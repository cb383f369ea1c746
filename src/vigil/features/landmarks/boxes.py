"""Several people by networks that know filmed people: boxes are tracked, and MoveNet says how each person stands.

A detector looks at every few frames and each person's pose is estimated in every few, sooner where the person moves; in
the frames between, the joints move along with the picture (joint_flow.py). A box belongs to the track that expects it
there, and where people meet, to the one in such clothes. Boxes that are unsure continue a track and start none; a pose
that is unsure, that no body can take, or of what has neither moved nor had a sure box, as a coat on its hook, is not
shown, though its person is still followed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vigil.features.landmarks.box_tracks import (
    BoxSettings,
    BoxState,
    BoxTrack,
    describe_boxes,
    longer_side,
    match_boxes,
)
from vigil.features.landmarks.joint_flow import move_poses
from vigil.features.landmarks.moved import update as update_motion
from vigil.features.landmarks.people_boxes import Finder
from vigil.features.landmarks.skeleton import (
    COCO_ROWS,
    HEAD,
    extent,
    hide_unseen,
    is_inside,
    is_plausible,
    is_same_body,
    with_margin,
)
from vigil.features.landmarks.tracks import Person, Settings, State, people_of_tracks, recall_tracks

FILLS = 0.5  # of the longer side of its box, that the joints of a body extend over at least
MOST = 75  # percent of the joints that have moved less
PATIENCE = 2.0  # times as long as from one look to the next: without a box and a sure pose, somebody is lost

PoseNetwork = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # see networks/movenet.py


@dataclass(frozen=True)
class Networks:
    """What finds people and what estimates their poses. Not to be shared between threads."""

    find: Finder
    pose: PoseNetwork


def update(
    state: State, image: np.ndarray, time_s: float, networks: Networks, settings: Settings, box_settings: BoxSettings
) -> tuple[State, tuple[Person, ...]]:
    """Finds the people in the next frame, `image` (H, W, 3) uint8 RGB."""
    last_s = state.pace.time_s
    state, recent = recall_tracks(_box_state(state), image, time_s, settings)
    state, recalled = _box_state(state), [track for track in recent if isinstance(track, BoxTrack)]
    in_view = [track for track in recalled if track.seen_s == last_s]
    out_of_sight = [track for track in recalled if track.seen_s != last_s]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    moved = _move_tracks(in_view, state.grey, grey, time_s)
    tracks = [track for track in moved if _is_inside(track, image.shape)]
    if state.is_detection_due(time_s, settings.every_s):
        tracks, out_of_sight, next_person = match_boxes(
            tracks,
            out_of_sight,
            describe_boxes(networks.find(image), image),
            state.next_person,
            time_s,
            box_settings,
            settings.max_people,
        )
        state = replace(state, detected_s=time_s, next_person=next_person)
    motion = update_motion(state.moved, image, time_s)
    tracks = [replace(track, is_alive=track.is_alive or motion.has_moved(track.box)) for track in tracks]
    half_step = (state.pace.usual_s or 0.0) / 2
    tracks = [
        _estimate(track, image, time_s, networks, box_settings, settings.visibility)
        if time_s - track.pose_s + half_step >= box_settings.pose_every_s or track.moved >= box_settings.pose_motion
        else track
        for track in tracks
    ]
    patience_s = PATIENCE * max(settings.every_s, box_settings.pose_every_s) + half_step
    tracks = [track for track in tracks if track.is_body or time_s - track.box_s <= patience_s]
    tracks = _without_twins(tracks, settings.alike)
    remembered = {track.person for track in (*tracks, *out_of_sight)}
    gone = [track for track in in_view if track.person not in remembered]
    state = replace(state, tracks=(*tracks, *out_of_sight, *gone), grey=grey, moved=motion)
    return state, people_of_tracks([track for track in tracks if track.is_shown])


def _box_state(state: State) -> BoxState:
    if isinstance(state, BoxState):
        return state
    return BoxState(next_person=state.next_person, pace=state.pace)


def _move_tracks(
    tracks: Sequence[BoxTrack], before: np.ndarray | None, after: np.ndarray, time_s: float
) -> list[BoxTrack]:
    """Returns the tracks where they are in the new frame: along with the picture, else as fast as before."""
    if before is None or not tracks:
        return list(tracks)
    poses = [track.pose for track in tracks]
    moved = move_poses(before, after, poses, [track.size for track in tracks])
    result = []
    for track, pose in zip(tracks, moved, strict=True):
        if pose is None:
            step = track.velocity * (time_s - track.seen_s)
            pose, way = track.pose + (*step, 0.0), np.inf
        else:
            steps = pose[:, :2] - track.pose[:, :2]
            step = np.nanmedian(steps, axis=0)
            way = float(np.nanpercentile(np.hypot(*steps.T), MOST)) / track.size
        result.append(replace(track.moved_to(track.box + np.tile(step, 2), pose, time_s), moved=track.moved + way))
    return result


def _is_inside(track: BoxTrack, shape: tuple[int, ...]) -> bool:
    """Whether the middle of the box is still in the picture."""
    middle = (track.box[:2] + track.box[2:]) / 2
    return bool((middle >= 0).all() and (middle < shape[1::-1]).all())


def _estimate(
    track: BoxTrack, image: np.ndarray, time_s: float, networks: Networks, settings: BoxSettings, visibility: float
) -> BoxTrack:
    """Returns the track with a new pose."""
    longer = longer_side(track.box)
    middle = (track.box[:2] + track.box[2:]) / 2
    window = with_margin(track.box)
    joints = networks.pose(image, np.array([*middle, settings.crop * longer]), window)[list(COCO_ROWS)]
    score = float(joints[:HEAD, 2].mean())  # of the body, without the head
    pose = hide_unseen(joints, image.shape, visibility)
    least = settings.presence if track.is_body else settings.start_presence
    fits = is_inside(pose, window) and extent(pose) >= FILLS * longer
    is_body = score >= least and fits and is_plausible(pose, longer)
    return replace(track, pose=pose, score=score, pose_s=time_s, moved=0.0, is_body=is_body)


def _without_twins(tracks: Sequence[BoxTrack], alike: float) -> list[BoxTrack]:
    """Keeps one of the tracks that show one body: who was boxed last, and then who has been there for longer."""
    ordered = sorted(tracks, key=lambda track: (-track.box_s, track.person))
    distinct: list[BoxTrack] = []
    for track in ordered:
        if not track.is_shown or not any(
            other.is_shown and is_same_body(track.pose, other.pose, track.size, other.size, alike) for other in distinct
        ):
            distinct.append(track)
    return sorted(distinct, key=lambda track: track.person)
