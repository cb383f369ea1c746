"""What every model promises, whatever it is: found by its file, so that a new one is held to it too."""

import dataclasses
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from toys import augment_sample, settings

from vigil.core.params import Frozen
from vigil.models import checkpoint
from vigil.training.fit import FittedModel, fit

FOLDER = Path(__file__).resolve().parents[2] / "src/vigil/models"
NAMES = [path.stem for path in sorted(FOLDER.glob("[a-z]*.py")) if "\nclass Model(" in path.read_text()]
# The smallest sensible value of settings that cost time; a model takes those that it has.
SMALL: dict[str, Any] = {
    "size": 64,
    "frames": 8,
    "width": 0.125,
    "window_s": None,
    "channels": None,
    "hidden": None,
    "widths": None,
    "encoder": None,
}
SPECIAL_FIELDS: dict[str, dict[str, Any]] = {  # where the general rule does not do
    "activity": {"frames": 3, "size": 64},
    "crime_gate": {"size": 32, "channels": (8, 16)},
    "crime_type": {"size": 32, "channels": (8, 16)},
    "i3d": {"frames": 16, "size": 32},  # two steps, so that attention has a choice
    "panic": {"frames": 4, "size": 16, "hidden": (4, 8, 4)},
    "pose_cnn": {"frames": 16},
    "pose_lstm": {"hidden": (12, 16, 12)},
    "trunk": {"features": 8, "window_s": 1.0},
}
CLASSES = {"pose_lstm": 4, "pose_cnn": 4, "crime_type": 13}
CALM = ("dropout", "jitter", "drop", "noise")  # what a model may do at random while it learns


def config(name: str, **changes: Any) -> Any:
    config_class = import_module(f"vigil.models.{name}").Config
    fields = {key: value for key, value in SMALL.items() if value is not None} | SPECIAL_FIELDS.get(name, {}) | changes
    return config_class.read({key: value for key, value in fields.items() if key in config_class.model_fields}, name)


def build(name: str, seed: int = 0, **changes: Any) -> Any:
    torch.manual_seed(seed)
    return import_module(f"vigil.models.{name}").Model(config(name, **changes), CLASSES.get(name, 2))


def sample(model: Any, rows: int, frames: int | None = None, seed: int = 1) -> Tensor:
    """Pictures, flow or features as the clip says; what is to be drawn again is simple enough for it."""
    clip, generator = model.clip, torch.Generator().manual_seed(seed)
    length = frames or clip.frames
    if clip.size is None:
        return torch.randn(rows, length, model.config.features, generator=generator)
    shape = (length, 3) if clip.layout == "tchw" else (3, length)
    if clip.target == "itself":
        coarse = torch.randn(rows * length, 3, 2, 2, generator=generator)
        return F.interpolate(coarse, (clip.size, clip.size)).tanh().unflatten(0, (rows, length))
    return torch.randn(rows, *shape, clip.size, clip.size, generator=generator)


def truth(model: Any, name: str, x: Tensor) -> Tensor:
    if model.clip.target == "cells":
        cells = model.clip.size // 32
        return (torch.arange(len(x) * cells * cells) % 2).float().view(-1, 1, cells, cells)
    return torch.arange(len(x)) % CLASSES.get(name, 2)


def judge(model: Any, x: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return model.judge(model(x), x)


class StoredSamples:
    """A few samples that are always the same."""

    def __init__(self, model: Any, name: str, count: int, seed: int = 1) -> None:
        self.x, self.epoch = sample(model, count, seed=seed), 0
        self.y = truth(model, name, self.x)
        self.labels = np.arange(count) % CLASSES.get(name, 2)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return {"x": self.x[number], "y": self.y[number]}


def train(name: str, resume: Path | None = None, report: Any = lambda _row: None, **changes: Any) -> FittedModel:
    model = build(name)
    train_params = settings(**({"epochs": 2, "batch": 4, "samples": 4, "ema": 0.5} | changes))
    data = StoredSamples(model, name, 4), StoredSamples(model, name, 2, seed=2)
    return fit(model, CLASSES.get(name, 2), *data, train_params, name, resume, report)


def equal(first: FittedModel, second: FittedModel) -> bool:
    return first.history == second.history and all(
        torch.equal(first.weights[key], second.weights[key]) for key in first.weights
    )


def test_models_are_found() -> None:
    assert {"i3d", "pose_cnn", "pose_lstm"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_default(name: str) -> None:
    config_class = import_module(f"vigil.models.{name}").Config
    assert issubclass(config_class, Frozen)
    config_class()


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("longer", [0, 5])
@pytest.mark.parametrize("name", NAMES)
def test_judges_any_batch_and_length(name: str, longer: int, rows: int) -> None:
    model = build(name).eval()
    length = model.clip.frames + longer
    x = sample(model, rows, length)
    predictions = judge(model, x)
    classes = CLASSES.get(name, 2)
    shapes = {"window": (rows,), "classes": (rows, classes), "frames": (rows, length), "attention": (rows, length)}
    for key, values in predictions.items():
        assert torch.isfinite(values).all() and not values.requires_grad
        if key == "cells":
            assert values.ndim == 3 and len(values) == rows
        else:
            assert tuple(values.shape) == shapes[key]
    assert {"window", "cells", "classes"} & predictions.keys()
    if model.clip.target == "cells":
        assert predictions["cells"].shape[1:] == (model.clip.size // 32,) * 2
    elif model.clip.target == "class":
        assert ("window" if classes == 2 else "classes") in predictions  # what the best epoch is chosen by


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    model = build(name).train()
    x = sample(model, 4)
    losses = model.loss(model(x), {"x": x, "y": truth(model, name, x)}, torch.ones(CLASSES.get(name, 2)))
    assert losses["loss"].ndim == 0 and all(value.ndim == 0 for value in losses.values())
    losses["loss"].backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", NAMES)
def test_judging_is_repeatable_and_rows_do_not_know_each_other(name: str) -> None:
    model = build(name).eval()
    x = sample(model, 3)
    expected, again, last = judge(model, x), judge(model, x), judge(model, x[2:])
    for key, values in expected.items():
        assert torch.equal(values, again[key])
        torch.testing.assert_close(values[2:], last[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_keeps_the_shape_and_depends_on_its_generator_alone(name: str) -> None:
    model = build(name)
    x = sample(model, 1)[0]
    y = truth(model, name, x[None])[0]
    before = x.clone(), y.clone()
    changed = []
    for seed in (5, 5, 6, 7, 8):
        torch.rand(3)
        changed.append(augment_sample(model, x, y, seed))
    assert torch.equal(x, before[0]) and torch.equal(y, before[1])  # the sample may be a cached one
    assert torch.equal(changed[0][0], changed[1][0]) and torch.equal(changed[0][1], changed[1][1])
    for new_x, new_y in changed:
        assert (new_x.shape, new_x.dtype) == (x.shape, x.dtype)
        assert (new_y.shape, new_y.dtype) == (y.shape, y.dtype)
        assert torch.isfinite(new_x).all()


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_changed_together_as_each_alone(name: str) -> None:
    model = build(name)
    x = sample(model, 3)
    y = truth(model, name, x)
    xs, ys = model.augment(list(x), list(y), [torch.Generator().manual_seed(seed) for seed in (5, 6, 7)])
    for row, seed in enumerate((5, 6, 7)):
        alone, label = augment_sample(model, x[row], y[row], seed)
        torch.testing.assert_close(xs[row], alone)
        assert torch.equal(ys[row], label)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_judges_as_before(name: str) -> None:
    model = build(name, seed=3).eval()
    classes = {f"class{number}": (f"label{number}",) for number in range(CLASSES.get(name, 2))}
    card = checkpoint.Card(name, model.config, classes, model.clip, "x", {}, "", 7, [], [])
    checkpoint.save_checkpoint(Path("model"), card, [model.state_dict()])
    loaded = checkpoint.load_checkpoint(Path("model"))
    assert loaded.card.config == model.config and loaded.card.clip == model.clip
    x = sample(model, 2)
    for key, values in judge(model, x).items():
        assert torch.equal(judge(loaded.model, x)[key], values)


@pytest.mark.parametrize("name", NAMES)
def test_two_samples_are_learnt_by_heart(name: str) -> None:
    calm = {key: 0.0 for key in CALM if key in import_module(f"vigil.models.{name}").Config.model_fields}
    model = build(name, **calm).train()
    x = sample(model, 2)
    batch = {"x": x, "y": truth(model, name, x)}
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = model.loss(model(x), batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.5 * losses[0]


class StoppedError(Exception):
    """What kills a training in a test."""


@pytest.mark.parametrize("name", NAMES)
def test_trained_twice_or_with_a_break_it_is_the_same(name: str) -> None:
    def stop(_row: Any) -> None:
        raise StoppedError

    expected = train(name)
    with pytest.raises(StoppedError):
        train(name, Path("state.pt"), stop)
    assert equal(train(name, Path("state.pt")), expected)
    assert equal(train(name), expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_clip_is_said_and_plain(name: str) -> None:
    clip = build(name).clip
    assert dataclasses.asdict(clip)["frames"] >= 1
    assert clip.target in {"class", "cells", "itself"}


PAIR = """
import sys, torch
sys.path.insert(0, {tests!r})
import test_contract as contract
from vigil.core.settings import first

fitted = contract.calm(sys.argv[1], devices=2, strategy="ddp")
if first():
    torch.save({{"weights": fitted.weights, "history": fitted.history, "best": fitted.best}}, "two.pt")
"""


def calm(name: str, **changes: Any) -> FittedModel:
    """Trained without what two processes would draw differently."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SPECIAL_FIELDS, name, SPECIAL_FIELDS.get(name, {}) | dict.fromkeys(CALM, 0.0))
        return train(name, epochs=3, ema=0.0, keep="last", **changes)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_processes_learn_what_one_learns(name: str) -> None:
    """The first step is the same; what the optimiser makes of the last digits later is small beside what is learnt.

    The last epoch is kept: which of two is the better may be a matter of these digits too.
    """
    Path("pair.py").write_text(PAIR.format(tests=str(Path(__file__).parent)))
    ran = subprocess.run([sys.executable, "pair.py", name], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    alone, shared = calm(name), FittedModel(**torch.load("two.pt", weights_only=True))
    assert alone.history[0]["train_loss"] == pytest.approx(shared.history[0]["train_loss"], rel=1e-5)
    assert alone.history[-1]["train_loss"] == pytest.approx(shared.history[-1]["train_loss"], rel=2e-2)
    start = build(name).state_dict()
    moved, apart = (
        torch.cat([(alone.weights[key] - other[key]).float().flatten() for key in start]).norm()
        for other in (start, shared.weights)
    )
    assert apart < 0.1 * moved
