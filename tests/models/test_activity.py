"""The activity map: its published shape, what a cell looks at, and augmentation that keeps map and picture together."""

import pytest
import torch
from torch import Tensor
from toys import augment_sample

from vigil.core.errors import VigilError
from vigil.models.activity import Config, Model


def build(**changes: object) -> Model:
    torch.manual_seed(0)
    return Model(Config(**({"size": 64, "frames": 3} | changes))).eval()


def test_the_default_is_the_published_network() -> None:
    config = Config()
    assert (config.size, config.frames, config.stride) == (640, 10, 3)
    model = Model(config)
    assert [(layer.halve.in_channels, layer.halve.out_channels) for layer in model.encoder] == [
        (3, 16),
        (16, 32),
        (32, 64),
        (64, 128),
        (128, 64),
    ]
    assert (model.memory.inputs, model.memory.hidden, model.memory.kernel) == (64, 32, 3)
    assert tuple(model.head.weight.shape) == (1, 32, 1, 1)
    assert (model.clip.frames, model.clip.window, model.clip.size, model.clip.target) == (10, 30, 640, "cells")


@pytest.mark.parametrize("size", [32, 96, 160])
def test_a_cell_is_32_px(size: int) -> None:
    with torch.no_grad():
        assert build(size=size)(torch.randn(2, 3, 3, size, size)).shape == (2, 1, size // 32, size // 32)


def test_a_size_that_is_no_number_of_cells_is_refused() -> None:
    with pytest.raises(VigilError, match="size = 100"):
        Config.read({"size": 100}, "models.activity")
    with pytest.raises(VigilError, match="kernel = 2: expected an odd number"):
        Config.read({"kernel": 2}, "models.activity")


def test_the_order_of_frames_matters() -> None:
    model, x = build(), torch.randn(1, 3, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(model(x), model(x.flip(1)))


def test_stronger_motion_in_the_same_place_is_another_map() -> None:
    still, motion = torch.randn(1, 1, 3, 64, 64), torch.randn(1, 3, 3, 64, 64)
    with torch.no_grad():
        maps = [build(see="motion")(still + strength * motion) for strength in (0.02, 1.0, 2.0)]
    assert not torch.allclose(maps[0], maps[1], atol=1e-3)
    assert not torch.allclose(maps[1], maps[2], atol=1e-3)


def test_a_scene_in_which_nothing_moves_looks_like_any_other_to_a_model_that_sees_motion() -> None:
    still = torch.randn(2, 1, 3, 64, 64).expand(-1, 3, -1, -1, -1)
    moved = still.clone()
    moved[:, -1, :, 32:, 32:] += 1.0
    with torch.no_grad():
        motion_model, picture_model = build(see="motion"), build()
        maps = motion_model(still)
        assert torch.equal(maps[0], maps[1]) and not torch.allclose(*picture_model(still))
        assert torch.allclose(*motion_model(moved), atol=1e-5) and not torch.allclose(motion_model(moved), maps)


def test_a_window_is_as_lively_as_its_liveliest_cells() -> None:
    model = build(size=320, top=0.02)  # two of a hundred cells
    logits = torch.full((1, 1, 10, 10), -4.0)
    logits[0, 0, 3, 4], logits[0, 0, 9, 9], logits[0, 0, 0, 0] = 5.0, 1.0, -1.0
    predictions = model.judge(logits, torch.empty(0))
    assert predictions["window"].tolist() == [3.0] and torch.equal(predictions["cells"], logits[:, 0])


def test_balance_makes_up_for_few_lively_cells() -> None:
    logits, y = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    plain, weighted = (build(balance=layer).loss(logits, {"y": y})["loss"] for layer in (1.0, 3.0))
    torch.testing.assert_close(weighted, 6 / 4 * plain)  # ln 2 from each of 1 + 3 cells, and from 3 + 3


def scene() -> tuple[Tensor, Tensor]:
    """A square that blinks in the upper left cell, and the map of it."""
    x, y = torch.zeros(4, 3, 64, 64), torch.zeros(1, 2, 2)
    x[::2, :, 4:20, 4:20] = 1
    y[0, 0, 0] = 1
    return x, y


def test_the_map_is_mirrored_with_the_picture() -> None:
    x, y = augment_sample(build(flip=1.0, light=0.0), *scene(), 0)
    assert torch.equal(x, scene()[0].flip(-1)) and y.tolist() == [[[0, 1], [0, 0]]]


def test_light_changes_all_frames_alike() -> None:
    x, y = augment_sample(build(flip=0.0, light=0.5), *scene(), 0)
    assert not torch.equal(x, scene()[0]) and torch.equal(y, scene()[1])
    for number in (2, 3):
        assert torch.equal(x[number], x[number - 2])


def test_it_learns_where_things_move() -> None:
    torch.manual_seed(0)
    model = Model(Config(size=64, frames=4, channels=(8, 8, 8, 16, 8), hidden=8))
    x, y = scene()
    still = x.clone()
    still[:] = x[0]  # the same square, and it does not blink
    x, y = torch.stack([x, still, x.flip(-1)]), torch.stack([y, torch.zeros_like(y), y.flip(-1)])
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(120):
        loss = model.loss(model(x), {"x": x, "y": y})["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        cells = model.judge(model(x), x)["cells"]
    assert torch.equal(cells > 0, y[:, 0] > 0)
