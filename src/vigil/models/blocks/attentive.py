"""The network of the gate and of the model that names the crime: it sees some frames of a few seconds.

3-D convolutions keep every frame apart in time while they shrink the picture; temporal attention weighs the frames.
"""

from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.core.params import Frozen
from vigil.models.blocks.layers import (
    Batch,
    Clip,
    Losses,
    augment_per_sample,
    crop_clip,
    mean_loss,
    relight_clip,
    stretch_excerpt,
)

Share = Annotated[float, Field(ge=0, le=1)]
Width = Annotated[int, Field(ge=1)]


class AttentiveConfig(Frozen):
    """Which frames are seen, how large the network is, and how training changes a clip."""

    frames: Annotated[int, Field(ge=2)] = 16  # T
    window_s: Annotated[float, Field(gt=0)] = 8.0  # s, over which the frames are spread; a shorter video gives all
    size: Annotated[int, Field(ge=32)] = 112  # px, side of the pictures
    channels: Annotated[tuple[Width, ...], Field(min_length=1)] = (32, 64, 128, 256)  # each halves the picture
    see: Literal["pictures", "motion", "both", "change"] = "pictures"  # motion: what differs from the clip's mean
    # picture; both: pictures and motion; change: what differs from the frame seen before
    pool: Literal["mean", "max"] = "mean"  # of the places of a frame; max: the strongest alone, for small people
    hidden: Annotated[int, Field(ge=1)] = 128  # units of the attention
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5  # before the head
    flip: Share = 0.5  # share of training clips that are mirrored
    crop: Annotated[float, Field(ge=0, lt=1)] = 0.2  # of the side, cut away at most
    light: Share = 0.2  # of the contrast, and deviations of brightness, changed at most
    slow: Annotated[float, Field(ge=0, lt=1)] = 0.2  # of the clip's length, left out at most: the rest plays slower


class Output(NamedTuple):
    logits: Tensor  # (B, classes)
    attention: Tensor  # (B, T), sums to 1


class Network(nn.Module):
    """(B, 3, T, H, W) -> Output; any T, any H and W that the halvings leave something of."""

    def __init__(self, config: AttentiveConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.clip = Clip(config.frames, window_s=config.window_s, size=config.size, layout="cthw")
        widths = (6 if config.see == "both" else 3, *config.channels)
        self.backbone = nn.Sequential(*(Halving(before, after) for before, after in pairwise(widths)))
        self.attention = nn.Sequential(
            nn.Linear(widths[-1], config.hidden),
            nn.Tanh(),
            nn.Linear(config.hidden, 1, bias=False),  # softmax sees no bias
        )
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(widths[-1], classes))

    def forward(self, clips: Tensor) -> Output:
        maps = self.backbone(self._make_view(clips))  # (B, D, T, h, w)
        pooled = maps.amax(dim=(3, 4)) if self.config.pool == "max" else maps.mean(dim=(3, 4))
        features = pooled.transpose(1, 2)  # (B, T, D)
        attention = self.attention(features).squeeze(-1).softmax(dim=1)  # (B, T)
        return Output(self.head((attention[..., None] * features).sum(dim=1)), attention)

    def _make_view(self, clips: Tensor) -> Tensor:
        """Returns (B, 3 or 6, T, H, W): what the network sees of the pictures."""
        if self.config.see == "pictures":
            return clips
        if self.config.see == "change":
            return torch.diff(clips, dim=2, prepend=clips[:, :, :1])
        motion = clips - clips.mean(dim=2, keepdim=True)
        return motion if self.config.see == "motion" else torch.cat([clips, motion], dim=1)

    def loss(self, output: Output, batch: Batch, weight: Tensor | None = None) -> Losses:
        """Returns the cross-entropy; `weight` (classes,) makes up for rare classes."""
        y = batch["y"].long()
        return {"loss": mean_loss(F.cross_entropy(output.logits, y, reduction="none"), y, weight)}

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Crops, mirrors, relights and slows one clip (3, T, H, W), all frames alike."""
        flip, side, down, right, gain, shift, slower, later = torch.rand(8, generator=generator).tolist()
        x = x[:, stretch_excerpt(x.shape[1], self.config.slow * slower, later)]
        x, _, _ = crop_clip(x, self.config.crop * side, down, right)
        if flip < self.config.flip:
            x = x.flip(-1)
        return relight_clip(x, self.config.light, gain, shift), y


class Halving(nn.Module):
    """A convolution over 3 frames and 3x3 px that halves the picture and leaves the frames.

    Normalised per batch and not per clip: how strong the motion of a clip is must not be lost.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.halve = nn.Conv3d(before, after, 3, stride=(1, 2, 2), padding=1, bias=False)
        self.norm = nn.BatchNorm3d(after)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.halve(x)))
