"""What MoveNet Thunder makes of a whole picture in the middle of its layers, before it asks where somebody is.

It learnt on photographs of COCO. What it sees there are parts of bodies and things, and no joints yet.
"""

from pathlib import Path

import cv2
import numpy as np

from vigil.features.networks.runtime import open_network

FILE = "movenet_middle.onnx"
STRIDE = 16  # px of the input per place of the maps
LAYERS = ("block_7", "block_9")  # each 112 channels
CHANNELS = 224  # of both


class Middle:
    """Maps of a picture by two layers of the network. Not to be shared between threads."""

    def __init__(self, folder: Path, side: int) -> None:
        self._network = open_network(folder / FILE)
        self._side = side  # px, the longer side of the picture that the network looks at

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Returns (C, h, w) float32 of `image` (H, W, 3) uint8 RGB; what is added to fill a place is black."""
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        padded = np.zeros((*(-(-side // STRIDE) * STRIDE for side in size[::-1]), 3), np.float32)
        padded[: size[1], : size[0]] = cv2.resize(image, size, interpolation=way)
        outputs = self._network(np.ascontiguousarray(padded.transpose(2, 0, 1)[None]))
        return np.concatenate([outputs[name][0] for name in LAYERS])
