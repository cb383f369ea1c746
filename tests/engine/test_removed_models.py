"""A model that is taken out of params.yaml leaves nothing behind, in the eyes of DVC and of git."""

import json
import subprocess
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from vigil.cli.main import main
from vigil.core.params import load
from vigil.core.skipping import why_skipped
from vigil.engine.removed_models import leave_notes_of_absence, remove_stale_models

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own

FILES = {
    ".dvc/config": "[core]\n    analytics = false\n    autostage = false\n",
    ".dvc/.gitignore": "/tmp\n/cache\n/config.local\n",
    ".gitignore": "/data/*\n!/data/sources.csv\n/models/\n/mine/\n/.vigil/\n",
    "mine/normal/a.mp4": "a",
    "dvc.yaml": """
stages:
  train:
    foreach: ${models}
    do:
      cmd: mkdir -p models data/scores/${key} metrics && echo ${key} ${item.input} | tee models/${key}
        metrics/${key}.json > data/scores/${key}/val
      params: ["models.${key}"]
      outs:
        - models/${key}
        - data/scores/${key}/val
        - metrics/${key}.json:
            cache: false
  compare:
    cmd: cat data/scores/*/val > summary
    deps: [data/scores]
    params: [models]
    outs:
      - summary:
          cache: false
""",
}


def write_params(project: Path, *models: str) -> None:
    """The project's own params.yaml, with these of its models and one folder of videos; JSON is YAML too."""
    sections = load(project / "params.yaml")
    sections |= {
        "datasets": {"cam": {"kind": "folder", "path": "mine"}},
        "models": {name: sections["models"][name] for name in models},
    }
    Path("params.yaml").write_text(json.dumps(sections), encoding="utf-8")


def git(*words: str) -> str:
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout


def reproduce(**options: Any) -> set[str]:
    """The stages that DVC runs, or would run."""
    from dvc.repo import Repo

    with Repo() as repo:
        return {stage.addressing for stage in repo.reproduce(**options)}


def commit() -> None:
    git("add", "-A")
    git("commit", "-qm", "Run the pipeline")


@pytest.fixture
def done(project: Path) -> None:
    """A pipeline of two models and what compares them, run and committed."""
    write_params(project, "activity", "panic")
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    git("init", "-q")
    assert main(["sync"]) == 0
    assert reproduce() == {"train@activity", "train@panic", "compare"}
    commit()


@pytest.mark.usefixtures("done")
def test_removing_a_model_from_params_yaml_is_all_it_takes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = Path("dvc.lock").read_text(encoding="utf-8")
    write_params(project, "activity")
    assert main(["sync"]) == 0
    assert "panic" in capsys.readouterr().err
    assert "@panic" not in Path("dvc.lock").read_text(encoding="utf-8")
    assert lock.partition("  train@panic:")[0].partition("compare:")[0] in Path("dvc.lock").read_text(encoding="utf-8")
    assert [path for path in Path().rglob("*panic*") if ".dvc" not in path.parts and ".git" not in path.parts] == []
    assert Path("models/activity").exists()
    assert reproduce() == {"compare"}
    assert Path("summary").read_text(encoding="utf-8") == "activity frames\n"
    commit()
    assert reproduce() == set()
    assert git("status", "--porcelain") == ""
    git("clone", "-q", ".", "clone")
    with chdir("clone"):
        assert reproduce(dry=True, allow_missing=True) == set()
        assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("models", [None, {}, [], "early", {"early": {}, "late": {}}])
def test_nothing_is_deleted_without_a_model_less(models: object) -> None:
    Path("dvc.yaml").write_text(FILES["dvc.yaml"], encoding="utf-8")
    Path("models").mkdir()
    for name in ("early", "late"):
        Path(f"models/{name}").write_text(name, encoding="utf-8")
    lock = "".join(f"  train@{name}:\n    outs:\n    - path: models/{name}\n" for name in ("early", "late"))
    Path("dvc.lock").write_text(f"schema: '2.0'\nstages:\n{lock}", encoding="utf-8")
    assert remove_stale_models(models) == []
    assert Path("models/early").exists()
    assert Path("models/late").exists()
    assert remove_stale_models({"late": {}}) == ["early"]  # and here there is one
    assert not Path("models/early").exists()
    assert (
        Path("dvc.lock").read_text(encoding="utf-8") == f"schema: '2.0'\nstages:\n{lock[lock.index('  train@late') :]}"
    )


GATED = """
stages:
  train:
    foreach: ${models}
    do:
      cmd: mkdir models/${key} && echo ${item.input} > models/${key}/weights && echo {} > models/${key}.json
      outs: ["models/${key}", "models/${key}.json"]
  attend:
    cmd: cat models/crime_gate/* models/crime_gate.json > clips
    deps: [models/crime_gate, models/crime_gate.json]
    outs: [clips]
"""


@pytest.mark.usefixtures("done")
def test_a_model_that_a_stage_reads_by_its_name_can_be_removed_and_come_back(project: Path) -> None:
    Path("dvc.yaml").write_text(GATED, encoding="utf-8")
    write_params(project, "panic")
    assert main(["sync"]) == 0
    assert why_skipped(Path("models/crime_gate")) == "params.yaml has no model crime_gate"
    assert why_skipped(Path("models/crime_gate.json")) == "params.yaml has no model crime_gate"
    assert reproduce() == {"train@panic", "attend"}
    assert "no model crime_gate" in Path("clips").read_text(encoding="utf-8")
    write_params(project, "panic", "crime_gate")
    assert main(["sync"]) == 0
    assert reproduce() == {"train@crime_gate", "attend"}
    assert Path("clips").read_text(encoding="utf-8") == "frames\n{}\n"
    assert not Path("models/crime_gate/skipped.json").exists()
    write_params(project, "panic")
    assert main(["sync"]) == 0
    assert reproduce() == {"attend"}


@pytest.mark.parametrize("models", [None, {}, []])
def test_no_note_is_left_where_models_are_a_mistake(models: object) -> None:
    Path("dvc.yaml").write_text(GATED, encoding="utf-8")
    leave_notes_of_absence(models, {"attend": ("crime_gate",)})
    assert not Path("models").exists()
