"""The two networks of BlazePose, one picture at a time on one thread: where people are, and how each is standing.

A region is (4,) float64: centre x and y, side of the square in px, angle in radians by which the body
leans (clockwise on the picture). Regions (N, 5) have a score in the end.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import VigilError

DETECTOR, LANDMARKS = "pose_detector.tflite", "pose_landmarks.tflite"
FIND_PX, POSE_PX = 224, 256  # sides of the squares that the networks look at
GREY = 114  # where nothing is to be seen
STRIDES = ((8, 2), (16, 2), (32, 6))  # px, anchors per cell
ANCHORS = sum((FIND_PX // stride) ** 2 * count for stride, count in STRIDES)
WIDER = 1.25  # a region's side, in diameters of the circle around the hips that holds the body
SAME = 0.3  # overlap of two findings that are one person
ROWS = 39  # 33 landmarks and 6 auxiliary points
CENTRE, EDGE = 33, 34  # of them: middle of the hips, and a point on the circle around the body, above the head
# From the 33 landmarks to the 13 joints, in their order; the nose is the head.
JOINT_ROWS = (11, 13, 15, 12, 14, 16, 23, 25, 27, 24, 26, 28, 0)


@dataclass(frozen=True)
class BodyEstimate:
    """What the landmark network sees in a region."""

    joints: np.ndarray  # (13, 3) x, y, visibility; all have a place, however little is seen of them
    region: np.ndarray  # (4,) around the same body, by the network's own auxiliary points
    presence: float  # 0..1: that there is a body at all


class Networks:
    """Both networks in memory. Not to be shared between threads."""

    def __init__(self, folder: Path) -> None:
        self._find, self._pose = _interpreter(folder / DETECTOR), _interpreter(folder / LANDMARKS)
        self._find_outputs, self._pose_outputs = _outputs(self._find), _outputs(self._pose)
        self._find_input = self._find.get_input_details()[0]["index"]
        self._pose_input = self._pose.get_input_details()[0]["index"]

    def find(self, image: np.ndarray, confidence: float) -> np.ndarray:
        """Finds the regions (N, 5) of the people in `image` (H, W, 3) uint8 RGB, best first."""
        height, width = image.shape[:2]
        side = max(height, width)
        scale = FIND_PX / side
        small = cv2.resize(
            image,
            (max(1, round(width * scale)), max(1, round(height * scale))),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        square = np.zeros((1, FIND_PX, FIND_PX, 3), np.float32)
        top, left = (FIND_PX - small.shape[0]) // 2, (FIND_PX - small.shape[1]) // 2
        square[0, top : top + small.shape[0], left : left + small.shape[1]] = small * np.float32(2 / 255) - 1
        square[0, :top] = square[0, top + small.shape[0] :] = -1
        square[0, :, :left] = square[0, :, left + small.shape[1] :] = -1
        self._find.set_tensor(self._find_input, square)
        self._find.invoke()
        raw = self._find.get_tensor(self._find_outputs[ANCHORS * 12])[0]
        scores = _sigmoid(self._find.get_tensor(self._find_outputs[ANCHORS])[0, :, 0])
        is_confident = scores >= confidence
        regions = _decode(raw[is_confident], _anchors()[is_confident], scores[is_confident])
        regions[:, :2] = (regions[:, :2] * FIND_PX - (left, top)) / scale
        regions[:, 2] *= side
        return regions

    def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
        """Estimates the body in a region of `image` (H, W, 3) uint8 RGB.

        What lies outside the picture is grey, and so is all outside `window` (4,) x0 y0 x1 y1, so that nobody else is
        seen.
        """
        x, y, size, angle = (float(value) for value in region[:4])
        left = top = 0
        if window is not None:
            height, width = image.shape[:2]
            left, right = (int(value) for value in np.clip((window[0], np.ceil(window[2])), 0, width))
            top, bottom = (int(value) for value in np.clip((window[1], np.ceil(window[3])), 0, height))
            image = image[top : max(bottom, top + 1), left : max(right, left + 1)]
        cos, sin = np.cos(angle) * size / POSE_PX, np.sin(angle) * size / POSE_PX
        half = POSE_PX / 2
        back = np.array([[cos, -sin, x - half * cos + half * sin], [sin, cos, y - half * sin - half * cos]])
        # Places are counted from the corner of the first pixel, by OpenCV from its middle.
        into = back + ((0, 0, back[0, :2].sum() / 2 - 0.5 - left), (0, 0, back[1, :2].sum() / 2 - 0.5 - top))
        crop = cv2.warpAffine(
            image, into, (POSE_PX, POSE_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=(GREY,) * 3
        )
        self._pose.set_tensor(self._pose_input, crop[None] * np.float32(1 / 255))
        self._pose.invoke()
        rows = self._pose.get_tensor(self._pose_outputs[195])[0].reshape(ROWS, 5).astype(np.float64)
        points = rows[:, :2] @ back[:, :2].T + back[:, 2]
        visibility = _sigmoid(rows[:, 3])
        joints = np.column_stack([points, visibility])[list(JOINT_ROWS)]
        presence = float(self._pose.get_tensor(self._pose_outputs[1]).ravel()[0])
        return BodyEstimate(joints, region_around(points[CENTRE], points[EDGE]), presence)


def region_around(centre: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Returns the region (4,) of a body, from the middle of its hips and the point above its head that is marked."""
    dx, dy = edge - centre
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    return np.array([*centre, 2 * WIDER * np.hypot(dx, dy), (angle + np.pi) % (2 * np.pi) - np.pi])


def regions_of_boxes(boxes: np.ndarray) -> np.ndarray:
    """Returns the upright regions (N, 5) of boxes (N, 5) x0 y0 x1 y1 score."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 5)
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    side = WIDER * (boxes[:, 2:4] - boxes[:, :2]).max(1)
    return np.column_stack([middle, side, np.zeros(len(boxes)), boxes[:, 4]])


def region_of_joints(joints: np.ndarray) -> np.ndarray:
    """Returns the upright region (4,) of joints (13, 3), as the box around those that have a place gives it."""
    points = joints[np.isfinite(joints[:, 0]), :2]
    return regions_of_boxes(np.concatenate([points.min(0), points.max(0), [1.0]]))[0, :4]


def cover_with_tiles(width: int, height: int, share: float) -> list[tuple[int, int, int, int]]:
    """Returns squares x0 y0 x1 y1 of `share` of the shorter side that cover the picture and overlap by half."""
    side = max(1, round(share * min(width, height)))
    starts = [np.linspace(0, length - side, 1 + int(np.ceil(2 * (length - side) / side))) for length in (width, height)]
    return [(round(x), round(y), round(x) + side, round(y) + side) for y in starts[1] for x in starts[0]]


def keep_apart(regions: np.ndarray, distance: float) -> np.ndarray:
    """Keeps the best of the regions (N, 5) that show one person: centres within `distance` of the smaller's side."""
    distinct: list[np.ndarray] = []
    for region in regions[np.argsort(-regions[:, 4], kind="stable")]:
        if all(np.hypot(*(region[:2] - other[:2])) > distance * min(region[2], other[2]) for other in distinct):
            distinct.append(region)
    return np.array(distinct).reshape(-1, 5)


@cache
def _anchors() -> np.ndarray:
    """Returns the centres (2254, 2) of the cells of every layer, 0..1."""
    layers = []
    for stride, count in STRIDES:
        cells = FIND_PX // stride
        y, x = np.mgrid[:cells, :cells]
        layers.append(np.repeat((np.stack([x, y], -1).reshape(-1, 2) + 0.5) / cells, count, axis=0))
    return np.concatenate(layers)


def _decode(raw: np.ndarray, anchors: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Decodes regions (N, 5) in shares of the square; detections that overlap are averaged by their scores."""
    points = raw.astype(np.float64).reshape(-1, 6, 2) / FIND_PX
    points[:, [0, 2, 3, 4, 5]] += anchors[:, None]  # the second is the size of the box around the face
    low, high = points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2
    remaining = np.argsort(-scores, kind="stable")
    regions = []
    while len(remaining):
        first = remaining[0]
        common = np.clip(
            np.minimum(high[first], high[remaining]) - np.maximum(low[first], low[remaining]), 0, None
        ).prod(1)
        union = (high[first] - low[first]).prod() + (high[remaining] - low[remaining]).prod(1) - common
        alike = common > SAME * union
        alike[0] = True
        mean = np.average(points[remaining[alike]], axis=0, weights=scores[remaining[alike]])
        regions.append([*region_around(mean[2], mean[3]), scores[first]])
        remaining = remaining[~alike]
    return np.array(regions, np.float64).reshape(-1, 5)


def _interpreter(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]

    if not path.exists():
        raise VigilError(f"{path}: not found. Run stage `weights`.")
    try:
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise VigilError(f"{path}: not a network that can be run ({error}). Run stage `weights` again.") from None
    return interpreter


def _outputs(interpreter: Any) -> dict[int, int]:
    """Maps the count of an output's values to its tensor, which tells them apart in every version of the networks."""
    return {int(np.prod(detail["shape"])): detail["index"] for detail in interpreter.get_output_details()}


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -80, 80)))
