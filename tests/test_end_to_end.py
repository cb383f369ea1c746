"""The real pipeline under real DVC on the tiny sample: it runs, it rests, it survives a kill."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from scratch import TRAINABLE, Project

from vigil.core.params import load

PROJECT = Path(__file__).resolve().parents[1]
DEFINED = load(PROJECT / "dvc.yaml")["stages"]
MODELS = list(load(PROJECT / "params.yaml")["models"])
STAGES = [
    f"{name}@{key}" if key else name
    for name, stage in DEFINED.items()
    for key in (MODELS if "foreach" in stage else [""])
]
LAST = ("segments", "context", "check")  # of the stages that make features; with what they read that is
FEATURES = {"code", "weights", "download", "manifest", "frames", "person", "landmarks", "flow", *LAST}
MAY_CONNECT = {"weights", "download"}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, pretrained: Path) -> Project:
    """The tiny pipeline up to its features after one uninterrupted run, committed."""
    project = Project(tmp_path_factory.mktemp("done") / "repo", pretrained)
    project.vigil("sync")
    assert set(project.repro(*LAST)) == FEATURES
    project.commit("Run the pipeline")
    return project


def test_a_second_repro_runs_nothing_and_leaves_git_clean(done: Project) -> None:
    done.vigil("sync")
    assert done.repro(*LAST) == []
    assert done.run("git", "status", "--porcelain").stdout == ""


def test_no_stage_but_weights_and_download_looks_for_another_host(done: Project) -> None:
    for stage in FEATURES:
        if stage not in MAY_CONNECT:
            assert done.connections(stage) == []
    assert done.connections("download") == []  # the sample needs no network either
    assert done.connections("weights") == []  # the pose networks lie in a file here


def test_the_watch_on_sockets_sees_a_connection(done: Project) -> None:
    """The test above can fail: the same hook catches an attempt, whether or not there is a network."""
    done.run("python", "-c", "import socket; s = socket.socket(); s.settimeout(.1); s.connect_ex(('192.0.2.1', 9))")
    assert "192.0.2.1" in done.sockets.read_text()
    done.sockets.unlink()


def test_the_results_table_is_printed(done: Project) -> None:
    table = done.vigil("results").stdout
    assert "train" in table
    assert "normal" in table


def test_a_comment_in_a_feature_runs_no_stage_but_code(done: Project) -> None:
    done.edit("src/vigil/features/frames.py", '"""', '"""A remark. ')
    assert done.repro(*LAST) == ["code"]
    done.run("git", "checkout", "-q", ".")
    assert done.repro(*LAST) == []


def test_a_stage_that_is_run_alone_after_an_edit_is_refused(done: Project) -> None:
    """`dvc repro -s` would lock what new code made under the digest of the old."""
    done.edit("src/vigil/stages/frames.py", 'return {"frames": count}', 'return {"frames": count + 0}')
    ran = done.run("dvc", "repro", "-f", "-s", "frames", check=False)
    assert ran.returncode != 0
    assert "code.json: of other code than frames has now. Run `vigil sync && dvc repro`" in ran.stdout + ran.stderr
    done.run("git", "checkout", "-q", ".")
    done.run("dvc", "checkout", "frames")
    assert done.repro(*LAST) == []


@pytest.mark.slow
def test_a_fresh_clone_makes_the_same_lock(done: Project, pretrained: Path, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", pretrained)
    other.vigil("sync")
    other.repro(*LAST)
    assert other.locked() == done.locked()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kill_at_any_moment_changes_no_byte(done: Project, pretrained: Path, tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    moments = random.Random(seed)
    for attempt in range(5):
        project = Project(tmp_path / f"killed-{attempt}", pretrained)
        project.vigil("sync")
        for _ in range(3):
            process = project.start("dvc", "repro", *LAST)
            time.sleep(moments.uniform(0.5, 12))
            if moments.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)  # dvc, the stage and its workers
            else:
                process.kill()  # dvc alone: its stage goes on as an orphan
            process.wait()
            project.vigil("sync")
        project.repro(*LAST)
        assert project.locked() == done.locked(), f"seed {seed}, attempt {attempt}"
        assert project.read("data/sources.csv") == done.read("data/sources.csv")
        leftovers = [path.name for path in (project.folder / "data").rglob("*.part*")]
        assert leftovers == []


@pytest.mark.slow
def test_a_repro_with_nothing_to_do_ends_within_6_seconds(done: Project) -> None:
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        assert done.repro(*LAST) == []
        seconds.append(time.monotonic() - start)
    assert min(seconds) < 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pretrained: Path) -> Project:
    """All stages after one uninterrupted run, committed."""
    project = Project(tmp_path_factory.mktemp("whole") / "repo", pretrained, TRAINABLE)
    project.vigil("sync")
    assert sorted(project.repro()) == sorted(STAGES)
    project.commit("Run the pipeline")
    return project


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_kills_of_all_stages_side_by_side_change_no_byte(
    whole: Project, pretrained: Path, tmp_path: Path
) -> None:
    seed = int.from_bytes(os.urandom(4))
    moments = random.Random(seed)
    project = Project(tmp_path / "killed", pretrained, TRAINABLE)
    project.vigil("sync")
    stopped = 0
    for _ in range(20):
        process = project.start(sys.executable, "-m", "vigil.cli.main", "repro")
        with suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(2, 25))
        stopped += process.poll() is None
        if process.poll() is None:
            group, alone = process.pid, moments.random() < 0.5  # alone: what it has started notices, and ends too
            process.kill() if alone else os.killpg(group, signal.SIGKILL)
        process.wait()
    assert stopped >= 10, f"seed {seed}"
    project.vigil("repro")
    assert project.locked() == whole.locked(), f"seed {seed}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_pipeline_trains_judges_and_rests(whole: Project) -> None:
    assert whole.repro() == []
    assert whole.run("git", "status", "--porcelain").stdout == ""
    for stage in STAGES:
        if stage.partition("@")[0] not in MAY_CONNECT:
            assert whole.connections(stage) == []
    assert "panic" in whole.vigil("results").stdout
    assert b"<html" in whole.read("metrics/report.html")
    whole.edit("params.yaml", "stem: 4", "stem: 2")
    assert set(whole.repro()) == {"train@panic", "calibrate@panic", "evaluate@panic", "compare"}
