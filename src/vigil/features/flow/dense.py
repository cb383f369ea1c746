"""Dense optical flow from frame to frame, in pixels of a square to which every frame is stretched.

A stored plane is int8, 127 being `clip` pixels: the scale is fixed, so that speed is kept. (Divided by each frame's
own largest flow, a stroll and a flight are the same.) The first frame has no motion: zeros.

The square makes cameras of any shape, and a camera that changes its own, comparable to a network; sideways motion is
therefore in other units than upward motion.

On drawn people with known joints DIS, with patches closer together than its presets have them, errs by 0.37 px where
Farneback errs by 0.41 and runs as fast; round a walker it spreads a fifth of Farneback's motion over the still scene.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from vigil.core.params import Frozen

LEVELS = 127  # int8 steps to `clip`
STILL_PX = 0.1  # a camera that moves less is still
GRID = 21  # points a side at which the camera's motion is read
AGREE_PX = 0.2  # a point moves with the camera if it is this close to where the camera's motion takes it
SURE = 1 - 1e-9  # that there is no larger group of points that agree; less, and a smaller one may win
CONSENSUS = 0.35  # share of the points that must; with fewer, nothing says that it is the camera that moves
TEXTURE = 4.0  # grey levels per pixel; what is flatter says nothing about motion
PASSES = 2  # a second look sees what a large shake hid from the first


class Settings(Frozen):
    """What flow depends on; kept beside the weights of a model that was trained on it."""

    size: Annotated[int, Field(ge=32, le=512)]  # px, side of the square
    method: Literal["dis", "farneback"]
    clip: Annotated[float, Field(gt=0)]  # px per stored frame; faster motion is written as this
    stabilise: bool  # estimate the camera's own motion and take it out


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from frame to frame."""

    previous: np.ndarray  # (size, size) uint8


def update(state: State | None, frame: np.ndarray, settings: Settings) -> tuple[State, np.ndarray]:
    """Returns the state after `frame` (H, W, 3) uint8 RGB and the flow (2, size, size) float32 that led to it.

    The state is None before the first frame. The flow of a pixel of this frame is the way it has come since the
    previous one: x to the right, y down.
    """
    grey = _grey(frame, settings.size)
    if state is None:
        return State(grey), np.zeros((2, settings.size, settings.size), np.float32)
    flow = estimate_flow(state.previous, grey, settings.method)
    if settings.stabilise:
        flow = _stabilise(state.previous, grey, flow, settings.method, frame.shape[1] / frame.shape[0])
    return State(grey), np.ascontiguousarray(flow.transpose(2, 0, 1))


def estimate_flow(before: np.ndarray, after: np.ndarray, method: str) -> np.ndarray:
    """Returns (H, W, 2) float32: the way that each pixel of `after` has come since `before`; both (H, W) uint8."""
    if method == "dis":
        return -_dis().calc(after, before, None)
    blank = np.zeros((*before.shape, 2), np.float32)
    return -cv2.calcOpticalFlowFarneback(after, before, blank, 0.5, 3, 7, 3, 5, 1.1, 0)


def quantise(flow: np.ndarray, heat: np.ndarray, clip: float) -> np.ndarray:
    """Returns (3, H, W) int8: dx and dy with `clip` px as 127, and people with 1 as 127."""
    planes = np.concatenate([flow * (LEVELS / clip), heat[None] * LEVELS])
    return np.clip(np.rint(planes), -LEVELS, LEVELS).astype(np.int8)


def dequantise(planes: np.ndarray, clip: float) -> np.ndarray:
    """Returns (..., 3, H, W) float32 of int8: dx and dy in px, people 0..1."""
    scale = np.array([clip, clip, 1], np.float32) / LEVELS
    return planes.astype(np.float32) * scale[:, None, None]


def camera_motion(after: np.ndarray, flow: np.ndarray, aspect: float) -> np.ndarray | None:
    """(2, 3) that takes the still world to its place in `after`: turn, zoom and shift, unless the camera stood still.

    Agreed on by the textured points of a grid, so that people who move differ and are outvoted: also when they fill
    two fifths of the picture and move as one. `aspect` is the frame's width / height: stretched, a turn is no turn.
    """
    size = len(after)
    lines = np.linspace(0.05, 0.95, GRID) * size
    across, down = (axis.astype(int).ravel() for axis in np.meshgrid(lines, lines))
    smooth = cv2.GaussianBlur(after, (0, 0), 1.0)
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=0.125) for order in ((1, 0), (0, 1))]
    is_textured = np.hypot(*slopes)[down, across] > TEXTURE
    if is_textured.sum() < GRID:
        return None
    moved = np.stack([across, down], 1)[is_textured].astype(np.float64)
    points = moved - flow[down, across][is_textured]
    stretch = np.array([aspect, 1.0])
    model, agreeing = cv2.estimateAffinePartial2D(
        points * stretch, moved * stretch, ransacReprojThreshold=AGREE_PX, maxIters=1000, confidence=SURE
    )
    if model is None or agreeing.mean() < CONSENSUS:
        return None
    model = model / stretch[:, None]
    model[:, :2] *= stretch
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], np.float64)
    shift = np.hypot(*(corners @ model.T - corners[:, :2]).T).max()
    return model if shift > STILL_PX else None


def _stabilise(before: np.ndarray, after: np.ndarray, flow: np.ndarray, method: str, aspect: float) -> np.ndarray:
    """Returns the flow to `after` from `before` as the camera sees it now; zeros where it had not looked before."""
    motion = np.eye(3)
    whole = seen = np.ones_like(before)
    moved = before
    for _ in range(PASSES):
        step = camera_motion(after, flow, aspect)
        if step is None:
            break
        motion = np.vstack([step, [0, 0, 1]]) @ motion
        shape = before.shape[::-1]
        moved = cv2.warpAffine(before, motion[:2], shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.warpAffine(whole, motion[:2], shape, flags=cv2.INTER_NEAREST)
        flow = estimate_flow(moved, after, method)
    return flow * seen[..., None]


def _grey(frame: np.ndarray, size: int) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)


@cache
def _dis() -> Any:
    """Patches of 8 px every 3 px, at full resolution: at 64 px the presets' coarser scales miss limbs."""
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    engine.setFinestScale(0)
    engine.setPatchStride(3)
    return engine
