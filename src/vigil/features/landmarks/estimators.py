"""Landmarks of everybody in a frame, by one of three ways behind one shape.

    topdown      boxes start tracks, BlazePose's landmark network follows each (topdown.py)
    landmarker   MediaPipe's PoseLandmarker on each whole frame, for one or two people close to the camera
    yolo         YOLO-pose weights on each frame

`with opened(...) as step:` gives `step(state, image, time_s) -> state, people`, which a stage folds over a file and a
detector over a stream. It looks at no later frame.
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
from vigil.core.storage import read_json, sha256_file
from vigil.features.landmarks import blazepose, topdown, tracks
from vigil.features.landmarks.blazepose import Networks
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import plausible, similarity
from vigil.features.landmarks.topdown import Place
from vigil.features.landmarks.tracks import Person, State
from vigil.features.persons.detector import Detector, checked

Step = Callable[[State, np.ndarray, float], tuple[State, tuple[Person, ...]]]
Bodies = list[tuple[np.ndarray, float]]  # pose (13, 3), all joints with a place, and how certain it is
BUNDLE, YOLO = "pose_landmarker.task", "yolo.pt"
ONE = 0.15  # of the smaller region's side: findings in two tiles that lie so close are one person
SURE = 0.4  # least score of a finding of BlazePose's detector; below, most are furniture
START = tracks.START


class Settings(tracks.Settings):
    """Section `landmarks` of params.yaml."""

    backend: Literal["topdown", "landmarker", "yolo"]
    detector: Literal["auto", "yolo", "mediapipe"]  # of `topdown`: the network of stage `person`, or BlazePose's own
    confidence: Annotated[float, Field(gt=0, lt=1)]  # of a detection; of `mediapipe` at least SURE
    tile: Annotated[float, Field(gt=0, le=1)] | None  # of `mediapipe`: side in shares of the shorter one; null: none


def chosen(settings: Settings, person: Path, of: str) -> Settings:
    """With a detector that knows the people of the set `of`: that of stage `person` if it learnt there or on filmed
    people, else BlazePose's. A file or a camera is of no set: "".
    """
    if settings.backend != "topdown" or settings.detector != "auto":
        return settings
    known = checked(person)
    mine = known["knows_real_people"] or of in known["sets"]
    return settings.model_copy(update={"detector": "yolo" if mine else "mediapipe"})


def weights_used(settings: Settings, person: Path, pretrained: Path) -> tuple[str, ...]:
    """Digests of the files that the result depends on, or may depend on."""
    names = {
        "topdown": (blazepose.LANDMARKS, *([blazepose.DETECTOR] if settings.detector != "yolo" else [])),
        "landmarker": (BUNDLE,),
        "yolo": (YOLO,),
    }[settings.backend]
    digests = []
    for name in names:
        if not (pretrained / name).exists():
            wanted = "Set weights.yolo in params.yaml to YOLO-pose weights and run" if name == YOLO else "Run"
            raise VigilError(f"{pretrained / name}: not found. {wanted} stage `weights`.")
        digests.append(sha256_file(pretrained / name))
    if settings.backend == "topdown" and settings.detector != "mediapipe":
        digests.append(checked(person)["network_sha256"])
    return tuple(digests)


@contextmanager
def opened(settings: Settings, person: Path, pretrained: Path) -> Iterator[Step]:
    """The networks in memory for the length of the block; of `auto`, those for people of no set."""
    settings = chosen(settings, person, "")
    if settings.backend == "topdown":
        networks = _KEPT.of(Networks, pretrained)
        find = finder(settings, person, networks)
        yield lambda state, image, time_s: topdown.update(state, _checked(image), time_s, networks, find, settings)
    elif settings.backend == "landmarker":
        from vigil.features.landmarks.landmarker import landmarker

        with landmarker(pretrained / BUNDLE, settings) as bodies:
            yield lambda state, image, time_s: _anew(state, _checked(image), time_s, bodies, settings)
    else:
        from vigil.features.landmarks.yolo_pose import yolo_pose

        bodies = yolo_pose(_known(pretrained / YOLO), settings)
        yield lambda state, image, time_s: _anew(state, _checked(image), time_s, bodies, settings)


def finder(settings: Settings, person: Path, networks: Networks) -> topdown.Finder:
    """Says where people may be."""
    if settings.detector == "yolo":
        boxes = _KEPT.of(Detector, person, settings.confidence)

        def inside(image: np.ndarray) -> list[Place]:
            found = boxes(image)
            regions = blazepose.of_boxes(found)
            return [Place(region[:4], region[4], box[:4]) for region, box in zip(regions, found, strict=True)]

        return inside

    sure = max(settings.confidence, SURE)

    def find(image: np.ndarray) -> list[Place]:
        found = [networks.find(image, sure)]
        if settings.tile is not None:
            for left, top, right, bottom in blazepose.tiles(image.shape[1], image.shape[0], settings.tile):
                inside = networks.find(image[top:bottom, left:right], sure)
                found.append(inside + (left, top, 0, 0, 0))
        return [Place(region[:4], region[4]) for region in blazepose.apart(np.concatenate(found), ONE)]

    return find


class _Kept(threading.local):
    """What this thread has opened last of a kind: to open it anew costs as much as half a second of video."""

    def __init__(self) -> None:
        self.opened: dict[Any, tuple[Any, Any]] = {}

    def of(self, kind: Any, folder: Path, *more: float) -> Any:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        state = folder.absolute(), more, [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files]
        if kind not in self.opened or self.opened[kind][0] != state:
            self.opened[kind] = state, kind(folder, *more)
        return self.opened[kind][1]


_KEPT = _Kept()


def rows(people: tuple[Person, ...], frame: int, time_s: Fraction, scale: float) -> list[Pose]:
    """The people of a frame as a file has them; `scale` is px of the video per px of the frame."""
    return [
        Pose(frame, time_s, one.person, one.score, one.coverage, one.pose[:, :2] * scale, one.pose[:, 2])
        for one in people
    ]


def coverage(people: tuple[Person, ...]) -> float:
    """Of a frame: how much is seen of those who are followed in it, 0..1; 0 without anybody."""
    return float(np.mean([one.coverage for one in people])) if people else 0.0


def _anew(
    state: State, image: np.ndarray, time_s: float, bodies: Callable[[np.ndarray], Bodies], settings: Settings
) -> tuple[State, tuple[Person, ...]]:
    """One frame of a way that finds everybody anew in each."""
    state, _ = tracks.remembered(state, image, time_s, settings)
    found: list[tuple[np.ndarray, np.ndarray, float]] = []
    for joints, score in bodies(image):
        region = blazepose.of_joints(joints)
        size = float(region[2]) / blazepose.WIDER
        pose = topdown.visible(joints, image.shape, settings.visibility)
        twin = any(similarity(pose, other, size) > settings.alike for _, other, _ in found)
        if score >= settings.presence and plausible(pose, size) and not twin:
            found.append((region, pose, score))
    found.sort(key=lambda body: -body[0][2])
    return tracks.follow(state, found[: settings.max_people], time_s)


def _checked(image: np.ndarray) -> np.ndarray:
    """MediaPipe is poisoned by pictures of one channel: later calls fail as well."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise VigilError(f"a frame of shape {image.shape} and type {image.dtype}: expected (H, W, 3) uint8 RGB.")
    return np.ascontiguousarray(image)


def _known(path: Path) -> Path:
    """YOLO's own files can run code: only the one that stage `weights` wrote is opened."""
    told = read_json(path.with_name("weights.json")).get(path.name, {}).get("sha256")
    if not path.exists() or sha256_file(path) != told:
        raise VigilError(f"{path}: not the file that weights.json speaks of. Run stage `weights`.")
    return path
