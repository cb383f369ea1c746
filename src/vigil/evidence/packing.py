"""Records, arrays and tensors in one .npz and back, to the last bit: JSON for the shape, arrays for the rest.

    save_packed(path, {"state": detector.state, "frames": [...]})
    contents = load_packed(path)

No pickles: records of vigil that are named here are made anew and nothing else, so no file runs anything.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vigil.core.clock import Pace
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays
from vigil.detect.alerts import AlertChange, Finding, Provenance
from vigil.detect.frame_features import StoredPicture
from vigil.detect.frame_scores import ModelState
from vigil.detect.states import AlarmState
from vigil.judging.items import Segment
from vigil.judging.judgements import Judgement, Standing
from vigil.judging.pieces import FedTicks
from vigil.judging.pieces import State as PieceState
from vigil.statistics.alerts import Alert as AlertSpan
from vigil.statistics.alerts import State as AlertState

RECORDS: Mapping[str, Any] = {
    record.__qualname__ if record not in (PieceState, AlertState) else f"{record.__module__}.State": record
    for record in (
        AlarmState, AlertChange, AlertSpan, AlertState, FedTicks, Finding, Judgement, ModelState, Pace, PieceState,
        Provenance, Segment, Standing,
    )
}  # fmt: skip
NAMES = {record: name for name, record in RECORDS.items()}
MODEL = re.compile(r"vigil\.models(\.[a-z][a-z0-9_]*)+")  # modules whose named tuples are made anew: models' memories
NUMBERS: Mapping[str, Any] = {"float": float, "fraction": Fraction}
SHAPE = "shape"  # the array that holds the JSON


def save_packed(path: Path, contents: Any) -> None:
    """Writes what can be packed; TypeError for anything else."""
    arrays: list[np.ndarray] = []
    shape = json.dumps(_pack(contents, arrays, {}), allow_nan=False)
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    save_arrays(path, **{SHAPE: np.frombuffer(shape.encode(), np.uint8)}, **named)


def load_packed(path: Path) -> Any:
    """What was packed. VigilError where it was something else."""
    try:
        arrays = load_arrays(path)
    except VigilError as error:
        problem = str(error).removesuffix(" Delete it and run again.")
        raise VigilError(f"{problem} Only `vigil detect --clips` on the same recording makes it again.") from None
    try:
        return _unpack(json.loads(arrays.pop(SHAPE).tobytes()), arrays, {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VigilError(f"{path}: not what vigil has packed: {type(error).__name__} {error}.") from None


def _pack(value: Any, arrays: list[np.ndarray], seen: dict[int, Any]) -> Any:
    """JSON of a value; what it holds of arrays is appended to `arrays`, each object once."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and not isinstance(value, np.floating):
        return value if np.isfinite(value) else {"float": str(value)}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, list):
        return [_pack(item, arrays, seen) for item in value]
    if isinstance(value, Mapping):
        return {"map": [[key, _pack(item, arrays, seen)] for key, item in value.items()]}
    if type(value) in NAMES:
        return {NAMES[type(value)]: {key.name: _pack(getattr(value, key.name), arrays, seen) for key in fields(value)}}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": [type(value).__module__, type(value).__name__, [_pack(item, arrays, seen) for item in value]]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays, seen) for item in value]}
    if id(value) not in seen:  # `seen` holds the object too, so that its id is not given to another
        seen[id(value)] = _pack_bytes(value, arrays), value
    return seen[id(value)][0]


def _pack_bytes(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.generic):
        return {"scalar": _append(np.asarray(value), arrays)}
    if isinstance(value, np.ndarray):
        return {"array": _append(value, arrays)}
    if isinstance(value, torch.Tensor):
        return {"tensor": _append(value.detach().cpu().numpy(), arrays)}
    if isinstance(value, StoredPicture):
        return {"picture": _append(np.frombuffer(value.jpeg, np.uint8), arrays)}
    what = "a record that is not named here" if is_dataclass(value) else "no value that can be kept"
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__}: {what}")


def _append(array: np.ndarray, arrays: list[np.ndarray]) -> int:
    arrays.append(array)
    return len(arrays) - 1


def _unpack(value: Any, arrays: Mapping[str, np.ndarray], unpacked: dict[tuple[str, int], Any]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays, unpacked) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind in NUMBERS:
        return NUMBERS[kind](content)
    if kind == "map":
        return {key: _unpack(item, arrays, unpacked) for key, item in content}
    if kind == "tuple":
        return tuple(_unpack(item, arrays, unpacked) for item in content)
    if kind == "named":
        module, name, items = content
        return _find_tuple(module, name)(*(_unpack(item, arrays, unpacked) for item in items))
    if kind in RECORDS:
        return RECORDS[kind](**{name: _unpack(item, arrays, unpacked) for name, item in content.items()})
    if (kind, content) not in unpacked:
        array = arrays[f"a{content}"]
        of_kind = {
            "array": lambda: array,
            "scalar": lambda: array[()],
            "tensor": lambda: torch.from_numpy(array.copy()),
            "picture": lambda: StoredPicture(array.tobytes()),
        }
        unpacked[kind, content] = of_kind[kind]()
    return unpacked[kind, content]


def _find_tuple(module: str, name: str) -> Any:
    """A named tuple of a model; KeyError for anything else."""
    attribute = getattr(import_module(module), name, None) if MODEL.fullmatch(module) else None
    if not (isinstance(attribute, type) and issubclass(attribute, tuple) and hasattr(attribute, "_fields")):
        raise KeyError(f"{module}.{name}")
    return attribute
