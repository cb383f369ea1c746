"""Runs the pipeline with the stages of models side by side.

`dvc repro` runs one stage at a time, and a training uses one core. Here each stage of a model that waits for nothing
unfinished is run by a `dvc repro --single-item` of its own, as many at once as there are lanes. Every other stage uses
all cores by itself and is run before, alone. In the end `dvc repro` looks at the whole pipeline, so that what comes out
is DVC's own judgement, and dvc.lock is the one that it alone would have written.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue

from vigil.core import settings
from vigil.core.errors import VigilError

DVC = (sys.executable, "-m", "vigil.engine.dvc_lane", "--wait-for-lock", "repro")
CHATTER = (
    "Running stage ",
    "> ",
    "Updating lock file",
    "To track the changes",
    "\tgit add",
    "To enable auto",
    "\tdvc ",
    "Use `dvc push`",
)
Graph = Mapping[str, set[str]]  # stage -> the stages that it waits for


def run_pipeline(lanes: int) -> None:
    """Brings everything up to date; VigilError names the stage that failed, after those beside it have ended."""
    graph = read_graph()
    if lanes > 1:
        _run_models(graph, lanes)
    run_dvc()


def read_graph() -> Graph:
    """Reads the stages of dvc.yaml, each with those whose outputs it reads."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with Repo() as repo:
        try:
            graph = repo.index.graph
        except DvcException as error:
            raise VigilError(f"dvc.yaml and params.yaml do not fit together: {error}") from None
        return {stage.addressing: {read.addressing for read in graph.successors(stage)} for stage in graph}


def ancestors(graph: Graph, stage: str) -> set[str]:
    """Returns all stages that this one waits for, directly or not."""
    parents = graph[stage]
    return parents.union(*(ancestors(graph, parent) for parent in parents))


def longest_first(graph: Graph, ready: Iterable[str]) -> list[str]:
    """Sorts stages as they are to be started: first those for which the most others wait, else as in dvc.yaml."""
    dependants = {stage: sum(stage in ancestors(graph, later) for later in graph) for stage in ready}
    return sorted(dependants, key=lambda stage: (-dependants[stage], list(graph).index(stage)))


def _run_models(graph: Graph, lanes: int) -> None:
    """Brings the stages of models up to date, and all that they wait for, unless no two of them have changed."""
    if "code" in graph:
        run_dvc("code")  # what it writes decides what else has changed
    changed = _changed_stages(graph)
    of_models = {stage for stage in changed if "@" in stage}
    if len(of_models) > 1:
        before_models = [stage for stage in graph if not of_models & {stage, *ancestors(graph, stage)}]
        if changed.intersection(before_models):
            run_dvc(*before_models)
        _run_side_by_side(graph, changed.difference(before_models) - _final_stages(graph), lanes)


def _final_stages(graph: Graph) -> set[str]:
    """Returns the stages that nobody waits for and that are not a model's."""
    return {stage for stage in graph if "@" not in stage and not any(stage in reads for reads in graph.values())}


def _changed_stages(graph: Graph) -> set[str]:
    """Returns the stages that DVC finds out of date, and all that wait for them."""
    from dvc.repo import Repo

    with Repo() as repo:
        changed = {name.removeprefix("dvc.yaml:") for name in repo.status()}
    return {stage for stage in graph if changed & {stage, *ancestors(graph, stage)}}


def _environment() -> dict[str, str]:
    """Returns the environment of this process, in which `python`, as stages call it, is its own interpreter."""
    return os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    }


def run_dvc(*words: str) -> None:
    """Runs `dvc repro` in the terminal, which says itself what went wrong."""
    if subprocess.run([*DVC, *words], env=_environment(), check=False).returncode:
        raise VigilError("the pipeline stopped, see above; what was finished stays, and `vigil repro` goes on from it")


def _run_side_by_side(graph: Graph, stages: set[str], lanes: int) -> None:
    """Runs each stage as soon as those that it waits for are done, in at most `lanes` processes."""
    share = {settings.SHARE_OF_CORES: str(max(1, settings.available_cores() // lanes))}
    environment = _environment() | share
    pending = TopologicalSorter({stage: graph[stage] & stages for stage in stages})
    pending.prepare()
    startable: list[str] = []
    running: dict[str, subprocess.Popen[str]] = {}
    ended: SimpleQueue[tuple[str, int]] = SimpleQueue()
    failed: list[str] = []
    while (pending.is_active() and not failed) or running:
        startable = longest_first(graph, [*startable, *pending.get_ready()])
        while startable and len(running) < lanes and not failed:
            stage = startable.pop(0)
            print(f"Running stage '{stage}' beside {', '.join(running) or 'no other'}", file=sys.stderr, flush=True)
            running[stage] = subprocess.Popen(
                [*DVC, "--single-item", stage],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
            )
            threading.Thread(target=_relay_lines, args=(stage, running[stage], ended), daemon=True).start()
        stage, code = ended.get()
        del running[stage]
        if code:
            failed.append(stage)
        else:
            pending.done(stage)
    if failed:
        raise VigilError(f"stage {', '.join(failed)} failed, see above; `vigil repro` goes on from what was finished")


def _relay_lines(stage: str, process: subprocess.Popen[str], ended: "SimpleQueue[tuple[str, int]]") -> None:
    """Passes on what a stage says line by line, so that lines of two never mix, and leaves out DVC's advice."""
    with process:
        for line in process.stdout or ():
            if line.strip() and not line.startswith(CHATTER):
                sys.stderr.write(line)
                sys.stderr.flush()
    ended.put((stage, process.returncode))
