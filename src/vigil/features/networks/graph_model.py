"""Reads a graph model of TensorFlow.js: a JSON file with the operators, and a binary file with the weights."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigil.core.errors import VigilError

DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1"}


@dataclass(frozen=True)
class Operator:
    """One operator of the graph; pictures are (N, H, W, C) in it."""

    name: str
    kind: str  # as TensorFlow calls it
    inputs: tuple[str, ...]  # names of operators and constants; `name:1` is a second output
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class GraphModel:
    """A network as it was published."""

    operators: Mapping[str, Operator]  # by name, in the order of the file
    constants: Mapping[str, np.ndarray]  # by name; half precision is read as float32


def read_graph_model(description: bytes, weights: bytes) -> GraphModel:
    """Reads the two files of a network; VigilError when they do not belong together."""
    document = json.loads(description)
    topology = document["modelTopology"]
    operators = {}
    for node in topology.get("graph_def", topology)["node"]:
        attributes = {name: _attribute(value) for name, value in node.get("attr", {}).items()}
        inputs = tuple(name.removesuffix(":0") for name in node.get("input", ()) if not name.startswith("^"))
        operators[node["name"]] = Operator(node["name"], node["op"], inputs, attributes)
    constants, offset = {}, 0
    for entry in (entry for group in document["weightsManifest"] for entry in group["weights"]):
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if stored not in ("float16", *DTYPES) or (stored != entry["dtype"] and stored != "float16"):
            raise VigilError(f"weights of type {stored} for {entry['name']}: expected float16 or plain numbers.")
        dtype, count = np.dtype("<f2" if stored == "float16" else DTYPES[stored]), int(np.prod(entry["shape"]))
        if offset + count * dtype.itemsize > len(weights):
            raise VigilError(f"the weights end within {entry['name']}: the two files do not belong together.")
        values = np.frombuffer(weights, dtype, count, offset).reshape(entry["shape"])
        constants[entry["name"]] = values.astype(np.float32) if dtype.kind == "f" else values
        offset += count * dtype.itemsize
    if offset != len(weights):
        raise VigilError(f"{len(weights)} bytes of weights, {offset} are described: the files do not belong together.")
    return GraphModel(operators, constants)


def _attribute(value: Mapping[str, Any]) -> Any:
    """Returns an attribute as a plain value; None for those that no network here needs."""
    if "list" in value:
        entries = value["list"]
        return [_attribute({kind: entry}) for kind, members in entries.items() for entry in members]
    for kind, entry in value.items():
        if kind == "s":
            return base64.b64decode(entry).decode()
        if kind == "i":
            return int(entry)
        if kind in ("b", "f"):
            return entry
    return None
