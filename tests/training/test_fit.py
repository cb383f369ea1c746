"""One fit for every model: repeatable, resumable, chosen by validation, and quiet."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toys import Cells, Cloud, Itself, Toy, settings

from vigil.core.errors import VigilError
from vigil.training import devices
from vigil.training.fit import Fitted, fit

EVERYTHING = {
    "epochs": 6,
    "ema": 0.9,
    "schedule": "plateau",
    "plateau_patience": 0,
    "warmup": 1.0,
    "clip": 1.0,
    "optimiser": "adamw",
    "weight_decay": 0.1,
    "samples": 30,
    "accumulate": 2,
}


class StoppedError(Exception):
    """What kills a training in a test."""


def train(
    model: Any = None, classes: int = 2, resume: Path | None = None, report: Any = None, **changes: Any
) -> Fitted:
    torch.manual_seed(0)
    cells = isinstance(model, Cells)
    samples = Cloud(50, classes, cells=cells), Cloud(21, classes, seed=1, cells=cells)
    tell = report or (lambda _row: None)
    return fit(model or Toy(classes), classes, *samples, settings(**changes), "toy", resume, tell)


def toy(**shape: Any) -> Toy:
    """Always with the same first weights."""
    torch.manual_seed(0)
    return Toy(**shape)


def same(one: Fitted, other: Fitted) -> bool:
    return (
        one.history == other.history
        and one.best == other.best
        and one.weights.keys() == other.weights.keys()
        and all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)
    )


def far(one: Fitted, other: Fitted) -> float:
    return max(float((one.weights[name] - other.weights[name]).abs().max()) for name in one.weights)


def test_the_same_training_gives_the_same_bytes() -> None:
    assert same(train(**EVERYTHING), train(**EVERYTHING))


def test_another_seed_gives_another_model() -> None:
    assert not same(train(), train(seed=8))


@pytest.mark.parametrize("epoch", [1, 4])
def test_what_was_interrupted_ends_as_if_it_had_not_been(epoch: int, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(row: Any) -> None:
        if row["epoch"] == epoch:
            raise StoppedError

    whole = train(**EVERYTHING)
    with pytest.raises(StoppedError):
        train(resume=Path("state.pt"), report=stop, **EVERYTHING)
    torch.rand(7)  # another process has other random numbers
    capsys.readouterr()
    assert same(train(resume=Path("state.pt"), **EVERYTHING), whole)
    assert f"toy: goes on after epoch {epoch}\n" in capsys.readouterr().out


def test_what_is_done_is_not_done_again() -> None:
    whole = train(resume=Path("state.pt"))
    began = time.monotonic()
    again = train(resume=Path("state.pt"), report=lambda _row: pytest.fail("trained again"))
    assert same(again, whole)
    assert time.monotonic() - began < 1


def test_early_stopping_counts_on_over_an_interruption() -> None:
    changes = {"epochs": 30, "patience": 3, "lr": 0.1}
    whole = train(**changes)
    assert len(whole.history) < 30
    assert len(whole.history) == whole.best["epoch"] + 3

    def stop(row: Any) -> None:
        if row["epoch"] == whole.best["epoch"] + 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(resume=Path("state.pt"), report=stop, **changes)
    assert same(train(resume=Path("state.pt"), **changes), whole)


def test_a_damaged_state_is_told_and_the_training_starts_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("state.pt").write_bytes(b"PK\x03\x04 no more came")
    assert same(train(resume=Path("state.pt")), train())
    assert "toy: state.pt cannot be read" in capsys.readouterr().err


def test_the_state_of_a_training_runs_no_code() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return os.mkdir, ("boom",)

    torch.save({"model": Bomb()}, "state.pt")
    train(resume=Path("state.pt"))
    assert not Path("boom").exists()


def test_loader_processes_change_nothing() -> None:
    assert same(train(workers=2), train())


def test_a_batch_in_parts_is_the_same_step() -> None:
    whole, parts = (train(toy(dropout=0, norm=False), accumulate=number) for number in (1, 4))
    assert far(whole, parts) < 1e-6


def test_the_best_weights_are_those_of_the_best_epoch_by_validation() -> None:
    fitted = train(lr=0.05, epochs=8)
    values = [row["val_auc"] for row in fitted.history]
    best = fitted.best["epoch"] - 1
    assert values[best] == max(values) == fitted.best["value"]
    ties = [row["val_loss"] for row in fitted.history if row["val_auc"] == max(values)]
    assert fitted.best["loss"] == min(ties)
    model = Toy()
    model.load_state_dict(fitted.weights)
    assert auc_of(model.eval()) == pytest.approx(values[best], abs=1e-6)


def auc_of(model: Toy) -> float:
    """By counting pairs."""
    data = Cloud(21, seed=1)
    with torch.no_grad():
        scores = [float(model.judge(model(data[n]["x"][None]), data[n]["x"])["window"]) for n in range(21)]
    labels = data.labels
    pairs = [(a, b) for a, i in zip(scores, labels, strict=True) for b, j in zip(scores, labels, strict=True) if i > j]
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


@pytest.mark.parametrize(
    ("model", "classes", "metric"),
    [(Toy(3), 3, "balanced_accuracy"), (Cells(), 2, "cell_auc"), (Itself(), 2, None)],
)
def test_every_kind_of_target_has_its_metric(model: Any, classes: int, metric: str | None) -> None:
    fitted = train(model, classes, lr=0.02, epochs=6)
    assert fitted.best["metric"] == metric
    if metric is None:
        assert fitted.best["loss"] == min(row["val_loss"] for row in fitted.history)
    else:
        assert fitted.best["value"] == max(row[f"val_{metric}"] for row in fitted.history) > 0.5


def test_the_running_mean_of_the_weights_is_what_is_judged_and_kept() -> None:
    """Two steps with decay 0.9, at first (1 + n) / (10 + n): 2/11, then 3/12 of what was there before is kept."""
    seen: list[Tensor] = []

    class Watched(Toy):
        def loss(self, output: Tensor, batch: Any, weight: Tensor | None = None) -> Any:
            if self.training:
                seen.append(self.net[0].bias.detach().clone())
            return super().loss(output, batch, weight)

    model = Watched(dropout=0, norm=False)
    fitted = train(model, epochs=1, samples=16, ema=0.9)
    start, after_one, after_two = seen[0], seen[1], model.net[0].bias.detach()
    mean = start + (after_one - start) * 9 / 11
    mean = mean + (after_two - mean) * 9 / 12
    torch.testing.assert_close(fitted.weights["net.0.bias"], mean)


def test_a_rare_class_weighs_more() -> None:
    weights: list[Tensor | None] = []

    class Watched(Toy):
        def loss(self, output: Tensor, batch: Any, weight: Tensor | None = None) -> Any:
            weights.append(weight)
            return super().loss(output, batch, weight)

    rare = Cloud(50)
    rare.labels = (torch.arange(50) % 5 == 0).long().numpy()  # 40 and 10: 50 / (2 x 40) and 50 / (2 x 10)
    fit(Watched(), 2, rare, Cloud(9), settings(epochs=1), "toy")
    assert weights[0] is not None and weights[0].tolist() == pytest.approx([0.625, 2.5])
    weights.clear()
    fit(Watched(), 2, rare, Cloud(9), settings(epochs=1, class_weights=False), "toy")
    assert weights[0] is None


def test_the_gradient_is_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []

    class Watched(torch.optim.Adam):
        def step(self, closure: Any = None) -> Any:
            loss = super().step(closure)
            gradients = [each.grad.norm() for group in self.param_groups for each in group["params"]]
            norms.append(float(torch.stack(gradients).norm()))
            return loss

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    train(epochs=1)
    assert max(norms) > 0.2
    norms.clear()
    train(epochs=1, clip=0.2)
    assert max(norms) == pytest.approx(0.2, rel=1e-3)


def test_bf16_learns_on_a_cpu() -> None:
    fitted = train(precision="bf16-mixed", lr=0.02, epochs=6)
    assert fitted.best["value"] > 0.9
    assert {each.dtype for each in fitted.weights.values()} == {torch.float32, torch.int64}


def test_nothing_is_left_and_nothing_is_advertised(capfd: pytest.CaptureFixture[str]) -> None:
    train()
    assert {path.name for path in Path().iterdir()} <= {".dvc", ".vigil"}
    told = capfd.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert [line.split(":")[1] for line in lines] == [" epoch 2 of 4", " epoch 4 of 4"]  # report_every: 2
    assert "lr 0.001, train loss" in lines[0] and "val auc" in lines[0] and "best so far: epoch" in lines[0]


def test_threads_and_signals_are_as_they_were() -> None:
    torch.set_num_threads(2)
    train()
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()

    def interrupt(_row: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(report=interrupt)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# bad input


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


def test_features_that_are_no_numbers_are_told_apart() -> None:
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
        "import resource, torch; from vigil import devices; {}\n"
        "def once(): [torch.empty(5_000_000).fill_(1) for _ in range(4)]\n"
        "for _ in range(5): once()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): once()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    eager = os.environ | {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}  # glibc adapts else
    given_back, kept = (
        int(
            subprocess.run([sys.executable, "-c", code.format(line)], capture_output=True, check=True, env=eager).stdout
        )
        for line in ("", "devices.keep_memory()")
    )
    assert 4 * kept < given_back


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line() -> None:
    assert "a GPU is asked for and torch finds none" in refused(accelerator="gpu")


def test_more_gpus_than_there_are_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.accelerator(settings(accelerator="auto")) == "gpu"
    assert "8 GPUs are asked for, 2 are here" in refused(accelerator="gpu", devices=8)


def test_half_precision_without_a_gpu_is_one_line() -> None:
    assert "16-mixed needs a GPU" in refused(precision="16-mixed")


class Lost(Cloud):
    def __getitem__(self, index: int) -> Any:
        raise VigilError("data/flow/a.npy: not found.\nRun stage `flow`.")


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_sample_complains_of_is_told_as_it_is(workers: int) -> None:
    with pytest.raises(VigilError) as caught:
        fit(Toy(), 2, Lost(9), Cloud(9), settings(workers=workers), "toy")
    assert " ".join(str(caught.value).split()) == "data/flow/a.npy: not found. Run stage `flow`."


def test_compiling_without_a_compiler_is_told_and_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = train()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert same(train(compile=True), plain)
    assert "toy: train.compile is off: no C++ compiler\n" in capsys.readouterr().out


# long ones


@pytest.mark.slow
def test_compiled_it_learns_the_same() -> None:
    whole, again = (train(toy(dropout=0), compile=True) for _ in range(2))
    assert same(whole, again)
    assert far(whole, train(toy(dropout=0))) < 1e-3


SCRIPT = """
import sys, time
from pathlib import Path
import torch
from toys import Cloud, Toy, settings
from vigil.training.fit import fit

def main(resume, out, slow, **changes):
    torch.manual_seed(0)
    model = Toy(dropout=changes.pop("dropout", 0.3))
    told = lambda row: time.sleep(slow)
    wanted = settings(**changes)
    fitted = fit(model, 2, Cloud(50), Cloud(21, seed=1), wanted, "toy", resume and Path(resume), told)
    from vigil.core.settings import first
    if first():
        torch.save({"weights": fitted.weights, "history": fitted.history, "best": fitted.best}, out)

main(**eval(sys.argv[1]))
"""


def script(**arguments: Any) -> list[str]:
    Path("script.py").write_text(SCRIPT)
    return [sys.executable, "script.py", repr({"resume": None, "slow": 0, **arguments})]


def result(name: str) -> Fitted:
    return Fitted(**torch.load(name, weights_only=True))


@pytest.mark.slow
def test_killed_for_good_again_and_again_it_ends_the_same() -> None:
    changes = EVERYTHING | {"epochs": 9}
    subprocess.run(script(out="whole.pt", **changes), check=True)
    killed, state = 0, Path("state.pt")
    for _ in range(3):
        running = subprocess.Popen(script(out="killed.pt", resume="state.pt", slow=0.3, **changes))
        before = state.stat().st_mtime_ns if state.exists() else 0
        while running.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.01)
        time.sleep(0.4)
        running.kill()
        killed += running.wait() == -signal.SIGKILL
    assert killed == 3 and not Path("killed.pt").exists()
    subprocess.run(script(out="killed.pt", resume="state.pt", **changes), check=True)
    assert same(result("killed.pt"), result("whole.pt"))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns() -> None:
    """The same batches, batch norm over both, and the same choice of the best."""
    changes = {"dropout": 0.0, "epochs": 5, "lr": 0.01, "ema": 0.5, "clip": 1.0}
    subprocess.run(script(out="one.pt", **changes), check=True)
    ran = subprocess.run(
        script(out="two.pt", devices=2, strategy="ddp", **changes), check=True, capture_output=True, text=True
    )
    one, two = result("one.pt"), result("two.pt")
    assert far(one, two) < 1e-5
    assert one.best["epoch"] == two.best["epoch"]
    for ours, theirs in zip(one.history, two.history, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    assert ran.stdout.count("epoch 2 of 5") == 1  # one process speaks
    assert ran.stderr == ""


@pytest.mark.slow
def test_a_training_that_is_asked_to_end_says_so_with_its_exit_code() -> None:
    running = subprocess.Popen(script(out="x.pt", resume="state.pt", slow=0.2, epochs=500))
    while not Path("state.pt").exists():
        time.sleep(0.05)
    running.terminate()
    assert running.wait(60) == 128 + signal.SIGTERM
    assert not Path("x.pt").exists()
