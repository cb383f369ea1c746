"""Processes that work on one video at a time, each watched by a thread of the process that started it.

So a worker that crashes or hangs takes nothing with it but its video, and a plain kill ends any hang, also one in a C
library that never gives the interpreter back. What is computed lands in the store.
"""

import errno
import multiprocessing
import os
import pickle
import re
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import Rejected, VigilError
from vigil.core.processes import end_with_parent
from vigil.engine.code_version import code_version
from vigil.engine.store import Entry, Store

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
START_S = 300.0  # at most, for a worker to import what the work needs


@dataclass(frozen=True)
class Task:
    """The work on one video, and where it is at home."""

    name: str
    key: str
    code: str  # version of the code that `key` speaks of
    work: Callable[..., Any]
    args: tuple[Any, ...]
    suffixes: tuple[str, ...]  # of the output files
    params: Any
    store: Path
    root: Path
    folder: Path  # the working directory, to which relative paths in args belong


@dataclass(frozen=True)
class Failure:
    """No result, and not for certain the fault of the video: tried again in the next run."""

    reason: str
    details: str = ""  # the traceback of an exception
    crash: bool = False
    fatal: bool = False  # it would strike every other video as well


def perform(task: Task) -> Entry | Failure:
    """Does the work here and puts its result, or the reason why it was rejected, in the store."""
    store = Store(task.store)
    names = [f"{number}{suffix}" for number, suffix in enumerate(task.suffixes)]
    folder = task.store
    try:
        with store.new_folder() as folder:
            keywords = {} if task.params is None else {"params": task.params}
            try:
                value = task.work(*task.args, *(folder / name for name in names), **keywords)
            except Rejected as error:
                reason = _make_portable(str(error), task, folder)
                if not all(path.exists() for path in task.args if isinstance(path, Path)):
                    return Failure(reason)  # its input vanished under it: that says nothing about the content
                return store.add(task.key, folder, reason=reason)
            for number, name in enumerate(names):
                if not (folder / name).exists():
                    raise RuntimeError(f"{task.work.__qualname__} did not write its output {number}")
            return store.add(task.key, folder, names, value)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a bug, too, loses its video alone
        reason = str(error) if isinstance(error, VigilError) else f"{type(error).__name__}: {error}"
        is_unwritable = isinstance(error, OSError) and error.errno in UNWRITABLE
        if is_unwritable:
            reason += ". Make room (`vigil store gc`) and run again"
        return Failure(_make_portable(reason, task, folder), traceback.format_exc(), fatal=is_unwritable)


class Team:
    """The worker processes, one for each thread that asks; each stays from task to task while the code is the same."""

    def __init__(self, begin: Callable[[str], None]) -> None:
        self.begin = begin
        self.of_thread = threading.local()
        self.lock = threading.Lock()
        self.workers: set[_Worker] | None = set()

    def attempt(self, payload: bytes, name: str, code: str, timeout_s: float) -> Entry | Failure:
        """Has this thread's worker do the pickled task."""
        worker: _Worker | None = getattr(self.of_thread, "worker", None)
        if worker is not None and worker.code != code:  # it may have imported what was edited since
            worker.kill()
        if worker is None or not worker.alive:
            worker = self._hire(worker, code)
        return worker.do(payload, timeout_s, lambda: self.begin(name)) if worker else Failure("stopped")

    def dismiss(self, threads: Executor) -> None:
        """Stops all workers and the threads that wait for them; no new one starts."""
        with self.lock:
            workers, self.workers = self.workers or set(), None
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.process.kill()  # no more than that while a thread may be reading from it
        threads.shutdown(wait=True)
        for worker in workers:
            worker.kill()

    def _hire(self, predecessor: "_Worker | None", code: str) -> "_Worker | None":
        with self.lock:
            if self.workers is None:
                return None
            worker = self.of_thread.worker = _Worker(code)
            self.workers -= {predecessor}
            self.workers.add(worker)
            return worker


class _Worker:
    """A spawned process that does one task at a time."""

    def __init__(self, code: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, child_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(child_end,), name="vigil-worker", daemon=True)
        with single_threaded_children():
            self.process.start()
        child_end.close()
        self.code = code
        self.alive = True

    def do(self, payload: bytes, timeout_s: float, begin: Callable[[], None]) -> Entry | Failure:
        """Does a task; the clock runs from when the worker has the task and all that it imports."""
        try:
            self.connection.send_bytes(payload)
            if not wait([self.connection, self.process.sentinel], START_S):
                self.kill()
                return Failure(f"its worker was not ready within {START_S:g} s")
            self.connection.recv()
            begin()
            if not wait([self.connection, self.process.sentinel], timeout_s):
                self.kill()
                return Failure(f"took more than {timeout_s:g} s")
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join(1)  # it is dying by itself, and tells how
            self.kill()
            code = self.process.exitcode or 0
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return Failure(f"crashed the worker ({how})", crash=True)

    def kill(self) -> None:
        self.alive = False
        self.process.kill()
        self.process.join()
        self.connection.close()


_ENVIRONMENT = threading.Lock()


def _serve(connection: Connection) -> None:
    """Does the tasks that come through `connection`, until it is closed: all that a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever watches it decides
    end_with_parent()
    checked = False
    while True:
        try:
            payload = connection.recv_bytes()
        except EOFError:
            return
        try:
            task: Task = pickle.loads(payload)  # noqa: S301  from our own parent
            os.chdir(task.folder)
            os.environ["DVC_ROOT"] = str(task.root)
            settings.prepare(threads=1)
            if not checked and code_version(task.work) != task.code:
                raise VigilError("the code was edited while the stage was running. Run it again")
            checked = True
        except Exception as error:  # noqa: BLE001  whatever an import may raise
            reason = str(error) if isinstance(error, VigilError) else f"{type(error).__name__}: {error}"
            connection.send(None)
            connection.send(Failure(reason, traceback.format_exc(), fatal=True))
        else:
            connection.send(None)
            connection.send(perform(task))


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Gives what starts in this block one thread per numeric library, from its first import on."""
    with _ENVIRONMENT:
        values_before = {name: os.environ.get(name) for name in settings.THREADS}
        os.environ.update(dict.fromkeys(settings.THREADS, "1"))
        try:
            yield
        finally:
            for name, value in values_before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _make_portable(text: str, task: Task, folder: Path) -> str:
    """Makes a text one line that is the same on every machine and in every run, without paths and addresses."""
    for absolute in (folder, task.folder, task.root):
        text = text.replace(f"{absolute}{os.sep}", "")
    text = re.sub(r"(?<![\w.:/])/(?:[^\s/'\":]+/)+", "", text)  # other folders
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x...", " ".join(text.split()))[:500]
