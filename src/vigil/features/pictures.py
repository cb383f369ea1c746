"""Stored JPEG frames as the pictures that the RGB models look at: the same for a cached video and a live one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.features.frames import FrameArchive

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, red green blue, 0..1
DEVIATION = (0.229, 0.224, 0.225)
NOISE = 12  # grey levels, after blurring; what JPEG and the sensor change in a still scene stays below
COVER = 0.1  # share of a cell
CACHE = 1 << 30  # bytes of decoded pictures that a loader process holds at most

Layout = Literal["tchw", "cthw"]


def decode_square(jpeg: bytes, size: int) -> np.ndarray:
    """Decodes the whole frame, stretched to (S, S, 3) uint8 RGB; at half its size, and in half the time, if it can."""
    mode = cv2.IMREAD_REDUCED_COLOR_2 if _smaller_side(jpeg) >= 2 * size else cv2.IMREAD_COLOR
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), mode) if jpeg else None
    if image is None:
        raise VigilError("a stored frame is no JPEG: delete the archive and run stage `frames` again.")
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if image.shape[:2] == (size, size):
        return image
    shrinks = size < min(image.shape[:2])
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


class Squares:
    """Decodes the pictures of clips, and keeps those decoded first, as many as fit, for the next epochs."""

    def __init__(self, size: int, limit: int = CACHE) -> None:
        self.size, self._room, self._cache = size, limit // (size * size * 3), dict[tuple[Path, int], np.ndarray]()

    def __call__(self, archive: FrameArchive, positions: Sequence[int]) -> np.ndarray:
        """(T, S, S, 3) uint8; a frame that is shown several times is decoded once."""
        decoded = {
            frame_index: stored
            for frame_index in positions
            if (stored := self._cache.get((archive.path, frame_index))) is not None
        }
        missing = sorted(set(positions) - decoded.keys())
        for frame_index, jpeg in zip(missing, archive.jpegs(missing) if missing else (), strict=True):
            decoded[frame_index] = decode_square(jpeg, self.size)
            if len(self._cache) < self._room:
                self._cache[archive.path, frame_index] = decoded[frame_index]
        return np.stack([decoded[frame_index] for frame_index in positions])

    def __getstate__(self) -> dict[str, object]:
        """Leaves the pictures out when the object goes to another process."""
        return self.__dict__ | {"_cache": {}}


def _smaller_side(jpeg: bytes) -> int:
    """Returns the shorter side in px as the header says; 0 where the header cannot be understood."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if 0xC0 <= jpeg[at + 1] <= 0xC2:  # start of frame
            return min(int.from_bytes(jpeg[at + 5 : at + 7]), int.from_bytes(jpeg[at + 7 : at + 9]))
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return 0


def normalise_squares(squares: np.ndarray, layout: Layout = "tchw") -> Tensor:
    """Normalises `squares` (T, S, S, 3) uint8 RGB, which are pictures decoded already."""
    order = (0, 3, 1, 2) if layout == "tchw" else (3, 0, 1, 2)
    channels = (3, 1, 1) if layout == "tchw" else (3, 1, 1, 1)
    mean, deviation = (torch.tensor(values).mul(255).view(channels) for values in (MEAN, DEVIATION))
    planes = torch.from_numpy(squares).permute(order).contiguous()  # three bytes apart are slow to compute on
    return planes.to(torch.float32).sub_(mean).div_(deviation)


def moving_cells(before: np.ndarray, after: np.ndarray, cells: int) -> np.ndarray:
    """Guesses where something moves, without a truth: (cells, cells) uint8 of `before` and `after` (S, S, 3) uint8.

    A cell moves when a tenth of it differs by more than the camera's noise: the share that the drawn truth asks for.
    """
    first, second = (
        cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (5, 5), 0) for picture in (before, after)
    )
    changed = (cv2.absdiff(first, second) > NOISE).astype(np.float32)
    return (cv2.resize(changed, (cells, cells), interpolation=cv2.INTER_AREA) >= COVER).astype(np.uint8)


def coarsen_truth(truth: np.ndarray, cells: int) -> np.ndarray:
    """Returns (cells, cells) uint8 of a truth map (h, w) of 0 and 1: a cell moves when anything in it does."""
    height, width = truth.shape
    if height % cells == 0 and width % cells == 0:
        return truth.reshape(cells, height // cells, cells, width // cells).max(axis=(1, 3))
    share = cv2.resize(truth.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    enlarged = cells > min(height, width)
    return (share >= 0.5 if enlarged else share > 0).astype(np.uint8)
