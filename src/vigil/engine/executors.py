"""Where per-video work runs: in this process, in worker processes of this machine, or on a Dask cluster.

All three give (task, result) as they are done. On a cluster, Dask's threads watch over worker processes as ours do
here, and results travel as files in the store, on the file system that all machines share.
"""

import multiprocessing
import pickle
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from typing import Any

from vigil.core.errors import VigilError
from vigil.engine.store import Entry
from vigil.engine.workers import Failure, Task, Team, perform

Results = Generator[tuple[Task, Entry | Failure], None, None]


def run_serially(tasks: Iterable[Task], begin: Callable[[str], None]) -> Results:
    """Runs tasks one after the other in this process, for a debugger. Nothing guards against a crash or a hang."""
    for task in tasks:
        begin(task.name)
        yield task, perform(task)


def run_in_processes(tasks: Sequence[Task], workers: int, timeout_s: float, begin: Callable[[str], None]) -> Results:
    """Runs tasks in up to `workers` processes of this machine."""
    team = Team(begin)
    executor = ThreadPoolExecutor(min(workers, len(tasks)), thread_name_prefix="vigil")
    try:
        yield from _spread(tasks, executor, team.attempt, timeout_s)
    finally:
        team.dismiss(executor)


def run_on_dask(tasks: Sequence[Task], address: str | None, timeout_s: float, begin: Callable[[str], None]) -> Results:
    """Runs tasks on the cluster whose scheduler is at `address`; every machine sees the project under the same path."""
    try:
        from distributed import Client
    except ImportError:
        raise VigilError("runtime.executor: dask is not installed. pip install -r requirements-cluster.txt") from None
    if address is None:
        raise VigilError("runtime.address: expected the Dask scheduler, such as tcp://10.0.0.5:8786, found null.")
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise VigilError(f"runtime.address: no Dask scheduler answers at {address}: {error}") from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise VigilError(f"runtime.address: {address} has no workers. Start some: dask worker {address}")
        executor = client.get_executor(pure=False)
        try:
            for task, result in _spread(tasks, executor, _attempt, timeout_s):
                begin(task.name)
                yield task, result
        finally:
            executor.shutdown(wait=False)


def _spread(
    tasks: Sequence[Task], executor: Executor, attempt: Callable[..., Entry | Failure], timeout_s: float
) -> Results:
    """Yields results as they are done. One that crashed is tried again alone: memory may have been to blame."""

    def submit(task: Task) -> Any:
        return executor.submit(attempt, pickle.dumps(task), task.name, task.code, timeout_s)

    def wait_for(future: Any) -> Entry | Failure:
        try:
            return future.result()
        except Exception as error:  # noqa: BLE001  a cluster lost its worker
            return Failure(f"crashed the worker ({type(error).__name__})", traceback.format_exc(), crash=True)

    crashed = []
    futures = {submit(task): task for task in tasks}
    for future in as_completed(futures):
        result = wait_for(future)
        if isinstance(result, Failure) and result.crash:
            crashed.append(futures[future])
        else:
            yield futures[future], result
    for task in crashed:
        yield task, wait_for(submit(task))


_CLUSTER_TEAM = Team(lambda _name: None)


def _attempt(payload: bytes, name: str, code: str, timeout_s: float) -> Entry | Failure:
    """Does one task in a thread of a Dask worker."""
    multiprocessing.current_process().daemon = False  # Dask's own workers are, and a daemon may have no children
    return _CLUSTER_TEAM.attempt(payload, name, code, timeout_s)
