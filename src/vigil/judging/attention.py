"""What the crime gate attends to: the clips of a video that it is surest of, for the model that names the crime.

The same for stored videos and, with the newest frames in place of an archive, for a live source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from vigil.clips.places import span, taken
from vigil.clips.windows import Span, spans
from vigil.features.frames import Archive
from vigil.features.pictures import Squares, normalised

PICTURES = 1 << 28  # bytes of decoded pictures that are held: windows overlap


@dataclass(frozen=True, eq=False)
class Look:
    """What the gate makes of one window."""

    place: Span
    frames: tuple[int, ...]  # T places of the frames that it was shown
    odds: float  # log odds of a crime
    attention: np.ndarray  # (T,) float32, sums to 1

    @property
    def top(self) -> list[int]:
        """The frames in the order of the attention that they got, each once."""
        order = np.argsort(-self.attention, kind="stable").tolist()
        return list(dict.fromkeys(self.frames[number] for number in order))


def looks(archive: Archive, gate: Any, fps: float, step: float) -> list[Look]:
    """Every window of the video, one every `step` windows; `gate` is a model in eval mode."""
    clip = gate.clip
    length = span(clip, fps)
    squares = Squares(clip.size, PICTURES)
    found = []
    with torch.inference_mode():
        for place in spans(len(archive), length, max(1, round(step * length))):
            frames = taken(place, clip.frames)
            x = normalised(squares(archive, frames), clip.layout)[None]
            judged = gate.judge(gate(x), x)
            found.append(Look(place, tuple(frames), float(judged["window"][0]), judged["attention"][0].numpy()))
    return found


def most(found: Sequence[Look], keep: int, overlap: float) -> list[Look]:
    """The `keep` looks with the highest odds, surest first; none lies with more than `overlap` of it in a surer one."""
    kept: list[Look] = []
    for look in sorted(found, key=lambda one: (-one.odds, one.place)):
        if len(kept) < keep and all(_shared(look.place, other.place) <= overlap for other in kept):
            kept.append(look)
    return kept


def tensors(archive: Archive, found: Sequence[Look], size: int) -> np.ndarray:
    """(N, T, S, S, 3) uint8 RGB of what was shown."""
    squares = Squares(size, PICTURES)
    return np.stack([squares(archive, look.frames) for look in found])


def _shared(one: Span, other: Span) -> float:
    return max(0, min(one[1], other[1]) - max(one[0], other[0])) / (one[1] - one[0])
