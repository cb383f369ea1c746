"""The panic autoencoder: its published shape, streams, cheaper stems, and augmentation that keeps physics."""

import pytest
import torch
from torch import Tensor
from toys import augment_sample

from vigil.core.errors import VigilError
from vigil.models.panic import Config, Memory, Model

SMALL = {"hidden": (4, 8, 4), "size": 16, "frames": 4}


def build(**changes: object) -> Model:
    torch.manual_seed(0)
    return Model(Config(**(SMALL | changes))).eval()


def flow(batch: int = 2, frames: int = 6, size: int = 16, seed: int = 1) -> Tensor:
    return torch.randn(batch, frames, 3, size, size, generator=torch.Generator().manual_seed(seed)).tanh()


def stream(model: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """Errors (B, T) and maps (B, T, 8, 8), one frame after the other."""
    memory: Memory | None = None
    errors, cells = [], []
    for frame in x.unbind(1):
        predictions, memory = model.step(frame, memory)
        assert predictions["frames"].shape == (len(x), 1) and torch.equal(
            predictions["window"], predictions["frames"][:, 0]
        )
        errors.append(predictions["window"])
        cells.append(predictions["cells"])
    return torch.stack(errors, 1), torch.stack(cells, 1)


def test_the_default_is_the_published_network() -> None:
    config = Config()
    assert (config.hidden, config.kernel, config.frames, config.size) == ((32, 64, 32), 3, 16, 64)
    assert (config.stem, config.foresee, config.members) == (1, False, 1)
    model = Model(config)
    assert [layer.inputs for layer in model.layers] == [3, 32, 64, 32, 64]
    assert [layer.hidden for layer in model.layers] == [32, 64, 32, 64, 32]
    assert tuple(model.drawing.weight.shape) == (3, 32, 3, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stem": 2},
        {"stem": 4},
        {"kernel": 5},
        {"foresee": True},
        {"foresee": True, "stem": 2},
        {"where": "people"},
        {"hidden": (4,)},
        {"hidden": (4, 6)},
        {"hidden": (4, 6, 8, 6, 4)},
    ],
)
def test_a_stream_is_judged_as_the_whole(changes: dict[str, object]) -> None:
    model, x = build(**changes), flow()
    with torch.no_grad():
        reconstruction = model(x)
    assert reconstruction.shape == x.shape
    predictions = model.judge(reconstruction, x)
    errors, cells = stream(model, x)
    torch.testing.assert_close(errors, predictions["frames"], rtol=0, atol=1e-6)
    torch.testing.assert_close(cells[:, -1], predictions["cells"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("foresee", [False, True])
def test_no_frame_is_judged_by_a_later_one(foresee: bool) -> None:
    model, x = build(foresee=foresee), flow()
    changed = x.clone()
    changed[:, 4:] = 0
    with torch.no_grad():
        reconstruction, changed_reconstruction = model(x), model(changed)
    first_changed = 5 if foresee else 4  # what is foreseen of frame 4 was said before it was seen
    torch.testing.assert_close(reconstruction[:, :first_changed], changed_reconstruction[:, :first_changed])
    assert not torch.allclose(reconstruction[:, first_changed], changed_reconstruction[:, first_changed])


def test_an_error_is_where_it_is() -> None:
    model, x = build(), flow(1, 3)
    reconstruction = x.clone()
    reconstruction[0, -1, :, 2, 15] += 1.0  # in row 1 and column 7 of 8x8 cells of 2x2 px
    predictions = model.judge(reconstruction, x)
    expected = torch.zeros(8, 8)
    expected[1, 7] = 1 / 4
    torch.testing.assert_close(predictions["cells"][0], expected)
    torch.testing.assert_close(predictions["frames"][0], torch.tensor([0, 0, 1 / 256]))
    torch.testing.assert_close(predictions["window"], torch.tensor([1 / 768]))


def test_an_error_where_nobody_is_counts_nothing_and_one_on_people_as_much_for_few_as_for_many() -> None:
    model = build(where="people", size=32)
    scores = []
    for width in (4, 8, 16):
        x = torch.zeros(1, 2, 3, 32, 32)
        x[:, :, 2, :, :width] = 1.0
        reconstruction = x.clone()
        reconstruction[:, :, :2, :, :width] += 0.5
        scores.append(model.judge(reconstruction, x)["window"].item())
        reconstruction[:, :, :2, :, width:] += 3.0
        predictions = model.judge(reconstruction, x)
        assert predictions["window"].item() == pytest.approx(scores[-1])
        assert predictions["cells"][0, :, width // 4 :].abs().max() == 0
        assert predictions["cells"].mean().item() == pytest.approx(predictions["frames"][0, -1].item())
    assert max(scores) < 1.2 * min(scores)
    nobody = torch.zeros(1, 2, 3, 32, 32)
    assert model.judge(nobody + 1, nobody)["window"].item() == 0


def test_a_stem_saves_work_and_must_divide_the_picture() -> None:
    assert build(stem=2).layers[0].inputs == 12
    with pytest.raises(VigilError, match="does not divide size 18"):
        build(stem=4, size=18)
    with pytest.raises(VigilError, match=r"stem = 3: input should be 1, 2 or 4"):
        Config.read({"stem": 3}, "models.panic")


def right(speed: float = 0.25) -> Tensor:
    """Everybody on the left half moves to the right and a little down."""
    x = torch.zeros(4, 3, 16, 16)
    x[:, 0, :, :8], x[:, 1, :, :8], x[:, 2, :, :8] = speed, speed / 2, 0.5
    return x


def changed(x: Tensor, seed: int = 0, **changes: float) -> Tensor:
    calm = {"crop": 0.0, "flip": 0.0, "speed": 0.0, "noise": 0.0}
    return augment_sample(build(**(calm | changes)), x, torch.tensor(0), seed)[0]


def test_calm_augmentation_changes_nothing() -> None:
    assert torch.equal(changed(right()), right())


def test_in_a_mirror_right_is_left_and_down_is_down() -> None:
    mirrored = changed(right(), flip=1.0)
    assert (mirrored[:, :, :, :8] == 0).all()
    assert (mirrored[:, 0, :, 8:] == -0.25).all() and (mirrored[:, 1, :, 8:] == 0.125).all()
    assert (mirrored[:, 2, :, 8:] == 0.5).all()
    assert torch.equal(changed(mirrored, flip=1.0), right())


def test_speed_scales_motion_and_not_people() -> None:
    gains = [changed(right(), seed, speed=0.4) for seed in range(20)]
    for x in gains:
        gain = x[0, 0, 0, 0] / 0.25
        assert 0.6 <= gain <= 1.4
        torch.testing.assert_close(x[:, 1], right()[:, 1] * gain)
        assert torch.equal(x[:, 2], right()[:, 2])
    assert max(x[0, 0, 0, 0] for x in gains) > 0.28 and min(x[0, 0, 0, 0] for x in gains) < 0.22


def test_seen_from_nearer_people_move_faster() -> None:
    for seed in range(5):
        x = changed(torch.full((4, 3, 16, 16), 0.25), seed, crop=0.5)
        gain = x[0, 0, 0, 0] / 0.25
        assert 1 <= gain <= 16 / 8 and (x[:, 2] == 0.25).all()
        torch.testing.assert_close(x[:, 0], torch.full_like(x[:, 0], 0.25) * gain)


def test_what_is_changed_stays_on_the_scale() -> None:
    x = changed(right(0.99), crop=0.5, speed=0.9, noise=0.5)
    assert x.abs().max() <= 1


def test_it_learns_what_is_usual_and_then_a_rush_is_not() -> None:
    """Two walkers, learnt by heart; the same picture at three times the speed is drawn worse, where they are."""
    torch.manual_seed(0)
    model = Model(Config(**SMALL))
    x = torch.stack([right(), -right()]) * torch.tensor([1.0, 1.0, 0.0])[:, None, None]
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(150):
        loss = model.loss(model(x), {"x": x})["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    rush = (3 * x).clamp(-1, 1)
    with torch.no_grad():
        usual, unusual = (model.judge(model(clip_batch), clip_batch) for clip_batch in (x, rush))
    assert (unusual["window"] > 5 * usual["window"]).all()
    assert unusual["cells"][0, :, :4].mean() > unusual["cells"][0, :, 4:].mean()
