"""Videos that are damaged by chance: what a reader of files must survive."""

from pathlib import Path

import numpy as np
from videos import film


def mutate(data: bytes, seed: int) -> bytes:
    """Flips bytes, overwrites, cuts out, doubles or cuts off, by chance."""
    random = np.random.default_rng(seed)
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 6))):
        start = int(random.integers(0, max(len(changed) - 1, 1)))
        length = int(random.integers(1, 400))
        kind = random.integers(0, 5)
        if kind == 0:
            for place in random.integers(0, len(changed), 20):
                changed[place] ^= int(random.integers(1, 256))
        elif kind == 1:
            changed[start : start + length] = random.bytes(length)
        elif kind == 2:
            del changed[start : start + length]
        elif kind == 3:
            changed[start:start] = changed[start : start + length]
        else:
            del changed[max(start, 64) :]
    return bytes(changed)


def films_of_all_containers(folder: Path, frames: int = 24, size: tuple[int, int] = (64, 48)) -> list[Path]:
    """Sound ones, to be mutated."""
    key = {"g": "8"}
    index_first = {"movflags": "faststart"}
    return [
        film(folder / "a.mp4", frames, size=size, options=key, container=index_first),
        film(folder / "b.avi", frames, size=size, codec="mpeg4"),
        film(folder / "c.mkv", frames, size=size, options=key),
        film(folder / "d.ts", frames, size=size, options=key),
        film(folder / "e.mov", frames, size=size, codec="mjpeg"),
        film(folder / "f.flv", frames, size=size, options=key),
    ]
