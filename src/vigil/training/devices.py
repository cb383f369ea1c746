"""What a training runs on: checked before it starts, and explained in one line when it is not enough."""

import contextlib
import ctypes
import logging
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.training.schedules import TrainParams

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
COMPILER_MODULES = ("torch._dynamo", "torch._inductor", "torch.utils.cpp_extension")
HARMLESS_WARNINGS = (  # of torch, about what nobody here can or should change
    r".*does not have a deterministic implementation",
    r".*use of fork\(\) may lead to deadlocks",
    r".*Please use the new API settings to control TF32",
)
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them
LARGEST_THRESHOLD = 32 << 20  # bytes, the most that glibc takes for the second


def choose_accelerator(params: TrainParams) -> str:
    """Returns `cpu` or `gpu`; VigilError where this machine lacks what params.yaml asks for."""
    gpu_count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    name = ("gpu" if gpu_count else "cpu") if params.accelerator == "auto" else params.accelerator
    if name == "gpu" and not gpu_count:
        raise VigilError(
            "train.accelerator: a GPU is asked for and torch finds none. Set it to auto or cpu, or see that "
            '`python -c "import torch; print(torch.cuda.is_available())"` says True.'
        )
    if name == "gpu" and params.devices > gpu_count:
        raise VigilError(
            f"train.devices: {params.devices} GPUs are asked for, {gpu_count} are here. Lower train.devices."
        )
    if name == "cpu" and params.precision == "16-mixed":
        raise VigilError("train.precision: 16-mixed needs a GPU. On the CPU take 32-true or bf16-mixed.")
    return name


def why_not_compilable(accelerator: str) -> str | None:
    """Returns why torch.compile would not work here; None when it does."""
    if accelerator == "cpu" and not any(
        shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")
    ):
        return "no C++ compiler"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.home() / "inductor"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.compile(lambda x: x * 2 + 1)(torch.ones(8, device="cuda" if accelerator == "gpu" else "cpu"))
    except Exception as error:  # noqa: BLE001  whatever a compiler may say
        return next(iter(str(error).strip().splitlines()), type(error).__name__)
    return None


def compile_layers(model: Any, accelerator: str, name: str) -> None:
    """Compiles the layers of `model` that have a `compile` of their own, or else the whole; where that works."""
    if reason := why_not_compilable(accelerator):
        say(f"{name}: train.compile is off: {reason}")
        return
    layers = [layer for layer in model.modules() if type(layer).compile is not nn.Module.compile]
    for layer in layers or [model]:
        layer.compile(dynamic=False)  # a graph per shape: what came before does not choose among them


@contextlib.contextmanager
def make_repeatable(params: TrainParams) -> Iterator[None]:
    """Makes work within the block have the same result every time, on `params.threads` threads, without warnings.

    SIGTERM ends the block as Ctrl-C does, so that it can clear up, with the exit code that a shell would show.
    """
    threads_before, handler_before = torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    deterministic_before = torch.are_deterministic_algorithms_enabled()
    warn_only_before = torch.is_deterministic_algorithms_warn_only_enabled()
    if params.threads:
        settings.prepare(params.threads)
        torch.set_num_threads(params.threads)
    keep_freed_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # one of the two with which cuBLAS repeats itself
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.home() / "inductor"))
    for name in COMPILER_MODULES:
        logging.getLogger(name).setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        with warnings.catch_warnings():
            for message in HARMLESS_WARNINGS:
                warnings.filterwarnings("ignore", message)
            torch.use_deterministic_algorithms(True, warn_only=True)
            yield
    finally:
        signal.signal(signal.SIGTERM, handler_before)
        torch.use_deterministic_algorithms(deterministic_before, warn_only=warn_only_before)
        torch.set_num_threads(threads_before)


def _exit_on_signal(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)


def keep_freed_memory() -> None:
    """Keeps the memory that tensors free with the process.

    By itself glibc gives it back after a step, and the next step waits for new pages: a fifth of a training on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(MMAP_THRESHOLD, LARGEST_THRESHOLD)


@contextlib.contextmanager
def explain_failures(model: str, title: str) -> Iterator[None]:
    """Turns errors of memory, compiler and loader processes into one line. `model` is its key in params.yaml."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in text for words in OUT_OF_MEMORY):
            raise VigilError(
                f"{title}: out of memory. Raise models.{model}.train.accumulate, "
                "or lower batch, workers or the size of the model; train.precision bf16-mixed takes about half."
            ) from None
        if ("DataLoader worker" in text and "exited unexpectedly" in text) or "killed by signal" in text:
            raise VigilError(
                f"{title}: a loader process died, most likely for want of memory. Lower models.{model}.train.workers."
            ) from None
        if type(error).__module__.startswith(COMPILER_MODULES):
            first_line = next(iter(text.strip().splitlines()), type(error).__name__)
            raise VigilError(
                f"{title}: cannot be compiled: {first_line}. Set models.{model}.train.compile: false."
            ) from None
        raise
    except VigilError as error:
        if match := re.search(r"Caught \w+ in DataLoader worker.*VigilError: (.*)", str(error), re.DOTALL):
            raise VigilError(match[1].strip()) from None
        raise


def say(line: str, *, warn: bool = False) -> None:
    """Prints a line once, however many processes train together."""
    if settings.is_first_process():
        print(line, file=sys.stderr if warn else sys.stdout, flush=True)
