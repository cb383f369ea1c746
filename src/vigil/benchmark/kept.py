"""Results of a benchmark on disk, by all that they depend on, so that an interrupted run goes on where it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.storage import load_arrays, save_arrays, sha256_json

Arrays = dict[str, np.ndarray]


class KeptResults:
    """A folder of results; `origin` is what all of them depend on, such as code, settings and data."""

    def __init__(self, folder: Path, origin: object) -> None:
        self.folder, self.origin = folder, origin

    def path(self, what: object, ending: str) -> Path:
        """Returns the path of the result of one piece of work; `what` says which, in values that JSON can hold."""
        return self.folder / f"{digest(self.origin, what)[:24]}{ending}"

    def arrays(self, what: object, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of one piece of work: those that are kept, or else computed and then kept."""
        path = self.path(what, ".npz")
        if not path.exists():
            save_arrays(path, **compute())
        return load_arrays(path)


def digest(*values: Any) -> str:
    return sha256_json(values)
