"""Landmarks of everybody in a frame, by one of four ways behind one shape.

    networks     boxes are tracked, MoveNet says how each person stands (boxes.py)
    topdown      boxes start tracks, BlazePose's landmark network follows each (topdown.py)
    landmarker   MediaPipe's PoseLandmarker on each whole frame, for one or two people close to the camera
    yolo         YOLO-pose weights on each frame

`with open_estimator(...) as step:` gives `step(state, image, time_s) -> state, people`, which a stage folds over a file
and a detector over a stream. It looks at no later frame.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, sha256_file
from vigil.features.landmarks import blazepose, boxes, topdown, tracks
from vigil.features.landmarks.blazepose import Networks
from vigil.features.landmarks.choices import BUNDLE, YOLO, Settings, choose_backend, choose_detector
from vigil.features.landmarks.finders import OPEN_NETWORKS, make_box_finder, make_finder
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import is_plausible, similarity
from vigil.features.landmarks.tracks import Person, State
from vigil.features.networks.movenet import MoveNet

Step = Callable[[State, np.ndarray, float], tuple[State, tuple[Person, ...]]]
Bodies = list[tuple[np.ndarray, float]]  # pose (13, 3), all joints with a place, and how certain it is
START = tracks.START


@contextmanager
def open_estimator(settings: Settings, person: Path, pretrained: Path) -> Iterator[Step]:
    """Holds the networks in memory for the length of the block; `auto` means those for people of no set."""
    settings = choose_detector(choose_backend(settings, pretrained), person, pretrained, "")
    if settings.backend == "topdown":
        networks = OPEN_NETWORKS.open_once(Networks, pretrained)
        find = make_finder(settings, person, pretrained, networks)
        yield lambda state, image, time_s: topdown.update(state, _check_image(image), time_s, networks, find, settings)
    elif settings.backend == "networks":
        own = settings.networks
        find_boxes = make_box_finder(settings, person, pretrained, own.weak)
        people = boxes.Networks(find_boxes, OPEN_NETWORKS.open_once(MoveNet, pretrained, own.pose_px))
        yield lambda state, image, time_s: boxes.update(state, _check_image(image), time_s, people, settings, own)
    elif settings.backend == "landmarker":
        from vigil.features.landmarks.landmarker import open_landmarker

        with open_landmarker(pretrained / BUNDLE, settings) as bodies:
            yield lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings)
    else:
        from vigil.features.landmarks.yolo_pose import open_yolo_pose

        bodies = open_yolo_pose(_check_weights(pretrained / YOLO), settings)
        yield lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings)


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
        pose = topdown.hide_unseen(joints, image.shape, settings.visibility)
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
