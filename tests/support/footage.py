"""Tiny cached videos whose frames tell their own number."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from vigil.clips import sampling
from vigil.features import pictures
from vigil.features.frames import encode_jpeg, save_frames
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

FOLDER, TRUTH = Path("data/input"), Path("data/truth")
CLASSES = {"normal": ["normal", "static"], "crime": ["Arson", "Fighting"]}
FIRE = Clip(4, size=32)
FPS = 8.0


def video(name: str, label: str = "normal", spans: Sequence[tuple[float, float]] = (), split: str = "train") -> Video:
    exact = tuple((Fraction(start), Fraction(stop)) for start, stop in spans)
    size = (Fraction(8), 40, 160, 120, Fraction(5))
    return Video(f"a/{name}", f"data/raw/a/{name}.mp4", f"of-{name}", label, exact, split, *size, "0" * 64)


def grey(level: int) -> np.ndarray:
    return np.full((120, 160, 3), level, np.uint8)


def filmed(
    video_row: Video, frames: int | list[np.ndarray], skip: int = 1, times: Sequence[Fraction] | None = None
) -> Video:
    """Frame k is grey of level 4k, or as given; every `skip`-th of the video is stored, 8 a second or at `times`."""
    images = [grey(4 * number) for number in range(frames)] if isinstance(frames, int) else frames
    times = times or [Fraction(number, 8) for number in range(len(images))]
    rows = ((skip * number, times[number], encode_jpeg(image, 95)) for number, image in enumerate(images))
    save_frames(FOLDER / f"{video_row.video}.npz", rows, (160, 120))
    return video_row


def levels(x: torch.Tensor) -> list[int]:
    """Of grey pictures (T, 3, S, S), the number of the frame."""
    shade = x[:, 0].mean(dim=(1, 2)) * pictures.DEVIATION[0] + pictures.MEAN[0]
    return (shade * 255 / 4).round().int().tolist()


def frames(videos: list[Video], clip: Clip = FIRE, train: bool = True, **more: object) -> sampling.ClipDataset:
    return sampling.make_dataset("frames", FOLDER, videos, CLASSES, clip, train=train, fps=FPS, **more)  # type: ignore[arg-type]


def two(**more: object) -> sampling.ClipDataset:
    return frames([filmed(video("one"), 12), filmed(video("two", "Arson", [(0, 9)]), 12)], **more)
