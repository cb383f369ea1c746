"""What a training runs on: checked before it starts, and told in one line when it is not enough."""

import contextlib
import ctypes
import logging
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.training.schedules import Train

MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
NOISE = (  # what Lightning and torch warn of and nobody here can or should change
    r"The '\w+_dataloader' does not have many workers",
    r"Found \d+ module\(s\) in eval mode",  # frozen ones
    r"GPU available but not used",
    r".*does not have a deterministic implementation",
    r".*use of fork\(\) may lead to deadlocks",
    r".*isinstance\(treespec, LeafSpec\)",
    r".*Please use the new API settings to control TF32",
)
LOGS = (
    "lightning",
    "lightning.pytorch",
    "lightning.fabric",
    "torch._dynamo",
    "torch._inductor",
    "torch.utils.cpp_extension",
)
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as malloc.h names them
LARGEST = 32 << 20  # bytes, the most that glibc takes for the second


def accelerator(wanted: Train) -> str:
    """`cpu` or `gpu`; VigilError when what is asked for is not there."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    name = ("gpu" if count else "cpu") if wanted.accelerator == "auto" else wanted.accelerator
    if name == "gpu" and not count:
        raise VigilError(
            "train.accelerator: a GPU is asked for and torch finds none. Set it to auto or cpu, or see that "
            '`python -c "import torch; print(torch.cuda.is_available())"` says True.'
        )
    if name == "gpu" and wanted.devices > count:
        raise VigilError(f"train.devices: {wanted.devices} GPUs are asked for, {count} are here. Lower train.devices.")
    if name == "cpu" and wanted.precision == "16-mixed":
        raise VigilError("train.precision: 16-mixed needs a GPU. On the CPU take 32-true or bf16-mixed.")
    return name


def uncompilable(device: str) -> str | None:
    """Why torch.compile would not work here, None when it does."""
    if device == "cpu" and not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")):
        return "no C++ compiler"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.home() / "inductor"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.compile(lambda x: x * 2 + 1)(torch.ones(8, device="cuda" if device == "gpu" else "cpu"))
    except Exception as error:  # noqa: BLE001  whatever a compiler may say
        return next(iter(str(error).strip().splitlines()), type(error).__name__)
    return None


@contextlib.contextmanager
def steady(wanted: Train) -> Iterator[None]:
    """The same result every time, from a counted number of threads; and quiet."""
    before, handler = torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    strict, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    if wanted.threads:
        settings.prepare(wanted.threads)
        torch.set_num_threads(wanted.threads)
    keep_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # one of the two with which cuBLAS repeats itself
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.home() / "inductor"))
    for name in LOGS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", message)
            torch.use_deterministic_algorithms(True, warn_only=True)
            yield
    except SystemExit as stop:  # how Lightning answers Ctrl-C, and SIGTERM (with code 0)
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise SystemExit(stop.code or 128 + signal.SIGTERM) from None
    finally:
        signal.signal(signal.SIGINT, handler)
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        torch.set_num_threads(before)


def keep_memory() -> None:
    """What tensors leave free stays with the process.

    By itself glibc gives it back after a step, and the next waits for new pages: a fifth of a training on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(MMAP_THRESHOLD, LARGEST)


@contextlib.contextmanager
def explained(where: str) -> Iterator[None]:
    """What runs out, or breaks in a loader process, as one line."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in text for words in MEMORY):
            raise VigilError(
                f"{where}: out of memory. Raise models.{where}.train.accumulate, "
                "or lower batch, workers or the size of the model; train.precision bf16-mixed takes about half."
            ) from None
        if ("DataLoader worker" in text and "exited unexpectedly" in text) or "killed by signal" in text:
            raise VigilError(
                f"{where}: a loader process died, most likely for want of memory. Lower models.{where}.train.workers."
            ) from None
        if type(error).__module__.startswith(("torch._dynamo", "torch._inductor", "torch.utils.cpp_extension")):
            first = next(iter(text.strip().splitlines()), type(error).__name__)
            raise VigilError(
                f"{where}: cannot be compiled: {first}. Set models.{where}.train.compile: false."
            ) from None
        raise
    except VigilError as error:
        if found := re.search(r"Caught \w+ in DataLoader worker.*VigilError: (.*)", str(error), re.DOTALL):
            raise VigilError(found[1].strip()) from None
        raise


def trainer(wanted: Train, device: str, epochs: int, callbacks: Sequence[Any]) -> Any:
    """Lightning with everything off that writes, asks or advertises."""
    import lightning

    return lightning.Trainer(
        accelerator=device,
        devices=wanted.devices,
        num_nodes=wanted.nodes,
        strategy=wanted.strategy,
        precision=wanted.precision,
        max_epochs=epochs,
        accumulate_grad_batches=wanted.accumulate,
        gradient_clip_val=wanted.clip or None,
        use_distributed_sampler=False,  # batches.py shares out
        inference_mode=False,  # the weights are exchanged in between
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
        default_root_dir=settings.home(),
    )


def say(line: str, *, warn: bool = False) -> None:
    """A line, once, however many processes train together."""
    if settings.first():
        print(line, file=sys.stderr if warn else sys.stdout, flush=True)
