"""Where per-video work runs: in this process, in worker processes of this machine, or on a Dask cluster.

Each worker is a process with one video at a time, watched by a thread. So a worker that crashes or hangs takes nothing
with it but its video, and a plain kill ends any hang, also one in a C library that never gives the interpreter back.
On a cluster the watching threads are Dask's. What is computed lands in the store, on the file system that all share.
"""

import ctypes
import errno
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from vigil import settings
from vigil.errors import Rejected, VigilError
from vigil.store import Entry, Store

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Task:
    """The work on one video, and where it is at home."""

    name: str
    key: str
    work: Callable[..., Any]
    args: tuple[Any, ...]
    suffixes: tuple[str, ...]  # of the output files
    params: Any
    store: Path
    root: Path
    folder: Path  # the working directory, to which relative paths in args belong


@dataclass(frozen=True)
class Failure:
    """No result, and nothing that the video alone is to blame for: tried again next time."""

    reason: str
    details: str = ""  # the traceback of an exception
    crash: bool = False
    fatal: bool = False  # it would strike every other video as well


Results = Generator[tuple[Task, Entry | Failure], None, None]


def perform(task: Task) -> Entry | Failure:
    """Do the work here and put its result, or the reason why it was rejected, in the store."""
    store = Store(task.store)
    names = [f"{number}{suffix}" for number, suffix in enumerate(task.suffixes)]
    folder = task.store
    try:
        with store.fresh() as folder:
            keywords = {} if task.params is None else {"params": task.params}
            try:
                value = task.work(*task.args, *(folder / name for name in names), **keywords)
            except Rejected as error:
                return store.add(task.key, folder, reason=_portable(str(error), task, folder))
            for number, name in enumerate(names):
                if not (folder / name).exists():
                    raise RuntimeError(f"{task.work.__qualname__} did not write its output {number}")
            return store.add(task.key, folder, names, value)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        words = str(error) if isinstance(error, VigilError) else f"{type(error).__name__}: {error}"
        fatal = isinstance(error, OSError) and error.errno in DISK
        return Failure(_portable(words, task, folder), traceback.format_exc(), fatal=fatal)


def serial(tasks: Iterable[Task], begin: Callable[[str], None]) -> Results:
    """One after the other in this process: for a debugger. Nothing guards against a crash or a hang."""
    for task in tasks:
        begin(task.name)
        yield task, perform(task)


def process(tasks: Sequence[Task], workers: int, timeout_s: float, begin: Callable[[str], None]) -> Results:
    """In up to `workers` processes of this machine."""
    team = _Team(begin)
    executor = ThreadPoolExecutor(min(workers, len(tasks)), thread_name_prefix="vigil")
    try:
        yield from _spread(tasks, executor, team.attempt, timeout_s)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        team.dismiss()
        executor.shutdown(wait=True)


def dask(tasks: Sequence[Task], address: str | None, timeout_s: float, begin: Callable[[str], None]) -> Results:
    """On the cluster whose scheduler is at `address`; every machine sees the project under the same path."""
    try:
        from distributed import Client
    except ImportError:
        raise VigilError(
            "runtime.executor: dask is not installed. Run: pip install -r requirements-cluster.txt"
        ) from None
    if address is None:
        raise VigilError("runtime.address: expected the Dask scheduler, such as tcp://10.0.0.5:8786, found null.")
    try:
        client = Client(address, timeout=10)
        client.wait_for_workers(1, timeout=30)
    except (OSError, ValueError) as error:
        raise VigilError(f"runtime.address: no Dask scheduler with workers answers at {address}: {error}") from None
    executor = client.get_executor(pure=False)
    try:
        for task, result in _spread(tasks, executor, _attempt, timeout_s):
            begin(task.name)
            yield task, result
    finally:
        executor.shutdown(wait=False)
        client.close()


def _spread(
    tasks: Sequence[Task], executor: Executor, attempt: Callable[..., Entry | Failure], timeout_s: float
) -> Results:
    """As they are done. One that crashed gets a second try alone: the machine's memory may have been to blame."""

    def result(future: Any) -> Entry | Failure:
        try:
            return future.result()
        except Exception as error:  # noqa: BLE001  a cluster lost its worker
            return Failure(f"crashed the worker ({type(error).__name__})", traceback.format_exc(), crash=True)

    crashed = []
    futures = {executor.submit(attempt, pickle.dumps(task), task.name, timeout_s): task for task in tasks}
    for future in as_completed(futures):
        done = result(future)
        if isinstance(done, Failure) and done.crash:
            crashed.append(futures[future])
        else:
            yield futures[future], done
    for task in crashed:
        yield task, result(executor.submit(attempt, pickle.dumps(task), task.name, timeout_s))


class _Team:
    """One worker process per thread that asks, kept from task to task."""

    def __init__(self, begin: Callable[[str], None]) -> None:
        self.begin = begin
        self.mine = threading.local()
        self.lock = threading.Lock()
        self.workers: set[_Worker] | None = set()

    def attempt(self, payload: bytes, name: str, timeout_s: float) -> Entry | Failure:
        worker = getattr(self.mine, "worker", None) or self._hire()
        if worker is None:
            return Failure("stopped")
        result = worker.do(payload, timeout_s, lambda: self.begin(name))
        if isinstance(result, Failure) and not worker.alive:
            self.mine.worker = None
            with self.lock:
                (self.workers or set()).discard(worker)
        return result

    def dismiss(self) -> None:
        """Kill them all; no new one starts."""
        with self.lock:
            workers, self.workers = self.workers or set(), None
        for worker in workers:
            worker.kill()

    def _hire(self) -> "_Worker | None":
        with self.lock:
            if self.workers is None:
                return None
            self.mine.worker = _Worker()
            self.workers.add(self.mine.worker)
            return self.mine.worker


class _Worker:
    """A spawned process that does one task at a time."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), name="vigil-worker", daemon=True)
        with _one_thread():
            self.process.start()
        theirs.close()
        self.alive = True

    def do(self, payload: bytes, timeout_s: float, begin: Callable[[], None]) -> Entry | Failure:
        """The clock runs from when the worker has the task and all that it imports."""
        try:
            self.connection.send_bytes(payload)
            self._wait(None)
            self.connection.recv()
            begin()
            if not self._wait(timeout_s):
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

    def _wait(self, timeout_s: float | None) -> bool:
        return bool(wait([self.connection, self.process.sentinel], timeout_s))


_ENVIRONMENT = threading.Lock()
_CLUSTER_TEAM = _Team(lambda _name: None)


def _attempt(payload: bytes, name: str, timeout_s: float) -> Entry | Failure:
    """What a thread of a Dask worker does."""
    multiprocessing.current_process().daemon = False  # Dask's own workers are, and a daemon may have no children
    return _CLUSTER_TEAM.attempt(payload, name, timeout_s)


def _serve(connection: Connection) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings.prepare(threads=1)
    _die_with_parent()
    while True:
        try:
            payload = connection.recv_bytes()
        except EOFError:
            return
        try:
            task: Task = pickle.loads(payload)  # noqa: S301  from our own parent
            os.chdir(task.folder)
            os.environ["DVC_ROOT"] = str(task.root)
        except Exception as error:  # noqa: BLE001
            connection.send(None)
            connection.send(Failure(f"{type(error).__name__}: {error}", traceback.format_exc()))
            continue
        connection.send(None)
        connection.send(perform(task))


def _die_with_parent() -> None:
    """A parent that is killed takes its workers along: by the kernel on Linux, else by a thread that watches it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def watch() -> None:
            wait([sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    """What starts in this block finds one thread per numeric library in its environment from the first import on."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _portable(words: str, task: Task, folder: Path) -> str:
    """One line that is the same on every machine and in every run: no paths of this one, no addresses in memory."""
    for place in (folder, task.folder, task.root):
        words = words.replace(f"{place}{os.sep}", "")
    words = re.sub(r"(?<![\w.:/])/(?:[^\s/'\":]+/)+", "", words)  # other folders
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x...", " ".join(words.split()))[:500]
