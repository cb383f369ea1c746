"""Writes the trunk of a TensorFlow.js graph model as ONNX, from named inputs to named outputs.

TensorFlow keeps pictures as (N, H, W, C), ONNX as (N, C, H, W). Each tensor is written with its channels first wherever
the operators allow it, so that hardly a transposition is left; what the graph transposes itself then costs nothing.
What comes after the last convolution is cut away: numpy does it for the few places that matter, and the trunk alone
takes pictures of any size. The same graph gives the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vigil.core.errors import VigilError
from vigil.features.networks.graph_model import GraphModel, Operator

OPSET, IR_VERSION = 17, 8
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # channels
ACTIVATIONS = ("Relu", "Relu6", "LeakyRelu", "Sigmoid")
ARITHMETIC = {"Add": "Add", "AddV2": "Add", "Mul": "Mul", "Sub": "Sub"}


@dataclass(frozen=True)
class Trunk:
    """Which part of a graph is written."""

    input: str  # the operator whose result is the picture that is given
    channels_first: bool  # whether the graph has that picture as (N, C, H, W)
    side: int  # px, of the square picture for which the graph was made
    outputs: Mapping[str, str]  # operator: name of the output, which is (N, C, H, W)


@dataclass(frozen=True)
class Tensor:
    """A result of the graph, as it is in the ONNX network."""

    name: str
    channels_first: bool  # (N, C, H, W) here and (N, H, W, C) in the graph; else as it is in the graph


@dataclass
class _Writer:
    """The ONNX network as far as it is written."""

    graph: GraphModel
    nodes: list[Any] = field(default_factory=list)
    arrays: list[Any] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def add(self, kind: str, inputs: Sequence[str], channels_first: bool, **attributes: Any) -> Tensor:
        from onnx import helper

        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return Tensor(name, channels_first)

    def array(self, values: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def constant(self, name: str) -> np.ndarray:
        if name not in self.graph.constants:
            raise VigilError(f"{name}: expected a constant of the graph.")
        return self.graph.constants[name]

    def tensor(self, name: str, channels_first: bool | None = None) -> Tensor:
        """Returns a result, written with its operator where it is new, in the layout that is asked for."""
        if name not in self.tensors:
            operator = self.graph.operators.get(name)
            if operator is None or operator.kind not in _WRITERS:
                kind = operator.kind if operator else "nothing"
                raise VigilError(f"{name}: {kind} cannot be written as ONNX. Known: {', '.join(sorted(_WRITERS))}.")
            self.tensors[name] = _WRITERS[operator.kind](self, operator)
        tensor = self.tensors[name]
        if channels_first is None or tensor.channels_first == channels_first:
            return tensor
        return self.add("Transpose", [tensor.name], channels_first, perm=FIRST if channels_first else LAST)


def write_onnx(graph: GraphModel, trunk: Trunk) -> bytes:
    """Writes the trunk of a graph as an ONNX network that takes pictures (1, C, H, W) of any size."""
    from onnx import TensorProto, helper, shape_inference

    writer = _Writer(graph, tensors={trunk.input: Tensor("image", not trunk.channels_first)})
    outputs = []
    for operator, name in trunk.outputs.items():
        tensor = writer.tensor(operator)
        if not tensor.channels_first and not trunk.channels_first:
            tensor = writer.tensor(operator, channels_first=True)
        writer.nodes.append(helper.make_node("Identity", [tensor.name], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))

    def model(height: int | str, width: int | str) -> Any:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, height, width))
        used = {name for node in writer.nodes for name in node.input}
        arrays = [array for array in writer.arrays if array.name in used]
        body = helper.make_graph(writer.nodes, "network", [image], outputs, arrays)
        return helper.make_model(
            body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="vigil"
        )

    inferred = shape_inference.infer_shapes(model(trunk.side, trunk.side), strict_mode=True)
    _scale_instead_of_resize(writer, inferred.graph.value_info)
    return bytes(model("height", "width").SerializeToString(deterministic=True))


def _scale_instead_of_resize(writer: _Writer, shapes: Any) -> None:
    """Turns resizing to a fixed size into scaling by a factor, so that pictures may have any size."""
    from onnx import helper, numpy_helper

    sides = {info.name: [dimension.dim_value for dimension in info.type.tensor_type.shape.dim] for info in shapes}
    arrays = {array.name: numpy_helper.to_array(array) for array in writer.arrays}
    for number, node in enumerate(writer.nodes):
        if node.op_type == "Resize" and len(node.input) == 4:
            before, size = sides[node.input[0]][2:], arrays[node.input[3]][2:]
            scales = writer.array(np.array([1, 1, *(size / before)], np.float32))
            attributes = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
            writer.nodes[number] = helper.make_node("Resize", [node.input[0], "", scales], node.output, **attributes)


def _convolution(writer: _Writer, operator: Operator) -> Tensor:
    """A convolution, plain or of each channel on its own, with what is fused into it."""
    picture = writer.tensor(operator.inputs[0], channels_first=True)
    kernel = writer.constant(operator.inputs[1])  # (h, w, in, out), or (h, w, in, times) of each channel
    deep = "epthwise" in operator.kind
    weights = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2]) if deep else kernel.transpose(3, 2, 0, 1)
    fused = list(operator.attributes.get("fused_ops") or [])
    arrays = [writer.array(weights)]
    if fused[:1] == ["BiasAdd"]:
        arrays.append(writer.array(writer.constant(operator.inputs[2]).ravel()))
        fused = fused[1:]
    tensor = writer.add(
        "Conv",
        [picture.name, *arrays],
        True,
        **_window(operator),
        dilations=operator.attributes.get("dilations", [1, 1, 1, 1])[1:3],
        kernel_shape=kernel.shape[:2],
        group=kernel.shape[2] if deep else 1,
    )
    for kind in fused:
        tensor = _activate(writer, tensor, kind, operator)
    return tensor


def _window(operator: Operator) -> dict[str, Any]:
    padding = operator.attributes["padding"]
    if padding not in ("SAME", "VALID"):
        raise VigilError(f"{operator.name}: padding {padding} cannot be written as ONNX. Known: SAME, VALID.")
    return {"strides": operator.attributes["strides"][1:3], "auto_pad": {"SAME": "SAME_UPPER"}.get(padding, padding)}


def _activate(writer: _Writer, tensor: Tensor, kind: str, operator: Operator) -> Tensor:
    if kind not in ACTIVATIONS:
        raise VigilError(f"{operator.name}: {kind} cannot be written as ONNX. Known: {', '.join(ACTIVATIONS)}.")
    if kind == "Relu6":
        limits = [writer.array(np.array(limit, np.float32)) for limit in (0.0, 6.0)]
        return writer.add("Clip", [tensor.name, *limits], tensor.channels_first)
    more = {"alpha": float(operator.attributes.get("alpha", 0.2))} if kind == "LeakyRelu" else {}
    return writer.add(kind, [tensor.name], tensor.channels_first, **more)


def _activation(writer: _Writer, operator: Operator) -> Tensor:
    return _activate(writer, writer.tensor(operator.inputs[0]), operator.kind, operator)


def _arithmetic(writer: _Writer, operator: Operator) -> Tensor:
    """A sum, difference or product of two results, or of one and a constant."""
    names = operator.inputs
    layouts = [writer.tensor(name).channels_first for name in names if name not in writer.graph.constants]
    channels_first = all(layouts)
    inputs = [
        writer.array(_laid_out(writer.constant(name), channels_first))
        if name in writer.graph.constants
        else writer.tensor(name, channels_first).name
        for name in names
    ]
    return writer.add(ARITHMETIC[operator.kind], inputs, channels_first)


def _laid_out(values: np.ndarray, channels_first: bool) -> np.ndarray:
    """Returns a constant so that it meets the right axes of a picture."""
    if not channels_first or not values.ndim:
        return values
    return values.reshape((1,) * (4 - values.ndim) + values.shape).transpose(FIRST)


def _pad(writer: _Writer, operator: Operator) -> Tensor:
    picture = writer.tensor(operator.inputs[0])
    amounts = writer.constant(operator.inputs[1])  # (4, 2) before and after, by axis
    if picture.channels_first:
        amounts = amounts[list(FIRST)]
    arrays = [writer.array(amounts.T.ravel().astype(np.int64))]
    if len(operator.inputs) > 2:
        arrays.append(writer.array(writer.constant(operator.inputs[2])))
    return writer.add("Pad", [picture.name, *arrays], picture.channels_first)


def _max_pool(writer: _Writer, operator: Operator) -> Tensor:
    picture = writer.tensor(operator.inputs[0], channels_first=True)
    kernel = operator.attributes["ksize"][1:3]
    return writer.add("MaxPool", [picture.name], True, kernel_shape=kernel, **_window(operator))


def _resize(writer: _Writer, operator: Operator) -> Tensor:
    if not operator.attributes.get("half_pixel_centers"):
        raise VigilError(f"{operator.name}: only resizing about the middles of pixels can be written as ONNX.")
    picture = writer.tensor(operator.inputs[0], channels_first=True)
    size = writer.array(np.array([1, 1, *writer.constant(operator.inputs[1])], np.int64))
    # Channels are never resized: `_scale_instead_of_resize` puts a factor in the place of this size.
    return writer.add("Resize", [picture.name, "", "", size], True, mode="linear")


def _concatenate(writer: _Writer, operator: Operator) -> Tensor:
    *names, axis_name = operator.inputs
    channels_first = all(writer.tensor(name).channels_first for name in names)
    axis = int(writer.constant(axis_name)) % 4
    inputs = [writer.tensor(name, channels_first).name for name in names]
    return writer.add("Concat", inputs, channels_first, axis=FIRST.index(axis) if channels_first else axis)


def _transpose(writer: _Writer, operator: Operator) -> Tensor:
    picture = writer.tensor(operator.inputs[0])
    order = tuple(int(axis) for axis in writer.constant(operator.inputs[1]))
    if picture.channels_first and order == FIRST:
        return Tensor(picture.name, channels_first=False)
    if not picture.channels_first and order == LAST:
        return Tensor(picture.name, channels_first=True)
    plain = writer.tensor(operator.inputs[0], channels_first=False)
    return writer.add("Transpose", [plain.name], False, perm=order)


_WRITERS: dict[str, Callable[[_Writer, Operator], Tensor]] = {
    **dict.fromkeys(("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(ACTIVATIONS, _activation),
    **dict.fromkeys(ARITHMETIC, _arithmetic),
    "Pad": _pad,
    "PadV2": _pad,
    "MaxPool": _max_pool,
    "ResizeBilinear": _resize,
    "ConcatV2": _concatenate,
    "Transpose": _transpose,
}
