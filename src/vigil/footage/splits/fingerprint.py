"""Perceptual hashes of a video's frames: pictures that look alike have hashes that differ in few bits.

A hash is 256 signs: is the next cell of a 17x8 grey thumbnail brighter, and the one below in an 8x17 one? Size, light,
contrast and compression hardly change that. Dark bars are cut away first; frames without texture have no hash.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from vigil.footage.video import reading

MOST_FRAMES = 32  # of a video
LEAST_FRAMES = 8  # of a video of less than 8 s; a longer one has a frame per second
SIZE_PX = 144  # shorter side from which thumbnails are made
CROPS = (0.0, 0.04, 0.08)  # of each side; the views after the first find what was cropped, the last what was mirrored
VIEWS = len(CROPS) + 1
TEXTURE = 0.35  # of the 256 differences must be at least one grey level
REPEAT = 6  # bits; a frame this near to an earlier one of its video adds nothing
ROUNDING = 1e-3  # grey levels: what is flat is not brighter
BAR_LEVEL, BAR_SPREAD = 32, 12  # grey levels: darker and more even than any picture


def fingerprint_video(path: Path, fps: Fraction, watched_s: Fraction) -> list[tuple[str, str]]:
    """Returns (time, hash) of frames that tell the video from others; a hash is `VIEWS` times 64 hexadecimal digits.

    `fps` is that of a folder of images; `watched_s` is how long the video is without its pauses.
    """
    distinct: list[tuple[str, np.ndarray]] = []
    step = max(watched_s / MOST_FRAMES, min(Fraction(1), watched_s / LEAST_FRAMES))
    for frame in islice(reading.read_frames(path, size_px=SIZE_PX, is_due=sample_every(step), fps=fps), MOST_FRAMES):
        hashes = hash_views(frame.image)
        if hashes is not None and all(differing_bits(hashes[0], earlier[0]) > REPEAT for _, earlier in distinct):
            distinct.append((str(frame.time_s), hashes))
    return [(time, hashes.tobytes().hex()) for time, hashes in distinct]


def unpack_hash(text: str) -> np.ndarray:
    """Returns (VIEWS, 4) uint64 of a hash in hexadecimal."""
    return np.frombuffer(bytes.fromhex(text), "<u8").reshape(VIEWS, 4)


def differing_bits(bits_a: np.ndarray, bits_b: np.ndarray) -> int:
    """Counts the bits that differ, 0 to 256; unlike pictures differ in about 120."""
    return int(np.bitwise_count(bits_a ^ bits_b).sum())


def hash_views(image: np.ndarray) -> np.ndarray | None:
    """Hashes `image` (H, W, 3) RGB, cropped, cropped more and mirrored: (VIEWS, 4) uint64; None without texture."""
    grey = cut_bars(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    if np.mean(np.abs(_differences(grey)) >= 1) < TEXTURE:
        return None
    height, width = grey.shape
    crops = [
        grey[round(height * cut) : height - round(height * cut), round(width * cut) : width - round(width * cut)]
        for cut in CROPS
    ]
    bits = np.stack([_differences(view) > ROUNDING for view in [*crops, grey[:, ::-1]]])
    return np.packbits(bits, axis=1, bitorder="little").view("<u8")


def cut_bars(grey: np.ndarray) -> np.ndarray:
    """Cuts from `grey` (H, W) the dark bars that were put on two opposite sides to fit a screen."""
    for _ in range(2):
        low, high = np.percentile(grey, (2, 98), axis=1)
        picture = np.flatnonzero((high >= BAR_LEVEL) | (high - low >= BAR_SPREAD))
        if len(picture):
            top, bottom = int(picture[0]), len(grey) - 1 - int(picture[-1])
            if min(top, bottom) > 0 and abs(top - bottom) <= 0.03 * len(grey):
                grey = grey[top : len(grey) - bottom]
        grey = grey.T
    return grey


def sample_every(step: Fraction) -> Callable[[Fraction], bool]:
    """Makes the question whether a time, asked in order, is the first at or after the next multiple of `step`."""
    due_s = Fraction(0)

    def is_due(time: Fraction) -> bool:
        nonlocal due_s
        if time < due_s:
            return False
        due_s = (time // step + 1) * step if step else time
        return True

    return is_due


def _differences(grey: np.ndarray) -> np.ndarray:
    """Returns the differences (256,) float32 from cell to cell of the thumbnails, rightwards and then downwards."""
    grey = np.ascontiguousarray(grey, np.float32)
    wide = cv2.resize(grey, (17, 8), interpolation=cv2.INTER_AREA)
    high = cv2.resize(grey, (8, 17), interpolation=cv2.INTER_AREA)
    return np.concatenate([np.diff(wide, axis=1).ravel(), np.diff(high, axis=0).ravel()])
