"""The house rules of dvc.yaml: declared deps are the real imports, and DVC itself says what an edit runs again."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from vigil.core.params import Frozen, load
from vigil.engine.code_version import import_closure
from vigil.engine.per_video import Runtime
from vigil.training.schedules import Train, merged

PROJECT = Path(__file__).resolve().parents[1]
PIPELINE = load(PROJECT / "dvc.yaml")
DEFINED = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}
OF_MODELS = {name for name, stage in PIPELINE["stages"].items() if "foreach" in stage}
MODELS = list(load(PROJECT / "params.yaml")["models"])
STAGES = list(DEFINED)
ALL = {name for name in STAGES if name not in OF_MODELS} | {f"{name}@{key}" for name in OF_MODELS for key in MODELS}
SOURCE = PROJECT / "src/vigil"
SHARED = {  # what models are made of: a dep of every stage of models, whether or not its model uses it
    f"src/vigil/models/{name}.py" for name in ("attentive", "convlstm", "inception", "layers", "poses")
}


def entries(stage: Mapping[str, Any], key: str) -> list[str]:
    """The paths under deps, outs, metrics or plots, whether plain or with options."""
    return [item if isinstance(item, str) else next(iter(item)) for item in stage.get(key, [])]


def main_types(name: str) -> dict[str, Any]:
    hints = get_type_hints(importlib.import_module(f"vigil.stages.{name}").main)
    return {key: kind for key, kind in hints.items() if key != "return"}


def kinds_of_dataset() -> list[Path]:
    names = [path for path in sorted((SOURCE / "datasets").iterdir()) if not path.name.startswith("__")]
    return [path for path in names if path.suffix == ".py" or path.is_dir()]


def closure_of(*modules: Path) -> set[str]:
    return {
        f"src/{path.relative_to(PROJECT / 'src').as_posix()}" for module in modules for path in import_closure(module)
    }


@pytest.mark.parametrize("name", STAGES)
def test_declared_deps_are_the_real_imports(name: str) -> None:
    declared = {dep for dep in entries(DEFINED[name], "deps") if dep.startswith("src/")}
    folders = {dep for dep in declared if not dep.endswith(".py")}
    modules = [SOURCE / "stages" / f"{name}.py"]
    if name == "download":  # finds its kinds of dataset by name
        modules += [path / "__init__.py" if path.is_dir() else path for path in kinds_of_dataset()]
    closure = closure_of(*modules)
    if name in OF_MODELS:  # finds its model by name
        assert "src/vigil/models/${key}.py" in declared
        declared = declared - {"src/vigil/models/${key}.py"}
        for key in MODELS:
            assert closure_of(SOURCE / f"models/{key}.py") - {f"src/vigil/models/{key}.py"} <= declared | closure
        assert declared >= SHARED
        declared -= SHARED - closure
    inside = {path for path in closure if any(path.startswith(f"{folder}/") for folder in folders)}
    assert sorted(closure - inside) == sorted(declared - folders), "missing in dvc.yaml, or superfluous there"
    for folder in folders:
        assert any(path.startswith(f"{folder}/") for path in inside), f"{folder} is declared and never imported"


@pytest.mark.parametrize("name", STAGES)
def test_the_command_names_what_main_takes(name: str) -> None:
    """Each path of main is an option, each option is a declared dep or output, each section is declared."""
    stage = DEFINED[name]
    words = shlex.split(stage["cmd"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    types = main_types(name)
    assert words[0] == f"${{run}}.{name}"
    assert set(options) == {f"--{key}" for key, kind in types.items() if kind in (Path, str)}
    known = {path for key in ("deps", "outs", "metrics", "plots") for path in entries(stage, key)}
    for option, value in options.items():
        if option == "--model":
            assert value == "${key}"
        else:  # a folder stands for the files in it that are declared
            assert any(path == value or path.startswith(f"{value}/") for path in known), option
    sections = {
        name if key == "params" else key
        for key, kind in types.items()
        if kind not in (Path, str) and kind is not Runtime
    }
    if name in OF_MODELS:
        sections = {"models.${key}" if section == "models" else section for section in sections}
    assert set(stage.get("params", [])) == sections


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
    own = {key: value for key, value in section.items() if key not in ("input", "classes", "train")}
    importlib.import_module(f"vigil.models.{name}").Config.read(own, name)
    merged(Train.read(sections["train"], "train"), section["train"], name)
    assert set(Train.model_fields) == set(sections["train"])
    assert {"epochs", "batch", "lr"} <= set(section["train"]), "-S can only change what is there"
    assert section["input"] in {"flow", "frames", "segments", "attended"}


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


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own


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
        self.before: dict[Path, str] = {}
        repo = self.repo()
        read = {Path(dep.fs_path) for stage in repo.index.stages for dep in stage.deps}
        for path in (Path(out.fs_path) for stage in repo.index.stages for out in stage.outs):
            for file in [inner for inner in read if path in inner.parents] or [path]:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{file.name}\n")
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
        self.before.setdefault(path, text)
        if old:
            assert old in text
            path.write_text(text.replace(old, new, 1))
        else:
            path.write_text(text + "\nEDITED = True\n")

    def restore(self) -> None:
        for path, text in self.before.items():
            path.write_text(text)
        self.before.clear()


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    folder = tmp_path_factory.mktemp("pipeline")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where DVC looks for dvc.yaml
        return Scratch(folder)


@pytest.fixture
def scratch(pristine: Scratch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scratch]:
    monkeypatch.chdir(pristine.folder)
    yield pristine
    pristine.restore()


FROM_VIDEOS = ALL - {"weights"}  # fetched, whatever the videos are
AFTER_MANIFEST = FROM_VIDEOS - {"download", "frames"}  # the person detector learns from the training split
FROM_FRAMES = FROM_VIDEOS - {"download", "manifest"}
EVALUATED = {f"evaluate@{key}" for key in MODELS} | {"compare"}
FROM_CALIBRATION = {f"calibrate@{key}" for key in MODELS} | {"attend", "train@crime_type"} | EVALUATED
TRAINED = {f"train@{key}" for key in MODELS} | FROM_CALIBRATION


def of(*models: str) -> set[str]:
    """What follows when these models change, and nothing else."""
    return {f"{name}@{key}" for name in ("train", "calibrate", "evaluate") for key in models} | {"compare"}


FROM_FLOW = of("panic") | {"flow", "context", "check"} | FROM_CALIBRATION
FROM_SEGMENTS = of("pose_lstm", "pose_cnn") | {"segments"}
FROM_LANDMARKS = {"landmarks"} | FROM_FLOW | FROM_SEGMENTS
FROM_GATE = of("crime_gate", "crime_type") | {"attend"}


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
        ("src/vigil/stages/weights.py", {"weights"} | FROM_LANDMARKS | TRAINED),
        ("src/vigil/stages/person.py", {"person"} | FROM_LANDMARKS),
        ("src/vigil/features/blazepose.py", FROM_LANDMARKS),
        ("src/vigil/stages/landmarks.py", FROM_LANDMARKS),
        ("src/vigil/stages/flow.py", FROM_FLOW),
        ("src/vigil/stages/segments.py", FROM_SEGMENTS),
        ("src/vigil/landmark_quality.py", {"check", "compare"}),
        ("src/vigil/models/panic.py", of("panic")),
        ("src/vigil/models/i3d.py", of("i3d")),
        ("src/vigil/models/pose_cnn.py", of("pose_cnn")),
        ("src/vigil/models/crime_gate.py", FROM_GATE),
        ("src/vigil/models/crime_type.py", of("crime_type")),
        ("src/vigil/models/convlstm.py", TRAINED),
        ("src/vigil/training.py", TRAINED),
        ("src/vigil/stages/calibrate.py", FROM_CALIBRATION),
        ("src/vigil/stages/evaluate.py", EVALUATED),
        ("src/vigil/report.py", {"compare"}),
        ("src/vigil/tracking.py", set()),
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
        ("imgsz: 224", "imgsz: 320", {"person"} | FROM_LANDMARKS),
        ("presence: 0.6", "presence: 0.5", FROM_LANDMARKS),
        ("size: 64  ", "size: 32  ", FROM_FLOW),
        ("gap_s: 0.5", "gap_s: 1.0", FROM_SEGMENTS),
        ("person_every: 4", "person_every: 2", {"check", "compare"}),
        ("epochs: 12 ", "epochs: 100 ", TRAINED),
        ("stem: 4 ", "stem: 2 ", of("panic")),
        ("lr: 5.0e-4", "lr: 1.0e-4", of("i3d")),
        ("false_alarms_per_hour: 60", "false_alarms_per_hour: 1", FROM_CALIBRATION),
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
    scratch.edit("data/videos.csv", "videos", "other")
    assert scratch.changed() == {"download", "manifest", "frames", "landmarks", "context"}
