"""How much each cell of a picture differs from the stored frame before: motion without a model or an estimate."""

from collections.abc import Sequence

import cv2
import numpy as np

from vigil.core.clock import piece_starts
from vigil.features.frames import FrameArchive
from vigil.features.pictures import NOISE

READINGS = (
    "mean",
    "maximum",
    "share",
)  # of the differences in a cell; share: of its pixels that differ by more than NOISE
CELL_PX = 8  # side of a cell when pictures are compared


def difference_maps(archive: FrameArchive, frames: Sequence[int], side: int) -> np.ndarray:
    """(M, 3, side, side) float32: for frames by their number in the video, each of READINGS of every cell.

    The first stored frame of a piece (core/clock.py) has no frame before it: zeros.
    """
    positions = np.searchsorted(archive.index, frames).tolist()
    starts = set(piece_starts([float(time_s) for time_s in archive.times]).tolist())
    grey = _GreyPictures(archive, side * CELL_PX)
    maps = np.zeros((len(positions), len(READINGS), side, side), np.float32)
    for row, position in enumerate(positions):
        if position not in starts:
            difference = cv2.absdiff(grey.read(position - 1), grey.read(position)).astype(np.float32)
            cells = difference.reshape(side, CELL_PX, side, CELL_PX)
            maps[row] = cells.mean((1, 3)), cells.max((1, 3)), (cells > NOISE).mean((1, 3))
    return maps


class _GreyPictures:
    """Blurred grey squares, the last two of which are remembered."""

    def __init__(self, archive: FrameArchive, size: int) -> None:
        self._archive, self._size, self._recent = archive, size, dict[int, np.ndarray]()

    def read(self, position: int) -> np.ndarray:
        if position not in self._recent:
            image = cv2.cvtColor(next(self._archive.images([position])), cv2.COLOR_RGB2GRAY)
            square = cv2.resize(image, (self._size, self._size), interpolation=cv2.INTER_AREA)
            recent = [*self._recent.items()][-1:]
            self._recent = dict([*recent, (position, cv2.GaussianBlur(square, (3, 3), 0))])
        return self._recent[position]
