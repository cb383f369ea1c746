"""Landmarks of everybody in a frame, by one of four ways behind one shape.

    networks     boxes are tracked, MoveNet says how each person stands (boxes.py)
    topdown      boxes start tracks, BlazePose's landmark network follows each (topdown.py)
    landmarker   MediaPipe's PoseLandmarker on each whole frame, for one or two people close to the camera
    yolo         YOLO-pose weights on each frame

`with open_people(...) as finder:` gives what `find_people(state, image, time_s, finder) -> state, people, boxes` asks,
which a stage folds over a file and a detector over a stream. It looks at no later frame. Who needs no poses gets boxes
without, of the first way; see people_boxes.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file
from vigil.features.landmarks import blazepose, boxes, people_boxes, topdown, tracks
from vigil.features.landmarks.blazepose import Networks
from vigil.features.landmarks.choices import BUNDLE, YOLO, Settings, choose_backend, choose_detector
from vigil.features.landmarks.finders import OPEN_NETWORKS, make_box_finder, make_finder
from vigil.features.landmarks.people_boxes import SharedLook
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import hide_unseen, is_plausible, similarity
from vigil.features.landmarks.tracks import Person, State
from vigil.features.networks.movenet import MoveNet

Step = Callable[[State, np.ndarray, float], tuple[State, tuple[Person, ...]]]
BoxLook = Callable[[people_boxes.State, np.ndarray, float], tuple[people_boxes.State, np.ndarray]]
Bodies = list[tuple[np.ndarray, float]]  # pose (13, 3), all joints with a place, and how certain it is


@dataclass(frozen=True)
class PeopleFinder:
    """What finds the people of a frame. Not to be shared between threads."""

    step: Step | None  # None: nobody asked for poses
    look: BoxLook | None  # None: the backend knows people by their poses alone, and boxes are those of the joints


@contextmanager
def open_people(settings: Settings, person: Path, pretrained: Path, poses: bool = True) -> Iterator[PeopleFinder]:
    """Holds the networks in memory for the length of the block; `auto` means those for people of no set.

    Without `poses` no network of poses is opened where there are boxes without.
    """
    settings = choose_detector(choose_backend(settings, pretrained), person, pretrained, "")
    if settings.backend == "networks":
        box_settings = settings.networks
        find = SharedLook(make_box_finder(settings, person, pretrained, box_settings.weak))
        step: Step | None = None
        if poses:
            networks = boxes.Networks(find, OPEN_NETWORKS.open_once(MoveNet, pretrained, box_settings.pose_px))

            def follow(state: State, image: np.ndarray, time_s: float) -> tuple[State, tuple[Person, ...]]:
                return boxes.update(state, _check_image(image), time_s, networks, settings, box_settings)

            step = follow

        def look(state: people_boxes.State, image: np.ndarray, time_s: float) -> tuple[people_boxes.State, np.ndarray]:
            least = box_settings.confidence
            return people_boxes.update(state, _check_image(image), time_s, find, settings.every_s, least)

        yield PeopleFinder(step, look)
    elif settings.backend == "topdown":
        by_blazepose = OPEN_NETWORKS.open_once(Networks, pretrained)
        candidates = make_finder(settings, person, pretrained, by_blazepose)
        yield PeopleFinder(
            lambda state, image, time_s: topdown.update(
                state, _check_image(image), time_s, by_blazepose, candidates, settings
            ),
            None,
        )
    elif settings.backend == "landmarker":
        from vigil.features.landmarks.landmarker import open_landmarker

        with open_landmarker(pretrained / BUNDLE, settings) as bodies:
            yield PeopleFinder(
                lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings), None
            )
    else:
        from vigil.features.landmarks.yolo_pose import open_yolo_pose

        bodies = open_yolo_pose(_check_weights(pretrained / YOLO), settings)
        yield PeopleFinder(
            lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings), None
        )


@dataclass(frozen=True)
class PeopleState:
    """What is known of the people after a frame."""

    tracks: State = tracks.START
    looks: people_boxes.State = people_boxes.START


START = PeopleState()


def find_people(
    state: PeopleState, image: np.ndarray, time_s: float, finder: PeopleFinder
) -> tuple[PeopleState, tuple[Person, ...], np.ndarray]:
    """Returns the people of the next frame, none where nobody asked for poses, and boxes (N, 5); px of the frame."""
    tracks, people = state.tracks, tuple[Person, ...]()
    if finder.step is not None:
        tracks, people = finder.step(tracks, image, time_s)
    if finder.look is None:
        return PeopleState(tracks, state.looks), people, people_boxes.boxes_of_people(people)
    looks, boxes_of_frame = finder.look(state.looks, image, time_s)
    return PeopleState(tracks, looks), people, boxes_of_frame


def poses_of_frame(people: tuple[Person, ...], frame: int, time_s: Fraction, scale: float) -> list[Pose]:
    """Turns the people of a frame into poses as a file has them; `scale` is px of the video per px of the frame."""
    return [
        Pose(frame, time_s, person.person, person.score, person.coverage, person.pose[:, :2] * scale, person.pose[:, 2])
        for person in people
    ]


def _estimate_anew(
    state: State, image: np.ndarray, time_s: float, bodies: Callable[[np.ndarray], Bodies], settings: Settings
) -> tuple[State, tuple[Person, ...]]:
    """Finds everybody anew in a frame and then matches them with the tracks."""
    state, _ = tracks.recall_tracks(state, image, time_s, settings)
    accepted: list[tuple[np.ndarray, np.ndarray, float]] = []
    for joints, score in bodies(image):
        region = blazepose.region_of_joints(joints)
        size = float(region[2]) / blazepose.WIDER
        pose = hide_unseen(joints, image.shape, settings.visibility)
        twin = any(similarity(pose, other, size) > settings.alike for _, other, _ in accepted)
        if score >= settings.presence and is_plausible(pose, size) and not twin:
            accepted.append((region, pose, score))
    accepted.sort(key=lambda body: -body[0][2])
    return tracks.follow_bodies(state, accepted[: settings.max_people], time_s)


def _check_image(image: np.ndarray) -> np.ndarray:
    """Refuses pictures of one channel, after which later calls of MediaPipe fail as well."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise VigilError(f"a frame of shape {image.shape} and type {image.dtype}: expected (H, W, 3) uint8 RGB.")
    return np.ascontiguousarray(image)


def _check_weights(path: Path) -> Path:
    """Refuses YOLO weights that stage `weights` did not write, since such files can run code."""
    expected = read_json(path.with_name("weights.json")).get(path.name, {}).get("sha256")
    if not path.exists() or sha256_file(path) != expected:
        raise VigilError(f"{path}: not the file that weights.json speaks of. Run stage `weights`.")
    return path
