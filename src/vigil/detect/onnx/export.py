"""A trained model as ONNX: what its judge feeds it and what its judge hears of it, checked against torch.

    export_model(checkpoint, Path("models/onnx/i3d.onnx"))

A window or a segment goes in, `judge`'s predictions come out, for any number of samples at once. Of a model with a
memory it is one frame and the memory, and what it remembers after it; before the first frame that is zeros.
"""

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.detect.onnx.networks import META, open_session, run_session
from vigil.detect.onnx.words import Traceable, make_traceable
from vigil.models.checkpoint import Checkpoint

OPSET = 17
PARITY = 1e-4  # of what torch says, in shares of the largest value: sums in another order
SEEDS = (0, 1)


class Window(nn.Module):
    """Samples in, predictions out, by their names' order."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        predictions = self.model.judge(self.model(x), x)
        return tuple(predictions[name] for name in sorted(predictions))


class OneStep(nn.Module):
    """A frame and a memory in, predictions and a memory out; a memory is a list of tensors."""

    def __init__(self, model: Any, memory: Any) -> None:
        super().__init__()
        self.model, self.memory = model, memory

    def forward(self, frame: Tensor, *before: Tensor) -> tuple[Tensor, ...]:
        predictions, after = self.model.step(frame, rebuild_memory(self.memory, list(before)))
        return (*(predictions[name] for name in sorted(predictions)), *flatten_memory(after))


def has_step(model: Any) -> bool:
    """Whether a model carries a memory from frame to frame."""
    return hasattr(getattr(model, "members", [model])[0], "step")


def export_model(checkpoint: Checkpoint, path: Path) -> float:
    """Writes the model and returns how far ONNX Runtime is from torch; VigilError where that is too far."""
    model = make_traceable(checkpoint.model)
    sample = example(checkpoint, 1)
    with torch.no_grad():
        if has_step(model):
            predictions, memory = model.step(sample, None)
            flat = [torch.zeros_like(tensor) for tensor in flatten_memory(memory)]
            module: nn.Module = OneStep(model, memory)
        else:
            predictions, flat = model.judge(model(sample), sample), []
            module = Window(model)
    names = sorted(predictions)
    memories = [f"memory_{number}" for number in range(len(flat))]
    outputs = [*names, *(f"{name}_after" for name in memories)]
    meta = {"model": checkpoint.card.model, "sha256": checkpoint.sha256, "predictions": names,
            "memory": [list(tensor.shape) for tensor in flat]}  # fmt: skip
    batch = {name: {0: "samples"} for name in ("x", *names)} if not flat else None
    content = _trace(checkpoint.card.model, module, [sample, *flat], ["x", *memories], outputs, batch)
    content = _with_meta(content, meta)
    distance = _measure_parity(checkpoint, content, names, [tensor.shape for tensor in flat])
    if distance > PARITY:
        raise VigilError(
            f"{checkpoint.card.model}: ONNX says something else than torch, by {distance:.2g} of the largest value; at "
            f"most {PARITY:g} is allowed. Nothing was written."
        )
    with replacing(path) as partial_path:
        partial_path.write_bytes(content)
    return distance


def example(checkpoint: Checkpoint, samples: int, seed: int = 0) -> Tensor:
    """Samples of noise in the shape in which a judge feeds the model."""
    card, generator = checkpoint.card, torch.Generator().manual_seed(seed)
    clip, side = card.clip, card.clip.size or 0
    if card.input in ("segments", "trunk"):
        shape: tuple[int, ...] = (samples, clip.frames, int(getattr(card.config, "features")))  # noqa: B009
    elif has_step(checkpoint.model):
        shape = (samples, 3, side, side)
    elif clip.layout == "cthw":
        shape = (samples, 3, clip.frames, side, side)
    else:
        shape = (samples, clip.frames, 3, side, side)
    noise = torch.randn(shape, generator=generator)
    if card.input == "trunk":
        noise[:, 0] = torch.nan  # of the first frame nobody knows what has changed
    return noise.clamp(-1, 1) if card.input == "flow" else noise


def flatten_memory(memory: Any) -> list[Tensor]:
    """The tensors of a memory, in order."""
    if isinstance(memory, Tensor):
        return [memory]
    return [tensor for piece in memory for tensor in flatten_memory(piece)]


def rebuild_memory(like: Any, tensors: list[Tensor]) -> Any:
    """A memory of the same layout, of these tensors, which are taken out of the list."""
    if isinstance(like, Tensor):
        return tensors.pop(0)
    parts = [rebuild_memory(piece, tensors) for piece in like]
    return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)


def _trace(
    name: str,
    module: nn.Module,
    inputs: Sequence[Tensor],
    input_names: Sequence[str],
    output_names: Sequence[str],
    batch: Mapping[str, Any] | None,
) -> bytes:
    memory: Any = io.BytesIO()
    try:
        with torch.no_grad(), Traceable(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the new exporter wants more packages than the old one
            torch.onnx.export(
                module.eval(), tuple(inputs), memory, dynamo=False, opset_version=OPSET,
                input_names=list(input_names), output_names=list(output_names), dynamic_axes=dict(batch or {}),
            )  # fmt: skip
    except Exception as error:  # noqa: BLE001  of whatever kind: something in the network has no place in ONNX
        reason = " ".join(str(error).split())[:200]
        raise VigilError(f"{name}: cannot be written as ONNX: {type(error).__name__}: {reason}") from None
    return bytes(memory.getvalue())


def _with_meta(content: bytes, meta: Mapping[str, Any]) -> bytes:
    import onnx

    proto = onnx.load_model_from_string(content)
    entry = proto.metadata_props.add()
    entry.key, entry.value = META, json.dumps(meta, sort_keys=True)
    return bytes(proto.SerializeToString(deterministic=True))


def _measure_parity(
    checkpoint: Checkpoint, content: bytes, names: Sequence[str], memory_shapes: Sequence[Sequence[int]]
) -> float:
    """The largest distance from torch, over some samples; with a memory over some frames in a row."""
    session = open_session(content, checkpoint.card.model)
    worst = 0.0
    for seed in SEEDS:
        memory: Any = None
        flat = [np.zeros(shape, np.float32) for shape in memory_shapes]
        for frame in range(3 if memory_shapes else 1):
            x = example(checkpoint, 1 if memory_shapes else 1 + seed, 10 * seed + frame)
            with torch.inference_mode():
                if memory_shapes:
                    expected, memory = checkpoint.model.step(x, memory)
                else:
                    expected = checkpoint.model.judge(checkpoint.model(x), x)
            outputs = run_session(session, x.numpy(), flat)
            flat = outputs[len(names) :]
            for name, array in zip(names, outputs, strict=False):
                truth = expected[name].float().numpy()
                if truth.shape != array.shape:
                    raise VigilError(f"{checkpoint.card.model}: ONNX gives {name} another shape than torch.")
                worst = max(worst, float(np.abs(truth - array).max() / max(1.0, np.abs(truth).max())))
    return worst
