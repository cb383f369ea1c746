"""Names for videos that are safe on every system, whatever a user's files are called."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)  # names that Windows keeps for itself


def shortest_names(paths: Sequence[str]) -> dict[str, str]:
    """Names each path, safe on every system and unlike all others: its stem, with parent folders where two agree."""
    components = {path: [slug(component) for component in PurePosixPath(path).with_suffix("").parts] for path in paths}
    depth = dict.fromkeys(paths, 1)
    while True:
        names = {path: "__".join(components[path][-depth[path] :]) for path in paths}
        clashing = _find_clashes(names)
        deeper = [path for path in clashing if depth[path] < len(components[path])]
        if not deeper:
            break
        for path in deeper:
            depth[path] += 1
    return names | {path: f"{names[path]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}" for path in clashing}


def slug(text: str) -> str:
    """Keeps letters and digits of any script, - and _; everything else, dots too, becomes one -."""
    safe = "".join(
        char if char.isalnum() or char == "_" or unicodedata.category(char).startswith("M") else "-"
        for char in unicodedata.normalize("NFC", text)
    )
    name = re.sub("-+", "-", safe).strip("-")
    while len(name.encode()) > 100:
        name = name[:-1]
    return f"video-{name}".strip("-") if not name or RESERVED.match(name) else name.strip("-")


def _find_clashes(names: dict[str, str]) -> list[str]:
    """Returns the paths whose names a system that ignores case would take for one."""
    groups: dict[str, list[str]] = {}
    for path, name in names.items():
        groups.setdefault(name.casefold(), []).append(path)
    return [path for group in groups.values() if len(group) > 1 for path in group]
