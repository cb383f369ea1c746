"""Everything that is wrong in params.yaml is said at once, before any stage runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from vigil.cli.main import main
from vigil.cli.params_check import declared_sections, find_problems
from vigil.core.params import load
from vigil.engine.declarations import read_module

Sections = dict[str, Any]


@pytest.fixture
def sections(project: Path) -> Sections:
    return load(project / "params.yaml")


def test_the_projects_own_params_have_no_problem(sections: Sections) -> None:
    assert find_problems(sections) == []


def test_every_section_is_covered(sections: Sections, project: Path) -> None:
    """All that params.yaml holds, and all that a stage of dvc.yaml depends on."""
    assert declared_sections().keys() == sections.keys()
    stages = load(project / "dvc.yaml")["stages"].values()
    keys = [key for stage in stages for key in stage.get("do", stage).get("params", []) if isinstance(key, str)]
    assert {key.partition(".")[0] for key in keys} <= declared_sections().keys()
    unchecked = {name for name, record in declared_sections().items() if record is None}
    assert unchecked == {"datasets", "models"}, "which params_check.py checks by itself"


def test_all_mistakes_are_told_at_once_each_in_a_line(sections: Sections, capsys: pytest.CaptureFixture[str]) -> None:
    sections["trian"] = sections.pop("train")
    sections["frames"]["fsp"] = sections["frames"]["fps"]
    sections["calibrate"]["alert"]["hold"] = 1.0
    sections["models"]["panic"]["hiden"] = [16]
    sections["models"]["pnaic"] = {"input": "flow", "classes": {}}
    sections["datasets"]["street"] = {"kind": "foldre"}
    sections["datasets"]["roof"] = {"kind": "folder", "pth": "there"}
    Path("params.yaml").write_text(json.dumps(sections), encoding="utf-8")
    for command in ("sync", "repro"):
        assert main([command]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert all(line.startswith(f"vigil {command}: params.yaml") for line in lines)
        for words in (
            "unknown section 'trian'",
            "[frames]: unknown key 'fsp'. Known: fps, quality, size. Did you mean 'fps'?",
            "[calibrate]: unknown key 'alert.hold'. Known: cooldown_s, hold_s, hysteresis. Did you mean 'hold_s'?",
            "[models.panic]: unknown key 'hiden'",
            "[models.pnaic]: no model 'pnaic' in src/vigil/models. Did you mean 'panic'?",
            "[datasets.street]: kind = 'foldre'",
            "[datasets.roof]: missing key 'path'",
        ):
            assert sum(words in line for line in lines) == 1, words
        assert "Did you mean 'train'?" in next(line for line in lines if "trian" in line)
        assert not any("no section" in line for line in lines), "it is misspelt, and that is said"
    assert not Path("data/sources.csv").exists()


def test_a_models_own_training_is_held_against_the_shared_one(sections: Sections) -> None:
    sections["models"]["panic"]["train"] |= {"epcohs": 3, "batch": 0, "lr": None}
    problems = find_problems(sections)
    assert len(problems) == 2
    assert all(problem.startswith("params.yaml [models.panic.train]: ") for problem in problems)


@pytest.mark.parametrize("section", [None, [], "frames", 8])
def test_a_section_that_is_none_is_told(sections: Sections, section: object) -> None:
    for name in sections:
        (problem,) = find_problems(sections | {name: section})
        assert problem.startswith(f"params.yaml [{name}]: ")


def test_a_section_that_is_missing_is_told(sections: Sections) -> None:
    del sections["evaluate"]
    assert find_problems(sections) == ["params.yaml: no section 'evaluate'."]


def test_what_a_stage_refuses_by_a_rule_of_its_own_is_told_too(sections: Sections) -> None:
    """Not only keys and types: the validators run as they do in the stage."""
    sections["manifest"] |= {"val_share": 0.6, "test_share": 0.5}
    sections["person"] |= {"epochs": 0, "weights": None}
    assert len(find_problems(sections)) == 2
    assert read_module("vigil.stages.person")["PERSON"] == "person"
