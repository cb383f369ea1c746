"""Trainings in processes of their own: killed, asked to end, several together, compiled."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_training import EVERYTHING, largest_difference, same, toy, train

from vigil.training.fit import FittedModel


@pytest.mark.slow
def test_compiled_it_learns_the_same() -> None:
    whole, again = (train(toy(dropout=0), compile=True) for _ in range(2))
    assert same(whole, again)
    assert largest_difference(whole, train(toy(dropout=0))) < 1e-3


SCRIPT = """
import sys, time
from pathlib import Path
import torch
from toys import Cloud, Toy, settings
from vigil.training.fit import fit

def main(resume, out, slow, **changes):
    torch.manual_seed(0)
    model = Toy(dropout=changes.pop("dropout", 0.3))
    wait = lambda row: time.sleep(slow)
    fitted = fit(model, 2, Cloud(50), Cloud(21, seed=1), settings(**changes), "toy", resume and Path(resume), wait)
    from vigil.core.settings import first
    if first():
        torch.save({"weights": fitted.weights, "history": fitted.history, "best": fitted.best}, out)

main(**eval(sys.argv[1]))
"""


def script(**arguments: Any) -> list[str]:
    Path("script.py").write_text(SCRIPT)
    return [sys.executable, "script.py", repr({"resume": None, "slow": 0, **arguments})]


def result(name: str) -> FittedModel:
    return FittedModel(**torch.load(name, weights_only=True))


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
    alone, together = result("one.pt"), result("two.pt")
    assert largest_difference(alone, together) < 1e-5
    assert alone.best["epoch"] == together.best["epoch"]
    for row, shared_row in zip(alone.history, together.history, strict=True):
        assert row == pytest.approx(shared_row, abs=1e-4)
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
