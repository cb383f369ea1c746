"""What a model leaves behind that was taken out of params.yaml: outputs, and entries of dvc.lock.

DVC forgets neither. The outputs lie in folders that stage `compare` reads as a whole, so they would be judged as if
their model were still there, and a clean clone, which has none of them, would compare anew. Where a stage that stands
for itself reads such an output, as `attend` does of the gate, it finds a note there instead, and skips its work.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from vigil.core.params import load
from vigil.core.skipping import skip_folder, skip_json
from vigil.core.storage import replacing

LOCK = Path("dvc.lock")
PIPELINE = Path("dvc.yaml")
ENTRY = re.compile(r"^  (?P<stage>[\w-]+)@(?P<model>[\w-]+):\n(?:   .*\n?)*", re.MULTILINE)


def remove_stale_models(models: object) -> list[str]:
    """Deletes what the stages of models that are not among `models` wrote; returns the names of those models.

    `models` is the section of params.yaml. Where it is no mapping or empty, it is a mistake and nothing is deleted.
    """
    if not isinstance(models, Mapping) or not models or not LOCK.exists():
        return []
    text = LOCK.read_text(encoding="utf-8")
    stale = [entry for entry in ENTRY.finditer(text) if entry["model"] not in models]
    if not stale:
        return []
    stages = load(PIPELINE)["stages"]
    stale = [entry for entry in stale if stages.get(entry["stage"], {}).get("foreach") == "${models}"]
    locked = load(LOCK)["stages"]
    for entry in stale:
        for output in locked[f"{entry['stage']}@{entry['model']}"].get("outs", []):
            _remove(Path(output["path"]))
        text = text.replace(entry[0], "")
    with replacing(LOCK) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return sorted({entry["model"] for entry in stale})


def leave_notes_of_absence(models: object, read_by_name: Mapping[str, Iterable[str]]) -> None:
    """Writes into the outputs of a model that is not among `models` that there is no such model.

    `read_by_name` has the models that a stage reads whatever `models` are; DVC demands that what it reads exists.
    """
    if not isinstance(models, Mapping) or not models:
        return
    stages = load(PIPELINE)["stages"]
    templates = [
        output
        for stage in stages.values()
        if stage.get("foreach") == "${models}"
        for output in stage["do"].get("outs", [])
        if isinstance(output, str)
    ]
    for stage, names in read_by_name.items():
        for name in names:
            outputs = {template.replace("${key}", name) for template in templates}
            for output in sorted(outputs.intersection(stages.get(stage, {}).get("deps", []))):
                if name not in models:
                    write = skip_json if output.endswith(".json") else skip_folder
                    write(Path(output), f"params.yaml has no model {name}")


def _remove(path: Path) -> None:
    """Removes a file or folder, and folders around it that are empty then. What lies outside of the project stays."""
    if path.is_absolute() or ".." in path.parts:
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or not there
        for folder in path.parents[:-1]:
            folder.rmdir()
