"""Stored JPEG frames as the pictures that the RGB models look at: the same for a cached video and a live one."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from vigil.core.errors import VigilError
from vigil.features.frames import Archive

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, red green blue, 0..1
DEVIATION = (0.229, 0.224, 0.225)
NOISE = 12  # grey levels, after blurring; what JPEG and the sensor change in a still scene stays below
COVER = 0.1  # share of a cell
CACHE = 1 << 30  # bytes of decoded pictures that a loader process holds at most

Layout = Literal["tchw", "cthw"]


def pictures(jpegs: Iterable[bytes], size: int, layout: Layout = "tchw") -> Tensor:
    """(T, 3, S, S) or (3, T, S, S) float32, ImageNet-normalised, of frames stretched to a square of `size` px."""
    return normalised(np.stack([square(jpeg, size) for jpeg in jpegs]), layout)


def square(jpeg: bytes, size: int) -> np.ndarray:
    """(S, S, 3) uint8 RGB: the whole frame, stretched; decoded at half its size, in half the time, if that suffices."""
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
    """The pictures of a clip; those decoded first are kept, as many as fit, for the next epochs."""

    def __init__(self, size: int, limit: int = CACHE) -> None:
        self.size, self._room, self._kept = size, limit // (size * size * 3), dict[tuple[Path, int], np.ndarray]()

    def __call__(self, archive: Archive, places: Sequence[int]) -> np.ndarray:
        """(T, S, S, 3) uint8; a frame that is shown several times is decoded once."""
        found = {place: kept for place in places if (kept := self._kept.get((archive.path, place))) is not None}
        missing = sorted(set(places) - found.keys())
        for place, jpeg in zip(missing, archive.jpegs(missing) if missing else (), strict=True):
            found[place] = square(jpeg, self.size)
            if len(self._kept) < self._room:
                self._kept[archive.path, place] = found[place]
        return np.stack([found[place] for place in places])

    def __getstate__(self) -> dict[str, object]:
        """To another process without the pictures."""
        return self.__dict__ | {"_kept": {}}


def _smaller_side(jpeg: bytes) -> int:
    """px, as the header says; 0 where there is no header to be understood."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if 0xC0 <= jpeg[at + 1] <= 0xC2:  # start of frame
            return min(int.from_bytes(jpeg[at + 5 : at + 7]), int.from_bytes(jpeg[at + 7 : at + 9]))
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return 0


def normalised(squares: np.ndarray, layout: Layout = "tchw") -> Tensor:
    """The same of `squares` (T, S, S, 3) uint8 RGB."""
    order = (0, 3, 1, 2) if layout == "tchw" else (3, 0, 1, 2)
    channels = (3, 1, 1) if layout == "tchw" else (3, 1, 1, 1)
    mean, deviation = (torch.tensor(values).mul(255).view(channels) for values in (MEAN, DEVIATION))
    planes = torch.from_numpy(squares).permute(order).contiguous()  # three bytes apart are slow to compute on
    return planes.to(torch.float32).sub_(mean).div_(deviation)


def moving(before: np.ndarray, after: np.ndarray, cells: int) -> np.ndarray:
    """(cells, cells) uint8: where `after` differs from `before`, both (S, S, 3) uint8; a guess where no truth is known.

    A cell moves when a tenth of it differs by more than the camera's noise: the share that the drawn truth asks for.
    """
    first, second = (cv2.GaussianBlur(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (5, 5), 0) for one in (before, after))
    changed = (cv2.absdiff(first, second) > NOISE).astype(np.float32)
    return (cv2.resize(changed, (cells, cells), interpolation=cv2.INTER_AREA) >= COVER).astype(np.uint8)


def coarse(truth: np.ndarray, cells: int) -> np.ndarray:
    """(cells, cells) uint8 of a truth map (h, w) of 0 and 1: a cell moves when anything in it does."""
    height, width = truth.shape
    if height % cells == 0 and width % cells == 0:
        return truth.reshape(cells, height // cells, cells, width // cells).max(axis=(1, 3))
    share = cv2.resize(truth.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    enlarged = cells > min(height, width)
    return (share >= 0.5 if enlarged else share > 0).astype(np.uint8)
