"""DVC's own word on which stages an edit of the code, of a number or of the data runs again."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from code_edits import Edit, add_comments, edit_functions, rename_locals, replace

from vigil.core.params import load
from vigil.core.storage import write_json
from vigil.engine.stage_code import stage_digests

PROJECT = Path(__file__).resolve().parents[1]
PIPELINE = load(PROJECT / "dvc.yaml")["stages"]
MODELS = list(load(PROJECT / "params.yaml")["models"])
ALL = {
    f"{name}@{key}" if key else name
    for name, stage in PIPELINE.items()
    for key in (MODELS if "foreach" in stage else [""])
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own


class Scratch:
    """The project in a repository of its own, every stage up to date as far as DVC can tell (outputs are stand-ins)."""

    def __init__(self, folder: Path) -> None:
        for name in ("src", "dvc.yaml", "params.yaml", ".dvc/config", ".dvcignore"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
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
        self.digest_code()
        self.committed_digests = (folder / "code.json").read_text(encoding="utf-8")
        for stage in repo.index.stages:
            repo.commit(stage.addressing, force=True)

    def repo(self) -> Any:
        from dvc.repo import Repo

        return Repo(str(self.folder))

    def digest_code(self) -> None:
        """What stage `code` does, in this process."""
        write_json(self.folder / "code.json", stage_digests(self.folder / "src"))

    def stages(self) -> set[str]:
        return {stage.addressing for stage in self.repo().index.stages}

    def changed(self, repo: Any = None) -> set[str]:
        """Stages that DVC would run first."""
        return {name.removeprefix("dvc.yaml:") for name in (repo or self.repo()).status()}

    def would_run(self) -> set[str]:
        """The same with everything that follows from them."""
        repo = self.repo()
        return self.with_followers(self.changed(repo), repo)

    def would_run_after_code(self) -> set[str]:
        """What an edit of the source runs once stage `code`, which it runs first, has written its digests."""
        self.digest_code()
        repo = self.repo()
        changed = self.changed(repo)
        assert "code" in changed
        return self.with_followers(changed - {"code"}, repo)

    def with_followers(self, stages: set[str], repo: Any) -> set[str]:
        import networkx as nx

        graph = nx.DiGraph()  # the edges of DVC's own graph by name, from a stage to what it reads
        graph.add_nodes_from(stage.addressing for stage in repo.index.stages)
        graph.add_edges_from((reader.addressing, read.addressing) for reader, read in repo.index.graph.edges)
        return stages.union(*(nx.ancestors(graph, name) for name in stages))

    def edit(self, name: str, change: Edit) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        self.before.setdefault(path, text)
        edited = change(text)
        assert edited != text
        path.write_text(edited, encoding="utf-8")

    def restore(self) -> None:
        for path, text in self.before.items():
            path.write_text(text, encoding="utf-8")
        self.before.clear()
        (self.folder / "code.json").write_text(self.committed_digests, encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def read_yaml_once() -> Iterator[None]:
    """DVC reads params.yaml anew for every stage, which is most of what it does here: the same text is parsed once."""
    from dvc.utils.serialize import _yaml

    parsed: dict[tuple[Any, ...], Any] = {}
    parse = _yaml.parse_yaml

    def parse_once(text: str, *arguments: Any, **options: Any) -> Any:
        key = text, *arguments, *sorted(options.items())
        if key not in parsed:
            parsed[key] = parse(text, *arguments, **options)
        return deepcopy(parsed[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_yaml, "parse_yaml", parse_once)
        yield


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


FROM_VIDEOS = ALL - {"weights", "code"}  # fetched, whatever the videos are
AFTER_MANIFEST = FROM_VIDEOS - {"download", "frames", "trunk"}  # the person detector learns from the training split
FROM_FRAMES = FROM_VIDEOS - {"download", "manifest"}
EVALUATED = {f"evaluate@{key}" for key in MODELS} | {"compare"}
FROM_CALIBRATION = {f"calibrate@{key}" for key in MODELS} | {"attend", "train@crime_type"} | EVALUATED
TRAINED = {f"train@{key}" for key in MODELS} | FROM_CALIBRATION


def of(*models: str) -> set[str]:
    """What follows when these models change, and nothing else."""
    return {f"{name}@{key}" for name in ("train", "calibrate", "evaluate") for key in models} | {"compare"}


FROM_FLOW = of("panic") | {"flow", "context", "baselines", "check"} | FROM_CALIBRATION
FROM_SEGMENTS = of("pose_lstm", "pose_cnn") | {"segments"}
FROM_LANDMARKS = {"landmarks", "masked"} | FROM_FLOW | FROM_SEGMENTS
FROM_GATE = of("crime_gate", "crime_type") | {"attend"}


def test_nothing_runs_when_nothing_changed(scratch: Scratch) -> None:
    assert scratch.would_run() == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stages/frames", FROM_FRAMES),
        ("features/frames", FROM_FRAMES),
        ("stages/manifest", AFTER_MANIFEST),
        ("footage/splits/assignment", AFTER_MANIFEST),
        ("footage/video_table", FROM_VIDEOS),
        ("footage/datasets/folder", FROM_VIDEOS),
        ("footage/datasets/youtube", FROM_VIDEOS),
        ("footage/video/reading", FROM_VIDEOS),
        ("stages/weights", {"weights", "trunk"} | FROM_LANDMARKS | TRAINED),
        ("stages/person", {"person"} | FROM_LANDMARKS),
        ("features/landmarks/blazepose", FROM_LANDMARKS),
        ("stages/landmarks", FROM_LANDMARKS),
        ("stages/flow", FROM_FLOW),
        ("stages/segments", FROM_SEGMENTS),
        ("stages/trunk", {"trunk"} | of("trunk")),
        ("features/trunk", {"trunk"} | of("trunk")),
        ("features/quality/landmark_quality", {"check", "compare"}),
        ("models/panic", of("panic")),
        ("models/i3d", of("i3d")),
        ("models/pose_cnn", of("pose_cnn")),
        ("models/crime_gate", FROM_GATE),
        ("models/crime_type", of("crime_type")),
        ("models/blocks/convlstm", of("panic", "activity")),
        ("training/fit", TRAINED),
        ("judging/calibration", FROM_CALIBRATION),
        ("stages/calibrate", FROM_CALIBRATION),
        ("evaluation/metrics", EVALUATED),
        ("stages/evaluate", EVALUATED),
        ("report/page", {"compare"}),
    ],
)
def test_an_edit_of_the_code_runs_what_could_compute_something_else(
    scratch: Scratch, name: str, expected: set[str]
) -> None:
    """Of every function in a file, so that no edit of one of them runs more."""
    scratch.edit(f"src/vigil/{name}.py", edit_functions)
    assert scratch.would_run_after_code() == expected


@pytest.mark.parametrize(
    ("name", "edit", "expected"),
    [
        ("src/vigil_city/film.py", edit_functions, FROM_VIDEOS),
        ("src/vigil/report/templates/page.html.j2", replace("<title>", "<title>New "), {"compare"}),
    ],
)
def test_an_edit_of_the_city_or_of_a_template_counts_too(
    scratch: Scratch, name: str, edit: Edit, expected: set[str]
) -> None:
    scratch.edit(name, edit)
    assert scratch.would_run_after_code() == expected


def test_an_edit_that_changes_no_result_runs_nothing_but_code(scratch: Scratch) -> None:
    for path in sorted((scratch.folder / "src").rglob("*.py")):
        if path.read_text(encoding="utf-8").count("\n") > 10:
            scratch.edit(str(path.relative_to(scratch.folder)), add_comments)
    for name in ("training/fit", "models/panic", "features/frames", "judging/calibration"):
        scratch.edit(f"src/vigil/{name}.py", rename_locals)
    for name in (
        "engine/tracking",
        "engine/per_video",
        "engine/stage_runner",
        "core/errors",
        "core/settings",
        "cli/main",
    ):
        scratch.edit(f"src/vigil/{name}.py", edit_functions)
    assert scratch.changed() == {"code"}
    assert scratch.would_run_after_code() == set()


def test_a_change_of_the_sources_runs_everything_that_comes_from_videos(scratch: Scratch) -> None:
    scratch.edit("data/sources.csv", lambda text: f"{text}sample,new.mp4,1,0\n")
    assert scratch.would_run() == FROM_VIDEOS


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("fps: 8", "fps: 4", FROM_FRAMES),
        ("val_share: 0.2", "val_share: 0.3", AFTER_MANIFEST),
        ("scale: standard", "scale: tiny", FROM_VIDEOS),
        ("imgsz: 224", "imgsz: 320", {"person"} | FROM_LANDMARKS),
        ("presence: 0.6", "presence: 0.5", FROM_LANDMARKS),
        ("size: 64  ", "size: 32  ", FROM_FLOW),
        ("px: null  ", "px: 256   ", {"trunk"} | of("trunk")),
        ("nanodet_px: null", "nanodet_px: 320 ", {"trunk"} | of("trunk")),
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
    scratch.edit("params.yaml", replace(old, new))
    assert scratch.would_run() == expected


def test_a_model_that_leaves_params_yaml_leaves_the_pipeline(scratch: Scratch) -> None:
    def without(text: str) -> str:
        return re.sub(r"\n  pose_cnn:.*?\n\n", "\n", text, flags=re.DOTALL)

    scratch.edit("params.yaml", without)
    assert scratch.would_run() == {"compare"}
    assert {name for name in scratch.stages() if "pose_cnn" in name} == set()


def test_a_stage_waits_for_what_it_reads_to_change(scratch: Scratch) -> None:
    """Only the first stage is out of date at once; the same bytes from it would stop the wave there."""
    scratch.edit("params.yaml", replace("scale: standard", "scale: tiny"))
    assert scratch.changed() == {"download"}
    scratch.edit("data/videos.csv", replace("videos", "other"))
    assert scratch.changed() == {"download", "manifest", "frames", "landmarks", "flow", "masked", "context"}
