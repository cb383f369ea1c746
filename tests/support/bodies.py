"""People for tests of tracking: networks that see a scene which is given, and photographs that real ones can see."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vigil.features.landmarks.blazepose import BodyEstimate, regions_of_boxes
from vigil.features.landmarks.estimators import Settings
from vigil.features.landmarks.topdown import Candidate

# A standing body of length 1 around its hips, in the order of the joints.
UPRIGHT = np.array(
    [
        [.1, -.3], [.14, -.15], [.15, 0], [-.1, -.3], [-.14, -.15], [-.15, 0],
        [.07, 0], [.07, .22], [.07, .45], [-.07, 0], [-.07, .22], [-.07, .45], [0, -.45],
    ]
)  # fmt: skip
BASE = Settings(
    backend="topdown", detector="mediapipe", confidence=0.5, tile=None, every_s=0.5, max_people=12, presence=0.5,
    start_presence=0.5, visibility=0.1, alike=0.5, occlusion_s=1.0, sure=0.6,
)  # fmt: skip
BLANK = np.zeros((240, 320, 3), np.uint8)


def settings(**changes: object) -> Settings:
    return BASE.model_copy(update=changes)


def body(x: float, y: float, length: float = 100.0) -> np.ndarray:
    """(13, 3) all seen."""
    return np.column_stack([UPRIGHT * length + (x, y), np.ones(13)])


@dataclass
class Scene:
    """Stands for both networks: `there` holds x, y and length of those who can be seen just now."""

    there: list[tuple[float, float, float]] = field(default_factory=list)
    looks: int = 0
    finds: int = 0

    def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
        """The body nearest to the middle of the region."""
        self.looks += 1
        away = [(np.hypot(x - region[0], y - region[1]), x, y, length) for x, y, length in self.there]
        near = min(away, default=None)
        if near is None or near[0] > region[2] / 2:
            return BodyEstimate(body(region[0], region[1]), np.array([*region[:3], 0.0]), 0.0)
        return BodyEstimate(body(*near[1:]), np.array([near[1], near[2], 1.25 * near[3], 0.0]), 0.99)

    def find(self, image: np.ndarray) -> list[Candidate]:
        self.finds += 1
        rows = [(x - 0.2 * n, y - 0.5 * n, x + 0.2 * n, y + 0.5 * n, 0.9) for x, y, n in self.there]
        boxes = np.array(rows).reshape(-1, 5)
        return [
            Candidate(region[:4], region[4], box[:4])
            for region, box in zip(regions_of_boxes(boxes), boxes, strict=True)
        ]


def photograph() -> np.ndarray:
    """(640, 480, 3) RGB: four people in front of a bus, one of them cut by the border."""
    spec = importlib.util.find_spec("ultralytics")
    assert spec is not None and spec.origin is not None
    image = cv2.imread(str(Path(spec.origin).parent / "assets/bus.jpg"))
    return cv2.cvtColor(cv2.resize(image, (480, 640), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


def pan(count: int, step: int = 4) -> Sequence[np.ndarray]:
    """A camera that turns over the photograph: (480, 400, 3) frames."""
    wide = photograph()[100:580]
    return [np.ascontiguousarray(wide[:, number * step : number * step + 400]) for number in range(count)]
