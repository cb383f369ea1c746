"""Several processes that train together: joined where a launcher started them, else started here.

torchrun and SLURM start all processes by themselves. Without them the first process of each machine starts the others,
which run the same command with their rank in the environment; NODE_RANK, MASTER_ADDR and MASTER_PORT then tell several
machines apart.
"""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from torch import cuda, distributed

from vigil.core.errors import VigilError
from vigil.core.processes import end_with_parent
from vigil.training.schedules import TrainParams

LAUNCHERS = (  # variables: how many processes there are, the number of this one among all, and on this machine
    ("WORLD_SIZE", "RANK", "LOCAL_RANK"),  # torchrun, and this file
    ("SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID"),
)
STARTED_BY = "VIGIL_STARTED_BY"  # variable: the process that started this one, without which it has nothing to do


@dataclass(frozen=True)
class Group:
    """The number of this process among those that train together."""

    rank: int = 0  # among all
    local_rank: int = 0  # on this machine: the number of its GPU
    size: int = 1


ALONE = Group()
_joined: list[Group] = []  # processes are started once, and stay for the trainings that follow
_children: list[subprocess.Popen[bytes]] = []


def join(params: TrainParams, accelerator: str) -> Group:
    """Returns the group that this training needs. A call by the first process waits until the others have come."""
    if params.processes == 1:
        return ALONE
    if not _joined:
        group = _group_of_launcher(params.processes) or _start_other_processes(params)
        if accelerator == "gpu":
            cuda.set_device(group.local_rank)
        backend = "nccl" if accelerator == "gpu" else "gloo"
        distributed.init_process_group(backend, rank=group.rank, world_size=group.size)
        atexit.register(distributed.destroy_process_group)
        _joined.append(group)
    return _joined[0]


@contextlib.contextmanager
def explain_exits() -> Iterator[None]:
    """Turns the error into one line where another process has failed, so that this one cannot go on."""
    try:
        yield
    except RuntimeError as error:
        if any(child.poll() for child in _children):
            raise VigilError("a process that trained along has failed; its error is above.") from error
        raise


def _group_of_launcher(size: int) -> Group | None:
    """Returns the group that the environment names; None where nothing has started several processes."""
    for size_name, rank_name, local_name in LAUNCHERS:
        started = int(os.environ.get(size_name, "1"))
        if started == 1 or rank_name not in os.environ:
            continue
        if started != size:
            raise VigilError(
                f"train.devices x train.nodes = {size}, and {size_name} says that {started} processes were started. "
                "Let both be the same."
            )
        if parent := os.environ.get(STARTED_BY):
            end_with_parent(int(parent))
        return Group(int(os.environ[rank_name]), int(os.environ.get(local_name, "0")), size)
    return None


def _start_other_processes(params: TrainParams) -> Group:
    """Starts the other processes of this machine; returns the group with this one as its first."""
    first = int(os.environ.get("NODE_RANK", "0")) * params.devices
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    if "MASTER_PORT" not in os.environ:
        os.environ["MASTER_PORT"] = str(29500 if params.nodes > 1 else _free_port())
    for local_rank in range(1, params.devices):
        ranks = {"WORLD_SIZE": params.processes, "RANK": first + local_rank, "LOCAL_RANK": local_rank}
        environment = os.environ | {name: str(value) for name, value in ranks.items()} | {STARTED_BY: str(os.getpid())}
        _children.append(subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environment))
    return Group(first, 0, params.processes)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
