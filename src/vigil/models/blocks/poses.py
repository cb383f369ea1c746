"""Shared by the models of body landmarks: the columns they read, the loss, the judgement, and augmentation.

The columns come in blocks of 13 joints x (x, y), as stage `segments` writes them (segments.normalise):

    26  minmax    places in the picture, each column scaled to its range in the training split
    52  body      places from the middle of the hips, then speeds, both in torso lengths
    78  both      the 26, then the 52
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Annotated, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.models.blocks.layers import SLOWEST, Batch, Clip, Generators, Losses, Predictions, mean_loss

JOINTS = 13
TWIN = (
    3,
    4,
    5,
    0,
    1,
    2,
    9,
    10,
    11,
    6,
    7,
    8,
    12,
)  # the joint on the other side: shoulder, elbow, wrist; hip, knee, ankle
TORSO = 0.15  # of the picture, about what a torso measures: noise in torso lengths as noise in the picture

Range = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]


class PoseConfig(Frozen):
    """Which columns a pose model reads, and how training changes them."""

    frames: Annotated[int, Field(ge=1)] = 16  # T
    features: Literal[26, 52, 78] = 26  # columns, as the segments have them; stage `train` sets it
    ranges: Annotated[tuple[Range, ...], Field(min_length=26, max_length=26)] | None = (
        None  # of the 26 places (scaler.json); as above
    )
    mirror: Share = 0.5  # share of training segments that are mirrored; places in the picture need `ranges` for it
    jitter: Annotated[float, Field(ge=0)] = 0.02  # torso lengths, deviation of noise on every coordinate
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1  # a body is made larger or smaller by as much at most
    skew: Share = 0.0  # of one side that the other leans by, and half of it in length, at most: as other cameras see it
    slow: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the segment left out at most; the rest plays slower
    drop: Share = 0.02  # share of the joints that are lost for a while, and then go along with the body
    slower: Share = 0.0  # share of training segments that are seen as by a camera of half or a third of the rate


class PoseModel(nn.Module):
    """The common part of the pose models. Each adds its layers and forward, (B, T, F) -> (B, classes); any T >= 1."""

    def __init__(self, name: str, config: PoseConfig, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise VigilError(
                f"{name}: {classes} class{'es' if classes != 1 else ''}; expected `normal` and at least one more under "
                f"models.{name}.classes in params.yaml."
            )
        self.clip = Clip(config.frames)
        self.config = config

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:
        """Cross-entropy; `weight` (classes,) makes up for rare ones."""
        y = batch["y"].long()
        return {"loss": mean_loss(F.cross_entropy(output, y, reduction="none"), y, weight)}

    @torch.no_grad()
    def judge(self, output: Tensor, x: Tensor) -> Predictions:  # noqa: ARG002  as every model
        """How much more likely (log odds) any abnormal class is than class 0, and the logits of all."""
        return {"window": output[:, 1:].logsumexp(dim=1) - output[:, 0], "classes": output}

    def augment(self, xs: Sequence[Tensor], ys: Sequence[Tensor], generators: Generators) -> tuple[Tensor, Tensor]:
        """Segments changed as the config says, (B, T, F), and their classes (B,)."""
        return augment_poses(xs, self.config, generators), torch.stack(list(ys))


def augment_poses(xs: Sequence[Tensor], config: PoseConfig, generators: Generators) -> Tensor:
    """Segments (T, F): seldom filmed, mirrored, larger or smaller, leaning, slower, joints lost, trembling. (B, T, F).

    All at once, since one alone is too little work for what each call of torch costs.
    """
    x = torch.stack(list(xs)).unflatten(2, (-1, JOINTS, 2))
    length, blocks, dtype = x.shape[1], x.shape[2], x.dtype
    draws = torch.stack([torch.rand(11 + 3 * JOINTS, generator=generator) for generator in generators])
    if config.slower:
        camera, rate, offset = draws[:, -3:].unbind(1)
        every = torch.where(camera < config.slower, 2 + (rate * (SLOWEST - 1)).long(), 1)
        x = film_seldom(x, every, (offset * every).long(), speeds=config.features != 26)
    noise = torch.stack([torch.randn(x.shape[1:], generator=generator) for generator in generators]).to(dtype)
    flip, larger, slower, later = draws[:, :4].double().unbind(1)

    frame_numbers = torch.arange(length)[:, None]
    lost, begin, lasts = draws[:, None, 8:-3].split(JOINTS, dim=2)
    begin = (begin * length).long()  # the last frame in which the joint was visible
    is_lost = (
        (lost < config.drop)
        & (frame_numbers > begin)
        & (frame_numbers <= begin + (lasts * (length - begin + 1)).long())
    )
    pace = 1 - config.slow * slower
    source_frames = ((length * later * (1 - pace))[:, None] + pace[:, None] * frame_numbers[:, 0]).long()  # (B, T)
    speed = torch.tensor([config.features != 26 and block == blocks - 1 for block in range(blocks)])[:, None]
    visible_frames = torch.where(
        is_lost[:, :, None] & ~speed, begin[:, :, None], frame_numbers[:, None]
    )  # a lost joint keeps its place
    moment = source_frames.gather(1, visible_frames.flatten(1)).view_as(visible_frames)

    mirrored = (flip < config.mirror) & (config.ranges is not None or config.features == 52)
    joint = torch.where(mirrored[:, None], torch.tensor(TWIN), torch.arange(JOINTS))[:, None, None]
    lean = config.skew * (2 * draws[:, 4:8].unflatten(1, (2, 2)) - 1)
    bend = torch.eye(2) + lean * torch.tensor([[0.5, 1.0], [1.0, 0.5]])
    size = torch.stack([torch.where(mirrored, -1.0, 1.0), torch.ones(len(x))], dim=1)
    size = size * (1 + config.scale * (2 * larger - 1))[:, None]
    bend = (size[..., None] * bend).to(dtype)

    low, span = _ranges(config, dtype)
    if config.features != 52:
        shares = low + x[:, :, 0] * span  # of the picture, where left and right and sizes mean something
        middle = shares.mean(dim=2, keepdim=True)
        x[:, :, 0] = shares - middle
        middle = middle[torch.arange(len(x))[:, None], source_frames]
        right = middle[..., :1]
        middle[..., :1] = torch.where(mirrored[:, None, None, None], 1 - right, right)
    indices = (moment * blocks + torch.arange(blocks)[:, None]) * JOINTS + joint
    x = (x.flatten(1, 3).gather(1, indices.flatten(1)[..., None].expand(-1, -1, 2)) @ bend).view_as(x)
    if config.features != 52:
        x[:, :, 0] = (middle + x[:, :, 0] - low) / span
    if config.features != 26:
        body = x[:, :, -1].mean(dim=2, keepdim=True)  # along with which a lost joint goes
        x[:, :, -1] = pace.to(dtype)[:, None, None, None] * torch.where(is_lost[..., None], body, x[:, :, -1])
    noise[:, :, : config.features != 52] *= TORSO
    return x.add_(noise, alpha=config.jitter).flatten(2)


def film_seldom(x: Tensor, every: Tensor, offset: Tensor, *, speeds: bool) -> Tensor:
    """Segments (B, T, blocks, 13, 2) as a camera sees them that brings a frame at every n-th tick from `offset` on.

    Between frames places lie on the straight way, and so the last block, where it holds `speeds`, has the mean of them.
    The ends of a segment, beyond which nothing is known, count as frames. `every` and `offset` are (B,) whole numbers.
    """
    ways = [_seldom_ways(x.shape[1], *rate) for rate in zip(every.tolist(), offset.tolist(), strict=True)]
    between, mean = (torch.stack(matrices).to(x.dtype) for matrices in zip(*ways, strict=True))
    places = (between @ x.flatten(2)).view_as(x)
    if speeds:
        places[:, :, -1] = (mean @ x[:, :, -1].flatten(2)).view_as(x[:, :, -1])
    return places


@cache
def _seldom_ways(length: int, every: int, offset: int) -> tuple[Tensor, Tensor]:
    """Returns (T, T) each: what takes places to those on the way between frames, and speeds to their means."""
    frames = sorted({0, *range(offset, length, every), length - 1})
    between, mean = torch.zeros(length, length), torch.zeros(length, length)
    between[0, 0] = mean[0, 0] = 1.0
    for before, after in pairwise(frames):
        for tick in range(before + 1, after + 1):
            share = (tick - before) / (after - before)
            between[tick, before], between[tick, after] = 1 - share, share
            mean[tick, before + 1 : after + 1] = 1 / (after - before)
    return between, mean


def _ranges(config: PoseConfig, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Where places in the picture begin, and how far they reach: (13, 2) each."""
    if config.ranges is None:
        return torch.zeros(JOINTS, 2, dtype=dtype), torch.ones(JOINTS, 2, dtype=dtype)
    low, high = torch.tensor(config.ranges, dtype=dtype).unflatten(0, (JOINTS, 2)).unbind(-1)
    return low, torch.where(high - low > 1e-4, high - low, 1.0)  # the scaler leaves still columns as they are, too
