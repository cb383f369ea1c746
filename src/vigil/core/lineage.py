"""What made the features of a folder: `settings.json` beside them, section by section, those of its sources included.

A trained model takes a copy along, so that features made otherwise are refused before they give wrong scores.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.core.storage import read_json, write_json

FILE = "settings.json"
Lineage = dict[str, Any]  # {"frames": {"fps": 8.0, ...}, "flow": {...}}


def record(folder: Path, section: str, settings: Mapping[str, Any], *sources: Path) -> None:
    """Writes that `folder` was made with `settings` out of `sources`; to be called when the folder is complete."""
    lineage: Lineage = {}
    for source in sources:
        for key, value in read(source).items():
            if lineage.setdefault(key, value) != value:
                raise VigilError(f"{source}: made with other `{key}` settings than {sources[0]}. Run `dvc repro`.")
    write_json(folder / FILE, lineage | {section: dict(settings)})


def read(folder: Path) -> Lineage:
    path = folder / FILE
    if not path.exists():
        raise VigilError(f"{path}: not found, so nobody knows how {folder} was made. Run `dvc repro`.")
    return read_json(path)


def difference(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> str | None:
    """Returns the first key in which two lineages differ, with both values; None where they agree."""
    expected_values, actual_values = flatten(expected), flatten(actual)
    for key in sorted(expected_values.keys() | actual_values.keys()):
        if expected_values.get(key) != actual_values.get(key):
            expected_value, actual_value = (values.get(key, "not there") for values in (expected_values, actual_values))
            return f"{key}: {expected_value} expected, {actual_value} found"
    return None


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns the values of a tree of mappings by their keys, joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
