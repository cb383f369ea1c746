"""Where people's heads are in a frame, for whoever hides them in what is written: never in what is judged.

A detector of people finds boxes, and heads are the tops of these; where it is asked how people stand, landmarks say it
too, and what either finds is hidden. Heads are circles (N, 3): x, y and radius, px of the source, wider than a head,
for both err.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError
from vigil.core.skipping import why_skipped
from vigil.detect.frame_features import StoredFrame
from vigil.features.landmarks import choices
from vigil.features.landmarks.boxes import BoxSettings
from vigil.features.landmarks.finders import OPEN_NETWORKS
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import HEAD, HIPS, SHOULDERS
from vigil.features.masks import SKULL, measure_torso
from vigil.features.networks.nanodet import NanoDet
from vigil.features.persons.detector import Detector as PersonDetector
from vigil.footage.video.views import View

WIDER = 1.6  # times the radius of a head
NECK = 0.6  # torso lengths from between the shoulders to the middle of a head that is not seen
SHARE = 0.22  # of a box's height, that its head is from top to chin
NOBODY = np.zeros((0, 3))
Finder = Callable[[View, StoredFrame], np.ndarray]


def open_head_finder(
    trained: Path, size_px: int, knows_poses: bool, landmarks: choices.Settings | None = None
) -> Finder:
    """Searches frames for boxes at `size_px`; of a detector that `knows_poses`, heads are those of its people too.

    A frame in which people were looked for by `landmarks` is not searched again where that was done as it is here.
    """
    person, pretrained = trained / "person", trained / "pretrained"
    settings = BoxSettings()
    find: Callable[[np.ndarray], np.ndarray]
    if choices.has_networks(pretrained):
        find = OPEN_NETWORKS.open_once(NanoDet, pretrained, settings.weak, settings.find_px)
    elif person.is_dir() and not why_skipped(person):
        find = PersonDetector(person, settings.weak)
    elif knows_poses:
        return lambda _, stored: heads_of_poses(stored.people)
    else:
        raise VigilError(
            "--anonymise: no model of these looks at people, and there is no network that finds them. Set "
            "weights.people in params.yaml to npm and run stage `weights`, or train stage `person`."
        )
    shares_boxes = landmarks is not None and _finds_boxes_as_well(landmarks, person, pretrained)

    def find_boxes(view: View, stored: StoredFrame) -> np.ndarray:
        if shares_boxes and stored.boxes is not None:
            return stored.boxes[:, :4]
        image = view.rgb(size_px)
        return np.asarray(find(image))[:, :4] * (view.size[0] / image.shape[1])

    def find_heads(view: View, stored: StoredFrame) -> np.ndarray:
        heads = heads_of_boxes(find_boxes(view, stored))
        return np.concatenate([heads, heads_of_poses(stored.people)]) if knows_poses else heads

    return find_heads


def _finds_boxes_as_well(landmarks: choices.Settings, person: Path, pretrained: Path) -> bool:
    """Whether people are looked for by NanoDet, in pictures that are no smaller than those in which heads are."""
    backend = choices.choose_backend(landmarks, pretrained)
    finder = choices.choose_detector(backend, person, pretrained, "")
    is_nanodet = (finder.backend, finder.detector) == ("networks", "nanodet")
    return is_nanodet and finder.networks.find_px >= BoxSettings().find_px


def heads_of_poses(people: Sequence[Pose]) -> np.ndarray:
    """Where the head is not seen it is above the shoulders; where these are not either, at the top of what is."""
    heads = []
    for pose in people:
        seen = np.isfinite(pose.joints[:, 0])
        if not seen.any():
            continue
        torso = measure_torso(pose.joints)
        heads.append((*_middle_of_head(pose.joints, seen, torso), WIDER * SKULL * torso))
    return np.array(heads, np.float64).reshape(-1, 3)


def heads_of_boxes(boxes: np.ndarray) -> np.ndarray:
    """Of boxes (N, 4), x0 y0 x1 y1: the tops, as wide as a head of somebody upright, or of somebody cut off below."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    radius = WIDER * np.maximum(SHARE * height, np.minimum(0.25 * width, height / 2)) / 2
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1] + radius / WIDER, radius], axis=1)


def _middle_of_head(joints: np.ndarray, seen: np.ndarray, torso: float) -> tuple[float, float]:
    if seen[HEAD]:
        return float(joints[HEAD, 0]), float(joints[HEAD, 1])
    shoulders, hips = (joints[list(pair)][seen[list(pair)]] for pair in (SHOULDERS, HIPS))
    if not len(shoulders):
        top = joints[seen][np.argmin(joints[seen, 1])]
        return float(top[0]), float(top[1])
    up = np.array([0.0, -1.0])
    if len(hips):
        trunk = shoulders.mean(axis=0) - hips.mean(axis=0)
        up = trunk / max(float(np.linalg.norm(trunk)), 1e-9)
    middle = shoulders.mean(axis=0) + NECK * torso * up
    return float(middle[0]), float(middle[1])
