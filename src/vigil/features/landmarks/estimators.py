"""Landmarks of everybody in a frame, by one of four ways behind one shape.

    networks     NanoDet's boxes are tracked, MoveNet says how each person stands (boxes.py)
    topdown      boxes start tracks, BlazePose's landmark network follows each (topdown.py)
    landmarker   MediaPipe's PoseLandmarker on each whole frame, for one or two people close to the camera
    yolo         YOLO-pose weights on each frame

`with open_estimator(...) as step:` gives `step(state, image, time_s) -> state, people`, which a stage folds over a file
and a detector over a stream. It looks at no later frame.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_file
from vigil.features.landmarks import blazepose, boxes, topdown, tracks
from vigil.features.landmarks.blazepose import Networks
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import is_plausible, similarity
from vigil.features.landmarks.topdown import Candidate
from vigil.features.landmarks.tracks import Person, State
from vigil.features.networks import movenet, nanodet
from vigil.features.persons.detector import Detector, people_classes, read_config

Step = Callable[[State, np.ndarray, float], tuple[State, tuple[Person, ...]]]
Bodies = list[tuple[np.ndarray, float]]  # pose (13, 3), all joints with a place, and how certain it is
BUNDLE, YOLO = "pose_landmarker.task", "yolo.pt"
SAME_PERSON = 0.15  # of the smaller region's side: findings in two tiles that lie so close are one person
SURE = 0.4  # least score of a finding of BlazePose's detector; below, most are furniture
START = tracks.START


class Settings(tracks.Settings):
    """Section `landmarks` of params.yaml."""

    backend: Literal["networks", "topdown", "landmarker", "yolo"]
    detector: Literal["auto", "yolo", "mediapipe"]  # of `topdown`: the network of stage `person`, or BlazePose's own
    confidence: Annotated[float, Field(gt=0, lt=1)]  # of a detection; of `mediapipe` at least SURE
    tile: Annotated[float, Field(gt=0, le=1)] | None  # of `mediapipe`: side in shares of the shorter one; null: none
    networks: boxes.BoxSettings = boxes.BoxSettings()  # of the backend of that name


def choose_detector(settings: Settings, person: Path, dataset: str) -> Settings:
    """Chooses a detector that knows the people of the set `dataset`: that of stage `person` if it learnt there or on
    filmed people, else BlazePose's; that too where no class of it counts as a person. A file or a camera is of no
    set: "".
    """
    if settings.backend != "topdown" or settings.detector != "auto":
        return settings
    if why_skipped(person):
        return settings.model_copy(update={"detector": "mediapipe"})
    card = read_config(person)
    knows_set = card["knows_real_people"] or dataset in card["sets"]
    return settings.model_copy(update={"detector": "yolo" if card["people"] and knows_set else "mediapipe"})


def weights_digests(settings: Settings, person: Path, pretrained: Path) -> tuple[str, ...]:
    """Returns the digests of the files that the result depends on, or may depend on."""
    names = {
        "topdown": (blazepose.LANDMARKS, *([blazepose.DETECTOR] if settings.detector != "yolo" else [])),
        "networks": (nanodet.FILE, movenet.FILE),
        "landmarker": (BUNDLE,),
        "yolo": (YOLO,),
    }[settings.backend]
    digests = []
    for name in names:
        if not (pretrained / name).exists():
            advice = {
                "yolo": "Set weights.yolo in params.yaml to YOLO-pose weights and run",
                "networks": "Set weights.people in params.yaml to npm and run",
            }.get(settings.backend, "Run")
            raise VigilError(f"{pretrained / name}: not found. {advice} stage `weights`.")
        digests.append(sha256_file(pretrained / name))
    may_use_own = settings.detector == "yolo" or (settings.detector == "auto" and not why_skipped(person))
    if settings.backend == "topdown" and settings.detector == "yolo":
        people_classes(person)
    if settings.backend == "topdown" and may_use_own:
        digests.append(read_config(person)["network_sha256"])
    return tuple(digests)


@contextmanager
def open_estimator(settings: Settings, person: Path, pretrained: Path) -> Iterator[Step]:
    """Holds the networks in memory for the length of the block; `auto` means those for people of no set."""
    settings = choose_detector(settings, person, "")
    if settings.backend == "topdown":
        networks = _OPEN_NETWORKS.open_once(Networks, pretrained)
        find = make_finder(settings, person, networks)
        yield lambda state, image, time_s: topdown.update(state, _check_image(image), time_s, networks, find, settings)
    elif settings.backend == "networks":
        own = settings.networks
        people = _OPEN_NETWORKS.open_once(boxes.open_networks, pretrained, own.weak, own.find_px, own.pose_px)
        yield lambda state, image, time_s: boxes.update(state, _check_image(image), time_s, people, settings, own)
    elif settings.backend == "landmarker":
        from vigil.features.landmarks.landmarker import open_landmarker

        with open_landmarker(pretrained / BUNDLE, settings) as bodies:
            yield lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings)
    else:
        from vigil.features.landmarks.yolo_pose import open_yolo_pose

        bodies = open_yolo_pose(_check_weights(pretrained / YOLO), settings)
        yield lambda state, image, time_s: _estimate_anew(state, _check_image(image), time_s, bodies, settings)


def make_finder(settings: Settings, person: Path, networks: Networks) -> topdown.Finder:
    """Makes the function that says where people may be in a picture."""
    if settings.detector == "yolo":
        detect = _OPEN_NETWORKS.open_once(Detector, person, settings.confidence)

        def find_by_boxes(image: np.ndarray) -> list[Candidate]:
            detections = detect(image)
            regions = blazepose.regions_of_boxes(detections)
            return [Candidate(region[:4], region[4], box[:4]) for region, box in zip(regions, detections, strict=True)]

        return find_by_boxes

    sure = max(settings.confidence, SURE)

    def find(image: np.ndarray) -> list[Candidate]:
        regions = [networks.find(image, sure)]
        if settings.tile is not None:
            for left, top, right, bottom in blazepose.cover_with_tiles(image.shape[1], image.shape[0], settings.tile):
                tile_regions = networks.find(image[top:bottom, left:right], sure)
                regions.append(tile_regions + (left, top, 0, 0, 0))
        return [
            Candidate(person[:4], person[4]) for person in blazepose.keep_apart(np.concatenate(regions), SAME_PERSON)
        ]

    return find


class _OpenNetworks(threading.local):
    """The object of each kind that this thread opened last: to open it anew costs as much as half a second of video."""

    def __init__(self) -> None:
        self.instances: dict[Any, tuple[Any, Any]] = {}

    def open_once(self, kind: Any, folder: Path, *more: float) -> Any:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        state = folder.absolute(), more, [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files]
        if kind not in self.instances or self.instances[kind][0] != state:
            self.instances[kind] = state, kind(folder, *more)
        return self.instances[kind][1]


_OPEN_NETWORKS = _OpenNetworks()


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
