"""What a fixed camera sees, drawn: a scene with edges, sensor noise, somebody who walks; coded and decoded again."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import av
import cv2
import numpy as np

SIZE = (320, 192)  # width, height
FPS = 2


def scene(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) uint8 RGB: walls, windows and poles of many greys."""
    random = np.random.default_rng(seed)
    width, height = size
    image = np.full((height, width, 3), 110, np.uint8)
    for _ in range(60):
        left, top = int(random.integers(0, width)), int(random.integers(0, height))
        colour = tuple(int(value) for value in random.integers(30, 230, 3))
        corner = (left + int(random.integers(5, 60)), top + int(random.integers(5, 60)))
        cv2.rectangle(image, (left, top), corner, colour, -1 if random.random() < 0.6 else 2)
    return image


@cache
def _noise(number: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(number).normal(0, 2, shape).astype(np.int16)


def with_noise(image: np.ndarray, seed: int) -> np.ndarray:
    """A sensor's noise, of two grey levels."""
    return np.clip(image + _noise(seed % 61, image.shape), 0, 255).astype(np.uint8)


def with_walker(image: np.ndarray, step: int) -> np.ndarray:
    """Somebody of 12x40 px, who walks from left to right."""
    image = image.copy()
    left = step * 6 % (image.shape[1] - 12)
    image[100:140, left : left + 12] = (200, 60, 60)
    return image


def coded(images: Iterable[np.ndarray], gop: int = 2 * FPS, crf: int = 28) -> Iterator[np.ndarray]:
    """Yields the pictures as H.264 leaves them, a key picture every `gop`."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mpegts") as file:
        stream: Any = file.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": str(crf), "g": str(gop), "bf": "0"}
        for number, image in enumerate(images):
            frame: Any = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as file:
        for picture in file.decode(video=0):
            yield picture.to_ndarray(format="rgb24")
