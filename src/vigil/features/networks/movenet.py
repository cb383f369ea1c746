"""How somebody stands, by MoveNet Thunder: 17 joints of the person in the middle of a square crop."""

from pathlib import Path

import cv2
import numpy as np

from vigil.features.networks.runtime import open_network

FILE = "movenet_thunder.onnx"
STRIDE = 4  # px of the input per cell of the maps
SOFTENING = 1.8  # cells; as the published graph weighs what is far from where it is expected
JOINTS = 17  # COCO's, the nose first


class MoveNet:
    """The joints of one person in a region of a picture. Not to be shared between threads."""

    def __init__(self, folder: Path, side: int) -> None:
        self._network = open_network(folder / FILE)
        self._side = side  # px, of the crop that the network looks at, a multiple of 32

    def __call__(self, image: np.ndarray, square: np.ndarray, window: np.ndarray) -> np.ndarray:
        """Returns (17, 3) x, y, score of the joints, px of `image` (H, W, 3) uint8 RGB; all have a place.

        `square` (3,) is its centre x and y and its side in px. What lies outside the picture, and outside `window` (4,)
        x0 y0 x1 y1, is black, so that nobody else is seen.
        """
        height, width = image.shape[:2]
        left, right = (int(value) for value in np.clip((window[0], np.ceil(window[2])), 0, width))
        top, bottom = (int(value) for value in np.clip((window[1], np.ceil(window[3])), 0, height))
        visible = image[top : max(bottom, top + 1), left : max(right, left + 1)]
        step = float(square[2]) / self._side
        corner = square[:2] - square[2] / 2
        # Places are counted from the corner of the first pixel, by OpenCV from its middle.
        into = np.column_stack([np.eye(2) * step, corner + step / 2 - 0.5 - (left, top)])
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(visible, into, (self._side, self._side), flags=way)
        joints = decode_joints(self._network(crop.transpose(2, 0, 1)[None].astype(np.float32)))
        joints[:, :2] = joints[:, :2] * step + corner
        return joints


def decode_joints(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Decodes the joints (17, 3) x, y, score of the person in the middle, px of the input.

    The surest centre near the middle says where each joint is expected; of the places that look like the joint, the
    surest near there is taken.
    """
    centre, likely = _sigmoid(outputs["centre"][0, 0]), _sigmoid(outputs["joints"][0])
    height, width = centre.shape
    rows, columns = np.indices(centre.shape)
    nearness = 1 / (np.hypot(rows - height / 2, columns - width / 2) + SOFTENING)
    row, column = np.unravel_index(int((centre * nearness).argmax()), centre.shape)
    expected = outputs["joints_from_centre"][0][:, row, column].reshape(JOINTS, 2) + (row, column)
    distance = np.hypot(rows - expected[:, :1, None], columns - expected[:, 1:, None])
    places = (likely / (distance + SOFTENING)).reshape(JOINTS, -1).argmax(1)
    row, column = np.unravel_index(places, centre.shape)
    joint = np.arange(JOINTS)
    offsets = outputs["offsets"][0].reshape(JOINTS, 2, *centre.shape)[joint, :, row, column]  # y, x
    return np.column_stack(
        [STRIDE * (column + offsets[:, 1]), STRIDE * (row + offsets[:, 0]), likely[joint, row, column]]
    ).astype(np.float64)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -80, 80)))
