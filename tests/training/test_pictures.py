"""Pictures of what a model says while it learns: drawn from a few samples, and without any effect on the training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from toy_training import EVERYTHING, same
from toys import Cells, Cloud, Toy, settings

from vigil.training.fit import FittedModel, fit
from vigil.training.pictures import draw_samples, spread_samples


def fitted(model: Any, show: Any, **changes: Any) -> FittedModel:
    cells = isinstance(model, Cells)
    samples = Cloud(50, cells=cells), Cloud(21, seed=1, cells=cells)
    return fit(model, 2, *samples, settings(**EVERYTHING | changes), "toy", show=show)


@pytest.mark.parametrize("kind", [Cells, Toy])
@pytest.mark.parametrize("workers", [0, 1])
def test_showing_changes_nothing(kind: Any, workers: int) -> None:
    seen: list[tuple[int, torch.Size, Any]] = []
    torch.manual_seed(0)
    plain = fitted(kind(), None)
    torch.manual_seed(0)

    def show(epoch: int, x: Any, y: Any, predictions: Any) -> None:
        torch.rand(3)
        seen.append((epoch, x.shape, predictions))

    assert same(fitted(kind(), show, pictures_every=2, workers=workers), plain)
    assert [(epoch, shape) for epoch, shape, _ in seen] == [(epoch, (4, 6)) for epoch in (2, 4, 6)]
    first, last = (next(iter(seen[number][2].values())) for number in (0, -1))
    assert first.shape[0] == 4 and not torch.equal(first, last)  # the same samples, of which it says something else


def test_nothing_is_shown_unless_asked_for() -> None:
    fitted(Toy(), lambda *_: pytest.fail("shown"))


def test_samples_are_spread_over_all() -> None:
    assert spread_samples(10) == [0, 3, 6, 9]
    assert spread_samples(2) == [0, 1]
    assert spread_samples(1) == [0]


@pytest.mark.parametrize(("target", "size"), [("cells", (1, 4, 4)), ("itself", ())])
def test_maps_are_drawn_side_by_side(target: str, size: tuple[int, ...]) -> None:
    x, path = torch.randn(3, 2, 3, 32, 32), Path("folder/a.png")
    assert draw_samples(path, x, torch.zeros(3, *size), {"cells": torch.randn(3, 4, 4)}, target)
    first = path.read_bytes()
    assert first.startswith(b"\x89PNG")
    assert draw_samples(path, x, torch.zeros(3, *size), {"cells": torch.randn(3, 4, 4)}, target)
    assert path.read_bytes() != first


def test_a_model_without_maps_has_no_picture() -> None:
    assert not draw_samples(Path("a.png"), torch.zeros(2, 6), torch.zeros(2), {"window": torch.zeros(2)}, "class")
    assert not Path("a.png").exists()
