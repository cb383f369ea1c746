"""The house rules of dvc.yaml: declared deps are the real imports, and DVC itself says what an edit runs again."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from vigil.codehash import import_closure
from vigil.parallel import Runtime
from vigil.params import Frozen, load

PROJECT = Path(__file__).resolve().parents[1]
PIPELINE = load(PROJECT / "dvc.yaml")
STAGES = list(PIPELINE["stages"])
SOURCE = PROJECT / "src/vigil"


def entries(stage: Mapping[str, Any], key: str) -> list[str]:
    """The paths under deps, outs, metrics or plots, whether plain or with options."""
    return [item if isinstance(item, str) else next(iter(item)) for item in stage.get(key, [])]


def main_types(name: str) -> dict[str, Any]:
    hints = get_type_hints(importlib.import_module(f"vigil.stages.{name}").main)
    return {key: kind for key, kind in hints.items() if key != "return"}


def kinds_of_dataset() -> list[Path]:
    names = [path for path in sorted((SOURCE / "datasets").iterdir()) if not path.name.startswith("__")]
    return [path for path in names if path.suffix == ".py" or path.is_dir()]


@pytest.mark.parametrize("name", STAGES)
def test_declared_deps_are_the_real_imports(name: str) -> None:
    declared = [dep for dep in entries(PIPELINE["stages"][name], "deps") if dep.startswith("src/")]
    folders = [dep for dep in declared if not dep.endswith(".py")]
    modules = [SOURCE / "stages" / f"{name}.py"]
    if name == "download":  # finds its kinds of dataset by name
        modules += [path / "__init__.py" if path.is_dir() else path for path in kinds_of_dataset()]
    closure = {
        f"src/{path.relative_to(PROJECT / 'src').as_posix()}" for module in modules for path in import_closure(module)
    }
    inside = {path for path in closure if any(path.startswith(f"{folder}/") for folder in folders)}
    assert sorted(closure - inside) == sorted(set(declared) - set(folders)), "missing in dvc.yaml, or superfluous there"
    for folder in folders:
        assert any(path.startswith(f"{folder}/") for path in inside), f"{folder} is declared and never imported"


@pytest.mark.parametrize("name", STAGES)
def test_the_command_names_what_main_takes(name: str) -> None:
    """Each path of main is an option, each option is a declared dep or output, each section is declared."""
    stage = PIPELINE["stages"][name]
    words = shlex.split(stage["cmd"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    types = main_types(name)
    assert words[0] == f"${{run}}.{name}"
    assert set(options) == {f"--{key}" for key, kind in types.items() if kind is Path}
    known = {path for key in ("deps", "outs", "metrics", "plots") for path in entries(stage, key)}
    assert set(options.values()) <= known
    sections = {
        name if key == "params" else key for key, kind in types.items() if kind is not Path and kind is not Runtime
    }
    assert set(stage.get("params", [])) == sections


@pytest.mark.parametrize("name", STAGES)
def test_params_yaml_is_valid_for_every_stage(name: str) -> None:
    sections = load(PROJECT / "params.yaml")
    for key, kind in main_types(name).items():
        if isinstance(kind, type) and issubclass(kind, Frozen):
            kind.read(sections[name if key == "params" else key], f"params.yaml [{key}]")


def test_every_knob_says_its_unit_or_reason() -> None:
    for line in (PROJECT / "params.yaml").read_text().splitlines():
        if re.match(r"\s+\w+:\s+\S", line):
            assert re.search(r"#\s*\S+", line), line


def test_imports_go_downwards_only() -> None:
    """The layers of the design, enforced by import-linter."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", str(PROJECT / "pyproject.toml")],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_every_stage_is_in_the_contract_that_keeps_stages_apart() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = next(contract["modules"] for contract in contracts if contract["type"] == "independence")
    stages = {path.stem for path in (SOURCE / "stages").glob("*.py")} - {"__init__", "runner"}
    assert listed == [f"vigil.stages.{name}" for name in sorted(stages)]


class Scratch:
    """The project in a repository of its own, every stage up to date as far as DVC can tell (outputs are stand-ins)."""

    def __init__(self, folder: Path) -> None:
        for name in ("src", "dvc.yaml", "params.yaml", ".dvc/config", ".dvcignore"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(PROJECT / name, target)
        (folder / "data").mkdir()
        (folder / "data/sources.csv").write_text("set,path,size,sha256\n")
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        self.folder = folder
        repo = self.repo()
        for stage in repo.index.stages:
            for out in stage.outs:
                Path(out.fs_path).parent.mkdir(parents=True, exist_ok=True)
                Path(out.fs_path).write_text(f"{out}\n")
        for stage in repo.index.stages:
            repo.commit(stage.addressing, force=True)

    def repo(self) -> Any:
        from dvc.repo import Repo

        return Repo(str(self.folder))

    def changed(self) -> set[str]:
        """Stages that DVC would run first."""
        return {name.removeprefix("dvc.yaml:") for name in self.repo().status()}

    def would_run(self) -> set[str]:
        """The same with everything that follows from them."""
        import networkx as nx

        repo = self.repo()
        graph = nx.DiGraph()  # the edges of DVC's own graph by name, from a stage to what it reads
        graph.add_nodes_from(stage.addressing for stage in repo.index.stages)
        graph.add_edges_from((reader.addressing, read.addressing) for reader, read in repo.index.graph.edges)
        changed = self.changed()
        return changed.union(*(nx.ancestors(graph, name) for name in changed))

    def edit(self, name: str, old: str = "", new: str = "") -> None:
        path = self.folder / name
        text = path.read_text()
        if old:
            assert old in text
            path.write_text(text.replace(old, new, 1))
        else:
            path.write_text(text + "\nEDITED = True\n")


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")  # where DVC looks for dvc.yaml
    return Scratch(tmp_path / "repo")


FROM_VIDEOS = set(STAGES) - {"weights"}  # fetched, whatever the videos are
AFTER_MANIFEST = FROM_VIDEOS - {"download", "frames"}  # the person detector learns from the training split
FROM_FRAMES = FROM_VIDEOS - {"download", "manifest"}


def test_nothing_runs_when_nothing_changed(scratch: Scratch) -> None:
    assert scratch.would_run() == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("src/vigil/stages/frames.py", FROM_FRAMES),
        ("src/vigil/features/frames.py", FROM_FRAMES),
        ("src/vigil/stages/manifest.py", AFTER_MANIFEST),
        ("src/vigil/splits.py", AFTER_MANIFEST),
        ("src/vigil/manifest.py", FROM_VIDEOS),
        ("src/vigil/datasets/folder.py", FROM_VIDEOS),
        ("src/vigil/video.py", FROM_VIDEOS),
        ("src/vigil/stages/weights.py", {"weights", "landmarks", "flow", "segments", "check"}),
        ("src/vigil/stages/person.py", {"person", "landmarks", "flow", "segments", "check"}),
        ("src/vigil/features/blazepose.py", {"landmarks", "flow", "segments", "check"}),
        ("src/vigil/stages/landmarks.py", {"landmarks", "flow", "segments", "check"}),
        ("src/vigil/features/flow.py", {"flow", "check"}),
        ("src/vigil/stages/flow.py", {"flow", "check"}),
        ("src/vigil/stages/segments.py", {"segments"}),
        ("src/vigil/landmark_quality.py", {"check"}),
        ("src/vigil/errors.py", set()),
        ("src/vigil/settings.py", set()),
        ("src/vigil/params.py", set()),
        ("src/vigil/parallel.py", set()),
        ("src/vigil/stages/runner.py", set()),
        ("src/vigil/cli.py", set()),
        ("data/sources.csv", FROM_VIDEOS),
    ],
)
def test_editing_a_file_runs_what_imports_it(scratch: Scratch, name: str, expected: set[str]) -> None:
    scratch.edit(name)
    assert scratch.would_run() == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("fps: 8", "fps: 4", FROM_FRAMES),
        ("val_share: 0.2", "val_share: 0.3", AFTER_MANIFEST),
        ("scale: full", "scale: tiny", FROM_VIDEOS),
        ("imgsz: 224", "imgsz: 320", {"person", "landmarks", "flow", "segments", "check"}),
        ("presence: 0.6", "presence: 0.5", {"landmarks", "flow", "segments", "check"}),
        ("size: 64", "size: 32", {"flow", "check"}),
        ("gap_s: 0.5", "gap_s: 1.0", {"segments"}),
        ("person_every: 4", "person_every: 2", {"check"}),
        ("workers: 0", "workers: 1", set()),
        ("executor: process", "executor: serial", set()),
    ],
)
def test_changing_a_number_runs_what_reads_it(scratch: Scratch, old: str, new: str, expected: set[str]) -> None:
    scratch.edit("params.yaml", old, new)
    assert scratch.would_run() == expected


def test_a_stage_waits_for_what_it_reads_to_change(scratch: Scratch) -> None:
    """Only the first stage is out of date at once; the same bytes from it would stop the wave there."""
    scratch.edit("params.yaml", "scale: full", "scale: tiny")
    assert scratch.changed() == {"download"}
    (scratch.folder / "data/videos.csv").unlink()
    (scratch.folder / "data/videos.csv").write_text("another table\n")
    assert scratch.changed() == {"download", "manifest", "frames", "landmarks"}
