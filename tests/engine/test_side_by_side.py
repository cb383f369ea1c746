"""Stages of models run side by side in real DVC, and what comes out is what `dvc repro` alone makes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import yaml
from receivers import wait_until

from vigil.core.errors import VigilError
from vigil.engine.side_by_side import longest_first, read_graph, run_pipeline
from vigil.engine.torn_lock import remove_torn_lock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own

PIPELINE = """
stages:
  code:
    cmd: cp source code.json
    deps: [source]
    outs: [{code.json: {cache: false}}]
  features:
    cmd: echo features | tee -a log > features
    deps: [code.json]
    outs: [features]
  train:
    foreach: [gate, panic, type]
    do:
      cmd: date +%s.%N > began_${item}; for _ in $(seq 300); do test $(ls began_* | wc -l) -ge $(cat together) && break;
        sleep 0.1; done; sleep 0.2 && test ! -e broken_${item} && date +%s.%N > ended_${item} &&
        cat features code.json > t_${item}
      deps: [features, code.json]
      outs: ["t_${item}"]
  attend:
    cmd: cat t_gate > attended
    deps: [t_gate]
    outs: [attended]
  judge:
    foreach: [gate, panic, type]
    do:
      cmd: cat t_${item} attended > j_${item}
      deps: ["t_${item}", attended]
      outs: ["j_${item}"]
  compare:
    cmd: cat j_gate j_panic j_type > summary
    deps: [j_gate, j_panic, j_type]
    outs: [summary]
"""


def make_project(folder: Path) -> None:
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "source").write_text("x = 1\n")
    (folder / "together").write_text("1")  # trainings that wait for each other, half a minute at most
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    make_project(tmp_path / "project")
    with chdir(tmp_path / "project"):
        yield tmp_path / "project"


def seconds(name: str) -> float:
    return float(Path(name).read_text())


def test_trainings_overlap_and_the_lock_is_that_of_dvc_alone(project: Path, tmp_path: Path) -> None:
    Path("together").write_text("3")
    run_pipeline(lanes=3)
    began = [seconds(f"began_{model}") for model in ("gate", "panic", "type")]
    ended = [seconds(f"ended_{model}") for model in ("gate", "panic", "type")]
    assert max(began) < min(ended), "all three were under way at one moment"
    locked = yaml.safe_load(Path("dvc.lock").read_text())

    make_project(tmp_path / "alone")
    with chdir(tmp_path / "alone"):
        subprocess.run(["dvc", "repro", "-q"], check=True)
        assert locked == yaml.safe_load(Path("dvc.lock").read_text())
        assert (project / "summary").read_bytes() == Path("summary").read_bytes()


def test_only_what_changed_runs_and_never_more_at_once_than_there_are_lanes(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_pipeline(lanes=2)
    spans = [(seconds(f"began_{model}"), seconds(f"ended_{model}")) for model in ("gate", "panic", "type")]
    for moment, _ in spans:
        assert sum(began <= moment < ended for began, ended in spans) <= 2

    capfd.readouterr()
    run_pipeline(lanes=2)
    assert "Running" not in "".join(capfd.readouterr())
    assert Path("log").read_text() == "features\n"

    Path("source").write_text("x = 2\n")  # what stage `code` writes has to be known before it is asked what changed
    run_pipeline(lanes=2)
    assert Path("summary").read_text().count("x = 2\n") == 6


def test_a_stage_that_fails_stops_what_waits_and_the_rest_goes_on_later(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("broken_gate").touch()
    with pytest.raises(VigilError, match="train@gate failed"):
        run_pipeline(lanes=2)
    assert "train@gate" in capfd.readouterr().err
    assert not Path("attended").exists()
    finished = seconds("ended_panic")
    Path("broken_gate").unlink()
    run_pipeline(lanes=2)
    assert Path("summary").exists()
    assert seconds("ended_panic") == finished, "what was finished beside it stays"


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_takes_its_stages_along(project: Path, tmp_path: Path, stop: signal.Signals) -> None:
    """Or they would hold the locks of the next run, which is told that they are busy."""
    Path("together").write_text("4")  # trainings that would wait for half a minute
    command = "from vigil.engine.side_by_side import run_pipeline; run_pipeline(lanes=3)"
    process = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(list(project.glob("began_*"))) == 3, 60)
        started = psutil.Process(process.pid).children(recursive=True)
        assert len(started) >= 6, "DVC and the shell of each stage"
    finally:
        process.send_signal(stop)
        process.wait()
    assert psutil.wait_procs(started, timeout=10)[1] == []
    Path("together").write_text("1")
    remove_torn_lock(project)  # as `vigil repro` does: a kill may hit DVC in the middle of writing its list
    run_pipeline(lanes=3)
    locked = yaml.safe_load(Path("dvc.lock").read_text())
    make_project(tmp_path / "alone")
    with chdir(tmp_path / "alone"):
        subprocess.run(["dvc", "repro", "-q"], check=True)
        assert locked == yaml.safe_load(Path("dvc.lock").read_text())


def test_one_lane_is_dvc_alone(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_pipeline(lanes=1)
    assert "beside" not in capfd.readouterr().err
    spans = sorted((seconds(f"began_{model}"), seconds(f"ended_{model}")) for model in ("gate", "panic", "type"))
    assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))


def test_the_longest_way_begins_first(project: Path) -> None:
    graph = read_graph()
    trainings = [f"train@{model}" for model in ("type", "panic", "gate")]
    assert longest_first(graph, trainings) == ["train@gate", "train@panic", "train@type"]
    judged = [f"judge@{model}" for model in ("type", "panic", "gate")]
    assert longest_first(graph, judged) == ["judge@gate", "judge@panic", "judge@type"], "the order of dvc.yaml"
    assert graph["judge@panic"] == {"train@panic", "attend"}


def test_a_pipeline_that_cannot_be_read_is_one_line(project: Path) -> None:
    Path("params.yaml").write_text("mdoels: {gate: {}}\n")
    Path("dvc.yaml").write_text(PIPELINE.replace("foreach: [gate, panic, type]", "foreach: ${models}"))
    with pytest.raises(VigilError, match=r"Could not find 'models'"):
        run_pipeline(lanes=2)
