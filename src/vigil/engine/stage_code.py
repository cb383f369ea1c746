"""What each stage depends on of the code, as one digest, and whether code.json still says so.

A stage starts from its `main`, and from the modules that it finds by name: its model, or the kinds of dataset.
"""

import os
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import read_json
from vigil.engine.code_templates import WHOLE, Definition
from vigil.engine.code_version import PACKAGES, SOURCE, Program, code_version

Digests = dict[str, str | dict[str, str]]

CODE_JSON = Path("code.json")
STAGES_OF_MODELS = ("train", "calibrate", "evaluate")  # run once for every model
MODELS_BY_NAME = {"attend": ("crime_gate",)}  # that another stage loads


def stage_digests(source: Path = SOURCE) -> Digests:
    """By stage; for stages of models by stage and model. Those of stage `code` itself are not needed by anybody."""
    program, digests = Program(source), Digests()
    for stage in _modules(source / "vigil/stages"):
        if stage in STAGES_OF_MODELS:
            digests[stage] = {
                model: code_version(*_roots(stage, source, model), program=program)
                for model in _modules(source / "vigil/models")
                if model != "checkpoint"
            }
        elif stage != "code":
            digests[stage] = code_version(*_roots(stage, source), program=program)
    return digests


def refuse_stale_digest(stage: str, model: str | None = None) -> None:
    """Fail when code.json has another digest for a stage than the code has: DVC would lock the result as up to date.

    Digests are computed only when a source is newer than code.json; when all agree, code.json becomes as new as that.
    """
    if stage == "code" or not CODE_JSON.exists():
        return
    newest = _newest_source()
    if newest <= CODE_JSON.stat().st_mtime_ns:
        return
    recorded, digests = read_json(CODE_JSON), stage_digests(SOURCE)
    if _digest_of(recorded, stage, model) != _digest_of(digests, stage, model):
        name = stage if model is None else f"{stage}@{model}"
        raise VigilError(f"{CODE_JSON}: older than the code of {name}. Run `dvc repro`, which refreshes it first.")
    if recorded == digests:
        os.utime(CODE_JSON, ns=(newest, newest))


def _newest_source() -> int:
    files = [file for package in PACKAGES for file in (SOURCE / package).rglob("*") if "__pycache__" not in file.parts]
    return max(file.stat().st_mtime_ns for file in files if file.is_file())


def _digest_of(digests: Digests, stage: str, model: str | None) -> object:
    digest = digests.get(stage)
    return digest.get(model or "") if isinstance(digest, dict) else digest


def _roots(stage: str, source: Path, *models: str) -> list[Definition]:
    roots = [(f"vigil.stages.{stage}", "main")]
    roots += [(f"vigil.models.{model}", WHOLE) for model in (*models, *MODELS_BY_NAME.get(stage, ()))]
    if stage == "download":
        roots += [(f"vigil.footage.datasets.{kind}", WHOLE) for kind in _modules(source / "vigil/footage/datasets")]
    return roots


def _modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
