"""Which stored frames a clip shows. A model is fed by a clock (core/clock.py), so clips are counted in its ticks.

In training a share of the clips is seen as by a slower camera (`Clip.slower`): of every two or three ticks only the
newest brings a frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from torch import Generator

from vigil.clips.windows import Span, slide_windows
from vigil.core.clock import arrival_frames, exact_fraction, held_frames, pieces, tick_counts
from vigil.core.errors import VigilError
from vigil.models.blocks.layers import SLOWEST, Clip


@dataclass(frozen=True, eq=False)
class Ticks:
    """The ticks by which a model is fed one video, which has T stored frames."""

    frames: np.ndarray  # (K,) int: the stored frame that each tick shows
    pieces: tuple[Span, ...]  # ticks from pause to pause in the recording, half-open

    def __len__(self) -> int:
        return len(self.frames)

    def piece_of(self, tick: int) -> Span:
        """Returns the piece of the recording that a tick lies in."""
        return next(piece for piece in self.pieces if piece[0] <= tick < piece[1])

    def slide_windows(self, length: int, stride: int) -> list[Span]:
        """Slides windows of `length` ticks over each piece, so that none crosses a pause."""
        return [
            (first + start, first + stop)
            for first, last in self.pieces
            for start, stop in slide_windows(last - first, length, stride)
        ]


def picture_ticks(times: Sequence[Fraction], fps: float) -> Ticks:
    """Returns the ticks of pictures: a picture is seen until the next one's own tick. `times` (T,) s."""
    return _make_ticks(times, fps, held_frames)


def flow_ticks(times: Sequence[Fraction], fps: float) -> Ticks:
    """Returns the ticks of flow: that of a frame is what happened at all ticks since the frame before."""
    return _make_ticks(times, fps, arrival_frames)


def _make_ticks(times: Sequence[Fraction], fps: float, pick_frames: Callable[[np.ndarray], np.ndarray]) -> Ticks:
    counts = tick_counts(times, exact_fraction(fps))
    edges = np.append(0, np.cumsum(counts)).tolist()
    piece_spans = tuple((edges[start], edges[stop]) for start, stop in pieces([float(time_s) for time_s in times]))
    return Ticks(pick_frames(counts), piece_spans)


def clip_length(clip: Clip, fps: float | None = None) -> int:
    """Returns how many ticks a clip spans, at `fps` ticks a second."""
    if clip.window_s is None:
        return clip.window or clip.frames
    if fps is None:
        raise VigilError("a window in seconds needs to know how many ticks a second has: give `fps`.")
    return max(1, round(clip.window_s * fps))


def spread_frames(span: Span, frames: int, phase: float = 0.0) -> list[int]:
    """Returns the numbers of the `frames` ticks of a clip, evenly spread over `span`; some repeat when it is shorter.

    `phase` 0..1 of the distance between two of them, for training: no window is seen twice at the same ticks.
    """
    start, stop = span
    return [start + min(int((number + phase) * (stop - start) / frames), stop - start - 1) for number in range(frames)]


@dataclass(frozen=True)
class Sample:
    """The ticks that one sample shows of a window, as a camera gives them that brings a frame at every n-th."""

    window: Span
    ticks: list[int]
    every: int = 1  # ticks from one frame of the camera to the next
    offset: int = 0  # ticks of the window before its first frame

    def newest_frame(self, tick: int) -> int:
        """Returns when the frame came that is seen at `tick`; the first tick of the window shows one in any case."""
        start, _ = self.window
        return max(start, tick - (tick - start - self.offset) % self.every)

    def since_frame_before(self, tick: int) -> Span:
        """Returns the ticks of the window that the flow at `tick` speaks of: all that the camera's next frame ends."""
        start, stop = self.window
        last = tick + (start + self.offset - tick) % self.every
        return max(start, last - self.every + 1), min(stop, last + 1)


def draw_sample(span: np.ndarray, clip: Clip, generator: Generator | None) -> Sample:
    """Spreads the ticks at a phase that is drawn, for a camera that is drawn; without a generator at phase 0."""
    window = (int(span[0]), int(span[1]))
    if generator is None:
        return Sample(window, spread_frames(window, clip.frames))
    phase, slower, rate, offset = torch.rand(4, generator=generator).tolist()
    every = 2 + int(rate * (SLOWEST - 1)) if slower < clip.slower else 1
    return Sample(window, spread_frames(window, clip.frames, phase), every, int(offset * every))


def draw_pace(clip: Clip, window: Span, piece: Span, generator: Generator | None) -> float:
    """Draws how fast time runs in a window, no faster than lets it end within its piece; 1 without a generator."""
    if generator is None or not clip.pace:
        return 1.0
    start, stop = window
    fastest = (piece[1] - 1 - start) / (stop - 1 - start) if stop - start > 1 else 1.0
    return min(1 + clip.pace * (2 * float(torch.rand((), generator=generator)) - 1), fastest)


def change_pace(sample: Sample, pace: float) -> tuple[Sample, Sample, np.ndarray]:
    """Returns the ticks before and after each moment of a sample whose time runs at `pace`.

    The last array (T,) says how far each moment is on the way from the one to the other, 0..1.
    """
    start, _ = sample.window
    moments = np.round(start + (np.array(sample.ticks) - start) * pace, 6)  # or the last may lie a hair too late
    before, after = np.floor(moments).astype(np.int64), np.ceil(moments).astype(np.int64)
    window = (start, int(after[-1]) + 1)
    first, second = (replace(sample, window=window, ticks=ticks.tolist()) for ticks in (before, after))
    return first, second, moments - before
