"""Tracks of people on boxes: which box belongs to whom, who came back, and who is new.

A box belongs to the track that expects it there, and where people meet, to the one in such clothes. Boxes that are
unsure continue a track and start none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.features.landmarks.blazepose import regions_of_boxes
from vigil.features.landmarks.clothes import clothes_distances, describe_clothes
from vigil.features.landmarks.tracks import Share, State, Track, assign_pairs

FAR = 0.8  # greatest distance of a sure box from a track in view, see `_distances` ...
FAR_UNSURE = 0.6  # ... and of an unsure one
RETURNED = 1.1  # the same for one that was lost, and for each second of absence as much again
CLOTHES = 2.5  # how far people are apart whose clothes have no colour in common, in those greatest distances
NEW_CLOTHES = 0.3  # share of what is remembered of somebody's clothes that is seen anew with each box
IMPOSSIBLE = 10.0  # a cost beyond all others


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

    def moved_to(self, box: np.ndarray, pose: np.ndarray, time_s: float) -> "BoxTrack":
        """Returns the track with its box and pose at `time_s`."""
        return replace(self.with_sighting(_upright_region(box), pose, self.score, time_s), box=box)

    def with_detection(self, detection: "Detection", time_s: float, sure: float) -> "BoxTrack":
        """Returns the track, which is in view, with its box of a detector; one of `sure` or more is no furniture."""
        clothes = (1 - NEW_CLOTHES) * self.clothes + NEW_CLOTHES * detection.clothes
        is_alive = self.is_alive or detection.score >= sure
        moved = self.moved_to(detection.box, self.pose, time_s)
        return replace(moved, box_s=time_s, clothes=clothes, is_alive=is_alive)


@dataclass(frozen=True)
class BoxState(State):
    """What is known after a frame."""

    grey: np.ndarray | None = None  # (H, W) uint8, the frame


@dataclass(frozen=True)
class Detection:
    """A box of a detector, and what its person wears."""

    box: np.ndarray  # (4,)
    score: float
    clothes: np.ndarray


def describe_boxes(boxes: np.ndarray, image: np.ndarray) -> list[Detection]:
    return [Detection(box[:4], float(box[4]), describe_clothes(image, box)) for box in boxes]


def longer_side(box: np.ndarray) -> float:
    return float((box[2:] - box[:2]).max())


def match_boxes(
    tracks: Sequence[BoxTrack],
    out_of_sight: Sequence[BoxTrack],
    detections: Sequence[Detection],
    next_person: int,
    time_s: float,
    settings: BoxSettings,
    max_people: int,
) -> tuple[list[BoxTrack], list[BoxTrack], int]:
    """Gives boxes to the tracks, sure ones first, and starts new tracks from sure boxes that are left.

    Returns the tracks in view, those still out of sight, and the number of the next new person.
    """
    sure = [detection for detection in detections if detection.score >= settings.confidence]
    unsure = [detection for detection in detections if settings.weak <= detection.score < settings.confidence]
    sure_pairs = dict(_pair_up(tracks, sure, FAR))
    waiting = [row for row in range(len(tracks)) if row not in sure_pairs]
    unsure_pairs = _pair_up([tracks[row] for row in waiting], unsure, FAR_UNSURE)
    detection_of = {row: sure[column] for row, column in sure_pairs.items()}
    detection_of |= {waiting[row]: unsure[column] for row, column in unsure_pairs}
    in_view = [
        track.with_detection(detection_of[row], time_s, settings.sure) if row in detection_of else track
        for row, track in enumerate(tracks)
    ]
    free = [detection for column, detection in enumerate(sure) if column not in sure_pairs.values()]
    free.sort(key=lambda detection: -longer_side(detection.box))  # the nearest are the largest, and come first
    free = free[: max(0, max_people - len(in_view))]
    back = _match_returned(out_of_sight, free, time_s)
    for number, detection in enumerate(free):
        if number in back:
            track = _bring_back(out_of_sight[back[number]], detection, time_s)
        else:
            track = _begin_track(next_person, detection, time_s, settings.sure)
            next_person += 1
        in_view.append(replace(track, box_s=time_s, pose_s=-np.inf))
    still_away = [track for row, track in enumerate(out_of_sight) if row not in back.values()]
    return in_view, still_away, next_person


def _match_returned(out_of_sight: Sequence[BoxTrack], detections: Sequence[Detection], time_s: float) -> dict[int, int]:
    """Matches boxes with the tracks that were out of sight, as {box: track}."""
    expected = [
        replace(track, box=track.box + np.tile(track.velocity * (time_s - track.seen_s), 2)) for track in out_of_sight
    ]
    reach = np.array([RETURNED * (1 + time_s - track.seen_s) for track in out_of_sight]).reshape(-1, 1)
    return {column: row for row, column in _pair_up(expected, detections, reach)}


def _bring_back(track: BoxTrack, detection: Detection, time_s: float) -> BoxTrack:
    """Returns the track of somebody who was out of sight; what the pose was says nothing until it is estimated anew."""
    step = (detection.box[:2] + detection.box[2:] - track.box[:2] - track.box[2:]) / 2
    return replace(track.moved_to(detection.box, track.pose + (*step, 0.0), time_s), is_body=False)


def _begin_track(person: int, detection: Detection, time_s: float, sure: float) -> BoxTrack:
    return BoxTrack(
        person=person,
        region=_upright_region(detection.box),
        velocity=np.zeros(2),
        pose=np.full((13, 3), np.nan),
        score=0.0,
        seen_s=time_s,
        box=detection.box,
        clothes=detection.clothes,
        is_alive=detection.score >= sure,
    )


def _upright_region(box: np.ndarray) -> np.ndarray:
    return regions_of_boxes(np.append(box, 1.0))[0, :4]


def _pair_up(
    tracks: Sequence[BoxTrack], detections: Sequence[Detection], far: float | np.ndarray
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
