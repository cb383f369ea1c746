"""I3D: where it starts from, multiple-instance learning over time, and what may be seen when."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from toys import augment_sample

from vigil.core.errors import VigilError
from vigil.core.params import load
from vigil.models import i3d
from vigil.models.blocks import inception
from vigil.models.blocks.inception import Inception
from vigil.training.schedules import TrainParams, merge_params

SMALL = {"frames": 16, "size": 32, "width": 0.125, "dropout": 0.0, "hidden": 16, "dilations": [1]}


def build(**fields: object) -> i3d.Model:
    torch.manual_seed(1)
    return i3d.Model(i3d.Config.read(SMALL | fields, "test"), 2)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def counted(network: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, value) for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked"))


def test_training_starts_from_a_file_and_says_so(tmp_path: Path) -> None:
    source = build(width=0.125)
    save_file({f"module.{name}": value + 1 for name, value in counted(source.backbone)}, tmp_path / "mine.safetensors")
    model = build(weights=str(tmp_path / "mine.safetensors"))
    assert torch.equal(model.backbone.Mixed_3b.b0.bn.weight, source.backbone.Mixed_3b.b0.bn.weight)  # not yet
    assert (model.initialise() or "").startswith("i3d: backbone from ")
    assert all(torch.equal(value, source.backbone.state_dict()[name] + 1) for name, value in counted(model.backbone))
    assert build().initialise() is None


def test_weights_that_do_not_fit_are_told_apart(tmp_path: Path) -> None:
    def fails(file: str, match: str) -> None:
        with pytest.raises(VigilError, match=match):
            build(weights=str(tmp_path / file)).initialise()

    good = dict(counted(build().backbone))
    fails("none.safetensors", r"models\.i3d\.weights = '.*none\.safetensors': no such file")
    torch.save(good, tmp_path / "rgb.pt")
    fails("rgb.pt", r"rgb\.pt: no safetensors .*converted by stage `weights`")
    save_file({name: value for name, value in good.items() if "Mixed_3b" not in name}, tmp_path / "part.safetensors")
    fails("part.safetensors", r"Missing: Mixed_3b\.b0\.conv3d\.weight, .* and 27 more; not known: none")
    save_file(good | {"extra": torch.zeros(1)}, tmp_path / "more.safetensors")
    fails("more.safetensors", r"Missing: none; not known: extra\. Expected")
    save_file(dict(counted(Inception(0.25))), tmp_path / "wide.safetensors")
    fails("wide.safetensors", r"Conv3d_1a_7x7\.conv3d\.weight is \[16, 3, .*expected \[8, 3, .*width: 1\.0")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [2, 4, 8])
@pytest.mark.parametrize(("frames", "height", "width"), [(8, 32, 32), (19, 33, 45)])
def test_any_length_and_size(frames: int, height: int, width: int, stride: int, causal: bool) -> None:
    model = build(causal=causal, stride=stride)
    for training, batch in ((True, 2), (True, 1), (False, 1)):
        x = noise(batch, 3, frames, height, width)
        output = model.train(training)(x)
        predictions = model.judge(output, x)
        assert output.video.shape == predictions["window"].shape == (batch,)
        assert output.frames.shape == predictions["frames"].shape == predictions["attention"].shape == (batch, frames)
        assert output.attention.shape == output.steps.shape
        assert output.steps.shape[1] == -(-(frames + (1 - frames) % stride * causal) // stride)
        for weights in (output.attention, predictions["attention"]):
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(batch))


@pytest.mark.parametrize("causal", [False, True])
def test_inference_repeats_itself_and_rows_do_not_meet(causal: bool) -> None:
    model = build(causal=causal).eval()
    x = noise(3, 3, 16, 32, 32)
    first, again = model(x), model(x)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    rows = [model(row[None]) for row in x]
    for number, together in enumerate(first):
        torch.testing.assert_close(together, torch.cat([row[number] for row in rows]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("frames", [16, 19])
@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize(
    ("changed", "background"), [(5, "keep"), (9, "keep"), (9, "remove"), (9, "change"), (-1, "keep")]
)
def test_a_causal_score_knows_no_later_frame(frames: int, stride: int, changed: int, background: str) -> None:
    x = noise(1, 3, frames, 32, 32)
    other = x.clone()
    other[:, :, changed:] += 1
    model = build(causal=True, stride=stride, background=background).eval()
    moved = (model(x).frames - model(other).frames).abs()[0]
    assert moved[:changed].max() == 0
    assert moved[-1] > 1e-6  # the newest score knows the newest frame
    model = build(causal=False, stride=stride, background=background).eval()
    moved = (model(x).frames - model(other).frames).abs()[0]
    assert moved[:changed].max() > 1e-6  # and the test would see a look ahead


def test_frames_have_scores_of_their_own() -> None:
    model = build(stride=4).eval()
    frames = model(noise(1, 3, 16, 32, 32)).frames[0]
    assert len(frames.unique()) > 4


@pytest.mark.parametrize("causal", [False, True])
def test_every_parameter_learns(causal: bool) -> None:
    model = build(causal=causal)
    model.loss(model(noise(2, 3, 16, 64, 64)), {"y": torch.tensor([0, 1])})["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_what_is_frozen_stays() -> None:
    model = build(freeze="Mixed_3b").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model.loss(model(noise(2, 3, 16, 32, 32)), {"y": torch.tensor([0, 1])})["loss"].backward()
    optimiser.step()
    frozen = tuple(f"backbone.{name}." for name in inception.STAGES[: inception.STAGES.index("Mixed_3b") + 1])
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name


def test_dilations_beyond_the_clip_are_refused_before_training() -> None:
    """16 frames are two steps of eight and four of four; a step of two cannot be looked past."""
    with pytest.raises(
        VigilError, match=r"dilations = \[1, 2, 4\]: a clip of 16 frames has 2 steps of 8 .* 2 and 4 would"
    ) as raised:
        build(dilations=[1, 2, 4]).initialise()
    assert "\n" not in str(raised.value)
    with pytest.raises(VigilError, match=r"has 4 steps of 4 frames, so 4 would see"):
        build(dilations=[1, 2, 4], stride=4).initialise()
    assert build(dilations=[1, 2], stride=4).initialise() is None


def test_what_is_shipped_has_no_dilation_beyond_its_clip() -> None:
    folder = Path(i3d.__file__).parents[1] / "presets"
    shipped = load(Path(__file__).parents[2] / "params.yaml")["models"]["i3d"]
    for preset in (None, *sorted(folder.glob("*.yaml"))):
        changes = ((load(preset).get("models") or {}).get("i3d") or {}) if preset else {}
        fields = {key: value for key, value in (shipped | changes).items() if key in i3d.Config.model_fields}
        i3d.Model(i3d.Config.read(fields | {"width": 0.125, "weights": None}, str(preset))).initialise()


def test_unknown_stages_and_classes_are_refused() -> None:
    with pytest.raises(VigilError, match=r"models\.i3d\.freeze = 'Mixed_4g': no stage .* Did you mean 'Mixed_4"):
        build(freeze="Mixed_4g")
    with pytest.raises(VigilError, match="i3d: 3 classes; it tells normal from abnormal"):
        i3d.Model(i3d.Config.read(SMALL, "test"), 3)


@pytest.mark.parametrize("freeze", [None, "Conv3d_2b_1x1"])
def test_checkpointing_changes_memory_and_nothing_else(freeze: str | None) -> None:
    x, y = noise(2, 3, 16, 32, 32), torch.tensor([0, 1])
    models = [build(checkpointing=on, freeze=freeze) for on in (False, True)]
    for model in models:
        model.loss(model(x), {"y": y})["loss"].backward()
    plain, again = ({name: p.grad for name, p in model.named_parameters() if p.requires_grad} for model in models)
    assert all(torch.equal(plain[name], again[name]) for name in plain)
    states = [model.state_dict() for model in models]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_loss_is_three_things() -> None:
    model = build(anomaly=2.0, smoothness=3.0, sparsity=5.0)
    steps = torch.tensor([[0.2, 0.6, 0.6], [0.5, 0.5, 0.5]]).logit()
    output = i3d.Output(torch.tensor([0.8, 0.25]).logit(), steps, steps, steps)
    losses = model.loss(output, {"y": torch.tensor([1, 0])})
    # -log 0.8 and -log 0.75, their mean; squared steps 0.16 over two steps, mean of two rows; mean score
    assert losses["anomaly"].item() == pytest.approx((0.22314 + 0.28768) / 2, abs=1e-4)
    assert losses["smoothness"].item() == pytest.approx(0.16 / 2 / 2)
    assert losses["sparsity"].item() == pytest.approx((0.2 + 0.6 + 0.6 + 1.5) / 6)
    assert losses["loss"].item() == pytest.approx(2 * 0.25541 + 3 * 0.04 + 5 * 0.48333, abs=1e-3)
    weighed = model.loss(output, {"y": torch.tensor([1, 0])}, torch.tensor([0.5, 1.5]))
    assert weighed["anomaly"].item() == pytest.approx((1.5 * 0.22314 + 0.5 * 0.28768) / 2, abs=1e-4)


def test_two_clips_are_soon_told_apart() -> None:
    model = build()
    batch = {"x": noise(2, 3, 16, 32, 32), "y": torch.tensor([0, 1])}
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(25):
        losses = model.loss(model(batch["x"]), batch)
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
    assert losses["anomaly"].item() < 0.05


def test_it_finds_when_having_been_told_only_whether() -> None:
    """Snow of four frames somewhere in half of the clips; frames are never labelled."""
    torch.manual_seed(3)
    model = build(end="Mixed_3c", stride=2, causal=True, sparsity=0.1)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    generator = torch.Generator().manual_seed(4)

    def draw(count: int) -> tuple[Tensor, Tensor, list[int]]:
        x = F.interpolate(torch.randn(count, 3, 4, 4, generator=generator), 32, mode="bilinear")
        x = x[:, :, None].repeat(1, 1, 16, 1, 1)
        when = torch.randint(2, 12, (count,), generator=generator).tolist()
        for row in range(1, count, 2):
            x[row, :, when[row] : when[row] + 4] += torch.randn(3, 4, 32, 32, generator=generator)
        return x, torch.arange(count) % 2, when

    for _ in range(60):
        x, y, _ = draw(8)
        optimiser.zero_grad()
        model.loss(model(x), {"y": y})["loss"].backward()
        optimiser.step()
    x, y, when = draw(40)
    with torch.no_grad():
        output = model.eval()(x)
    before = torch.cat([output.frames[row, : when[row]] for row in range(1, 40, 2)])
    during = torch.cat([output.frames[row, when[row] + 2 : when[row] + 4] for row in range(1, 40, 2)])
    video_auc = (output.video[y == 1][:, None] > output.video[y == 0][None]).float().mean()
    frame_auc = (during[:, None] > before[None]).float().mean()
    assert video_auc > 0.95
    assert frame_auc > 0.9


def test_a_clip_is_changed_alike_in_all_its_frames() -> None:
    still = noise(3, 1, 32, 40).repeat(1, 8, 1, 1)
    model = build(flip=1.0, crop=0.3, light=0.3)
    changed, y = augment_sample(model, still, torch.tensor(1), 5)
    again, _ = augment_sample(model, still, torch.tensor(1), 5)
    assert changed.shape == still.shape and y == 1
    assert torch.equal(changed, again) and not torch.allclose(changed, still)
    torch.testing.assert_close(changed, changed[:, :1].expand_as(changed))
    flipped, _ = augment_sample(build(flip=1.0, crop=0.0, light=0.0), still, y, 0)
    assert torch.equal(flipped, still.flip(-1))
    same_again, _ = augment_sample(build(flip=0.0, crop=0.0, light=0.0), still, y, 0)
    assert torch.equal(same_again, still)


@pytest.mark.parametrize("causal", [False, True])
def test_without_background_the_scene_does_not_matter(causal: bool) -> None:
    x, scene = noise(1, 3, 16, 32, 32), noise(1, 3, 1, 32, 32, seed=1)
    for background, alike in (("remove", True), ("change", True), ("keep", False)):
        model = build(causal=causal, background=background).eval()
        assert torch.allclose(model(x).frames, model(x + scene).frames, atol=1e-4) == alike


def test_a_short_backbone_scores_all_frames_too() -> None:
    assert build(end="Mixed_3c")(noise(1, 3, 9, 32, 32)).frames.shape == (1, 9)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "src/vigil/presets").glob("i3d-*.yaml")), ids=lambda path: path.stem
)
def test_a_preset_is_a_valid_part_of_params(path: Path) -> None:
    entry = load(path)["models"]["i3d"]
    merge_params(TrainParams(), entry.pop("train"), str(path))
    config = i3d.Config.read(entry, str(path))
    assert config != i3d.Config()
    i3d.Model(config.model_copy(update={"width": 0.125}))
