"""What is frozen stays as it was, statistics included, and all else learns."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from toy_training import EVERYTHING, StoppedError, same, toy, train
from toys import Toy

from vigil.core.errors import VigilError
from vigil.models.i3d import Config, Model
from vigil.training.freezing import freeze_layers


def changed(model: Toy, **changes: Any) -> set[str]:
    """Names of weights and statistics that a training changes."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fitted = train(model, **changes)
    after = model.state_dict()
    assert all(
        torch.equal(fitted.weights[name], before[name]) for name in before if torch.equal(after[name], before[name])
    )
    return {name for name in before if not torch.equal(after[name], before[name])}


def test_frozen_layers_keep_their_weights_and_statistics() -> None:
    """Layer 0 is linear, 1 a batch norm, 4 linear."""
    everything = set(toy().state_dict())
    assert changed(toy(), **EVERYTHING) == everything
    assert changed(toy(), **EVERYTHING, freeze=["net.0", "net.1"]) == {"net.4.weight", "net.4.bias"}
    assert changed(toy(), **EVERYTHING, freeze=["net.4.bias"]) == everything - {"net.4.bias"}


def test_a_frozen_training_goes_on_exactly() -> None:
    def stop(row: Any) -> None:
        if row["epoch"] == 3:
            raise StoppedError

    changes = EVERYTHING | {"freeze": ["net.1"]}
    whole = train(**changes)
    with pytest.raises(StoppedError):
        train(resume=Path("state.pt"), report=stop, **changes)
    assert same(train(resume=Path("state.pt"), **changes), whole)


@pytest.mark.parametrize(
    ("prefixes", "words"),
    [
        (["nets"], "toy: train.freeze: no layer and no weight is called 'nets'. Known: net, and what lies below"),
        (["nets"], " Did you mean 'net'?"),
        (["net.0", "net.4.wait"], "Did you mean 'net.4.weight'?"),
        (["ne"], "is called 'ne'"),
        (["net"], "nothing is left to train"),
    ],
)
def test_a_prefix_that_means_nothing_is_one_line(prefixes: list[str], words: str) -> None:
    with pytest.raises(VigilError) as caught:
        train(freeze=prefixes)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_is_no_beginning_of_another() -> None:
    model = nn.ModuleDict({"a": nn.Linear(1, 1), "ab": nn.Linear(1, 1)})
    freeze_layers(model, ["a"], "toy")
    assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == ["ab.weight", "ab.bias"]


def test_a_recurrent_layer_takes_gradients_through_it() -> None:
    """Without dropout its two modes are one, and cuDNN has no gradient in eval mode."""
    model = nn.ModuleDict({"plain": nn.LSTM(2, 2), "wild": nn.LSTM(2, 2, 2, dropout=0.5), "head": nn.Linear(2, 2)})
    freeze_layers(model, ["plain", "wild"], "toy")
    assert (model["plain"].training, model["wild"].training, model["head"].training) == (True, False, True)


def test_what_i3d_freezes_by_itself_stays_frozen() -> None:
    model = Model(
        Config(frames=8, size=32, width=0.1, end="Mixed_3c", freeze="Conv3d_2b_1x1", dilations=(1,), hidden=4)
    )
    own = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert own
    freeze_layers(model, ["temporal"], "i3d")
    both = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert both == own | {name for name, _ in model.named_parameters() if name.startswith("temporal.")}
