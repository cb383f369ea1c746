"""The pose models: what they take, what they tell apart, and that a changed segment is still a person's."""

from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor
from toys import augment_sample

from vigil.core.errors import VigilError
from vigil.features.landmarks.pose_table import JOINTS
from vigil.features.segments import columns as segment_columns
from vigil.features.segments.segments import Settings
from vigil.models import pose_cnn, pose_lstm
from vigil.models.blocks import poses
from vigil.models.blocks.pose_signals import SIGNALS, describe_body

MODELS = [pose_lstm, pose_cnn]
WIDTHS = {"minmax": 26, "body": 67, "both": 93}
STILL = {"mirror": 0.0, "jitter": 0.0, "scale": 0.0, "drop": 0.0}
both = pytest.mark.parametrize("module", MODELS, ids=["pose_lstm", "pose_cnn"])


def build(module: ModuleType, **fields: object) -> torch.nn.Module:
    torch.manual_seed(1)
    return module.Model(module.Config.read(fields, "test"), 4)


def segment(x: Tensor, fields: poses.PoseConfig, seed: int) -> Tensor:
    """One segment (T, F) as training changes it."""
    return poses.augment_poses([x], fields, [torch.Generator().manual_seed(seed)])[0]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def people(count: int = 3, frames: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses (N, T, 13, 2) px that walk about in a picture, their times and its size."""
    rng = np.random.default_rng(3)
    base = rng.uniform([100, 60], [180, 160], (count, 1, 13, 2))
    walk = np.cumsum(rng.normal(0, 2, (count, frames, 1, 2)), axis=1)
    time_s = np.broadcast_to(np.arange(frames) / 8, (count, frames))
    return base + walk + rng.normal(0, 1, (count, frames, 13, 2)), time_s, np.full((count, 2), [320, 240])


def columns(
    poses_px: np.ndarray, normalise: str, seen: np.ndarray | None = None, near: np.ndarray | None = None
) -> tuple[Tensor, segment_columns.Scaler]:
    count, frames = poses_px.shape[:2]
    _, time_s, size = people(count, frames)
    scaler = segment_columns.fit_scaler(segment_columns.picture_shares(people(9)[0] * [1.1, 0.9], people(9)[2]))
    settings = Settings(span_s=1.0, frames=8, stride_s=0.5, gap_s=1.0, normalise=normalise)
    arrays = {
        "poses": poses_px,
        "seen": np.ones((count, frames, 13), bool) if seen is None else seen,
        "near": np.tile([200.0, 30.0], (count, frames, 1)) if near is None else near,
        "time_s": time_s,
        "source_size": size,
    }
    return torch.from_numpy(segment_columns.segment_features(arrays, settings, scaler)), scaler


@both
def test_a_network_has_no_more_weights_than_some_segments_can_fill(module: ModuleType) -> None:
    assert sum(parameter.numel() for parameter in build(module).parameters()) < 20_000
    assert build(module).clip.frames == 16


@both
@pytest.mark.parametrize("frames", [1, 2, 7, 15, 16, 17, 40])
@pytest.mark.parametrize("batch", [1, 3])
def test_any_length_and_batch(module: ModuleType, frames: int, batch: int) -> None:
    model = build(module, features=67)
    x = noise(batch, frames, 67)
    for training in (True, False):
        logits = model.train(training)(x)
        assert logits.shape == (batch, 4)
        assert logits.isfinite().all()


@both
@pytest.mark.parametrize("frames", [1, 16, 21])
def test_inference_repeats_itself_and_rows_do_not_meet(module: ModuleType, frames: int) -> None:
    model = build(module).eval()
    x = noise(5, frames, 67)
    together = model(x)
    assert torch.equal(together, model(x))
    torch.testing.assert_close(together, torch.cat([model(row[None]) for row in x]))


@both
@pytest.mark.parametrize("frames", [1, 16, 22, 37])
def test_the_newest_frame_counts_whatever_the_length(module: ModuleType, frames: int) -> None:
    model = build(module, features=26).eval()
    x = noise(1, frames, 26)
    changed = x.clone()
    changed[:, -1] += 1
    assert (model(x) - model(changed)).abs().max() > 1e-5


@both
def test_every_parameter_learns(module: ModuleType) -> None:
    model = build(module)
    model.loss(model(noise(6, 16, 67)), {"y": torch.tensor([0, 1, 2, 3, 0, 1])})["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@both
def test_two_segments_are_soon_told_apart(module: ModuleType) -> None:
    model = build(module, dropout=0.0)
    batch = {"x": noise(2, 16, 67), "y": torch.tensor([0, 2])}
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(25):
        loss = model.loss(model(batch["x"]), batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05


@both
def test_one_class_is_nothing_to_tell_apart(module: ModuleType) -> None:
    with pytest.raises(VigilError, match=rf"pose_{'lstm' if module is pose_lstm else 'cnn'}: 1 class; expected"):
        module.Model(module.Config(), 1)


@both
def test_other_widths_are_refused(module: ModuleType) -> None:
    with pytest.raises(VigilError, match="features = 27"):
        module.Config.read({"features": 27}, "params.yaml [models.pose]")


@both
def test_the_verdict_is_the_log_odds_of_anything_abnormal(module: ModuleType) -> None:
    # classes with probabilities 0.5, 0.3, 0.2: abnormal 0.5 against normal 0.5, and 0.2, 0.6, 0.2: 0.8 against 0.2
    logits = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2]]).log()
    predictions = module.Model(module.Config(), 3).judge(logits, logits)
    assert predictions["window"].tolist() == pytest.approx([0.0, np.log(4.0)], abs=1e-6)
    assert predictions["classes"].shape == (2, 3)


@both
def test_a_weight_makes_a_class_count_more(module: ModuleType) -> None:
    model, weight = module.Model(module.Config(), 2), torch.tensor([0.5, 1.5])
    logits, y = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    # -log softmax: 0.1269 for class 0, 2.1269 for class 1: (0.5 * 0.1269 + 1.5 * 2.1269) / 2
    mean_loss = model.loss(logits, {"y": y}, weight)["loss"].item()
    assert mean_loss == pytest.approx(1.6269, abs=1e-4)
    parts = [model.loss(logits[k : k + 1], {"y": y[k : k + 1]}, weight)["loss"].item() for k in (0, 1)]
    assert np.mean(parts) == pytest.approx(mean_loss)  # in parts, or over two devices, as in one


def test_twins_are_left_and_right() -> None:
    swap = {"LEFT": "RIGHT", "RIGHT": "LEFT"}
    for joint, twin in zip(JOINTS, poses.TWIN, strict=True):
        body, _, side = joint.rpartition("_")
        assert JOINTS[twin] == (f"{body}_{swap[side]}" if side in swap else joint)


@pytest.mark.parametrize("normalise", WIDTHS)
def test_a_mirrored_segment_is_that_of_the_mirrored_video(normalise: str) -> None:
    px, _, size = people()
    x, scaler = columns(px, normalise)
    mirrored = px[:, :, poses.TWIN]
    mirrored[..., 0] = size[0, 0] - mirrored[..., 0]
    expected, _ = columns(mirrored, normalise)
    ranges = tuple(zip(scaler.low, scaler.high, strict=True))
    fields = poses.PoseConfig.read({**STILL, "mirror": 1.0, "features": WIDTHS[normalise], "ranges": ranges}, "test")
    for before, after in zip(x, expected, strict=True):
        torch.testing.assert_close(segment(before, fields, 5), after, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("width", [26, 93])
def test_places_in_the_picture_are_not_mirrored_by_guess(width: int) -> None:
    fields = poses.PoseConfig.read({**STILL, "mirror": 1.0, "features": width}, "test")
    x = noise(8, width)
    torch.testing.assert_close(segment(x, fields, 5), x)


def test_a_larger_body_moves_faster_and_stays_where_it_is() -> None:
    fields = poses.PoseConfig.read({**STILL, "scale": 0.5, "features": 93}, "test")
    x = noise(8, 93)
    blocks, changed = (part[:, :78].unflatten(1, (3, 13, 2)) for part in (x, segment(x, fields, 5)))
    factor = (changed[:, 1] / blocks[:, 1]).mean()
    assert 0.5 < factor < 1.5 and abs(factor - 1) > 0.01
    torch.testing.assert_close(changed[:, 1:], factor * blocks[:, 1:], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(changed[:, 0].mean(dim=1), blocks[:, 0].mean(dim=1))


def test_another_camera_bends_places_and_speeds_alike() -> None:
    fields = poses.PoseConfig.read({**STILL, "skew": 0.3, "features": 93}, "test")
    x = noise(8, 93)
    blocks, changed = (part[:, :78].unflatten(1, (3, 13, 2)) for part in (x, segment(x, fields, 5)))
    bend = torch.linalg.lstsq(blocks[:, 1].reshape(-1, 2), changed[:, 1].reshape(-1, 2)).solution
    assert (bend - torch.eye(2)).abs().max() <= 0.3
    assert min(bend[0, 1].abs(), bend[1, 0].abs()) > 0.01
    torch.testing.assert_close(changed[:, 1:], blocks[:, 1:] @ bend, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(changed[:, 0].mean(dim=1), blocks[:, 0].mean(dim=1))


@pytest.mark.parametrize("normalise", WIDTHS)
@pytest.mark.parametrize(("every", "offset"), [(1, 0), (2, 0), (2, 1), (3, 2)])
def test_a_segment_seen_by_a_slower_camera_is_that_of_poses_in_between(normalise: str, every: int, offset: int) -> None:
    """A body that keeps its size: torso lengths are then the same in both."""
    frames = 9
    px, time_s, _ = people(frames=frames)
    px = px[:, :1] + 3.0 * np.random.default_rng(1).normal(size=(3, frames, 1, 2)).cumsum(axis=1)
    x, _ = columns(px, normalise)
    shown = sorted({0, *range(offset, frames, every), frames - 1})
    ways = [
        np.interp(time_s[0], time_s[0][shown], px[n, shown, j, a]) for n in range(3) for j in range(13) for a in (0, 1)
    ]
    expected, _ = columns(np.stack(ways).reshape(3, 13, 2, frames).transpose(0, 3, 1, 2), normalise)
    rates = torch.tensor([every] * 3), torch.tensor([offset] * 3)
    torch.testing.assert_close(poses.film_seldom(x, *rates), expected, atol=1e-4, rtol=1e-4)


def test_as_many_training_segments_as_are_asked_for_are_of_slower_cameras() -> None:
    fields = poses.PoseConfig.read({**STILL, "features": 26, "slower": 0.3}, "test")
    x = noise(16, 26)
    changed = [not torch.allclose(segment(x, fields, seed), x) for seed in range(300)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("length", [12, 13])
def test_a_slower_segment_shows_every_frame_for_longer_and_moves_less(length: int) -> None:
    fields = poses.PoseConfig.read({**STILL, "slow": 0.5, "features": 67}, "test")
    positions = torch.arange(float(length))[:, None].expand(length, 26)
    x = torch.cat([positions, torch.ones(length, 41)], dim=1)  # a step of one per frame
    out = segment(x, fields, 5)
    part = out[0, -1].item()
    assert 0.5 <= part < 0.99
    assert out[:, 26:52] == pytest.approx(part)
    assert out[:, 52:66] == pytest.approx(1.0) and out[:, 66] == pytest.approx(part)  # who comes near comes later
    steps = out[:, 0].diff()
    assert set(steps.tolist()) <= {0.0, 1.0} and abs(steps.mean().item() - part) < 0.15
    assert out[:, 0].min() >= 0 and out[:, 0].max() <= length - 1


def test_a_lost_joint_keeps_its_place_on_the_body() -> None:
    fields = poses.PoseConfig.read({**STILL, "drop": 1.0, "features": 67}, "test")
    x = torch.arange(12.0)[:, None].expand(12, 67).contiguous()  # a ramp: what is held is seen
    x[:, 52:65] = 1.0
    out = segment(x, fields, 2)
    positions = out[:, :52].unflatten(1, (2, 13, 2))[:, 0]
    frame_numbers = positions[..., 0].round().long()
    assert (frame_numbers <= torch.arange(12)[:, None]).all()  # nothing is taken from later
    assert (frame_numbers.diff(dim=0) >= 0).all()
    held = frame_numbers != torch.arange(12)[:, None]
    assert held.any(dim=0).sum() >= 6
    assert ((out[:, 52:65] == 0) == held).all()


@both
@pytest.mark.parametrize("width", [26, 67, 93])
def test_the_same_generator_changes_a_segment_the_same_way(module: ModuleType, width: int) -> None:
    model = build(module, features=width)
    x, y = noise(16, width), torch.tensor(1)
    torch.manual_seed(0)
    first, label = augment_sample(model, x.clone(), y, 7)
    torch.manual_seed(1)
    again, _ = augment_sample(model, x.clone(), y, 7)
    other, _ = augment_sample(model, x.clone(), y, 8)
    assert first.shape == x.shape and first.dtype == x.dtype and label == y
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("width", [26, 67, 93])
def test_nothing_changes_when_all_is_off(width: int) -> None:
    x = noise(16, width)
    fields = poses.PoseConfig.read({**STILL, "features": width}, "test")
    torch.testing.assert_close(segment(x, fields, 0), x)


@pytest.mark.parametrize("seed", range(6))
def test_a_warped_segment_is_faster_here_and_slower_there_and_ends_where_it_ended(seed: int) -> None:
    fields = poses.PoseConfig.read({**STILL, "warp": 0.8, "features": 67}, "test")
    length = 200
    ramp = torch.arange(float(length))[:, None].expand(length, 26)
    out = segment(torch.cat([ramp, torch.ones(length, 41)], dim=1), fields, seed)
    places, paces = out[:, 0], out[:, 26]
    assert (places[0].item(), places[-1].item()) == (0, length - 1)
    assert (places.diff() >= 0).all()
    assert paces.min() < 1 < paces.max() and paces.mean() == pytest.approx(1.0, abs=0.02)
    shown = places[10:] - places[:-10]  # a step is a whole frame, ten of them say how fast time runs
    assert (shown / 10 - paces.unfold(0, 11, 1).mean(dim=1)).abs().max() < 0.15


def signals(poses_px: np.ndarray, **changes: np.ndarray) -> Tensor:
    x, _ = columns(poses_px, "body", **changes)
    return describe_body(x)


def test_signals_are_those_of_the_body_wherever_it_is_and_however_large() -> None:
    px, _, size = people()
    near = np.tile([200.0, 30.0], (*px.shape[:2], 1))
    expected = signals(px, near=near)
    assert expected.shape[2] == SIGNALS
    torch.testing.assert_close(signals(px + [400, -90], near=near), expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(signals(px * 2.5, near=near * 2.5), expected, atol=1e-3, rtol=1e-3)
    mirrored = px[:, :, poses.TWIN]
    mirrored[..., 0] = size[0, 0] - mirrored[..., 0]
    torch.testing.assert_close(signals(mirrored, near=near), expected, atol=1e-3, rtol=1e-3)


def test_signals_tell_an_arm_that_folds_from_one_that_hangs() -> None:
    px = np.tile(people(1, 1)[0][:, :1] * 0, (1, 4, 1, 1))
    px[..., :, 1] = [20, 35, 50, 20, 35, 50, 50, 75, 100, 50, 75, 100, 0]  # upright, limbs hang
    px[..., :, 0] = [5, 6, 6, -5, -6, -6, 4, 4, 4, -4, -4, -4, 0]
    folded = px.copy()
    folded[:, :, 2] = folded[:, :, 0]  # the left wrist is at the shoulder
    elbow = 2 * 0, 2 * 0 + 1  # the larger cosine, then the smaller
    hangs, folds = signals(px)[0, -1, list(elbow)], signals(folded)[0, -1, list(elbow)]
    assert hangs.tolist() == pytest.approx([-1, -1], abs=0.02)
    assert folds.tolist() == pytest.approx([1, -1], abs=0.02)


@both
@pytest.mark.parametrize("width", WIDTHS.values())
def test_signals_are_standardised_by_what_training_has_seen(module: ModuleType, width: int) -> None:
    model = build(module, features=width)
    x = 3.0 + 2.0 * noise(64, 16, width)
    for _ in range(60):
        model.train()(x)
    standard = model.eval().standard_signals(x)
    assert standard.mean(dim=(0, 1)).abs().max() < 0.1
    assert (standard.std(dim=(0, 1)) - 1).abs().max() < 0.25  # what is far out is clipped
    other = model.standard_signals(x[:1])
    torch.testing.assert_close(other, standard[:1])  # not by the batch
