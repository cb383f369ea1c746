"""NanoDet's middle layer is the last with a place for every 16 px, and sees the same wherever in the picture it is."""

from pathlib import Path

import numpy as np
import onnx

from vigil.features.networks.nanodet import FILE
from vigil.features.networks.nanodet_middle import CHANNELS, LAYER, NanoDetMiddle


def test_what_moves_by_four_places_moves_by_four_places(people_networks: Path) -> None:
    look = NanoDetMiddle(people_networks, 320)
    squares = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    image = np.kron(squares, np.ones((8, 8, 1), np.uint8))  # it hardly sees noise of single pixels
    image[:, 128:] = 0
    maps, moved = look(image), look(np.roll(image, 64, axis=1))
    assert maps.shape == (CHANNELS, 12, 20) and maps.dtype == np.float32
    np.testing.assert_allclose(maps[:, 5:7, 4], moved[:, 5:7, 8], atol=0.03)
    assert np.abs(maps[:, 5:7, 4] - moved[:, 5:7, 7]).max() > 0.15
    np.testing.assert_array_equal(look(image), maps)


def test_it_is_the_last_convolution_before_the_places_are_of_32_px(people_networks: Path) -> None:
    graph = onnx.load(people_networks / FILE).graph
    reader = {name: node for node in reversed(graph.node) for name in node.input}
    kernels = {array.name: list(array.dims) for array in graph.initializer}
    joined = reader[LAYER]
    assert joined.op_type == "Concat", "with what came before its block"
    halving = [node for node in graph.node if node.op_type == "Pad" and node.input[0] == joined.output[0]]
    (convolution,) = (reader[pad.output[0]] for pad in halving)
    assert kernels[convolution.input[1]][:2] == [256, 256]
    assert next(list(entry.ints) for entry in convolution.attribute if entry.name == "strides") == [2, 2]
