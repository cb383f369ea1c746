"""The gate and the model that names the crime: what they see, weigh and take over from each other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from toys import augment_sample

from vigil.core.errors import VigilError
from vigil.models import crime_gate, crime_type
from vigil.models.blocks.attentive import Network
from vigil.models.blocks.layers import Clip

SMALL = {"frames": 8, "size": 32, "channels": (8, 16), "hidden": 8, "dropout": 0.0}


def gate(**fields: object) -> crime_gate.Model:
    torch.manual_seed(1)
    return crime_gate.Model(crime_gate.Config.read(SMALL | fields, "test"), 2).eval()


def crime_namer(**fields: object) -> crime_type.Model:
    torch.manual_seed(2)
    return crime_type.Model(crime_type.Config.read(SMALL | fields, "test"), 13).eval()


def clips(rows: int = 2, frames: int = 8, size: int = 32) -> Tensor:
    return torch.randn(rows, 3, frames, size, size, generator=torch.Generator().manual_seed(3))


BOTH = pytest.mark.parametrize(("build", "classes"), [(gate, 2), (crime_namer, 13)])
Build = Callable[..., Network]


def test_the_published_clip() -> None:
    assert crime_gate.Model(crime_gate.Config(), 2).clip == Clip(16, window_s=8.0, size=112, layout="cthw")
    assert crime_type.Model(crime_type.Config(), 13).clip.size == 112


@BOTH
@pytest.mark.parametrize(("frames", "size"), [(8, 32), (1, 32), (5, 48), (16, 33)])
@pytest.mark.parametrize("see", ["pictures", "motion", "both", "change"])
def test_any_length_and_size(build: Build, classes: int, frames: int, size: int, see: str) -> None:
    output = build(see=see)(clips(3, frames, size))
    assert output.logits.shape == (3, classes) and output.attention.shape == (3, frames)
    assert torch.allclose(output.attention.sum(dim=1), torch.ones(3)) and (output.attention >= 0).all()


@BOTH
@pytest.mark.parametrize("see", ["motion", "change"])
def test_stronger_motion_in_the_same_place_is_another_score(build: Build, classes: int, see: str) -> None:
    still, motion = clips(1)[:, :, :1], clips(1)
    logits = [build(see=see)(still + strength * motion).logits for strength in (0.02, 1.0, 2.0)]
    assert not torch.allclose(logits[0], logits[1], atol=1e-2)
    assert not torch.allclose(logits[1], logits[2], atol=1e-2)


def test_a_change_is_seen_and_what_stays_is_not() -> None:
    model = gate(see="change")
    still = clips(1)[:, :, :1].expand(-1, -1, 8, -1, -1)
    assert torch.equal(model(still).logits, model(torch.zeros_like(still)).logits)
    assert not torch.equal(model(clips(1)).logits, model(still).logits)


@BOTH
def test_every_parameter_learns(build: Build, classes: int) -> None:
    model = build(see="both").train()
    x = clips()
    model.loss(model(x), {"x": x, "y": torch.tensor([0, 1])})["loss"].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@BOTH
def test_a_clip_is_judged_by_itself(build: Build, classes: int) -> None:
    model, x = build(), clips(4)
    together = model(x)
    for row in range(4):
        assert torch.allclose(model(x[row : row + 1]).logits[0], together.logits[row], atol=1e-5)


def test_two_clips_are_learned() -> None:
    model, x, y = gate().train(), clips(), torch.tensor([0, 1])
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(40):
        loss = model.loss(model(x), {"x": x, "y": y})["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1
    odds = model.judge(model(x), x)["window"]
    assert odds[0] < 0 < odds[1] and not odds.requires_grad


def test_a_scene_in_which_nothing_moves_looks_like_any_other() -> None:
    """To a model that sees motion: what a camera looks at is no reason for an alarm."""
    model = gate(see="motion")
    still = clips(2)[:, :, :1].expand(-1, -1, 8, -1, -1)
    assert torch.allclose(model(still).logits[0], model(still).logits[1], atol=1e-3)
    outputs = gate(see="both")(still).logits
    assert not torch.allclose(outputs[0], outputs[1], atol=1e-4)


def test_a_small_person_is_as_strong_as_in_a_small_picture_for_the_maximum_alone() -> None:
    torch.manual_seed(3)
    small = torch.zeros(1, 3, 8, 32, 32)
    small[:, :, :, 8:24, 8:24] = torch.randn(1, 3, 8, 16, 16)
    wide = torch.zeros(1, 3, 8, 128, 128)
    wide[:, :, :, 8:24, 8:24] = small[:, :, :, 8:24, 8:24]

    @torch.no_grad()
    def change(pool: str) -> float:
        model = gate(pool=pool)
        for layer in model.backbone:  # which would make up for the size of the picture
            layer.norm = torch.nn.Identity()
        return (model(wide).logits - model(small).logits).abs().max().item()

    assert change("max") < 1e-6 < change("mean")


def test_attention_follows_the_frames() -> None:
    """Frames are not mixed beyond their neighbours: what is weighed is a moment."""
    model = gate(channels=(8,))
    x = clips(1, 16)
    y = x.clone()
    y[:, :, 3] = 0
    changed = (model.backbone(x) - model.backbone(y)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert not changed[8:].any() or changed.all()  # normalised over the clip
    before = torch.log(model(x).attention) - torch.log(model(y).attention)
    assert (before - before.median()).abs()[0].argmax() in (2, 3, 4)


def test_weights_make_up_for_rare_classes() -> None:
    model, x = gate(), clips()
    output, batch = model(x), {"x": x, "y": torch.tensor([0, 1])}
    losses = torch.nn.functional.cross_entropy(output.logits, batch["y"], reduction="none")
    weighted = model.loss(output, batch, torch.tensor([0.5, 1.5]))["loss"]
    assert torch.allclose(weighted, (0.5 * losses[0] + 1.5 * losses[1]) / 2)
    assert torch.allclose(model.loss(output, batch)["loss"], losses.mean())


def test_what_each_says() -> None:
    x = clips()
    output = gate()(x)
    predictions = gate().judge(output, x)
    assert predictions.keys() == {"window", "classes", "attention"}
    assert torch.allclose(predictions["window"].sigmoid(), output.logits.softmax(dim=1)[:, 1], atol=1e-6)
    assert crime_namer().judge(crime_namer()(x), x).keys() == {"classes", "attention"}


@BOTH
def test_augmentation_is_the_same_in_all_frames_and_again(build: Build, classes: int) -> None:
    model, y = build(slow=0.0), torch.tensor(1)
    still = clips(1)[0, :, :1].expand(-1, 8, -1, -1)
    outputs = []
    for seed in range(12):
        new, label = augment_sample(model, still, y, seed)
        again, _ = augment_sample(model, still, y, seed)
        assert torch.equal(new, again) and label == y and new.shape == still.shape
        assert torch.allclose(new, new[:, :1].expand_as(new), atol=1e-6)
        outputs.append(new)
    assert not any(torch.allclose(outputs[0], other) for other in outputs[1:])


def test_a_slowed_clip_keeps_its_order() -> None:
    model = gate(flip=0.0, crop=0.0, light=0.0, slow=0.5)
    x = torch.arange(8.0).view(1, 8, 1, 1).expand(3, 8, 32, 32)
    spans = set()
    for seed in range(20):
        new, _ = augment_sample(model, x, torch.tensor(0), seed)
        order = new[0, :, 0, 0].tolist()
        assert order == sorted(order) and set(order) <= set(range(8))
        spans.add(order[-1] - order[0])
    assert min(spans) >= 3 and len(spans) > 2
    same = augment_sample(gate(flip=0.0, crop=0.0, light=0.0, slow=0.0), x, torch.tensor(0), 0)
    assert torch.equal(same[0], x)


def test_the_gate_tells_two_classes_apart() -> None:
    with pytest.raises(VigilError, match="crime_gate: 13 classes; it tells normal from crime"):
        crime_gate.Model(crime_gate.Config(), 13)
    with pytest.raises(VigilError, match="crime_type: 1 class; expected two or more"):
        crime_type.Model(crime_type.Config(), 1)
    with pytest.raises(VigilError, match="channels"):
        gate(channels=(0,))


@pytest.mark.parametrize("prefix", ["", "members.0."])
def test_starting_from_the_gate(tmp_path: Path, prefix: str) -> None:
    path, source = tmp_path / "weights.safetensors", gate()
    save_file({prefix + name: losses for name, losses in source.state_dict().items()}, path)
    model = crime_namer(weights=str(path))
    head = model.head[1].weight.clone()
    assert model.initialise() == f"crime_type: starts from {path}, all but the head"
    assert torch.equal(model.backbone[0].halve.weight, source.backbone[0].halve.weight)
    assert torch.equal(model.attention[0].weight, source.attention[0].weight)
    assert torch.equal(model.head[1].weight, head)
    assert crime_namer().initialise() is None


def test_a_gate_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(VigilError, match=r"weights.safetensors': no such file. Run `dvc repro attend`"):
        crime_namer(weights=str(path)).initialise()
    save_file(gate(channels=(8, 24)).state_dict(), path)
    with pytest.raises(VigilError, match=r"expected \(16, 8, 3, 3, 3\), found \(24, 8, 3, 3, 3\): crime_type needs"):
        crime_namer(weights=str(path)).initialise()
    save_file(gate(channels=(8,)).state_dict(), path)
    with pytest.raises(VigilError, match="found nothing"):
        crime_namer(weights=str(path)).initialise()
    path.write_bytes(b"\x80\x04nonsense")
    with pytest.raises(VigilError, match="no safetensors"):
        crime_namer(weights=str(path)).initialise()
