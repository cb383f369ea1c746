"""Draws what it sees again, having learnt on normal motion alone: what it cannot draw is abnormal.

It sees optical flow and where people are, and neither faces nor scenery. What it has not learnt it must not be able to
draw: a narrow middle layer cannot copy. The error is the mean over the picture, in which one person far from the camera
hardly counts, or the mean over the people (`where`), so that it says how unusually they move and not how many they are.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.models.blocks.convlstm import ConvLSTM, Kernel, State
from vigil.models.blocks.layers import Batch, Clip, Losses, Predictions, augment_per_sample, crop_clip

PLANES = 3  # dx, dy, people
CELLS = 8  # maps of the error are this many cells to a side
NOBODY = 0.02  # mean of the people's plane below which an error counts little: there may be nobody
Share = Annotated[float, Field(ge=0, lt=1)]


class Memory(NamedTuple):
    """What the model remembers of a stream."""

    layers: tuple[State | None, ...]
    frame: Tensor  # (B, 1, 3, H, W) the last one seen


class Config(Frozen):
    """The published autoencoder. Light: hidden [16, 32, 16]; strong: [64, 128, 64]; any list will do."""

    hidden: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (32, 64, 32)  # of the encoder
    kernel: Kernel = 3  # px, side of the convolutions
    frames: Annotated[int, Field(ge=2)] = 16  # T, ticks of a training window; scores begin after as many
    size: Annotated[int, Field(ge=8)] = 64  # px, that of the flow
    stem: Literal[1, 2, 4] = 1  # px; 1: the original. 2, 4: squares of 2x2, 4x4 px as one, 4, 16 x less work
    where: Literal["picture", "people"] = "picture"  # errors are averaged over: all of it, or those who are in it
    foresee: bool = False  # draw each frame before it is seen; the original sees it, and may learn to copy
    members: Annotated[int, Field(ge=1)] = 1  # trained from as many seeds; their errors are averaged
    crop: Share = 0.2  # of the side, cut away at most in training
    flip: Annotated[float, Field(ge=0, le=1)] = 0.5  # share of training windows that are mirrored
    speed: Share = 0.2  # by which motion is made faster or slower at most, at the same moments
    pace: Share = 0.0  # by which time runs faster or slower at most: other moments, and motion to match; see Clip
    noise: Annotated[float, Field(ge=0)] = 0.01  # deviation of what is added, of the full scale
    slower: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of training windows seen as by a slower camera; see Clip


class Model(nn.Module):
    def __init__(self, config: Config, classes: int = 2) -> None:  # noqa: ARG002  as every model: it learns one of them
        super().__init__()
        if config.size % config.stem:
            raise VigilError(f"models.panic.stem = {config.stem}: does not divide size {config.size}. Take 1, 2 or 4.")
        self.config = config
        self.clip = Clip(config.frames, size=config.size, target="itself", slower=config.slower, pace=config.pace)
        planes = PLANES * config.stem**2
        widths = (planes, *config.hidden, *reversed(config.hidden[:-1]))  # 3-32-64-32, and 32-64-32 to draw ...
        self.layers = nn.ModuleList(ConvLSTM(before, after, config.kernel) for before, after in pairwise(widths))
        self.drawing = nn.Conv2d(widths[-1], planes, config.kernel, padding="same")  # ... -3

    def forward(self, clip: Tensor) -> Tensor:
        """Draws (B, T, 3, H, W) again, each frame from itself and those before it; `foresee`: from those before it."""
        return self._reconstruct(clip, None)[0]

    def compile(self, *_: Any, **__: Any) -> None:
        """Compiles what is worth it, as training asks for where there is a compiler; see ConvLSTM."""
        for layer in self.layers:
            layer.compile()

    def loss(self, output: Tensor, batch: Batch, weight: Tensor | None = None) -> Losses:  # noqa: ARG002
        """Returns the mean square error."""
        return {"loss": F.mse_loss(output, batch["x"])}

    @torch.no_grad()
    def judge(self, output: Tensor, x: Tensor) -> Predictions:
        """Returns the mean square error of each frame, and of each cell of the newest; see `where`."""
        return self._judge_errors(output, x)

    @torch.no_grad()
    def step(self, frame: Tensor, memory: Memory | None) -> tuple[Predictions, Memory]:
        """Judges the newest frame (B, 3, H, W) of a stream, with all that came before in mind."""
        clip = frame[:, None]
        reconstruction, memory = self._reconstruct(clip, memory)
        return self._judge_errors(reconstruction, clip), memory

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Crops, mirrors, speeds up or slows down one window (T, 3, H, W), and adds noise; all frames alike."""
        flip, side, down, right, faster = torch.rand(5, generator=generator).tolist()
        gain = 1 + self.config.speed * (2 * faster - 1)
        x, taller, wider = crop_clip(x, self.config.crop * side, down, right)
        scale = torch.tensor([gain * wider, gain * taller, 1.0])  # nearer is faster
        x = x * scale[:, None, None]
        if flip < self.config.flip:
            x = x.flip(-1) * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
        if self.config.noise:
            x = x + self.config.noise * torch.randn(x.shape, generator=generator)
        return x.clamp(-1, 1), y

    def _reconstruct(self, clip: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        visible = clip
        if self.config.foresee:
            previous = torch.zeros_like(clip[:, :1]) if memory is None else memory.frame
            visible = torch.cat([previous, clip[:, :-1]], dim=1)
        maps = F.pixel_unshuffle(visible, self.config.stem)
        states: list[State | None] = []
        for layer, state in zip(self.layers, memory.layers if memory else [None] * len(self.layers), strict=True):
            maps, last = layer(maps, state)  # (B, T, hidden, H / stem, W / stem)
            states.append(last)
        reconstruction = self.drawing(maps.flatten(0, 1)).unflatten(0, clip.shape[:2])
        return F.pixel_shuffle(reconstruction, self.config.stem), Memory(tuple(states), clip[:, -1:])

    def _judge_errors(self, reconstruction: Tensor, clip: Tensor) -> Predictions:
        errors = (reconstruction.float() - clip.float()).square().mean(dim=2)  # (B, T, H, W)
        if self.config.where == "people":
            people = clip[:, :, 2].float()
            errors = errors * people / (people.mean(dim=(2, 3), keepdim=True) + NOBODY)
        frames = errors.mean(dim=(2, 3))
        return {
            "window": frames.mean(dim=1),
            "frames": frames,
            "cells": F.adaptive_avg_pool2d(errors[:, -1:], CELLS)[:, 0],
        }
