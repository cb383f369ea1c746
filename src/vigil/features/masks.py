"""Pictures in which people are hidden, or in which there is nothing but people, by their landmarks."""

from collections.abc import Iterable
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.features.landmarks.pose_table import Pose
from vigil.features.landmarks.skeleton import BONES, HEAD, HIPS, SHOULDERS, torso_length

GREY = 127  # of what is hidden
LIMB = 0.3  # torso lengths that a limb is thick, clothes and all
SKULL = 0.35  # torso lengths from the middle of the head to its edge
TORSOS = 3.5  # torso lengths of a body from head to foot
Hidden = Literal["people", "background"]
Shape = Literal["box", "body"]


class Settings(Frozen):
    """What masked frames depend on; kept beside the weights of a model that was trained on them."""

    hide: Hidden | None  # None: nothing is made
    shape: Shape  # of what is taken for a person
    margin: Annotated[float, Field(ge=0)]  # body lengths around it
    quality: Annotated[int, Field(ge=1, le=100)]  # of the JPEG


def mask_people(
    poses: Iterable[Pose], size: tuple[int, int], source_size: tuple[int, int], shape: Shape, margin: float
) -> np.ndarray:
    """Returns (H, W) bool of a picture of `size` (H, W): where people are. `margin` is in body lengths.

    Joints are px of a video of `source_size` (width, height). Who has no joint in sight covers nothing.
    """
    mask = np.zeros(size, np.uint8)
    scale = np.array([size[1] / source_size[0], size[0] / source_size[1]])
    for pose in poses:
        joints = pose.joints * scale
        if np.isfinite(joints[:, 0]).any():
            torso = measure_torso(joints)
            draw = _draw_box if shape == "box" else _draw_body
            draw(mask, joints, torso, margin * TORSOS * torso)
    return mask.astype(bool)


def hide(image: np.ndarray, people: np.ndarray, hidden: Hidden) -> np.ndarray:
    """Returns `image` (H, W, 3) uint8 with the people, or all but the people, in grey."""
    covered = people if hidden == "people" else ~people
    return np.where(covered[:, :, None], np.uint8(GREY), image)


def measure_torso(joints: np.ndarray) -> float:
    """Returns the px from shoulders to hips of (13, 2), where both are seen; else what the extent of the body tells."""
    extent = float(np.nanmax(joints[:, 1]) - np.nanmin(joints[:, 1])) / TORSOS
    return float(np.nanmax([torso_length(joints), extent, 1.0]))


def _draw_box(mask: np.ndarray, joints: np.ndarray, torso: float, margin: float) -> None:
    """The box around all that `_draw_body` would cover."""
    reach = LIMB * torso / 2 + margin
    low, high = np.nanmin(joints, axis=0) - reach, np.nanmax(joints, axis=0) + reach
    if np.isfinite(joints[HEAD, 0]):
        skull = SKULL * torso + margin
        low, high = np.minimum(low, joints[HEAD] - skull), np.maximum(high, joints[HEAD] + skull)
    cv2.rectangle(mask, _pixel(low), _pixel(high), 1, cv2.FILLED)


def _draw_body(mask: np.ndarray, joints: np.ndarray, torso: float, margin: float) -> None:
    """Limbs, trunk and head, as thick as they are."""
    thickness = max(1, round(LIMB * torso + 2 * margin))
    seen = np.isfinite(joints[:, 0])
    for start, end in BONES:
        if seen[start] and seen[end]:
            cv2.line(mask, _pixel(joints[start]), _pixel(joints[end]), 1, thickness)
    trunk = [joint for joint in (SHOULDERS[0], SHOULDERS[1], HIPS[1], HIPS[0]) if seen[joint]]
    if len(trunk) > 2:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.array([_pixel(joints[joint]) for joint in trunk], np.int32)), 1)
    for joint in np.flatnonzero(seen).tolist():
        radius = SKULL * torso + margin if joint == HEAD else thickness / 2
        cv2.circle(mask, _pixel(joints[joint]), max(1, round(radius)), 1, cv2.FILLED)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
