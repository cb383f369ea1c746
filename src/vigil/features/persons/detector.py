"""Where people are: the YOLO detector that stage `person` trained, one picture at a time on one thread.

The network is run by OpenCV from its ONNX file: nothing of torch is loaded, and the file can hold no code.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_json, sha256_file

WEIGHTS, NETWORK, CONFIG = "person.pt", "person.onnx", "config.json"
PERSON = "person"
GREY = 114  # around pictures that are no squares, as in training
OVERLAP = 0.6  # of two boxes that show one thing
MOST = 300  # boxes of a picture


class Detector:
    """Boxes (N, 5) x0 y0 x1 y1 score of the people in a picture, best first. Not to be shared between threads."""

    def __init__(self, folder: Path, confidence: float, kind: str = PERSON) -> None:
        config = checked(folder)
        classes = config["classes"]
        if kind not in classes:
            raise VigilError(f"{folder}: finds {', '.join(classes)}; no '{kind}'.{near_miss(kind, classes)}")
        self.imgsz: int = config["imgsz"]
        self.confidence = confidence
        self._row = 4 + classes.index(kind)
        try:
            self._network = cv2.dnn.readNetFromONNX(str(folder / NETWORK))
        except cv2.error as error:
            raise VigilError(f"{folder / NETWORK}: OpenCV cannot read it ({error.err}). Run stage `person`.") from None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """`image` is (H, W, 3) uint8 RGB; boxes are in its pixels and within it."""
        square, scale, corner = letterbox(image, self.imgsz)
        self._network.setInput(np.ascontiguousarray(square.transpose(2, 0, 1))[None] * np.float32(1 / 255))
        raw = self._network.forward()[0]  # (4 + classes, cells): middle, size, scores
        good = raw[self._row] >= self.confidence
        scores = raw[self._row, good].astype(np.float64)
        middle, half = raw[:2, good].T.astype(np.float64), raw[2:4, good].T.astype(np.float64) / 2
        boxes = (np.column_stack([middle - half, middle + half]) - np.tile(corner, 2)) / scale
        height, width = image.shape[:2]
        boxes = np.clip(boxes, 0, (width, height, width, height))
        found = np.column_stack([boxes, scores])
        return apart(found[(boxes[:, 2:] > boxes[:, :2]).all(1)])


def checked(folder: Path) -> dict[str, Any]:
    """config.json of a trained detector; VigilError when its files are not those that it was written for."""
    path = folder / CONFIG
    if not path.exists():
        raise VigilError(f"{path}: not found. Run stage `person`.")
    config = read_json(path)
    for name, key in ((WEIGHTS, "sha256"), (NETWORK, "network_sha256")):
        file = folder / name
        found = sha256_file(file) if file.exists() else "nothing there"
        if found != config.get(key):
            raise VigilError(
                f"{file}: sha256 is {found}, {CONFIG} says {config.get(key)}: not the file that stage `person` wrote. "
                "Run it again (`dvc repro -f person`), or `dvc checkout`."
            )
    return config


def letterbox(image: np.ndarray, side: int) -> tuple[np.ndarray, float, np.ndarray]:
    """The picture in the middle of a grey square; its scale, and where its corner came to lie (x, y)."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square = np.full((side, side, 3), GREY, np.uint8)
    square[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return square, scale, np.array([left, top])


def apart(found: np.ndarray, overlap: float = OVERLAP) -> np.ndarray:
    """Of boxes (N, 5) that overlap by more (intersection over union) the best, best first."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    area = (found[:, 2:4] - found[:, :2]).prod(1)
    left = np.arange(len(found))
    kept: list[int] = []
    while len(left) and len(kept) < MOST:
        first, left = left[0], left[1:]
        kept.append(int(first))
        low = np.maximum(found[first, :2], found[left, :2])
        high = np.minimum(found[first, 2:4], found[left, 2:4])
        common = np.clip(high - low, 0, None).prod(1)
        left = left[common <= overlap * (area[first] + area[left] - common)]
    return found[kept]


def widened(boxes: np.ndarray, margin: float) -> np.ndarray:
    """Boxes (N, 5) with `margin` of their width and height more on each side: those of a young network are loose."""
    wider = np.array(boxes, np.float64).reshape(-1, 5)
    extra = margin * (wider[:, 2:4] - wider[:, :2])
    wider[:, :2] -= extra
    wider[:, 2:4] += extra
    return wider
