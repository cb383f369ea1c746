"""Detectors of people that find what a test wants them to find."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vigil.core.storage import sha256_file, write_json
from vigil.features.persons.detector import CONFIG, NETWORK, WEIGHTS

SIDE = 64


def _network(path: Path, rows: list[list[float]]) -> None:
    """A network that finds the same things in every picture."""
    table = np.array(rows, np.float32).T[None]  # (1, 4 + classes, N)
    shape = ["image", TensorProto.FLOAT, [1, 3, SIDE, SIDE]]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["table", "nothing"], ["boxes"]),
    ]
    given = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.zeros((), np.float32), "zero")]
    out = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, list(table.shape))
    graph = helper.make_graph(nodes, "fixed", [helper.make_tensor_value_info(*shape)], [out], given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def detector(
    path: Path, rows: list[list[float]], classes: tuple[str, ...] = ("person",), people: tuple[str, ...] = ("person",)
) -> Path:
    """A trained model. Rows are middle and size of a box in a square of SIDE px, then the score of each class."""
    path.mkdir(parents=True)
    _network(path / NETWORK, rows)
    (path / WEIGHTS).write_bytes(b"weights")
    hashes = {"sha256": sha256_file(path / WEIGHTS), "network_sha256": sha256_file(path / NETWORK)}
    lists = {"classes": list(classes), "people": list(people), "sets": []}
    write_json(path / CONFIG, {"imgsz": SIDE, "knows_real_people": False, **lists, **hashes})
    return path
