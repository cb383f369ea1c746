"""What MoveNet Thunder makes of a whole picture in the middle of its layers, before it asks where somebody is.

It learnt on photographs of COCO. What it sees there are parts of bodies and things, and no joints yet.
"""

from pathlib import Path

import numpy as np

from vigil.features.networks.fitting import fit_picture
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
        fitted, _ = fit_picture(image, self._side, STRIDE)
        outputs = self._network(np.ascontiguousarray(fitted.transpose(2, 0, 1)[None], np.float32))
        return np.concatenate([outputs[name][0] for name in LAYERS])
