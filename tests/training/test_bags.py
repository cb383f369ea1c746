"""Learning from bags: what a bag says, and that one strange snippet in a film is found by it."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toys import Toy, settings

from vigil.clips import sampling
from vigil.core.errors import VigilError
from vigil.features.times import write_times
from vigil.footage.video_table import Video
from vigil.models import trunk
from vigil.training.bags import mean_of_top, neighbour_terms
from vigil.training.batches import AugmentedSamples, NumberedSamples
from vigil.training.fit import FittedModel, fit
from vigil.training.losses import LossModule
from vigil.training.validation import auc


def test_a_bag_says_what_its_most_abnormal_snippets_say_on_average() -> None:
    """Of 4 snippets with one in two, those of 3 and 1: mean 2. A lone window says what it says."""
    odds, snippets = torch.tensor([1.0, -2.0, 3.0, 0.5, -7.0]), torch.tensor([4, 1])
    output = (torch.arange(10.0).view(5, 2), odds)
    logits, pooled_odds = mean_of_top(output, odds, snippets, 2)
    assert pooled_odds.tolist() == [2.0, -7.0]
    assert logits.tolist() == [[2.0, 3.0], [8.0, 9.0]]  # rows 0 and 2, and row 4
    assert mean_of_top(odds, odds, snippets, 8).tolist() == [3.0, -7.0]  # one at least
    assert mean_of_top(odds, odds, snippets, 1).tolist() == [2.5 / 4, -7.0]


def test_gradients_reach_those_snippets_alone() -> None:
    odds = torch.tensor([1.0, -2.0, 3.0, 0.5], requires_grad=True)
    mean_of_top(odds, odds, torch.tensor([4]), 2).sum().backward()
    assert odds.grad is not None and odds.grad.tolist() == [0.5, 0, 0.5, 0]


def test_neighbours_on_paper() -> None:
    """Scores 0.5, 0.5, 0.75: steps 0 and 0.25, their squares 0.03125 on average; halved, for there are two samples."""
    odds = torch.tensor([0.0, 0.0, math.log(3), 5.0])
    smoothness, sparsity = neighbour_terms(odds, torch.tensor([3, 1]))
    assert smoothness.item() == pytest.approx(0.03125 / 2)
    assert sparsity.item() == pytest.approx(1.75 / 3 / 2)


class Passing(Toy):
    """Puts out what it is given: two logits of each row."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def loss(self, output: torch.Tensor, batch: Any, weight: Any = None) -> dict[str, torch.Tensor]:
        entropy = torch.nn.functional.cross_entropy(output, batch["y"], weight)
        return {"loss": entropy}


def test_the_loss_of_a_bag_on_paper() -> None:
    """Log odds 2, 0, -1, 4 of a crime: the two highest have 3 on average, and log(1 + exp(-3)) is the loss.

    Squared steps between scores 0.881, 0.5, 0.269, 0.982 are 0.145, 0.053 and 0.508, on average 0.236. The mean score
    is 0.658.
    """
    odds = torch.tensor([2.0, 0.0, -1.0, 4.0])
    batch = {"x": torch.stack([torch.zeros(4), odds], dim=1), "y": torch.tensor([1]), "snippets": torch.tensor([4])}
    params = settings(bag_top=2, bag_smoothness=0.1, bag_sparsity=0.01)
    losses = LossModule(Passing(), None, params, "toy")(batch)
    expected = math.log(1 + math.exp(-3)) + 0.1 * 0.2356 + 0.01 * 0.6579
    assert losses["loss"].item() == pytest.approx(expected, abs=1e-4)
    assert losses["accuracy"] == 1
    normal = LossModule(Passing(), None, params, "toy")(batch | {"y": torch.tensor([0])})
    assert normal["loss"].item() == pytest.approx(expected + 3, abs=1e-4)  # the same snippets are pushed down
    assert normal["accuracy"] == 0


def test_what_does_not_say_how_abnormal_a_window_is_cannot_learn_from_bags() -> None:
    class Namer(Passing):
        odds = property(lambda self: getattr(self, "no such thing"))

    batch = {"x": torch.zeros(2, 2), "y": torch.tensor([1]), "snippets": torch.tensor([2])}
    with pytest.raises(VigilError, match=r"^namer: it names classes and does not say how abnormal a window is"):
        LossModule(Namer(), None, settings(), "namer")(batch)


# ---- films


class Films:
    """Films of 24 snippets of six numbers and lone windows; in abnormal films one snippet in twelve is strange."""

    def __init__(self, count: int, seed: int = 0) -> None:
        self.labels = np.arange(count) % 2
        self.strata = np.stack([self.labels, np.arange(count), np.arange(count)], axis=1).astype(np.str_)
        self.epoch, self.seed = 0, seed

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(1000 * self.epoch + 10 * index + self.seed)
        label = int(self.labels[index])
        if index % 6 == 2:
            return {"x": torch.randn(6, generator=generator), "y": torch.tensor(label)}
        x = torch.randn(12 - index % 4, 6, generator=generator)
        x[3] += 3 * label
        return {"x": x, "y": torch.tensor(label), "snippets": torch.tensor(len(x))}


def test_a_batch_has_all_snippets_in_a_row() -> None:
    films = Films(6)
    part = NumberedSamples(films).__getitems__([0, 2, 1])
    assert part["snippets"].tolist() == [12, 1, 11] and part["number"].tolist() == [0, 2, 1]
    assert part["y"].tolist() == [0, 0, 1]
    assert torch.equal(part["x"], torch.cat([films[0]["x"], films[2]["x"][None], films[1]["x"]]))
    assert "snippets" not in NumberedSamples(films).__getitems__([2])


def test_snippets_of_a_bag_are_changed_alike_and_bags_each_in_their_way() -> None:
    films = Films(4)

    def add_noise(xs: list[torch.Tensor], ys: list[torch.Tensor], generators: list[torch.Generator]) -> Any:
        noises = [torch.randn(6, generator=generator) for generator in generators]
        return torch.stack([x + noise for x, noise in zip(xs, noises, strict=True)]), torch.stack(ys)

    part = AugmentedSamples(films, add_noise, seed=1).__getitems__([(3, 0, 0), (3, 1, 2), (3, 2, 1)])
    films.epoch = 3
    plain = torch.cat([films[0]["x"], films[2]["x"][None], films[1]["x"]])
    noise = part["x"] - plain
    assert part["y"].tolist() == [0, 0, 1] and part["snippets"].tolist() == [12, 1, 11]
    torch.testing.assert_close(noise[:12], noise[:1].expand(12, 6))
    torch.testing.assert_close(noise[13:], noise[13:14].expand(11, 6))
    assert len({round(float(value), 3) for value in noise[[0, 12, 13], 0]}) == 3


def train(resume: Path | None = None, report: Any = lambda _row: None, **changes: Any) -> FittedModel:
    torch.manual_seed(0)
    params = settings(**({"epochs": 5, "batch": 8, "accumulate": 2, "samples": 24} | changes))
    return fit(Toy(), 2, Films(24), Films(12, seed=1), params, "toy", resume, report)


def test_a_training_on_bags_that_was_interrupted_ends_with_the_same_bytes() -> None:
    class StoppedError(Exception):
        pass

    def stop(row: Any) -> None:
        if row["epoch"] == 3:
            raise StoppedError

    whole = train()
    with pytest.raises(StoppedError):
        train(resume=Path("state.pt"), report=stop)
    torch.rand(7)
    again = train(resume=Path("state.pt"))
    assert again.history == whole.history
    assert all(torch.equal(value, whole.weights[name]) for name, value in again.weights.items())
    assert all(torch.equal(value, whole.weights[name]) for name, value in train(workers=2).weights.items())


FOLDER, CLASSES, FRAMES = Path("data/trunk"), {"normal": ["normal"], "crime": ["Arson"]}, 160


def film(number: int, strange_from: int | None = None) -> Video:
    """20 s of changes, as large as they are at its place; for two seconds they are of another kind in a crime."""
    random = np.random.default_rng(number)
    changes = random.gamma(2.0, size=(FRAMES, 2, 3)) + random.normal(0, 2, 6).reshape(2, 3)
    if strange_from is not None:
        changes[strange_from : strange_from + 16, 0, 0] += 4
    name, label = f"a/{number}", "normal" if strange_from is None else "Arson"
    (FOLDER / "a").mkdir(parents=True, exist_ok=True)
    np.save(FOLDER / f"{name}.npy", changes.astype(np.float16))
    write_times(FOLDER / f"{name}.npz", [Fraction(frame, 8) for frame in range(FRAMES)])
    size = (Fraction(8), FRAMES, 160, 120, Fraction(20))
    return Video(name, "x.mp4", f"of-{number}", label, (), "train", *size, "0" * 64)


def auc_of_moments(window_s: float) -> float:
    """How well a model that learnt with such windows tells the strange seconds of other films, 2 s at a time."""
    torch.manual_seed(0)
    model = trunk.Model(trunk.Config(window_s=window_s, features=6), 2)
    films = [film(number, None if number % 2 else 8 * (number % 18)) for number in range(64)]
    train, val = (
        sampling.make_dataset("trunk", FOLDER, videos, CLASSES, model.clip, train=is_train, fps=8.0)
        for videos, is_train in ((films[:56], True), (films[56:], False))
    )
    assert train.bags.any() == (window_s < 10)
    params = settings(epochs=4, samples=160, batch=8, lr=2e-2, draw="sources", keep="last", threads=1)
    model.load_state_dict(fit(model, 2, train, val, params, "trunk").weights)
    model.eval()
    scores, truth = [], []
    for number in range(100, 110):
        film(number, 64)
        changes = torch.from_numpy(np.load(FOLDER / f"a/{number}.npy")).float().flatten(1)
        windows = torch.stack([changes[start : start + 16] for start in range(0, FRAMES, 16)])
        with torch.no_grad():
            scores += model.odds(model(windows)).tolist()
        truth += [start == 64 for start in range(0, FRAMES, 16)]
    value = auc(np.array(scores), np.array(truth))
    assert value is not None
    return value


def test_one_strange_snippet_of_a_film_is_found_by_bags_and_not_by_the_film_as_one_sample() -> None:
    assert auc_of_moments(2.0) > 0.9
    assert auc_of_moments(20.0) < 0.75
