"""Where people are, by NanoDet: a small detector that was trained on COCO's photographs."""

from pathlib import Path

import numpy as np

from vigil.features.networks.fitting import fit_picture
from vigil.features.networks.runtime import open_network
from vigil.features.persons.detector import remove_overlapping

FILE = "nanodet.onnx"
MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # of blue, green, red
DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
STRIDES = (8, 16, 32)  # px, of the outputs `stride8` and so on
DEEPEST = 32  # px, of which a picture's sides are multiples
CLASSES, PERSON = 80, 0  # COCO's
BINS = 11  # steps of a stride over which each distance to a side of the box is spread
OVERLAP = 0.5  # of two boxes that show one person


class NanoDet:
    """Boxes (N, 5) x0 y0 x1 y1 score of the people in a picture, best first. Not to be shared between threads."""

    def __init__(self, folder: Path, confidence: float, side: int) -> None:
        self._network = open_network(folder / FILE)
        self._confidence = confidence
        self._side = side  # px, the longer side of the picture that the network looks at

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """`image` is (H, W, 3) uint8 RGB; boxes are in its pixels and within it."""
        height, width = image.shape[:2]
        fitted, scale = fit_picture(image, self._side, DEEPEST)
        detections = decode_boxes(self._network(normalise(fitted)), self._confidence)
        detections[:, :4] = np.clip(detections[:, :4] / scale, 0, (width, height, width, height))
        has_area = (detections[:, 2:4] > detections[:, :2]).all(1)
        return remove_overlapping(detections[has_area], OVERLAP)


def normalise(image: np.ndarray) -> np.ndarray:
    """Returns a picture (H, W, 3) uint8 RGB as the network takes it, (1, 3, H, W)."""
    values = (image[:, :, ::-1] - MEAN) / DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def decode_boxes(outputs: dict[str, np.ndarray], confidence: float) -> np.ndarray:
    """Decodes the boxes (N, 5) of people from the maps (1, 80 + 4 x 11, h, w) of each stride, px of the input."""
    boxes = [np.zeros((0, 5))]
    for stride in STRIDES:
        cells = outputs[f"stride{stride}"][0]
        scores = 1 / (1 + np.exp(-cells[PERSON].astype(np.float64)))
        y, x = np.nonzero(scores >= confidence)
        spread = cells[CLASSES:, y, x].astype(np.float64).reshape(4, BINS, -1)
        shares = np.exp(spread - spread.max(1, keepdims=True))
        left, top, right, bottom = (shares * np.arange(BINS)[:, None]).sum(1) / shares.sum(1) * stride
        x_px, y_px = (x + 0.5) * stride, (y + 0.5) * stride
        boxes.append(np.column_stack([x_px - left, y_px - top, x_px + right, y_px + bottom, scores[y, x]]))
    return np.concatenate(boxes)
