"""Where a camera looks: polygons in shares of its picture. What lies outside is hidden from models.

    zones = Zones(polygons)
    zones.mask((height, width))         the pixels inside
    zones.keep_people(poses, size)      those whose feet are inside
    zones.keep_boxes(boxes, size)       the same, of which boxes alone are known
    zones.cover(image)                  outside in the colour that is nothing to a network

People are found in the whole picture and followed across the edge, so that somebody keeps their number. A network
takes a picture of ImageNet's mean colour as it takes what lies beyond the picture's edge: as zeros.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vigil.features.landmarks.pose_table import JOINTS, Pose
from vigil.features.pictures import MEAN

ANKLES = (JOINTS.index("ANKLE_LEFT"), JOINTS.index("ANKLE_RIGHT"))
NOTHING = np.array([round(255 * share) for share in MEAN], np.uint8)  # to a network, after normalisation


@dataclass(frozen=True)
class Zones:
    """One or more polygons; a point in any of them is inside."""

    polygons: tuple[tuple[tuple[float, float], ...], ...]

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """(H, W) bool of a picture of `size` (H, W): the pixels whose middles are inside. Nobody may change it."""
        return _draw(self.polygons, size)

    def keep_people(self, people: Iterable[Pose], size: tuple[int, int]) -> list[Pose]:
        """Those who stand inside, in a picture of `size` (width, height)."""
        return [pose for pose in people if self.holds(find_feet(pose.joints), size)]

    def keep_boxes(self, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Those of boxes (N, 5) x0 y0 x1 y1 whose lower edges have their middles inside."""
        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        return boxes[np.array([self.holds(point, size) for point in feet], bool)]

    def holds(self, point: np.ndarray | None, size: tuple[int, int]) -> bool:
        """Whether a point (2,) px is inside; not where there is none. One beyond the picture counts as at its edge."""
        if point is None:
            return False
        share = np.clip(np.asarray(point, np.float64) / size, 0, 1)
        return any(
            cv2.pointPolygonTest(np.array(polygon, np.float32), (float(share[0]), float(share[1])), False) >= 0
            for polygon in self.polygons
        )

    def cover(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 with all that is outside covered."""
        return np.where(self.mask((image.shape[0], image.shape[1]))[..., None], image, NOTHING)

    def outlines(self, size: tuple[int, int]) -> Sequence[np.ndarray]:
        """(P, 2) int32 px of each polygon, in a picture of `size` (width, height)."""
        return [np.rint(np.array(polygon) * size).astype(np.int32) for polygon in self.polygons]


def find_feet(joints: np.ndarray) -> np.ndarray | None:
    """(2,) px of joints (13, 2): between the ankles, else below the middle of what is seen; None: nothing is."""
    ankles = joints[list(ANKLES)]
    ankles = ankles[np.isfinite(ankles[:, 0])]
    if len(ankles):
        return np.asarray(ankles.mean(axis=0))
    seen = joints[np.isfinite(joints[:, 0])]
    return np.array([seen[:, 0].mean(), seen[:, 1].max()]) if len(seen) else None


@lru_cache(maxsize=64)
def _draw(polygons: tuple[tuple[tuple[float, float], ...], ...], size: tuple[int, int]) -> np.ndarray:
    height, width = size
    across, down = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    inside = np.zeros(size, bool)
    for polygon in polygons:
        odd = np.zeros(size, bool)  # edges that a line from the pixel's middle to the left crosses
        for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            if y0 != y1:
                crosses = (down < y0) != (down < y1)
                odd ^= crosses & (across >= x0 + (down - y0) * (x1 - x0) / (y1 - y0))
        inside |= odd
    inside.flags.writeable = False
    return inside
