"""What a body does, out of the columns of a segment: angles, heights, spreads and speeds that are the same for every
camera that looks from about as high, and the same for a person and that person in a mirror.

Of each pair of joints comes the larger value first and then the smaller, whichever side it is of. What is not a
fraction of the body's own torso is not in them: neither places in the picture nor sizes.
"""

import torch
from torch import Tensor

JOINTS = 13
BODY = 26 + 26 + JOINTS + 2  # columns: positions, speeds, visibility, nearest person; see features/segments/columns.py
PAIRS = ((0, 3), (1, 4), (2, 5), (6, 9), (7, 10), (8, 11))  # left and right shoulder, elbow, wrist, hip, knee, ankle
SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE = range(len(PAIRS))  # of PAIRS
HEAD = 12
ANGLES = ((SHOULDER, ELBOW, WRIST), (HIP, KNEE, ANKLE), (SHOULDER, HIP, KNEE), (HIP, SHOULDER, ELBOW))
LIMBS = (WRIST, ELBOW, ANKLE, KNEE)
SIGNALS = 65


def describe_body(body: Tensor) -> Tensor:
    """Turns (B, T, 67) columns of a body into (B, T, 65) signals."""
    positions, speeds = (body[..., first : first + 26].unflatten(-1, (JOINTS, 2)) for first in (0, 26))
    visibility, neighbour = body[..., 52 : 52 + JOINTS], body[..., 52 + JOINTS :]
    sides = positions[..., list(PAIRS), :]  # (B, T, 6, 2, 2): pair, side, x and y
    body_speed = speeds[..., list(PAIRS[HIP]), :].mean(dim=-2)  # (B, T, 2)
    signals = [
        _sort_sides(_cosines(sides)),
        _torso(sides, positions[..., HEAD, :]),
        *_limbs(sides),
        _sort_sides(_lengths(sides[..., WRIST, :, :] - positions[..., HEAD, None, :])),
        _extent(positions, sides),
        torch.stack([_lengths(body_speed), body_speed[..., 0].abs(), body_speed[..., 1]], dim=-1),
        *_relative_speeds(speeds - body_speed[..., None, :]),
        _sort_sides(visibility[..., list(PAIRS)]),
        visibility[..., HEAD:],
        neighbour,
    ]
    return torch.cat(signals, dim=-1)


def _sort_sides(sides: Tensor) -> Tensor:
    """Puts of (..., pairs, 2) or (..., 2) values of left and right the larger of each pair first."""
    return sides.sort(dim=-1, descending=True).values.flatten(2)


def _lengths(vectors: Tensor) -> Tensor:
    """Returns the lengths (...) of vectors (..., 2); their gradient is finite at 0."""
    return (vectors.square().sum(dim=-1) + 1e-8).sqrt()


def _cosines(sides: Tensor) -> Tensor:
    """Returns (B, T, 4, 2): the cosine of the angle at the middle of three joints, 1 folded and -1 straight."""
    first, middle, last = (sides[..., list(joints), :, :] for joints in zip(*ANGLES, strict=True))
    before, after = first - middle, last - middle
    return (before * after).sum(dim=-1) / (_lengths(before) * _lengths(after)).clamp_min(1e-3)


def _torso(sides: Tensor, head: Tensor) -> Tensor:
    """Returns (B, T, 4): how long the torso looks, how upright it is, how far it leans, how high the head is."""
    top = sides[..., SHOULDER, :, :].mean(dim=-2)
    length = _lengths(top)
    return torch.stack([length, -top[..., 1] / length, top[..., 0].abs() / length, -head[..., 1]], dim=-1)


def _limbs(sides: Tensor) -> list[Tensor]:
    """Returns of wrists, elbows, ankles and knees how high they are, how far aside, and how far from each other."""
    signals = []
    for limb in LIMBS:
        pair = sides[..., limb, :, :]
        apart = _lengths(pair[..., 0, :] - pair[..., 1, :])[..., None]
        signals += [_sort_sides(-pair[..., 1]), _sort_sides(pair[..., 0].abs()), apart]
    return signals


def _extent(positions: Tensor, sides: Tensor) -> Tensor:
    """Returns (B, T, 3): how wide the shoulders look, and how wide and high the whole body."""
    shoulders = (sides[..., SHOULDER, 0, :1] - sides[..., SHOULDER, 1, :1]).abs()
    return torch.cat([shoulders, positions.amax(dim=-2) - positions.amin(dim=-2)], dim=-1)


def _relative_speeds(speeds: Tensor) -> list[Tensor]:
    """Returns `speeds` (B, T, 13, 2) less the body's own: of the limbs, of the head, and of all joints together."""
    lengths = _lengths(speeds)
    limbs = [PAIRS[limb] for limb in LIMBS]
    return [_sort_sides(lengths[..., limbs]), lengths[..., HEAD:], lengths.mean(dim=-1, keepdim=True)]
