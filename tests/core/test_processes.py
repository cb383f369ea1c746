"""A process ends with the one that started it, also when that one is killed."""

import subprocess
import sys
import time

import psutil
import pytest

STARTER = """
import multiprocessing, sys, time
from vigil.core.processes import end_with_parent

def work(queue):
    end_with_parent()
    queue.put(None)
    time.sleep(60)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    queue.get()
    print(process.pid, flush=True)
    time.sleep(60)
"""


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_process_ends_with_a_parent_that_is_killed(tmp_path) -> None:
    script = tmp_path / "starter.py"
    script.write_text(STARTER, encoding="utf-8")
    starter = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert is_running(pid)
    starter.kill()
    starter.communicate()
    until = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < until, "it lives on alone"
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="there a thread looks for the parent")
def test_whose_parent_has_died_before_ends_at_once() -> None:
    command = "from vigil.core.processes import end_with_parent; end_with_parent(2 ** 22 + 1); print('on')"
    ran = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
