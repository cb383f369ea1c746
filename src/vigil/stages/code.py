"""DVC stage `code`: what each stage depends on of the code, as one digest.

Reads   the source of the project
Writes  <out>    JSON: a digest for every stage, and for stages of models one for every model

The other stages have their digest among their params. So an edit runs again what could compute something else because
of it, and no list of files has to be kept. See engine/code_version.py for what counts.
"""

from pathlib import Path

from vigil.core.storage import write_json
from vigil.engine.code_version import SOURCE, WHOLE, Definition, Program, code_version
from vigil.engine.stage_runner import run_stage

OF_MODELS = ("train", "calibrate", "evaluate")  # there once for every model
BEHIND = {"attend": ("crime_gate",)}  # models that a stage loads by name


def main(*, out: Path) -> None:
    write_json(out, digests())


def digests(source: Path = SOURCE) -> dict[str, str | dict[str, str]]:
    """The digests of all stages, by name."""
    program, found = Program(source), dict[str, str | dict[str, str]]()
    for stage in _modules(source / "vigil/stages"):
        if stage in OF_MODELS:
            found[stage] = {
                model: code_version(*_roots(stage, source, model), program=program)
                for model in _modules(source / "vigil/models")
                if model != "checkpoint"
            }
        elif stage != "code":
            found[stage] = code_version(*_roots(stage, source), program=program)
    return found


def _roots(stage: str, source: Path, *models: str) -> list[Definition]:
    """What a stage starts from: its main, and the modules that it finds by name."""
    roots = [(f"vigil.stages.{stage}", "main")]
    roots += [(f"vigil.models.{model}", WHOLE) for model in (*models, *BEHIND.get(stage, ()))]
    if stage == "download":
        roots += [(f"vigil.footage.datasets.{kind}", WHOLE) for kind in _modules(source / "vigil/footage/datasets")]
    return roots


def _modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


if __name__ == "__main__":
    run_stage("code", main)
