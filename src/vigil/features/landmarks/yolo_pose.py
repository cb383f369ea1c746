"""YOLO-pose weights (COCO's 17 points) on one picture at a time."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from vigil.core.errors import VigilError
from vigil.features.landmarks.skeleton import COCO_ROWS
from vigil.features.landmarks.tracks import Settings
from vigil.features.persons import ultralytics_yolo

POINTS = 17


def open_yolo_pose(weights: Path, settings: Settings) -> Callable[[np.ndarray], list[tuple[np.ndarray, float]]]:
    """Returns a function from (H, W, 3) uint8 RGB to (joints (13, 3), certainty) of each person, best first."""
    model = ultralytics_yolo.load_pose_model(weights, Path(_home().name))
    shape = tuple(getattr(model.model.model[-1], "kpt_shape", ()))
    if shape != (POINTS, 3):
        raise VigilError(
            f"{weights}: no YOLO-pose weights with COCO's {POINTS} points. Set weights.yolo to such a file."
        )

    def find_bodies(image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        result = model.predict(bgr, conf=settings.presence, max_det=settings.max_people, verbose=False, device="cpu")[0]
        points = result.keypoints.data.numpy().astype(np.float64).reshape(-1, POINTS, 3)
        return [(points[number][list(COCO_ROWS)], float(score)) for number, score in enumerate(result.boxes.conf)]

    return find_bodies


@cache
def _home() -> TemporaryDirectory[str]:
    """Returns the folder where Ultralytics may write: one for a process, since it remembers the first."""
    return TemporaryDirectory(prefix="vigil-yolo-")
