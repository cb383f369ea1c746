"""Models that ONNX Runtime runs, in the place of torch's: `vigil export` has written them.

model = open_model(folder / "i3d.onnx", checkpoint)
checkpoint = replace(checkpoint, model=model)           # for a judge
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.models.blocks.layers import Clip, Predictions
from vigil.models.checkpoint import Checkpoint

META = "vigil"  # key in a file's metadata
Memory = Sequence[Tensor]


def open_model(path: Path, checkpoint: Checkpoint) -> "OnnxModel":
    """VigilError where there is none, or it was made of other weights."""
    name = checkpoint.card.model
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `vigil export {name}`.")
    session = open_session(path.read_bytes(), str(path))
    try:
        meta = json.loads(session.get_modelmeta().custom_metadata_map[META])
        sha256, names, shapes = meta["sha256"], meta["predictions"], meta["memory"]
    except (KeyError, TypeError, ValueError):
        raise VigilError(f"{path}: not what `vigil export` writes. Run `vigil export {name}`.") from None
    if sha256 != checkpoint.sha256:
        raise VigilError(
            f"{path}: of weights {sha256[:12]}, the model has {checkpoint.sha256[:12]}. Run `vigil export {name}`."
        )
    kind = OnnxStepModel if shapes else OnnxModel
    return kind(session, checkpoint.card.clip, names, shapes)


def open_session(content: bytes, where: str) -> Any:
    """ONNX Runtime with a network, on as many threads as torch has."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  the library's own errors have no common class
        reason = " ".join(str(error).split())[:200]
        raise VigilError(f"{where}: not a network that can be run ({reason}).") from None


def run_session(session: Any, x: np.ndarray, memory: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
    """All outputs. A part of a memory that the network does not look at is no input of it."""
    feeds = {"x": x} | {f"memory_{number}": array for number, array in enumerate(memory)}
    inputs = {node.name for node in session.get_inputs()}
    return list(session.run(None, {name: array for name, array in feeds.items() if name in inputs}))


class OnnxModel:
    """What a judge asks of a model."""

    def __init__(self, session: Any, clip: Clip, names: Sequence[str], shapes: Sequence[Sequence[int]]) -> None:
        self.clip, self._session, self._names = clip, session, list(names)
        self._shapes = [tuple(shape) for shape in shapes]

    def __call__(self, x: Tensor) -> Predictions:
        """What torch's model and its `judge` say together."""
        return self._predictions(run_session(self._session, x.numpy()))

    def judge(self, output: Predictions, _: Tensor) -> Predictions:
        return output

    def parameters(self) -> Iterator[Tensor]:
        """One, by which a judge sees that this runs on the CPU."""
        yield torch.zeros(())

    def _predictions(self, arrays: Sequence[np.ndarray]) -> Predictions:
        return {name: torch.from_numpy(array) for name, array in zip(self._names, arrays, strict=True)}


class OnnxStepModel(OnnxModel):
    """A model with a memory, of which a judge asks a step."""

    def step(self, frame: Tensor, memory: Memory | None) -> tuple[Predictions, tuple[Tensor, ...]]:
        before = [torch.zeros(shape) for shape in self._shapes] if memory is None else list(memory)
        outputs = run_session(self._session, frame.numpy(), [tensor.numpy() for tensor in before])
        count = len(self._names)
        return self._predictions(outputs[:count]), tuple(torch.from_numpy(array) for array in outputs[count:])
