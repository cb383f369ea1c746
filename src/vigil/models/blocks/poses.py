"""Shared by the models of body landmarks: the columns they read, and augmentation.

The columns are those of stage `segments` (segments.normalise), see features/segments/columns.py:

    26  minmax    places in the picture, each column scaled to its range in the training split
    67  body      places from the middle of the hips, then speeds, both in torso lengths; which joints were seen; the
                  distance of the nearest other person and how fast the two close in
    93  both      the 26, then the 67

A body becomes signals first (pose_signals.py), after augmentation, so that angles are those of the changed body.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import pi
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from vigil.core.params import Frozen
from vigil.models.blocks.classifier import Classifier
from vigil.models.blocks.layers import SLOWEST, Clip, Generators, Standardise
from vigil.models.blocks.pose_signals import BODY, JOINTS, PAIRS, SIGNALS, describe_body

OPPOSITE = dict(PAIRS) | {right: left for left, right in PAIRS}
TWIN = tuple(OPPOSITE.get(joint, joint) for joint in range(JOINTS))  # the joint on the other side
TORSO = 0.15  # of the picture, about what a torso measures: noise in torso lengths as noise in the picture
COORDINATES = 2 * JOINTS  # columns: x and y of each joint

Width = Annotated[int, Field(ge=1)]
Range = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]


class PoseConfig(Frozen):
    """Which columns a pose model reads, and how training changes them."""

    frames: Width = 16  # T
    features: Literal[26, 67, 93] = 67  # columns, as the segments have them; stage `train` sets it
    # Ranges of the 26 places in the picture (scaler.json), which stage `train` sets too.
    ranges: Annotated[tuple[Range, ...], Field(min_length=COORDINATES, max_length=COORDINATES)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3  # before the head
    mirror: Share = 0.5  # share of training segments that are mirrored; places in the picture need `ranges` for it
    jitter: Annotated[float, Field(ge=0)] = 0.02  # torso lengths, deviation of noise on every coordinate
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1  # a body is made larger or smaller by as much at most
    skew: Share = 0.0  # of one side that the other leans by, and half of it in length, at most: as other cameras see it
    slow: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the segment left out at most; the rest plays slower
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.0  # by which a part plays faster, and another slower, at most
    drop: Share = 0.02  # share of the joints that are lost for a while, and then go along with the body
    slower: Share = 0.0  # share of training segments that are seen as by a camera of half or a third of the rate


class PoseModel(Classifier):
    """The common part of the pose models. Each adds its layers and forward, (B, T, F) -> (B, classes); any T >= 1."""

    def __init__(self, name: str, config: PoseConfig, classes: int) -> None:
        super().__init__(name, classes)
        self.clip = Clip(config.frames)
        self.config = config
        self.signals = config.features if config.features == COORDINATES else config.features - BODY + SIGNALS
        self.norm = Standardise(self.signals)

    def standard_signals(self, segments: Tensor) -> Tensor:
        """Returns (B, T, signals): the body's signals, and positions in the picture if there are, standardised."""
        if self.config.features != COORDINATES:
            positions, body = segments.split([self.config.features - BODY, BODY], dim=2)
            segments = torch.cat([positions, describe_body(body)], dim=2)
        return self.norm(segments.flatten(0, 1)).view_as(segments)

    def augment(self, xs: Sequence[Tensor], ys: Sequence[Tensor], generators: Generators) -> tuple[Tensor, Tensor]:
        """Changes segments as the config says; returns them (B, T, F) and their classes (B,)."""
        return augment_poses(xs, self.config, generators), torch.stack(list(ys))


def pool_time(states: Tensor) -> Tensor:
    """Pools (B, T, hidden) to (B, 2 hidden): the mean over time and the maximum."""
    return torch.cat([states.mean(dim=1), states.amax(dim=1)], dim=1)


def augment_poses(xs: Sequence[Tensor], config: PoseConfig, generators: Generators) -> Tensor:
    """Makes segments (T, F) seldom filmed, mirrored, larger, smaller, leaning, slower, warped, trembling, incomplete.

    They are changed all at once, (B, T, F), since a single one is too little work for what each call of torch costs.
    """
    x = torch.stack(list(xs))
    length, dtype, batch = x.shape[1], x.dtype, torch.arange(len(x))[:, None]
    draws = torch.stack([torch.rand(13 + 3 * JOINTS, generator=generator) for generator in generators])
    has_body = config.features != COORDINATES
    if config.slower:
        x = film_seldom(x, *_draw_cameras(config, draws[:, -3:]))
    sizes = [x.shape[2] // COORDINATES * COORDINATES, x.shape[2] % COORDINATES]
    x, attributes = (columns.clone() for columns in x.split(sizes, dim=2))  # attributes: visibility and neighbour
    x = x.unflatten(2, (-1, JOINTS, 2))
    blocks = x.shape[2]
    noise = torch.stack([torch.randn(x.shape[1:], generator=generator) for generator in generators]).to(dtype)
    flip, larger, slower, later = draws[:, :4].double().unbind(1)

    is_lost, last_visible = _draw_losses(config, draws[:, 10:-3], length)
    source_frames, pace = _warp_time(
        length, 1 - config.slow * slower, later, config.warp * draws[:, 8].double(), draws[:, 9].double()
    )
    speed = torch.tensor([has_body and block == blocks - 1 for block in range(blocks)])[:, None]
    frame_numbers = torch.arange(length)[:, None]
    # A lost joint stays where it was last visible.
    visible_frames = torch.where(is_lost[:, :, None] & ~speed, last_visible[:, :, None], frame_numbers[:, None])
    moment = source_frames.gather(1, visible_frames.flatten(1)).view_as(visible_frames)

    mirrored = (flip < config.mirror) & (config.ranges is not None or config.features == BODY)
    joint = torch.where(mirrored[:, None], torch.tensor(TWIN), torch.arange(JOINTS))  # (B, 13)
    growth = 1 + config.scale * (2 * larger - 1)
    bend = _make_bends(config, draws[:, 4:8], mirrored, growth).to(dtype)

    low, span = _read_ranges(config, dtype)
    if config.features != BODY:
        shares = low + x[:, :, 0] * span  # of the picture, where left and right and sizes mean something
        middle = shares.mean(dim=2, keepdim=True)
        x[:, :, 0] = shares - middle
        middle = middle[batch, source_frames]
        right = middle[..., :1]
        middle[..., :1] = torch.where(mirrored[:, None, None, None], 1 - right, right)
    indices = (moment * blocks + torch.arange(blocks)[:, None]) * JOINTS + joint[:, None, None]
    x = (x.flatten(1, 3).gather(1, indices.flatten(1)[..., None].expand(-1, -1, 2)) @ bend).view_as(x)
    if config.features != BODY:
        x[:, :, 0] = (middle + x[:, :, 0] - low) / span
    if has_body:
        body = x[:, :, -1].mean(dim=2, keepdim=True)  # along with which a lost joint goes
        x[:, :, -1] = pace.to(dtype)[..., None, None] * torch.where(is_lost[..., None], body, x[:, :, -1])
        attributes = attributes[batch, source_frames]
        visibility = attributes[..., :JOINTS].gather(2, joint[:, None].expand(-1, length, -1)).masked_fill(is_lost, 0.0)
        neighbour = attributes[..., JOINTS:] * growth.to(dtype)[:, None, None]
        neighbour[..., 1] *= pace.to(dtype)
        attributes = torch.cat([visibility, neighbour], dim=2)
    noise[:, :, : config.features != BODY] *= TORSO
    return torch.cat([x.add_(noise, alpha=config.jitter).flatten(2), attributes], dim=2)


def _draw_cameras(config: PoseConfig, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Returns of each segment (B,) how many ticks its camera takes for a frame, and the tick of the first frame.

    `draws` (B, 3) are numbers 0..1.
    """
    camera, rate, offset = draws.unbind(1)
    every = torch.where(camera < config.slower, 2 + (rate * (SLOWEST - 1)).long(), 1)
    return every, (offset * every).long()


def _draw_losses(config: PoseConfig, draws: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Returns whether each joint is lost (B, T, 13), and the last frame before (B, 1, 13); `draws` (B, 39) are 0..1."""
    lost, begin, lasts = draws[:, None].split(JOINTS, dim=2)
    last_visible = (begin * length).long()
    last_lost = last_visible + (lasts * (length - last_visible + 1)).long()
    frame_numbers = torch.arange(length)[:, None]
    return (lost < config.drop) & (frame_numbers > last_visible) & (frame_numbers <= last_lost), last_visible


def _make_bends(config: PoseConfig, draws: Tensor, mirrored: Tensor, growth: Tensor) -> Tensor:
    """Returns (B, 2, 2): what mirrors, enlarges and leans a body; `draws` (B, 4) are 0..1."""
    lean = config.skew * (2 * draws.unflatten(1, (2, 2)) - 1)
    bend = torch.eye(2) + lean * torch.tensor([[0.5, 1.0], [1.0, 0.5]])
    sides = torch.stack([torch.where(mirrored, -1.0, 1.0), torch.ones(len(draws))], dim=1)
    return (sides * growth[:, None])[..., None] * bend


def _warp_time(length: int, pace: Tensor, later: Tensor, warp: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
    """Returns which frame is shown at each tick, and how fast time runs there: (B, T) each, of `pace`, ... (B,).

    A share `pace` of the segment is played; it starts `later`, 0..1. Within it time swings around that pace by `warp`:
    it runs faster and then slower, and the ends stay where they are.
    """
    share = torch.arange(length, dtype=torch.float64)[None] / max(length - 1, 1)
    turn, start, warp = 2 * pi * (share + phase[:, None]), 2 * pi * phase[:, None], warp[:, None]
    swung = share + warp * (turn.sin() - start.sin()) / (2 * pi)
    frames = length * (later * (1 - pace))[:, None] + pace[:, None] * (length - 1) * swung
    return (frames + 1e-6).long().clamp(0, length - 1), pace[:, None] * (1 + warp * turn.cos())


def film_seldom(x: Tensor, every: Tensor, offset: Tensor) -> Tensor:
    """Returns segments (B, T, F) as a camera sees them that brings a frame at every n-th tick from `offset` on.

    Between frames positions and distances are interpolated, speeds are means, and the visibility of joints is that of
    the next frame. Beyond its ends nothing is known of a segment, so they count as frames. `every` and `offset` are
    (B,) whole numbers.
    """
    weights = [_seldom_weights(x.shape[1], *rate) for rate in zip(every.tolist(), offset.tolist(), strict=True)]
    between, mean, newest = (torch.stack(matrices).to(x.dtype) for matrices in zip(*weights, strict=True))
    if x.shape[2] == COORDINATES:
        return between @ x
    sizes = [x.shape[2] - BODY + COORDINATES, COORDINATES, JOINTS, 1, 1]
    positions, speeds, visibility, distance, closing = x.split(sizes, dim=2)
    return torch.cat(
        [between @ positions, mean @ speeds, newest @ visibility, between @ distance, mean @ closing], dim=2
    )


@cache
def _seldom_weights(length: int, every: int, offset: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns matrices (T, T) of weights: to interpolate, for the mean since the frame before, to take the next frame.

    The frames are those of a camera that brings a frame at every n-th tick.
    """
    frames = sorted({0, *range(offset, length, every), length - 1})
    between, mean, newest = torch.zeros(3, length, length)
    between[0, 0] = mean[0, 0] = newest[0, 0] = 1.0
    for before, after in pairwise(frames):
        for tick in range(before + 1, after + 1):
            share = (tick - before) / (after - before)
            between[tick, before], between[tick, after] = 1 - share, share
            mean[tick, before + 1 : after + 1] = 1 / (after - before)
            newest[tick, after] = 1.0
    return between, mean, newest


def _read_ranges(config: PoseConfig, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Returns where places in the picture begin, and how far they reach: (13, 2) each."""
    if config.ranges is None:
        return torch.zeros(JOINTS, 2, dtype=dtype), torch.ones(JOINTS, 2, dtype=dtype)
    low, high = torch.tensor(config.ranges, dtype=dtype).unflatten(0, (JOINTS, 2)).unbind(-1)
    return low, torch.where(high - low > 1e-4, high - low, 1.0)  # the scaler leaves still columns as they are, too
