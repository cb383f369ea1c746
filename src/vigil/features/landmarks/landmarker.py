"""MediaPipe's PoseLandmarker on one whole picture at a time, tamed: no network, no chatter, always closed."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.errors import VigilError
from vigil.features.landmarks.blazepose import JOINT_ROWS
from vigil.features.landmarks.tracks import Settings

NOWHERE = "http://127.0.0.1:9"  # where MediaPipe's look-up of its statistics server ends; else close() can block 10 s
LARGEST_PX = 640  # it samples without anti-aliasing; larger pictures are shrunk first


@contextmanager
def open_landmarker(
    bundle: Path, settings: Settings
) -> Iterator[Callable[[np.ndarray], list[tuple[np.ndarray, float]]]]:
    """Yields a function from (H, W, 3) uint8 RGB to (joints (13, 3), certainty) of each person, best first."""
    with _without_network():
        yield from _open(bundle, settings)


def _open(bundle: Path, settings: Settings) -> Iterator[Callable[[np.ndarray], list[tuple[np.ndarray, float]]]]:
    with _quiet():
        import mediapipe
        from mediapipe.tasks import python as tasks

        vision = tasks.vision
        options = vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(bundle), delegate=tasks.BaseOptions.Delegate.CPU),
            num_poses=settings.max_people,
            min_pose_detection_confidence=settings.start_presence,
            min_pose_presence_confidence=settings.presence,
        )
        try:
            model = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, FileNotFoundError) as error:
            raise VigilError(f"{bundle}: MediaPipe cannot use it ({error}). Run stage `weights` again.") from None
    with model:
        with _quiet():  # the first picture is what makes it talk
            model.detect(_image(mediapipe, np.zeros((64, 64, 3), np.uint8)))

        def find_bodies(image: np.ndarray) -> list[tuple[np.ndarray, float]]:
            height, width = image.shape[:2]
            people = model.detect(_image(mediapipe, image)).pose_landmarks
            poses = [np.array([(p.x * width, p.y * height, p.visibility) for p in person]) for person in people]
            return [(pose[list(JOINT_ROWS)], float(np.mean([p.presence for p in person])))
                    for pose, person in zip(poses, people, strict=True)]  # fmt: skip

        yield find_bodies


def _image(mediapipe: Any, image: np.ndarray) -> Any:
    longest = max(image.shape[:2])
    if longest > LARGEST_PX:
        size = [max(1, round(side * LARGEST_PX / longest)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


@contextmanager
def _without_network() -> Iterator[None]:
    """MediaPipe finds nobody to talk to; afterwards this process goes on with the proxy that it had."""
    before = os.environ.get("https_proxy")
    os.environ["https_proxy"] = NOWHERE
    try:
        yield
    finally:
        del os.environ["https_proxy"]
        if before is not None:
            os.environ["https_proxy"] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what C++ prints on stderr."""
    sys.stderr.flush()
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)
