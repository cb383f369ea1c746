"""What is read of a module without running it is what the module itself declares."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from typing import get_type_hints

import pytest

from vigil import models, stages
from vigil.core.params import Frozen
from vigil.engine.declarations import read_module
from vigil.models.checkpoint import find_module

STAGES = [module.name for module in pkgutil.iter_modules(stages.__path__)]
MODELS = [
    module.name
    for module in pkgutil.iter_modules(models.__path__)
    if not module.ispkg and read_module(f"vigil.models.{module.name}").declares("Config")
]


def signature(record: type[Frozen]) -> object:
    """All that decides what the record takes, but for the words of its validators."""
    decorators = record.__pydantic_decorators__
    return (
        record.model_json_schema(),
        sorted(decorators.model_validators),
        sorted(decorators.field_validators),
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_main_of_a_stage_is_declared_to_take_what_it_takes(stage: str) -> None:
    real = get_type_hints(import_module(f"vigil.stages.{stage}").main)
    declared = read_module(f"vigil.stages.{stage}").annotations_of("main")
    del real["return"]
    assert declared.keys() == real.keys()
    for parameter, kind in real.items():
        if isinstance(kind, type) and issubclass(kind, Frozen):
            assert signature(declared[parameter]) == signature(kind), parameter
        else:
            assert declared[parameter] == kind, parameter


@pytest.mark.parametrize("model", MODELS)
def test_the_config_of_a_model_is_declared_as_it_is(model: str) -> None:
    declared = read_module(f"vigil.models.{model}")["Config"]
    assert signature(declared) == signature(find_module(model, "").Config)


def test_nothing_heavy_is_imported_to_read_what_stages_and_models_take() -> None:
    script = (
        "import sys\n"
        "from vigil.cli.params_check import declared_sections\n"
        "from vigil.engine.declarations import read_module\n"
        "declared_sections()\n"
        f"for name in {MODELS}: read_module(f'vigil.models.{{name}}')['Config']\n"
        "print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "cv2", "scipy", "sklearn", "mlflow", "pandas"} & set(modules)
