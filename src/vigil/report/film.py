"""Stored frames as small pictures for a page: strips, single moments, and maps laid over their frames."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vigil.features.frames import FrameArchive

QUALITY = 60  # of JPEG; a thumbnail of 160 px is then about 3 KB
SMALL, LARGE = 160, 300  # px, width
WARM = np.array([230, 60, 20], np.float32)  # of what a map calls active
OPAQUE = 0.65  # at most; the frame stays visible


@dataclass(frozen=True)
class Film:
    """The stored frames of a folder; a video without an archive has no pictures."""

    folder: Path
    _archives: dict[str, FrameArchive | None] = field(default_factory=dict)

    def archive(self, video: str) -> FrameArchive | None:
        if video not in self._archives:
            path = self.folder / f"{video}.npz"
            self._archives[video] = FrameArchive(path) if path.exists() else None
        return self._archives[video]

    def strip(self, video: str, count: int, width: int = SMALL) -> list[tuple[float, str]]:
        """Returns (time_s, address) of evenly spread frames, each from the middle of its share of the video."""
        archive = self.archive(video)
        if archive is None or not len(archive) or count < 1:
            return []
        count = min(count, len(archive))
        indices = [(2 * number + 1) * len(archive) // (2 * count) for number in range(count)]
        times = archive.times
        return [
            (float(times[index]), jpeg_address(shrink(image, width)))
            for index, image in zip(indices, archive.images(indices), strict=True)
        ]

    def address_at_time(self, video: str, time_s: float) -> str | None:
        """Returns the address of the stored frame that is shown at a time; None where there is none."""
        archive = self.archive(video)
        if archive is None or not len(archive):
            return None
        times = [float(time) for time in archive.times]
        index = min(max(int(np.searchsorted(times, time_s + 1e-9, side="right")) - 1, 0), len(times) - 1)
        return self.address_at(video, index, LARGE)

    def find_frame(self, video: str, frame_index: int) -> np.ndarray | None:
        """Returns (H, W, 3) uint8 RGB of the stored frame with this index in its video, or of the last before it."""
        archive = self.archive(video)
        if archive is None or not len(archive):
            return None
        index = max(int(np.searchsorted(archive.index, frame_index, side="right")) - 1, 0)
        return next(archive.images([index]))

    def address_at(self, video: str, index: int, width: int = SMALL) -> str | None:
        """Returns the address of the stored frame with this index in the archive; None where there is none."""
        archive = self.archive(video)
        if archive is None or not 0 <= index < len(archive):
            return None
        return jpeg_address(shrink(next(archive.images([index])), width))


def overlay(image: np.ndarray, cells: np.ndarray, truth: np.ndarray) -> str:
    """Draws a map (h, w) of 0..1 over a frame: warm where it is high, and outlined where the truth is 1."""
    small = shrink(image, LARGE)
    size = (small.shape[1], small.shape[0])
    share = cv2.resize(np.clip(np.nan_to_num(cells), 0, 1).astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    grey = small.mean(axis=2, keepdims=True) * 0.6 + small * 0.4
    mixed = grey * (1 - OPAQUE * share[..., None]) + WARM * OPAQUE * share[..., None]
    picture = np.ascontiguousarray(mixed.clip(0, 255).astype(np.uint8))
    mask = cv2.resize((truth == 1).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (255, 255, 255), 2)
    cv2.drawContours(picture, outlines, -1, (20, 20, 20), 1)
    return jpeg_address(picture)


def shrink(image: np.ndarray, width: int) -> np.ndarray:
    """Returns the image at most so wide; a smaller one stays as it is."""
    if image.shape[1] <= width:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def jpeg_address(image: np.ndarray) -> str:
    """Turns (H, W, 3) uint8 RGB into an address that holds the picture itself."""
    encoded, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    )
    assert encoded
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
