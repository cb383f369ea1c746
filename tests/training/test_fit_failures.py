"""What stops a training is explained in one line; a bug keeps its traceback."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_training import same, train
from toys import Cloud, Toy, settings

from vigil.core.errors import VigilError
from vigil.training import devices
from vigil.training.fit import fit
from vigil.training.job import ModelEntry, TrainingJob
from vigil.training.members import train_members


def refused(model: Any = None, **changes: Any) -> str:
    with pytest.raises(VigilError) as caught:
        train(model, **changes)
    text = str(caught.value)
    assert "\n" not in text
    return text


class Broken(Toy):
    def __init__(self, error: Exception | float, when: int) -> None:
        super().__init__()
        self.error, self.when, self.calls = error, when, 0

    def loss(self, output: Tensor, batch: Any, weight: Tensor | None = None) -> Any:
        losses = super().loss(output, batch, weight)
        self.calls += self.training
        if self.training and self.calls == self.when:
            if isinstance(self.error, Exception):
                raise self.error
            losses["loss"] = losses["small"] = losses["small"] * self.error
        return losses


def test_a_loss_that_is_no_number_says_where() -> None:
    text = refused(Broken(float("nan"), 9))  # 7 steps to an epoch
    assert text.startswith("toy: epoch 2, step 2: the loss is no number (loss nan, entropy 0.")
    assert "small nan" in text and "Lower models.toy.train.lr" in text


class CompilerError(RuntimeError):
    """What torch raises in place of a compiled network."""

    __module__ = "torch._dynamo.exc"


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (float("nan"), "Lower models.toy.train.lr,"),
        (MemoryError(), "Raise models.toy.train.accumulate,"),
        (RuntimeError("DataLoader worker (pid 9) exited unexpectedly"), "Lower models.toy.train.workers."),
        (CompilerError("no kernel"), "Set models.toy.train.compile: false."),
    ],
)
def test_of_several_members_one_is_blamed_and_the_advice_is_for_their_model(
    error: Exception | float, advice: str, tmp_path: Path
) -> None:
    entry = ModelEntry(input="flow", classes={"normal": ("normal",), "crime": ("Arson",)})
    job = TrainingJob("toy", None, entry, None, settings(epochs=2), {})
    with pytest.raises(VigilError) as caught:
        train_members(job, [Toy(), Broken(error, 2)], Cloud(50), Cloud(21, seed=1), tmp_path, None)
    assert str(caught.value).startswith("toy, member 2: ") and advice in str(caught.value)


def test_features_that_are_no_numbers_are_a_case_of_their_own() -> None:
    bad = Cloud(50)
    bad.x[3, 2] = float("nan")
    with pytest.raises(VigilError, match=r"toy: epoch 1, step \d: .* features themselves .* make them again"):
        fit(Toy(), 2, bad, Cloud(9), settings(), "toy")
    with pytest.raises(VigilError, match="toy: epoch 1, validation: "):
        fit(Toy(), 2, Cloud(16), bad, settings(), "toy")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee documentation"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_out_of_memory_says_what_to_do(error: Exception) -> None:
    assert "toy: out of memory. Raise models.toy.train.accumulate" in refused(Broken(error, 2))


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        train(Broken(RuntimeError("shape"), 1))


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="another allocator")
def test_what_tensors_leave_free_stays_with_the_process() -> None:
    code = (
        "import resource, torch; from vigil.training import devices; {}\n"
        "def once(): [torch.empty(5_000_000).fill_(1) for _ in range(4)]\n"
        "for _ in range(5): once()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): once()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    eager = os.environ | {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}  # glibc adapts else
    eager_faults, kept_faults = (
        int(
            subprocess.run([sys.executable, "-c", code.format(line)], capture_output=True, check=True, env=eager).stdout
        )
        for line in ("", "devices.keep_freed_memory()")
    )
    assert 4 * kept_faults < eager_faults


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line() -> None:
    assert "a GPU is asked for and torch finds none" in refused(accelerator="gpu")


def test_more_gpus_than_there_are_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.choose_accelerator(settings(accelerator="auto")) == "gpu"
    assert "8 GPUs are asked for, 2 are here" in refused(accelerator="gpu", devices=8)


def test_half_precision_without_a_gpu_is_one_line() -> None:
    assert "16-mixed needs a GPU" in refused(precision="16-mixed")


class Lost(Cloud):
    def __getitem__(self, index: int) -> Any:
        raise VigilError("data/flow/a.npy: not found.\nRun stage `flow`.")


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_sample_complains_of_is_printed_as_it_is(workers: int) -> None:
    with pytest.raises(VigilError) as caught:
        fit(Toy(), 2, Lost(9), Cloud(9), settings(workers=workers), "toy")
    assert " ".join(str(caught.value).split()) == "data/flow/a.npy: not found. Run stage `flow`."


def test_compiling_without_a_compiler_is_reported_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = train()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert same(train(compile=True), plain)
    assert "toy: train.compile is off: no C++ compiler\n" in capsys.readouterr().out
