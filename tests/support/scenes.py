"""Rows of the table of videos, and pictures of places that are all unlike each other."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.storage import sha256_file
from vigil.footage.video.writing import VideoWriter
from vigil.footage.video_table import Video


def entry(name: str, **changes: Any) -> Video:
    """One row; "a/b" is video b of set a, from a source of its own."""
    known: dict[str, Any] = {
        "video": name,
        "path": f"data/raw/{name}.mp4",
        "source": f"of-{name}",
        "label": "normal",
        "spans": (),
        "split": "",
        "fps": Fraction(25),
        "frames": 250,
        "width": 640,
        "height": 360,
        "duration_s": Fraction(10),
        "sha256": "0" * 64,
    }
    return Video(**(known | changes))


def place(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    """(H, W, 3) uint8 RGB: patches of light and dark, other ones for every seed."""
    rng = np.random.default_rng(seed)
    image = sum(
        cv2.resize(rng.normal(0, 1, (size, size, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
        for size in (4, 9, 20)
    )
    return np.clip(128 + 40 * np.asarray(image), 0, 255).astype(np.uint8)


def walk(seed: int, count: int = 20, **size: int) -> list[np.ndarray]:
    """Frames of a place with somebody who crosses it."""
    frames = []
    for number in range(count):
        frame = place(seed, **size).copy()
        x = number * frame.shape[1] // count
        frame[frame.shape[0] // 3 : -frame.shape[0] // 4, x : x + frame.shape[1] // 12] = 30
        frames.append(frame)
    return frames


def film(path: Path, frames: Iterable[np.ndarray], fps: int = 10, **changes: Any) -> Video:
    """Write a video and give its row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures: Sequence[np.ndarray] = list(frames)
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, Fraction(fps), (width, height)) as writer:
        for picture in pictures:
            writer.write(picture)
    name = f"{path.parent.name}/{path.stem}"
    known = {"frames": len(pictures), "duration_s": Fraction(len(pictures), fps), "sha256": sha256_file(path)}
    return entry(
        name, **({"path": path.as_posix(), "fps": Fraction(fps), "width": width, "height": height} | known | changes)
    )
