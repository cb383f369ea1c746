"""What the model of changes knows: how strong they are, and nothing of what is unknown."""

import pytest
import torch

from vigil.core.errors import VigilError
from vigil.models.trunk import Config, Model


def fitted(features: int = 4) -> Model:
    """Has seen changes of mean 1 and deviation 0.5, and holds the first of them for a sign of something."""
    model = Model(Config(features=features), 2)
    model.norm.running_mean.fill_(1.0)
    model.norm.running_var.fill_(0.25)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.weight[1, 0] = 1.0
    return model.eval()


def odds(model: Model, x: torch.Tensor) -> float:
    return float(model.judge(model(x), x)["window"])


def test_twice_the_change_is_another_score() -> None:
    model, x = fitted(), torch.ones(1, 16, 4)
    assert odds(model, x) == pytest.approx(0.0, abs=1e-4)
    assert odds(model, 2 * x) == pytest.approx(2.0, abs=1e-3), "one is two deviations of a half"
    assert odds(model, 100 * x) == pytest.approx(5.0), "what is farther out than five deviations says no more"


def test_what_is_unknown_neither_counts_nor_spoils() -> None:
    model, x = fitted(), torch.full((1, 16, 4), 2.0)
    known = odds(model, x)
    x[0, :3] = torch.nan
    assert odds(model, x) == pytest.approx(known)
    assert odds(model, torch.full((1, 1, 4), torch.nan)) == pytest.approx(-2.0, abs=1e-3), "as if nothing had changed"


def test_order_does_not_count() -> None:
    model, x = fitted(), torch.rand(1, 16, 4, generator=torch.Generator().manual_seed(0))
    assert odds(model, x.flip(1)) == pytest.approx(odds(model, x), abs=1e-5)


def test_one_class_is_too_few() -> None:
    with pytest.raises(VigilError, match=r"1 class; expected `normal` and at least one more under models\.trunk"):
        Model(Config(), 1)
