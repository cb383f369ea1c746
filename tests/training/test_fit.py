"""One fit for every model: repeatable, resumable, chosen by validation, and quiet."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_training import EVERYTHING, StoppedError, largest_difference, same, toy, train
from toys import Cells, Cloud, Toy, ToyReconstructor, settings

from vigil.training.fit import fit


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


def test_the_last_epoch_is_kept_where_one_wants_that_and_patience_still_asks_for_the_best() -> None:
    changes = {"epochs": 30, "patience": 3, "lr": 0.1}
    chosen, last = train(**changes), train(keep="last", **changes)
    assert last.history == chosen.history
    assert last.best["epoch"] == len(last.history) == chosen.best["epoch"] + 3
    assert largest_difference(chosen, last) > 0
    assert last.end is not None and chosen.end is not None
    for fitted in (last, chosen):
        assert all(torch.equal(value, last.weights[name]) for name, value in fitted.end.state["model"].items())


def test_a_damaged_state_is_reported_and_the_training_starts_again(capsys: pytest.CaptureFixture[str]) -> None:
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
    assert largest_difference(whole, parts) < 1e-6


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
    [(Toy(3), 3, "balanced_accuracy"), (Cells(), 2, "cell_auc"), (ToyReconstructor(), 2, None)],
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


def test_accuracies_are_those_of_the_batches_seen() -> None:
    """Counted by hand from what the model said while it learnt; a model without classes has none."""
    right: list[Tensor] = []

    class Watched(Toy):
        def loss(self, output: Tensor, batch: Any, weight: Tensor | None = None) -> Any:
            if self.training:
                right.append(output.argmax(dim=1) == batch["y"])
            return super().loss(output, batch, weight)

    fitted = train(Watched(3), 3, epochs=2)
    steps = len(right) // 2
    for row, batches in zip(fitted.history, (right[:steps], right[steps:]), strict=True):
        assert row["train_accuracy"] == pytest.approx(float(torch.cat(batches).float().mean()), abs=1e-5)
    assert all(0 < row["val_accuracy"] <= 1 for row in fitted.history)
    for model in (Cells(), ToyReconstructor()):
        assert not [name for name in train(model, epochs=1).history[0] if "accuracy" in name]


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
    printed = capfd.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_a_gpu_learns_in_every_precision_and_goes_on_exactly(precision: str) -> None:
    def stop(row: Any) -> None:
        if row["epoch"] == 3:
            raise StoppedError

    changes = EVERYTHING | {"accelerator": "gpu", "precision": precision, "lr": 0.02}
    whole = train(**changes)
    assert whole.best["value"] > 0.8
    assert {tensor.device.type for tensor in whole.weights.values()} == {"cpu"}
    with pytest.raises(StoppedError):
        train(resume=Path("state.pt"), report=stop, **changes)
    assert same(train(resume=Path("state.pt"), **changes), whole)
