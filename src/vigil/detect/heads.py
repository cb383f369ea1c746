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
from vigil.features.landmarks.box_tracks import BoxSettings
from vigil.features.landmarks.choices import has_networks
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


def open_head_finder(trained: Path, size_px: int, knows_poses: bool) -> Finder:
    """Searches frames for boxes at `size_px`; of a detector that `knows_poses`, heads are those of its people too."""
    person, pretrained = trained / "person", trained / "pretrained"
    settings = BoxSettings()
    find: Callable[[np.ndarray], np.ndarray]
    if has_networks(pretrained):
        find = NanoDet(pretrained, settings.weak, settings.find_px)
    elif person.is_dir() and not why_skipped(person):
        find = PersonDetector(person, settings.weak)
    elif knows_poses:
        return lambda _, stored: heads_of_poses(stored.people)
    else:
        raise VigilError(
            "--anonymise: no model of these looks at people, and there is no network that finds them. Set "
            "weights.people in params.yaml to npm and run stage `weights`, or train stage `person`."
        )

    def find_heads(view: View, stored: StoredFrame) -> np.ndarray:
        image = view.rgb(size_px)
        scale = view.size[0] / image.shape[1]
        of_boxes = heads_of_boxes(np.asarray(find(image))[:, :4] * scale)
        return np.concatenate([of_boxes, heads_of_poses(stored.people)]) if knows_poses else of_boxes

    return find_heads


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
