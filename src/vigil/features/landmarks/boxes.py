"""Several people by networks that know filmed people: boxes are tracked, and MoveNet says how each person stands.

A detector looks at every few frames and each person's pose is estimated in every few, sooner where the person moves; in
the frames between, the joints move along with the picture (joint_flow.py). A box belongs to the track that expects it
there, and where people meet, to the one in such clothes. Boxes that are unsure continue a track and start none; a pose
that is unsure, that no body can take, or of what has neither moved nor had a sure box, as a coat on its hook, is not
shown, though its person is still followed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.features.landmarks.blazepose import regions_of_boxes
from vigil.features.landmarks.clothes import clothes_distances, describe_clothes
from vigil.features.landmarks.joint_flow import move_poses
from vigil.features.landmarks.moved import RecentMotion
from vigil.features.landmarks.moved import update as update_motion
from vigil.features.landmarks.skeleton import extent, is_plausible, is_same_body, share_inside
from vigil.features.landmarks.tracks import (
    Person,
    Settings,
    Share,
    State,
    Track,
    assign_pairs,
    people_of_tracks,
    recall_tracks,
)

JOINT_ROWS = (5, 7, 9, 6, 8, 10, 11, 13, 15, 12, 14, 16, 0)  # of COCO's points, in the order of pose_table.JOINTS
BODY = 12  # joints before the head
MARGIN = 0.12  # of a box's sides, beyond it: boxes are loose
INSIDE = 0.75  # of the joints: a pose with fewer in its box is of somebody else too
FILLS = 0.5  # of the longer side of its box, that the joints of a body extend over at least
FAR = 0.8  # greatest distance of a sure box from a track in view, see `_distances` ...
FAR_UNSURE = 0.6  # ... and of an unsure one
RETURNED = 1.1  # the same for one that was lost, and for each second of absence as much again
CLOTHES = 2.5  # how far people are apart whose clothes have no colour in common, in those greatest distances
NEW_CLOTHES = 0.3  # share of what is remembered of somebody's clothes that is seen anew with each box
IMPOSSIBLE = 10.0  # a cost beyond all others
MOST = 75  # percent of the joints that have moved less
MOVES = 0.1  # share of a box that has changed a moment ago: what is in it moves
PATIENCE = 2.0  # times as long as from one look to the next: without a box and a sure pose, somebody is lost

Finder = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 RGB to boxes (N, 5) x0 y0 x1 y1 score
PoseNetwork = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # see networks/movenet.py


class BoxSettings(Frozen):
    """Settings of `landmarks.networks`."""

    find_px: Annotated[int, Field(ge=64, le=1280)] = 320  # longer side of the picture in which people are looked for
    pose_px: Annotated[int, Field(ge=96, le=512, multiple_of=32)] = 224  # side of the crop in which a pose is estimated
    pose_every_s: Annotated[float, Field(ge=0)] = 0.375  # s from one estimate of a person's pose to the next
    pose_motion: Annotated[float, Field(gt=0)] = 0.06  # body lengths that joints may move before it is estimated anew
    crop: Annotated[float, Field(ge=1, le=2)] = 1.1  # side of the crop, in longer sides of the box
    confidence: Share = 0.3  # of a box that starts a track
    sure: Share = 0.5  # of a box; who has had none is shown once something in the box has moved
    weak: Share = 0.15  # of a box that continues one
    presence: Share = 0.15  # mean score of the body's joints, below which a pose is not shown
    start_presence: Share = 0.2  # the same for somebody new


@dataclass(frozen=True)
class BoxTrack(Track):
    """What is remembered of somebody who was found by boxes; `region` is that of the box, upright."""

    box: np.ndarray = field(default_factory=lambda: np.zeros(4))  # (4,) x0 y0 x1 y1 px, where it was at `seen_s`
    box_s: float = 0.0  # when a box was found last
    clothes: np.ndarray = field(default_factory=lambda: np.zeros(0))  # see clothes.py
    pose_s: float = -np.inf  # when the pose was estimated last
    moved: float = 0.0  # body lengths that most joints have moved since
    is_alive: bool = False  # whether it has moved or had a sure box: furniture has not
    is_body: bool = False  # whether the pose is that of a body, as far as one can tell

    @property
    def is_shown(self) -> bool:
        return self.is_body and self.is_alive


@dataclass(frozen=True)
class BoxState(State):
    """What is known after a frame."""

    grey: np.ndarray | None = None  # (H, W) uint8, the frame


@dataclass(frozen=True)
class Networks:
    """What finds people and what estimates their poses. Not to be shared between threads."""

    find: Finder
    pose: PoseNetwork


def update(
    state: State, image: np.ndarray, time_s: float, networks: Networks, settings: Settings, own: BoxSettings
) -> tuple[State, tuple[Person, ...]]:
    """Finds the people in the next frame, `image` (H, W, 3) uint8 RGB."""
    last_s = state.pace.time_s
    state, recent = recall_tracks(_box_state(state), image, time_s, settings)
    state, known = _box_state(state), [track for track in recent if isinstance(track, BoxTrack)]
    in_view = [track for track in known if track.seen_s == last_s]
    out_of_sight = [track for track in known if track.seen_s != last_s]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    moved = _move_tracks(in_view, state.grey, grey, time_s)
    tracks = [track for track in moved if _is_inside(track, image.shape)]
    if state.is_detection_due(time_s, settings.every_s):
        tracks, out_of_sight, next_person = _match_boxes(
            tracks, out_of_sight, _describe_boxes(networks.find(image), image), state.next_person, time_s, own,
            settings.max_people,
        )  # fmt: skip
        state = replace(state, detected_s=time_s, next_person=next_person)
    motion = update_motion(state.moved, image, time_s)
    tracks = [replace(track, is_alive=track.is_alive or _moves(track.box, motion)) for track in tracks]
    half_step = (state.pace.usual_s or 0.0) / 2
    tracks = [
        _estimate(track, image, time_s, networks, own, settings.visibility)
        if time_s - track.pose_s + half_step >= own.pose_every_s or track.moved >= own.pose_motion
        else track
        for track in tracks
    ]
    patience_s = PATIENCE * max(settings.every_s, own.pose_every_s) + half_step
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
        result.append(replace(_put(track, track.box + np.tile(step, 2), pose, time_s), moved=track.moved + way))
    return result


def _is_inside(track: BoxTrack, shape: tuple[int, ...]) -> bool:
    """Whether the middle of the box is still in the picture."""
    middle = (track.box[:2] + track.box[2:]) / 2
    return bool((middle >= 0).all() and (middle < shape[1::-1]).all())


def _moves(box: np.ndarray, motion: RecentMotion) -> bool:
    return motion.changed_share(box) >= MOVES


def _put(track: BoxTrack, box: np.ndarray, pose: np.ndarray, time_s: float) -> BoxTrack:
    """Returns the track with its box and pose at `time_s`."""
    region = regions_of_boxes(np.append(box, 1.0))[0, :4]
    seen = track.with_sighting(region, pose, track.score, time_s)
    return replace(seen, box=box)


@dataclass(frozen=True)
class _Detection:
    """A box of a detector, and what its person wears."""

    box: np.ndarray  # (4,)
    score: float
    clothes: np.ndarray


def _describe_boxes(boxes: np.ndarray, image: np.ndarray) -> list[_Detection]:
    return [_Detection(box[:4], float(box[4]), describe_clothes(image, box)) for box in boxes]


def _match_boxes(
    tracks: list[BoxTrack],
    out_of_sight: list[BoxTrack],
    detections: Sequence[_Detection],
    next_person: int,
    time_s: float,
    settings: BoxSettings,
    max_people: int,
) -> tuple[list[BoxTrack], list[BoxTrack], int]:
    """Gives boxes to the tracks, sure ones first, and starts new tracks from sure boxes that are left."""
    sure = [detection for detection in detections if detection.score >= settings.confidence]
    unsure = [detection for detection in detections if settings.weak <= detection.score < settings.confidence]
    result = list(tracks)
    waiting = list(range(len(result)))
    free = sure
    for offered, far in ((sure, FAR), (unsure, FAR_UNSURE)):
        pairs = _pair_up([result[number] for number in waiting], offered, far)
        for row, column in pairs:
            track, detection = result[waiting[row]], offered[column]
            is_alive = track.is_alive or detection.score >= settings.sure
            clothes = (1 - NEW_CLOTHES) * track.clothes + NEW_CLOTHES * detection.clothes
            result[waiting[row]] = replace(
                _put(track, detection.box, track.pose, time_s), box_s=time_s, clothes=clothes, is_alive=is_alive
            )
        matched = dict(pairs)
        waiting = [number for row, number in enumerate(waiting) if row not in matched]
        if offered is sure:
            free = [detection for column, detection in enumerate(sure) if column not in matched.values()]
    free.sort(key=lambda detection: -_longer_side(detection.box))  # the nearest are the largest, and come first
    free = free[: max(0, max_people - len(result))]
    expected = [
        replace(track, box=track.box + np.tile(track.velocity * (time_s - track.seen_s), 2)) for track in out_of_sight
    ]
    reach = np.array([RETURNED * (1 + time_s - track.seen_s) for track in out_of_sight]).reshape(-1, 1)
    back = {column: row for row, column in _pair_up(expected, free, reach)}
    for number, detection in enumerate(free):
        if number in back:
            track = out_of_sight[back[number]]
            step = (detection.box[:2] + detection.box[2:] - track.box[:2] - track.box[2:]) / 2
            track = replace(_put(track, detection.box, track.pose + (*step, 0.0), time_s), is_body=False)
        else:
            region = regions_of_boxes(np.append(detection.box, 1.0))[0, :4]
            track = BoxTrack(next_person, region, np.zeros(2), np.full((13, 3), np.nan), 0.0, time_s, box=detection.box)
            track = replace(track, clothes=detection.clothes, is_alive=detection.score >= settings.sure)
            next_person += 1
        result.append(replace(track, box_s=time_s, pose_s=-np.inf))
    return result, [track for row, track in enumerate(out_of_sight) if row not in back.values()], next_person


def _longer_side(box: np.ndarray) -> float:
    return float((box[2:] - box[:2]).max())


def _pair_up(
    tracks: Sequence[BoxTrack], detections: Sequence[_Detection], far: float | np.ndarray
) -> list[tuple[int, int]]:
    """Returns which box is whose (track, box): near, and in such clothes; none is farther than `far`."""
    distances = _distances([track.box for track in tracks], [detection.box for detection in detections]) / far
    costs = distances + CLOTHES * clothes_distances(
        [track.clothes for track in tracks], [detection.clothes for detection in detections]
    )
    return assign_pairs(np.where(distances > 1, IMPOSSIBLE, costs), IMPOSSIBLE / 2)


def _distances(boxes: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> np.ndarray:
    """Returns how far boxes are apart (N, M): 0 the same box, 1 side by side, more if farther."""
    if not boxes or not others:
        return np.zeros((len(boxes), len(others)))
    a, b = np.stack(boxes)[:, None], np.stack(others)[None]
    common = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    hull = (np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
    return 1 - common / union + (hull - union) / hull


def _estimate(
    track: BoxTrack, image: np.ndarray, time_s: float, networks: Networks, settings: BoxSettings, visibility: float
) -> BoxTrack:
    """Returns the track with a new pose."""
    longer = _longer_side(track.box)
    middle = (track.box[:2] + track.box[2:]) / 2
    margin = MARGIN * (track.box[2:] - track.box[:2])
    window = np.concatenate([track.box[:2] - margin, track.box[2:] + margin])
    joints = networks.pose(image, np.array([*middle, settings.crop * longer]), window)[list(JOINT_ROWS)]
    score = float(joints[:BODY, 2].mean())
    pose = joints.copy()
    height, width = image.shape[:2]
    outside = (pose[:, :2] < 0).any(1) | (pose[:, 0] >= width) | (pose[:, 1] >= height)
    pose[outside | (pose[:, 2] < visibility), :2] = np.nan
    least = settings.presence if track.is_body else settings.start_presence
    fits = share_inside(pose, window) >= INSIDE and extent(pose) >= FILLS * longer
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
