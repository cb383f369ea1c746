"""Finds when something abnormal happens in a clip, having been told of whole clips only whether it does.

An I3D backbone (blocks/inception.py) makes features every `stride` frames; a temporal network looks at them over
several spans at once (dilated convolutions) and all together (self-attention), as in RTFM (Tian et al., ICCV 2021); a
head scores each step by itself, and gated attention (Ilse et al., ICML 2018) weighs the scores of the steps into that
of the clip: multiple-instance learning. It sees appearance and motion, and nothing beyond its clip.

Unless it is `causal`, a score knows what comes later in the clip.
"""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.models.blocks.inception import STAGES, Inception, adopt_weights
from vigil.models.blocks.layers import (
    Batch,
    Clip,
    Losses,
    Predictions,
    augment_per_sample,
    crop_clip,
    load_pretrained,
    mean_loss,
    relight_clip,
)

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, by which pictures come in normalised
Share = Annotated[float, Field(ge=0, le=1)]


class Config(Frozen):
    """Defaults are as published: I3D on 32 frames at 224 px; temporal network and loss weights of RTFM and Sultani."""

    frames: Annotated[int, Field(ge=8)] = 32  # T of a clip
    window: Annotated[int, Field(ge=8)] | None = None  # ticks over which they are spread; null: every one
    size: Annotated[int, Field(ge=32)] = 224  # px, side of the pictures
    background: Literal["keep", "remove", "change"] = "keep"  # remove: see motion, not scenes; better where training is
    # short; change: see what differs from the frame before
    width: Annotated[float, Field(gt=0, le=2)] = 1.0  # of the backbone's channels; published weights need 1
    end: str = "Mixed_5c"  # the backbone's last stage; below 112 px Mixed_4f sees more: steps of 16 px, not 32
    stride: Literal[2, 4, 8] = 8  # frames per step of the temporal head, at most; fewer see finer and cost more
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1  # of the newest batch in the batch norms' running statistics
    weights: str | None = None  # safetensors to start from, such as models/pretrained/i3d.safetensors; null: random
    freeze: str | None = None  # the last stage of the backbone that keeps its weights, such as Mixed_4f; null: none
    checkpointing: bool = False  # compute again in the backward pass instead of holding: a third slower, less memory
    dilations: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1, 2)  # steps
    heads: Annotated[int, Field(ge=1)] = 1  # of the self-attention
    hidden: Annotated[int, Field(ge=1)] = 128  # units of the head and of the attention that weighs the steps
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.7  # before the head
    causal: bool = False  # scores of a frame know no later frame
    anomaly: Annotated[float, Field(ge=0)] = 1.0  # a1, weight of the cross-entropy of the clip
    smoothness: Annotated[float, Field(ge=0)] = 2.56e-3  # a2, of squared steps between scores: 8e-5 on each of 32
    sparsity: Annotated[float, Field(ge=0)] = 2.56e-3  # a3, of the mean score: 8e-5 on each of 32
    flip: Share = 0.5  # share of training clips that are mirrored
    crop: Annotated[float, Field(ge=0, lt=1)] = 0.15  # of the side, cut away at most
    light: Share = 0.2  # of the contrast, and deviations of brightness, changed at most
    slower: Share = 0.0  # share of training clips that are seen as by a slower camera; see Clip


class Output(NamedTuple):
    """T' = steps of the temporal head."""

    video: Tensor  # (B,) logits
    frames: Tensor  # (B, T) logits, from the steps by interpolation; held where causal
    attention: Tensor  # (B, T'), sums to 1: what weighs the steps into the video's logit
    steps: Tensor  # (B, T') logits


class Model(nn.Module):
    gain: Tensor
    offset: Tensor

    def __init__(self, config: Config, classes: int = 2) -> None:
        super().__init__()
        if classes != 2:
            raise VigilError(f"i3d: {classes} classes; it tells normal from abnormal: give `classes` two entries.")
        for key, stage in (("end", config.end), ("freeze", config.freeze or config.end)):
            if stage not in STAGES:
                raise VigilError(
                    f"models.i3d.{key} = {stage!r}: no stage of the backbone. Known: {', '.join(STAGES)}."
                    f"{near_miss(stage, STAGES)}"
                )
        self.config = config
        self.clip = Clip(config.frames, config.window, size=config.size, layout="cthw", slower=config.slower)
        self.backbone = Inception(
            config.width,
            end=config.end,
            stride=config.stride,
            causal=config.causal,
            momentum=config.momentum,
            frozen=config.freeze,
            recompute=config.checkpointing,
        )
        channels = self.backbone.channels
        self.temporal = Temporal(channels, config.dilations, config.heads, causal=config.causal)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(channels, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, 1),
        )
        self.attention = Attention(channels, config.hidden)
        # The backbone's weights are for pictures in -1..1: 2 (x deviation + mean) - 1.
        self.register_buffer("gain", 2 * torch.tensor(DEVIATION).view(3, 1, 1, 1), persistent=False)
        self.register_buffer("offset", 2 * torch.tensor(MEAN).view(3, 1, 1, 1) - 1, persistent=False)

    def initialise(self) -> str | None:
        """Takes over `weights` and returns a line that says so. For training alone: a trained model brings its own."""
        self._refuse_far_dilations()
        if self.config.weights is None:
            return None
        path = Path(self.config.weights)
        tensors = load_pretrained(
            path,
            "models.i3d.weights",
            if_missing="Give stage `weights` a URL or path (weights.i3d)",
            if_broken="Published .pt files are converted by stage `weights` (weights.i3d in params.yaml)",
        )
        return f"i3d: {adopt_weights(self.backbone, tensors, str(path))}"

    def _refuse_far_dilations(self) -> None:
        """Raises VigilError where a layer of the pyramid looks past both ends of the clip from every step."""
        stride, frames = self.backbone.stride, self.config.frames
        steps = -(-frames // stride)
        if far := [dilation for dilation in self.config.dilations if dilation >= steps]:
            raise VigilError(
                f"models.i3d.dilations = {list(self.config.dilations)}: a clip of {frames} frames has {steps} steps of "
                f"{stride} frames, so {' and '.join(map(str, far))} would see no step but its own. Leave that out, or "
                "give models.i3d more `frames` or a smaller `stride`."
            )

    def forward(self, clips: Tensor) -> Output:
        """(B, 3, T, H, W), ImageNet-normalised; any T >= 8, any H, W >= 32."""
        length, stride = clips.shape[2], self.backbone.stride
        padding = (1 - length) % stride if self.config.causal else 0
        if padding:  # so that the last step sees the last frame; there the first picture stands still
            clips = torch.cat([clips[:, :, :1].expand(-1, -1, padding, -1, -1), clips], dim=2)
        maps = self.backbone(self._make_view(clips))  # (B, D, T', h, w)
        features = self.temporal(maps.mean(dim=(3, 4)).transpose(1, 2))  # (B, T', D)
        steps = self.head(features).squeeze(-1)  # (B, T')
        attention = self.attention(features)  # (B, T')
        if self.config.causal:
            frames = steps.repeat_interleave(stride, dim=1)
        else:
            frames = F.interpolate(steps[:, None], scale_factor=stride, mode="linear")[:, 0]
        return Output((attention * steps).sum(dim=1), frames[:, padding : padding + length], attention, steps)

    def _make_view(self, clips: Tensor) -> Tensor:
        """Returns (B, 3, T, H, W): what the backbone sees of the pictures."""
        if self.config.background == "keep":
            return torch.addcmul(self.offset, clips, self.gain)
        if self.config.background == "change":
            return torch.diff(clips, dim=2, prepend=clips[:, :, :1]) * self.gain
        return (clips - self._background(clips)) * self.gain

    def _background(self, clips: Tensor) -> Tensor:
        """Returns the mean picture of the clip; where causal, of its frames so far."""
        if not self.config.causal:
            return clips.mean(dim=2, keepdim=True)
        count = torch.arange(1, clips.shape[2] + 1, device=clips.device).view(-1, 1, 1)
        return clips.cumsum(dim=2) / count

    def loss(self, output: Output, batch: Batch, weight: Tensor | None = None) -> Losses:
        """Returns the cross-entropy of the clip, and terms that keep the scores of its steps even and low."""
        y = batch["y"].long()
        sample_losses = F.binary_cross_entropy_with_logits(output.video, y.to(output.video.dtype), reduction="none")
        anomaly = mean_loss(sample_losses, y, weight)
        scores = output.steps.sigmoid()
        smoothness = scores.diff(dim=1).square().sum(dim=1).mean() / max(1, scores.shape[1] - 1)
        sparsity = scores.mean()
        weights = self.config
        loss = weights.anomaly * anomaly + weights.smoothness * smoothness + weights.sparsity * sparsity
        return {"loss": loss, "anomaly": anomaly, "smoothness": smoothness, "sparsity": sparsity}

    def odds(self, output: Output) -> Tensor:
        """Returns (B,) the logit of the clip."""
        return output.video

    @torch.no_grad()
    def judge(self, output: Output, x: Tensor) -> Predictions:
        """Returns the logits of clip and frames, and what each frame weighed."""
        length, stride = x.shape[2], self.backbone.stride
        padding = (1 - length) % stride if self.config.causal else 0
        attention = output.attention.repeat_interleave(stride, dim=1)[:, padding : padding + length]
        attention = attention / attention.sum(dim=1, keepdim=True).clamp_min(1e-8)
        return {"window": output.video, "frames": output.frames, "attention": attention}

    @augment_per_sample
    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mirrors, crops and relights one clip (3, T, H, W), all frames alike."""
        flip, side, down, right, gain, shift = torch.rand(6, generator=generator).tolist()
        x, _, _ = crop_clip(x, self.config.crop * side, down, right)
        if flip < self.config.flip:
            x = x.flip(-1)
        return relight_clip(x, self.config.light, gain, shift), y


class Temporal(nn.Module):
    """The multi-scale temporal network: (B, T', D) -> (B, T', D), each step knowing of the others around it."""

    def __init__(self, channels: int, dilations: tuple[int, ...], heads: int, *, causal: bool) -> None:
        super().__init__()
        inner = max(1, channels // 4 // heads) * heads
        self.heads, self.causal = heads, causal
        self.enter = nn.LayerNorm(channels)
        self.pyramid = nn.ModuleList(TemporalConv(channels, inner, dilation, causal=causal) for dilation in dilations)
        self.look = nn.Linear(channels, 3 * inner, bias=False)  # softmax does not see a bias of the keys
        self.said = nn.Linear(inner, inner)
        self.merge = TemporalConv((len(dilations) + 1) * inner, channels, 1, causal=causal)
        self.leave = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        x = self.enter(features)
        spans = [F.relu(layer(x)) for layer in self.pyramid]  # (B, T', inner) each
        query, key, value = (
            chunk.unflatten(-1, (self.heads, -1)).transpose(1, 2) for chunk in self.look(x).chunk(3, -1)
        )
        attended = F.scaled_dot_product_attention(
            query, key, value, is_causal=self.causal
        )  # (B, heads, T', inner / heads)
        spans.append(self.said(attended.transpose(1, 2).flatten(2)))
        return self.leave(x + F.relu(self.merge(torch.cat(spans, dim=-1))))


class TemporalConv(nn.Module):
    """A convolution of three steps along time, `dilation` apart, over (B, T', channels)."""

    def __init__(self, channels: int, out: int, dilation: int, *, causal: bool) -> None:
        super().__init__()
        self.pads = (2 * dilation, 0) if causal else (dilation, dilation)
        self.conv = nn.Conv1d(channels, out, 3, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x.transpose(1, 2), self.pads)).transpose(1, 2)


class Attention(nn.Module):
    """(B, T', D) -> (B, T') >= 0 that sum to 1."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.what, self.gate, self.score = (
            nn.Linear(channels, hidden),
            nn.Linear(channels, hidden),
            nn.Linear(hidden, 1, bias=False),  # softmax sees no bias,
        )

    def forward(self, features: Tensor) -> Tensor:
        gated = torch.tanh(self.what(features)) * torch.sigmoid(self.gate(features))
        return self.score(gated).squeeze(-1).softmax(dim=1)
