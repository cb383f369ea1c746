"""What the page shows of a camera, as whoever runs the cameras says it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CameraState = Literal["live", "connecting", "lost", "ended"]


@dataclass(frozen=True)
class DetectorReading:
    """The newest score of a detector on a camera."""

    detector: str
    score: float | None  # raw; None while it has seen too little
    p: float | None  # calibrated; None where it has no probabilities
    threshold: float  # raw score from which it raises an alert
    threshold_p: float | None = None  # its probability; None where it has no probabilities


@dataclass(frozen=True)
class CameraSnapshot:
    """A camera at one moment."""

    name: str
    state: CameraState
    reason: str | None = None  # why it is not live, without credentials
    fps: float | None = None  # frames judged a second, lately
    lag_s: float | None = None  # s from the camera to the newest score
    frame_utc: str | None = None  # when the newest frame was filmed
    frame_index: int = 0  # of the newest frame: a picture is sent once
    jpeg: bytes | None = None  # the newest frame, as it may be shown; the size of a tile is enough
    readings: tuple[DetectorReading, ...] = ()


Cameras = Callable[[], Sequence[CameraSnapshot]]  # asked several times a second, by several threads


def camera_json(camera: CameraSnapshot) -> dict[str, Any]:
    """Returns all of it but the picture, for JSON."""
    return {
        "name": camera.name,
        "state": camera.state,
        "reason": camera.reason,
        "fps": camera.fps,
        "lag_s": camera.lag_s,
        "frame_utc": camera.frame_utc,
        "readings": [vars(reading) for reading in camera.readings],
    }
