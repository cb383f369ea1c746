"""Where people are: the YOLO detector that stage `person` trained, one picture at a time on one thread.

The network is run by OpenCV from its ONNX file: nothing of torch is loaded, and the file can hold no code.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import VigilError, near_miss
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_file

WEIGHTS, NETWORK, CONFIG = "person.pt", "person.onnx", "config.json"
PERSON = "person"
FAINT = 0.01  # confidence from which boxes count towards average precision
GREY = 114  # around pictures that are no squares, as in training
OVERLAP = 0.6  # of two boxes that show one thing
MAX_BOXES = 300  # boxes of a picture


class Detector:
    """Boxes (N, 5) x0 y0 x1 y1 score of the people in a picture, best first. Not to be shared between threads.

    People are of the classes that count as a person; `kind` asks for things of one class instead.
    """

    def __init__(self, folder: Path, confidence: float, kind: str | None = None) -> None:
        config = read_config(folder)
        classes = config["classes"]
        if kind is not None and kind not in classes:
            raise VigilError(f"{folder}: finds {', '.join(classes)}; no '{kind}'.{near_miss(kind, classes)}")
        kinds = people_classes(folder) if kind is None else (kind,)
        self.imgsz: int = config["imgsz"]
        self.confidence = confidence
        self._rows = class_rows(classes, kinds)
        try:
            self._network = cv2.dnn.readNetFromONNX(str(folder / NETWORK))
        except cv2.error as error:
            raise VigilError(f"{folder / NETWORK}: OpenCV cannot read it ({error.err}). Run stage `person`.") from None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """`image` is (H, W, 3) uint8 RGB; boxes are in its pixels and within it."""
        square, scale, corner = letterbox(image, self.imgsz)
        self._network.setInput(np.ascontiguousarray(square.transpose(2, 0, 1))[None] * np.float32(1 / 255))
        raw = self._network.forward()[0]  # (4 + classes, cells): middle, size, scores
        return decode_boxes(raw, self._rows, self.confidence, scale, corner, image.shape)


def class_rows(classes: Sequence[str], kinds: Sequence[str]) -> list[int]:
    """Returns the rows of a network's output that have the scores of `kinds`."""
    return [4 + classes.index(kind) for kind in kinds]


def decode_boxes(
    raw: np.ndarray, rows: Sequence[int], confidence: float, scale: float, corner: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Returns boxes (N, 5) in a picture of `shape` from a network's output (4 + classes, cells) for its letterbox.

    A box has the best of the scores in `rows`.
    """
    best = raw[rows].max(axis=0)
    confident = best >= confidence
    scores = best[confident].astype(np.float64)
    middle, half = raw[:2, confident].T.astype(np.float64), raw[2:4, confident].T.astype(np.float64) / 2
    boxes = (np.column_stack([middle - half, middle + half]) - np.tile(corner, 2)) / scale
    height, width = shape[:2]
    boxes = np.clip(boxes, 0, (width, height, width, height))
    detections = np.column_stack([boxes, scores])
    return remove_overlapping(detections[(boxes[:, 2:] > boxes[:, :2]).all(1)])


def why_nobody(folder: Path) -> str | None:
    """Returns why a trained detector finds nobody; None where it finds people, or where there is none."""
    config = {"people": [PERSON]} if why_skipped(folder) else read_config(folder)
    return None if config["people"] else f"{folder} finds {', '.join(config['classes'][:10])}, none counts as a person"


def people_classes(folder: Path) -> tuple[str, ...]:
    """Returns the classes of a trained detector that count as a person; VigilError where none does."""
    config = read_config(folder)
    if not config["people"]:
        raise VigilError(
            f"{folder}: finds {', '.join(config['classes'][:10])}, and none counts as a person. Name those that do in "
            "params.yaml [person]: people, or set landmarks.detector to auto or mediapipe."
        )
    return tuple(config["people"])


def read_config(folder: Path) -> dict[str, Any]:
    """Reads config.json of a trained detector; VigilError when its files are not those that it was written for."""
    path = folder / CONFIG
    if reason := why_skipped(folder):
        raise VigilError(f"{folder}: there is no detector: {reason}")
    if not path.exists():
        raise VigilError(f"{path}: not found. Run stage `person`.")
    config: dict[str, Any] = {"people": [PERSON], **read_json(path)}  # the only one there was before it was a setting
    for name, key in ((WEIGHTS, "sha256"), (NETWORK, "network_sha256")):
        file = folder / name
        sha256 = sha256_file(file) if file.exists() else "nothing there"
        if sha256 != config.get(key):
            raise VigilError(
                f"{file}: sha256 is {sha256}, {CONFIG} says {config.get(key)}: not the file that stage `person` wrote. "
                "Run it again (`dvc repro -f person`), or `dvc checkout`."
            )
    return config


def letterbox(image: np.ndarray, side: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Returns the picture in the middle of a grey square, its scale, and where its corner came to lie (x, y)."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square = np.full((side, side, 3), GREY, np.uint8)
    square[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return square, scale, np.array([left, top])


def remove_overlapping(boxes: np.ndarray, overlap: float = OVERLAP) -> np.ndarray:
    """Keeps only the best of boxes (N, 5) that overlap by more (intersection over union), best first."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    area = (boxes[:, 2:4] - boxes[:, :2]).prod(1)
    remaining = np.arange(len(boxes))
    chosen: list[int] = []
    while len(remaining) and len(chosen) < MAX_BOXES:
        best, remaining = remaining[0], remaining[1:]
        chosen.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[remaining, :2])
        high = np.minimum(boxes[best, 2:4], boxes[remaining, 2:4])
        common = np.clip(high - low, 0, None).prod(1)
        remaining = remaining[common <= overlap * (area[best] + area[remaining] - common)]
    return boxes[chosen]
