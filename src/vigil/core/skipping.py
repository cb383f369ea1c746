"""What a stage writes where there is nothing for it to work on, so that what follows goes on without it.

    a folder            skipped.json, which has the reason, and nothing else
    a file of JSON      the key `skipped`, which has the reason
    a file of arrays    the array `skipped`, the same

Nothing has to be done to undo it: the stage runs again when its data change, and then writes what it always does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.storage import read_json, read_table, save_arrays, write_json

FILE, KEY = "skipped.json", "skipped"
REJECTS = "rejects.csv"  # in a folder of features: the videos that a stage could make nothing of, and why


def skip_folder(folder: Path, reason: str) -> None:
    """Lets the folder say that it was skipped. Files of earlier runs in it go; those in its own folders stay."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_file():
            path.unlink()
    write_json(folder / FILE, {KEY: reason})


def skip_json(path: Path, reason: str, content: Mapping[str, Any] | None = None) -> None:
    """Lets the file say that it was skipped, beside the `content` that it has in any case."""
    write_json(path, {**(content or {}), KEY: reason})


def skip_arrays(path: Path, reason: str) -> None:
    """Lets the archive say that it was skipped."""
    save_arrays(path, **{KEY: np.array(reason)})


def why_skipped(path: Path) -> str | None:
    """Returns the reason in a folder or a file of JSON; None where it was not skipped."""
    file = path / FILE if path.suffix != ".json" else path
    if not file.exists():
        return None
    record = read_json(file)
    return record.get(KEY) if isinstance(record, dict) else None


def read_rejects(folder: Path) -> dict[str, str]:
    """Returns, by video, why a stage could make nothing of it; `folder` has the features of the others."""
    path = folder / REJECTS
    return {row["video"]: row["reason"] for row in read_table(path)} if path.exists() else {}
