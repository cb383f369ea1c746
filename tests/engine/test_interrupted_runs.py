"""Runs of the loop over videos that are killed, stopped, or started twice."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import parallel_work
import pytest
from per_video_runs import OUT, SERIAL, items_of, tree

from vigil.engine import per_video
from vigil.engine.per_video import run_per_video, stage_lock
from vigil.engine.store import Store

Calls = Callable[[], list[str]]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start tests/parallel_run.py in the current folder."""
    started: list[subprocess.Popen[str]] = []

    def run(*words: object, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "parallel_run", *map(str, words)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **(pipes | options)))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def lines_of(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("work", ["patient", "stubborn"])
def test_kill_9_leaves_no_worker(work: str, start: Callable[..., Any], calls: Calls) -> None:
    pids = Path(os.environ["CALLS"])
    process = start(work, 4, 2, 600)
    wait_until(lambda: len(lines_of(pids)) == 2)
    assert all(alive(pid) for pid in lines_of(pids))
    process.kill()
    try:
        wait_until(lambda: not any(alive(pid) for pid in lines_of(pids)), 5)
    finally:
        for pid in filter(alive, lines_of(pids)):
            os.kill(int(pid), signal.SIGKILL)


def test_a_killed_run_goes_on_where_it_stopped(start: Callable[..., Any], calls: Calls) -> None:
    process = start("patient", 8, 2, 0.2)
    wait_until(lambda: len(list(OUT.rglob("*.txt"))) >= 3)
    process.kill()
    process.communicate()
    assert len(list(OUT.rglob("*.txt"))) < 8
    calls()
    out, err = start("patient", 8, 2, 0.2).communicate()
    assert err == "" and "8 videos" in out
    assert len(calls()) <= 5, "finished videos are not computed again"
    assert tree(OUT) == {f"set/{number}.txt": f"text{number}".encode() for number in range(8)}
    assert list((Store().folder / "tmp").iterdir()) == [], "nothing is left of the killed one"


@pytest.mark.slow
def test_kills_at_any_moment_leave_the_bytes_of_an_undisturbed_run(start: Callable[..., Any], calls: Calls) -> None:
    for number in range(12):
        process = start("patient", 30, 2, 0.05)
        time.sleep(0.15 * number)
        process.kill()
        process.communicate()
    out, err = start("patient", 30, 2, 0.05).communicate()
    assert err == "" and "30 videos" in out and "0 rejected" in out
    assert tree(OUT) == {f"set/{number}.txt": f"text{number}".encode() for number in range(30)}
    assert Store().usage().entries == 30


def test_control_c_stops_at_once_and_keeps_what_is_finished(start: Callable[..., Any], calls: Calls) -> None:
    process = start("patient", 40, 2, 0.3, start_new_session=True)
    wait_until(lambda: len(list(OUT.rglob("*.txt"))) >= 2)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, err = process.communicate()
    assert time.monotonic() - began < 3
    assert err.count("KeyboardInterrupt") == 1 and process.returncode != 0
    assert 2 <= Store().usage().entries < 20
    assert not any(alive(pid) for pid in calls())


def test_two_runs_of_the_same_at_once_both_succeed(start: Callable[..., Any], tmp_path: Path, calls: Calls) -> None:
    """As a temporary experiment beside the main one: other folders, the same store."""
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(start("double", 150, 1, 0, cwd=tmp_path / name, env=os.environ | {"DVC_ROOT": str(tmp_path)}))
    for process in runs:
        out, err = process.communicate()
        assert err == "" and "150 videos" in out and "0 rejected" in out
    assert tree(tmp_path / "one" / "out") == tree(tmp_path / "two" / "out")
    assert Store(tmp_path / ".vigil" / "store").usage().entries == 150
    assert (tmp_path / "one/out/set/7.txt").samefile(tmp_path / "two/out/set/7.txt")


def test_a_second_run_in_the_same_workspace_waits_for_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    inside = threading.Event()

    def second() -> None:
        with stage_lock("copy"):
            inside.set()

    thread = threading.Thread(target=second)
    with stage_lock("copy"):
        thread.start()
        assert not inside.wait(0.3)
    assert inside.wait(10)
    thread.join()
    assert capsys.readouterr().err == f"copy: waits for process {os.getpid()}, which runs this stage\n"


def test_the_lock_belongs_to_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "experiment").mkdir()
    with stage_lock("copy"):
        monkeypatch.chdir(tmp_path / "experiment")
        with stage_lock("copy"):
            assert Path(".vigil/locks/copy.lock").read_text() == str(os.getpid())
        with stage_lock("copy"):
            pass


# --- what the user sees ----------------------------------------------------------------------------------------------


def test_a_pipe_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run_per_video("copy", parallel_work.double, items_of("ab"), None, SERIAL)
    assert capsys.readouterr().err == "", "nothing in the first seconds"
    monkeypatch.setattr(per_video, "LINE_EVERY_S", 0.0)
    run_per_video("copy", parallel_work.double, items_of("cde"), None, SERIAL)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["copy: 1 of 3", "copy: 2 of 3"]
    assert lines[0].endswith("last set/c") and " videos/s, " in lines[0]


def test_a_terminal_gets_a_bar(start: Callable[..., Any], calls: Calls) -> None:
    ours, theirs = pty.openpty()
    process = start("patient", 3, 1, 0.3, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"})
    os.close(theirs)
    assert process.wait(20) == 0
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the other side is closed
    os.close(ours)
    assert b"videos/s" in shown and b"set/2" in shown and b"2/3" in shown
