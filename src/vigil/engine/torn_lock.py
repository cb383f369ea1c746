"""DVC's list of which process reads and writes what, which a kill in the moment of its writing leaves torn.

DVC then runs nothing, and says "Unable to read RWLock-file". What a killed process had in it counts for nothing.
"""

import json
from contextlib import suppress
from pathlib import Path

LIST, GUARD = "rwlock", "rwlock.lock"


def remove_torn_lock(project: Path) -> bool:
    """Deletes the list of `project` if no program can read it and none is about to write it; returns whether it did."""
    path = project / ".dvc/tmp" / LIST
    if _is_sound(path):
        return False
    from dvc.lock import LockError, make_lock

    with suppress(LockError), make_lock(str(path.with_name(GUARD)), tmp_dir=str(path.parent)):
        if not _is_sound(path):
            path.unlink()
            return True
    return False


def _is_sound(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except ValueError:
        return False
