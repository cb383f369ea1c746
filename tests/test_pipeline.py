"""The house rules of dvc.yaml: what its stages declare is what they take, and the code counts by its digests alone."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from vigil.core.params import Frozen, load
from vigil.engine.per_video import Runtime
from vigil.engine.stage_code import stage_digests
from vigil.training.job import ModelEntry
from vigil.training.schedules import TrainParams, merge_params

PROJECT = Path(__file__).resolve().parents[1]
PIPELINE = load(PROJECT / "dvc.yaml")
DEFINED = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}
OF_MODELS = {name for name, stage in PIPELINE["stages"].items() if "foreach" in stage}
MODELS = list(load(PROJECT / "params.yaml")["models"])
STAGES = list(DEFINED)


def entries(stage: Mapping[str, Any], key: str) -> list[str]:
    """The paths under deps, outs, metrics or plots, whether plain or with options."""
    return [item if isinstance(item, str) else next(iter(item)) for item in stage.get(key, [])]


def main_types(name: str) -> dict[str, Any]:
    hints = get_type_hints(importlib.import_module(f"vigil.stages.{name}").main)
    return {key: kind for key, kind in hints.items() if key != "return"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_digest_of_the_code_and_on_no_source(name: str) -> None:
    stage = DEFINED[name]
    keys = [item["code.json"] for item in stage.get("params", []) if isinstance(item, dict) and "code.json" in item]
    sources = [path for path in entries(stage, "deps") if path.startswith("src")]
    if name == "code":
        assert (keys, sources) == ([], ["src/vigil", "src/vigil_city"])
    else:
        assert (keys, sources) == ([[f"{name}.${{key}}" if name in OF_MODELS else name]], [])


def test_the_digests_in_code_json_are_those_of_the_code() -> None:
    """Else DVC would find other stages out of date than the edits of a commit call for."""
    recorded = json.loads((PROJECT / "code.json").read_text(encoding="utf-8"))
    assert recorded == stage_digests(), "run `dvc repro code`, and commit code.json"


def test_every_stage_and_every_model_has_a_digest() -> None:
    digests = stage_digests()
    assert digests.keys() | {"code"} == set(STAGES)
    for name in OF_MODELS:
        assert set(digests[name]) >= set(MODELS)


def test_dvc_yaml_is_short_and_names_no_model_but_the_gate() -> None:
    text = (PROJECT / "dvc.yaml").read_text(encoding="utf-8")
    assert text.count("\n") < 260
    for model in MODELS:
        using = [name for name, stage in DEFINED.items() if name != model and re.search(rf"\b{model}\b", str(stage))]
        assert using == (["attend"] if model == "crime_gate" else [])


@pytest.mark.parametrize("name", STAGES)
def test_the_command_names_what_main_takes(name: str) -> None:
    """Each path of main is an option, each option is a declared dep or output, each section is declared."""
    stage = DEFINED[name]
    words = shlex.split(stage["cmd"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    types = main_types(name)
    assert words[0] == f"${{run}}.{name}"
    assert set(options) == {f"--{key}" for key, kind in types.items() if kind in (Path, str)}
    declared_paths = {path for key in ("deps", "outs", "metrics", "plots") for path in entries(stage, key)}
    for option, value in options.items():
        if option == "--model":
            assert value == "${key}"
        else:  # a folder stands for the files in it that are declared
            assert any(path == value or path.startswith(f"{value}/") for path in declared_paths), option
    sections = {
        name if key == "params" else key
        for key, kind in types.items()
        if kind not in (Path, str) and kind is not Runtime
    }
    if name in OF_MODELS:
        sections = {"models.${key}" if section == "models" else section for section in sections}
    declared = [section for section in stage.get("params", []) if isinstance(section, str)]
    assert set(declared) == sections


@pytest.mark.parametrize("name", STAGES)
def test_params_yaml_is_valid_for_every_stage(name: str) -> None:
    sections = load(PROJECT / "params.yaml")
    for key, kind in main_types(name).items():
        if isinstance(kind, type) and issubclass(kind, Frozen) and kind is not Runtime:
            kind.read(sections[name if key == "params" else key], f"params.yaml [{key}]")


@pytest.mark.parametrize("name", MODELS)
def test_params_yaml_is_valid_for_every_model(name: str) -> None:
    """Its settings are those of its Config, and what it overrides of `train` is there."""
    sections = load(PROJECT / "params.yaml")
    section = sections["models"][name]
    own = {key: value for key, value in section.items() if key not in ModelEntry.model_fields}
    importlib.import_module(f"vigil.models.{name}").Config.read(own, name)
    merge_params(TrainParams.read(sections["train"], "train"), section["train"], name)
    assert set(TrainParams.model_fields) == set(sections["train"])
    assert {"epochs", "batch", "lr"} <= set(section["train"]), "-S can only change what is there"
    assert section["input"] in {"flow", "frames", "segments", "attended", "trunk"}


def test_every_knob_says_its_unit_or_reason() -> None:
    for line in (PROJECT / "params.yaml").read_text().splitlines():
        if re.match(r"\s+\w+:\s+\S", line):
            assert re.search(r"#\s*\S+", line), line


def test_imports_go_downwards_only() -> None:
    """The floors of the house, enforced by import-linter."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", str(PROJECT / "pyproject.toml")],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
