"""What each stage depends on of the code, as one digest, and whether code.json still says so.

A stage starts from its `main`, and from the modules that it finds by name: its model, or the kinds of dataset.
"""

import hashlib
from pathlib import Path

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.params import load
from vigil.core.storage import read_json, replacing, write_json
from vigil.engine.code_templates import WHOLE, Definition
from vigil.engine.code_version import PACKAGES, SOURCE, Program, code_version

Digests = dict[str, str | dict[str, str]]

CODE_JSON = Path("code.json")
STAGES_OF_MODELS = ("train", "calibrate", "evaluate")  # run once for every model
MODELS_BY_NAME = {"attend": ("crime_gate",)}  # the models that another stage loads


def stage_digests(source: Path = SOURCE) -> Digests:
    """Returns digests by stage, and by model where a stage has models. Nobody needs those of stage `code` itself."""
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


def refresh_digests() -> bool:
    """Writes code.json where no stage does, which is in a workspace; returns whether something has changed."""
    if "code" in load(Path("dvc.yaml")).get("stages", {}):
        return False
    digests = stage_digests()
    if CODE_JSON.exists() and read_json(CODE_JSON) == digests:
        return False
    write_json(CODE_JSON, digests)
    return True


def refuse_stale_digest(stage: str, model: str | None = None) -> None:
    """Fails when code.json has another digest for a stage than the code has: DVC would lock the result as up to date.

    Digests take seconds, so what source they were last found to agree with is remembered.
    """
    if stage == "code" or not CODE_JSON.exists():
        return
    agreed_file, fingerprint = settings.home() / "agreed_code", _fingerprint()
    if agreed_file.exists() and agreed_file.read_text(encoding="utf-8") == fingerprint:
        return
    recorded, digests = read_json(CODE_JSON), stage_digests(SOURCE)
    if _digest_of(recorded, stage, model) != _digest_of(digests, stage, model):
        name = stage if model is None else f"{stage}@{model}"
        raise VigilError(f"{CODE_JSON}: of other code than {name} has now. Run `vigil sync && dvc repro`.")
    if recorded == digests:
        with replacing(agreed_file) as temporary:
            temporary.write_text(fingerprint, encoding="utf-8")


def _fingerprint() -> str:
    """Returns the digest of code.json and of every source file."""
    total = hashlib.sha256(CODE_JSON.read_bytes())
    for package in PACKAGES:
        for file in sorted((SOURCE / package).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"\n{file.relative_to(SOURCE)}\n".encode())
                total.update(file.read_bytes())
    return total.hexdigest()


def _digest_of(digests: Digests, stage: str, model: str | None) -> object:
    digest = digests.get(stage)
    return digest.get(model or "") if isinstance(digest, dict) else digest


def _roots(stage: str, source: Path, *models: str) -> list[Definition]:
    """Returns the definitions from which all code of a stage can be reached."""
    roots = [(f"vigil.stages.{stage}", "main")]
    roots += [(f"vigil.models.{model}", WHOLE) for model in (*models, *MODELS_BY_NAME.get(stage, ()))]
    if stage == "download":
        roots += [(f"vigil.footage.datasets.{kind}", WHOLE) for kind in _modules(source / "vigil/footage/datasets")]
    return roots


def _modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
