"""Results of a benchmark on disk, by all that they depend on, so that an interrupted run goes on where it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.storage import load_arrays, save_arrays, sha256_json

Arrays = dict[str, np.ndarray]


class ResultCache:
    """A folder of results. `origin` has what all of them depend on, such as code, settings and data."""

    def __init__(self, folder: Path, origin: object) -> None:
        self.folder, self.origin = folder, origin

    def path(self, task: object, ending: str) -> Path:
        """Returns the path of the result of a task, which is described by values that JSON can hold."""
        return self.folder / f"{digest(self.origin, task)[:24]}{ending}"

    def load_or_compute(self, task: object, compute: Callable[[], Arrays]) -> Arrays:
        """Returns the arrays of a task, which are computed and stored the first time that they are asked for."""
        path = self.path(task, ".npz")
        if not path.exists():
            save_arrays(path, **compute())
        return load_arrays(path)


def digest(*values: Any) -> str:
    """Returns the digest of values that JSON can hold."""
    return sha256_json(values)
