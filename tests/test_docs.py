"""What the README says can be done, can be done."""

import argparse
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from vigil.cli.main import parser
from vigil.core.params import load
from vigil.footage.sources import kinds, read_datasets
from vigil.report.results import CLOSE, OPEN, collect, render

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


TO_COME = {"detect"}  # announced as not there yet


def commands() -> dict[str, argparse.ArgumentParser]:
    action = next(one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_option_is_in_the_readme(name: str) -> None:
    assert f"vigil {name}" in README
    for action in commands()[name]._actions:
        for option in action.option_strings:
            if option not in {"-h", "--help"}:
                rows = [line for line in README.splitlines() if line.startswith(f"| `vigil {name}")]
                assert any(option in row for row in rows), f"vigil {name} {option}"


def test_every_vigil_command_in_the_readme_parses() -> None:
    lines = re.findall(r"^\s*(?:\$ )?(vigil [^#\n|]+)", README, re.MULTILINE) + re.findall(r"`(vigil [^`]+)`", README)
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0] not in TO_COME:
            parser().parse_args([words[0], *({"store": ["usage"]}.get(words[0], []) if len(words) == 1 else words[1:])])


def test_every_make_target_in_the_readme_exists() -> None:
    told = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", README, re.MULTILINE))
    listing = subprocess.run(["make", "-qp", "-C", str(PROJECT)], capture_output=True, text=True, check=False).stdout
    assert told
    for target in told:
        assert re.search(rf"^{target}:", listing, re.MULTILINE), target


def test_every_section_of_params_yaml_is_in_the_readme() -> None:
    for section in load(PROJECT / "params.yaml"):
        assert f"| `{section}` |" in README, section


def test_every_stage_is_in_the_readme() -> None:
    table = README[README.index("| stage | reads | writes |") :].partition("\n\n")[0]
    for stage in load(PROJECT / "dvc.yaml")["stages"]:
        assert f"\n| `{stage}` |" in table, stage


def test_the_picture_of_the_pipeline_is_that_of_dvc_yaml() -> None:
    """No arrow that is not there, and whoever waits for another is reached from it."""
    block = re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)[0]
    drawn = set(re.findall(r"^\s*(\w+) (?:-- \w+ )?--> (\w+)$", block, re.MULTILINE))
    stages = load(PROJECT / "dvc.yaml")["stages"]
    models = {name: model["input"] for name, model in load(PROJECT / "params.yaml")["models"].items()}

    def named(stage: str, *keys: str) -> set[str]:
        body = stages[stage].get("do", stages[stage])
        paths = [one if isinstance(one, str) else next(iter(one)) for key in keys for one in body.get(key, [])]
        return {path.replace("${key}", m).replace("${item.input}", models[m]) for path in paths for m in models}

    made = {path: stage for stage in stages for path in named(stage, "outs", "metrics")}
    true = {
        (owner, stage)
        for stage in stages
        for dep in named(stage, "deps")
        for path, owner in made.items()
        if dep == path or dep.startswith(f"{path}/")
    }
    assert drawn <= true
    reached = set(drawn)
    for middle in stages:
        reached |= {(a, d) for a, b in reached if b == middle for c, d in reached if c == middle}
    assert true <= reached


def test_every_kind_of_dataset_is_in_the_readme_with_its_keys() -> None:
    for name in kinds():
        row = next((line for line in README.splitlines() if line.startswith(f"| `{name}` |")), None)
        assert row is not None, name
        module = __import__(f"vigil.datasets.{name}", fromlist=["Params"])
        for key in module.Params.model_fields:
            assert f"`{key}`" in row, f"{name}: {key}"


def test_the_example_of_a_dataset_is_valid() -> None:
    """Every YAML block of the README that names datasets is read as params.yaml would be."""
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        path = Path(f"block{number}.yaml")
        path.write_text(block)
        if section := load(path).get("datasets"):
            assert read_datasets(section)


def test_every_file_the_readme_points_to_exists() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target


def test_the_tables_in_the_readme_are_those_of_the_committed_metrics() -> None:
    table = render(collect(PROJECT / "metrics"))
    assert f"{OPEN}\n{table}\n{CLOSE}" in README, "run `vigil results --into README.md`"


def test_nothing_is_left_to_fill_in() -> None:
    known = r"VIGIL_\w+|MLFLOW_TRACKING_URI|Temporal_Anomaly_Annotation"
    assert not re.search(r"\b[A-Z]+_[A-Z_]+\b", re.sub(known, "", README))
