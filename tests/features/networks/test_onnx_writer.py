"""A graph of TensorFlow.js written as ONNX gives what the arithmetic says, for pictures of any size."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.features.networks.graph_model import GraphModel, read_graph_model
from vigil.features.networks.onnx_writer import Trunk, write_onnx


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def model(arrays: dict[str, np.ndarray], operators: list[dict[str, Any]]) -> GraphModel:
    """The two files of a network, read; floats are stored as float16."""
    manifest, weights = [], b""
    for name, array in arrays.items():
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": str(array.dtype)}
        if array.dtype == np.float32:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            array = array.astype(np.float16)
        weights += array.tobytes()
        manifest.append(entry)
    nodes = [*({"name": name, "op": "Const"} for name in arrays), *operators]
    description = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}
    return read_graph_model(json.dumps(description).encode(), weights)


def run(network: bytes, image: np.ndarray) -> np.ndarray:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})[0]


ONES = [1, 1, 1, 1]
CONVOLUTION = {
    "name": "conv", "op": "_FusedConv2D", "input": ["image", "kernel", "bias"],
    "attr": {
        "strides": {"list": {"i": ONES}}, "dilations": {"list": {"i": ONES}}, "padding": text("SAME"),
        "fused_ops": {"list": {"s": [text("BiasAdd")["s"], text("Relu6")["s"]]}},
    },
}  # fmt: skip
DOUBLE = {
    "name": "resize", "op": "ResizeBilinear", "input": ["conv", "size"], "attr": {"half_pixel_centers": {"b": True}},
}  # fmt: skip
SUM = {"name": "sum", "op": "AddV2", "input": ["resize", "extra"], "attr": {}}
ARRAYS = {
    # red, green and blue of a place: 1 red + 2 green, and 3 blue; bias 0.5 and -1
    "kernel": np.array([[[[1, 0], [2, 0], [0, 3]]]], np.float32),
    "bias": np.array([0.5, -1], np.float32),
    "size": np.array([8, 8], np.int32),  # of a picture of 4 x 4
    "extra": np.array([10, 20], np.float32),
}
TRUNK = Trunk("image", channels_first=False, side=4, outputs={"sum": "map"})


def test_a_convolution_a_doubling_and_a_sum_are_what_arithmetic_says() -> None:
    """(1 + 2 x 2 + 0.5) + 10 = 15.5; 3 x 5 - 1 = 14 is cut off at 6, + 20 = 26."""
    network = write_onnx(model(ARRAYS, [CONVOLUTION, DOUBLE, SUM]), TRUNK)
    for height, width in ((4, 4), (2, 6)):
        image = np.broadcast_to(np.array([1, 2, 5], np.float32).reshape(1, 3, 1, 1), (1, 3, height, width)).copy()
        result = run(network, image)
        assert result.shape == (1, 2, 2 * height, 2 * width)
        np.testing.assert_allclose(result[0, 0], 15.5)
        np.testing.assert_allclose(result[0, 1], 26)


def test_doubling_puts_a_value_between_its_neighbours() -> None:
    """The row 0, 1 becomes 0, 0.25, 0.75, 1."""
    arrays = ARRAYS | {"kernel": np.ones((1, 1, 3, 1), np.float32), "bias": np.zeros(1, np.float32)}
    network = write_onnx(
        model(arrays, [CONVOLUTION, DOUBLE]), Trunk("image", channels_first=False, side=4, outputs={"resize": "map"})
    )
    image = np.zeros((1, 3, 1, 2), np.float32)
    image[0, 0, 0, 1] = 1
    np.testing.assert_allclose(run(network, image)[0, 0, 0], [0, 0.25, 0.75, 1])


def test_a_depthwise_convolution_pads_as_tensorflow_does() -> None:
    """SAME with a stride of 2 pads an even side at its end alone: sums of 3 x 3 places from the first on."""
    operator = {
        "name": "deep", "op": "DepthwiseConv2dNative", "input": ["image", "window"],
        "attr": {"strides": {"list": {"i": [1, 2, 2, 1]}}, "dilations": {"list": {"i": ONES}},
                 "padding": text("SAME")},
    }  # fmt: skip
    weights = np.stack([np.full((3, 3), factor, np.float32) for factor in (1, 2, 3)], -1)[..., None]
    network = write_onnx(
        model({"window": weights}, [operator]), Trunk("image", channels_first=False, side=4, outputs={"deep": "map"})
    )
    result = run(network, np.ones((1, 3, 4, 4), np.float32))
    np.testing.assert_allclose(result[0, 0], [[9, 6], [6, 4]])
    np.testing.assert_allclose(result[0, 2], 3 * result[0, 0])


def test_the_graphs_own_transpositions_cost_nothing() -> None:
    import onnx

    last = {"name": "last", "op": "Transpose", "input": ["image", "to last"], "attr": {}}
    first = {"name": "first", "op": "Transpose", "input": ["conv", "to first"], "attr": {}}
    orders = {"to last": np.array([0, 2, 3, 1], np.int32), "to first": np.array([0, 3, 1, 2], np.int32)}
    convolution = CONVOLUTION | {"input": ["last", "kernel", "bias"]}
    graph = model(ARRAYS | orders, [last, convolution, first])
    network = write_onnx(graph, Trunk("image", channels_first=True, side=4, outputs={"first": "map"}))
    assert [node.op_type for node in onnx.load_from_string(network).graph.node] == ["Conv", "Clip", "Identity"]


def test_the_same_graph_gives_the_same_bytes_without_what_is_not_used() -> None:
    import onnx

    networks = [write_onnx(model(ARRAYS, [CONVOLUTION, DOUBLE, SUM]), TRUNK) for _ in range(2)]
    assert networks[0] == networks[1]
    graph = onnx.load_from_string(networks[0]).graph
    used = {name for node in graph.node for name in node.input}
    assert {array.name for array in graph.initializer} <= used


def test_what_cannot_be_written_is_named() -> None:
    operator = {"name": "top", "op": "TopKV2", "input": ["image"], "attr": {}}
    with pytest.raises(VigilError, match="top: TopKV2 cannot be written as ONNX"):
        write_onnx(model({}, [operator]), Trunk("image", channels_first=False, side=4, outputs={"top": "map"}))


def test_weights_of_another_network_are_refused() -> None:
    description = {"modelTopology": {"node": []}, "weightsManifest": [
        {"weights": [{"name": "bias", "shape": [3], "dtype": "float32"}]}
    ]}  # fmt: skip
    with pytest.raises(VigilError, match="end within bias"):
        read_graph_model(json.dumps(description).encode(), b"12345678")
    with pytest.raises(VigilError, match="do not belong together"):
        read_graph_model(json.dumps(description).encode(), b"1234567890123456")
