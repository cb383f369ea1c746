"""What NanoDet makes of a whole picture in the middle of its layers, before it says where people are.

It learnt on photographs of COCO too, and sees other things in them than MoveNet. Its own file serves, cut off in memory
after that layer: another file beside it would be one more that landmarks and trainings depend on.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from vigil.features.networks.fitting import fit_picture
from vigil.features.networks.nanodet import DEEPEST, FILE, normalise
from vigil.features.networks.runtime import Network, open_network

LAYER = "t78"  # of nanodet.onnx: the last convolution with a place for every 16 px
CHANNELS = 128


class NanoDetMiddle:
    """Maps of a picture by one layer of the network. Not to be shared between threads."""

    def __init__(self, folder: Path, side: int) -> None:
        self._network = _open_up_to(folder / FILE, LAYER)
        self._side = side  # px, the longer side of the picture that the network looks at

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Returns (C, h, w) float32 of `image` (H, W, 3) uint8 RGB; what is added to fill a place is black."""
        fitted, _ = fit_picture(image, self._side, DEEPEST)
        return self._network(normalise(fitted))[LAYER][0]


def _open_up_to(path: Path, layer: str) -> Network:
    """Opens the part of a network that `layer` depends on."""
    import onnx

    network = onnx.load(path)
    needed: set[str] = {layer}
    nodes: list[Any] = []
    for node in reversed(network.graph.node):
        if needed.intersection(node.output):
            nodes.insert(0, node)
            needed.update(node.input)
    arrays = [array for array in network.graph.initializer if array.name in needed]
    output = onnx.helper.make_tensor_value_info(layer, onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(nodes, network.graph.name, network.graph.input, [output], arrays)
    with TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        onnx.save(
            onnx.helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version), file
        )
        return open_network(file)
