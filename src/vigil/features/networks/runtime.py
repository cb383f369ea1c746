"""Runs an ONNX network on one thread of the CPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vigil.core.errors import VigilError

Network = Callable[[np.ndarray], dict[str, np.ndarray]]  # (1, 3, H, W) float32; its outputs by name


def open_network(path: Path) -> Network:
    """Loads a network that stage `weights` wrote. Not to be shared between threads."""
    import onnxruntime  # type: ignore[import-untyped]

    if not path.exists():
        raise VigilError(f"{path}: not found. Run stage `weights`.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.enable_mem_pattern = False  # it plans for one size of picture
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  the library's own errors have no common class
        raise VigilError(f"{path}: not a network that can be run ({error}). Run stage `weights` again.") from None
    names = [output.name for output in session.get_outputs()]
    return lambda image: dict(zip(names, session.run(names, {"image": image}), strict=True))
