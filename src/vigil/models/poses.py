"""What the models of body landmarks share: the columns they read, the loss, the verdict, and augmentation.

The columns come in blocks of 13 joints x (x, y), as stage `segments` writes them (segments.normalise):

    26  minmax    places in the picture, each column scaled to its range in the training split
    52  body      places from the middle of the hips, then speeds, both in torso lengths
    78  both      the 26, then the 52
"""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import Field
from torch import Tensor, nn

from vigil.errors import VigilError
from vigil.models.layers import Batch, Clip, Judged, Losses, balanced
from vigil.params import Frozen

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


class Columns(Frozen):
    """The fields that say what comes in, and how training changes it."""

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


class PoseModel(nn.Module):
    """What is the same of all: a network adds the layers and forward, (B, T, F) -> (B, classes) logits; any T >= 1."""

    def __init__(self, name: str, config: Columns, classes: int) -> None:
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
        return {"loss": balanced(F.cross_entropy(output, y, reduction="none"), y, weight)}

    @torch.no_grad()
    def judge(self, output: Tensor, x: Tensor) -> Judged:  # noqa: ARG002  as every model
        """How much more likely (log odds) any abnormal class is than class 0, and the logits of all."""
        return {"window": output[:, 1:].logsumexp(dim=1) - output[:, 0], "classes": output}

    def augment(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return augment(x, self.config, generator), y


def augment(x: Tensor, columns: Columns, generator: torch.Generator) -> Tensor:
    """One segment (T, F): mirrored, larger or smaller, leaning, slower, some joints lost, all trembling."""
    flip, larger, slower, later = torch.rand(4, generator=generator).tolist()
    length, part = len(x), 1 - columns.slow * slower
    x = x[[int(length * later * (1 - part) + part * number) for number in range(length)]]
    lean = columns.skew * (2 * torch.rand(2, 2, generator=generator) - 1)
    bend = (1 + columns.scale * (2 * larger - 1)) * (torch.eye(2) + lean * torch.tensor([[0.5, 1.0], [1.0, 0.5]]))
    bend = bend.to(x.dtype)
    lost = torch.rand(JOINTS, generator=generator) < columns.drop
    begin = (torch.rand(JOINTS, generator=generator) * length).long()  # the last frame in which it was found
    last = begin + (torch.rand(JOINTS, generator=generator) * (length - begin + 1)).long()
    noise = torch.randn(x.shape, generator=generator).to(x.dtype) * columns.jitter
    time = torch.arange(length)[:, None]
    held = torch.where(lost & (time > begin) & (time <= last), begin, time)  # (T, 13): the frame that is shown
    parts, blocks, noises = [], list(x.unflatten(1, (-1, JOINTS, 2)).unbind(1)), noise.unflatten(1, (-1, JOINTS, 2))
    flip_places = columns.ranges is not None or columns.features == 52
    mirrored = flip < columns.mirror and flip_places
    if columns.features != 52:
        parts.append(_in_picture(blocks.pop(0), columns.ranges, held, bend, mirrored) + TORSO * noises[:, 0])
    if columns.features != 26:
        places, speeds = blocks[0], part * blocks[1]
        body = speeds.mean(dim=1, keepdim=True).expand_as(speeds)  # a joint that is lost goes along with the others
        speeds = torch.where((held != time)[..., None], body, speeds)
        for block, own in zip((_shown(places, held), speeds), noises.unbind(1)[-2:], strict=True):
            turned = _twins(block) * block.new_tensor([-1.0, 1.0]) if mirrored else block
            parts.append(turned @ bend + own)
    return torch.stack(parts, dim=1).flatten(1)


def _in_picture(block: Tensor, ranges: tuple[Range, ...] | None, held: Tensor, bend: Tensor, mirrored: bool) -> Tensor:
    """Places (T, 13, 2): scaled back to shares of the picture, where left and right and sizes mean something."""
    low, span = block.new_zeros(JOINTS, 2), block.new_ones(JOINTS, 2)
    if ranges is not None:
        low, high = block.new_tensor(ranges).unflatten(0, (JOINTS, 2)).unbind(-1)
        span = torch.where(high - low > 1e-4, high - low, 1.0)  # as the scaler has it: who never moved is not scaled
    shares = low + block * span
    middle = shares.mean(dim=1, keepdim=True)
    shares = middle + _shown(shares - middle, held) @ bend
    if mirrored:
        shares = _twins(shares)
        shares = torch.stack([1 - shares[..., 0], shares[..., 1]], dim=-1)
    return (shares - low) / span


def _shown(block: Tensor, held: Tensor) -> Tensor:
    """(T, 13, 2) with each joint as in the frame that `held` (T, 13) names."""
    return block.gather(0, held[..., None].expand_as(block))


def _twins(block: Tensor) -> Tensor:
    return block[:, list(TWIN)]
