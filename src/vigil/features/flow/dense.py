"""Dense optical flow: how fast each pixel moves, in pixels per second of a square to which every frame is stretched.

    state = update(state, frame, time_s, settings)      # at every frame of the video, up to `fps` a second
    state, motion = take(state, settings)               # after a frame that is stored: the motion since the one before

Between neighbouring frames motion is small, so it is estimated there, and a pixel is followed from frame to frame.
Nothing is remembered across a pause in the recording; the first frame of each piece has no motion: zeros.

A stored plane is int8, 127 being `clip` pixels per second: the scale is fixed, so that speed is kept. (Divided by each
frame's own largest flow, a stroll and a flight are the same.)

The square makes cameras of any shape, and a camera that changes its own, comparable to a network; sideways motion is
therefore in other units than upward motion.

On drawn people with known joints DIS, with patches closer together than its presets have them, errs by 0.37 px where
Farneback errs by 0.41 and runs as fast; round a walker it spreads a fifth of Farneback's motion over the still scene.
"""

import threading
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from vigil.core.clock import START, Pace, update_pace
from vigil.core.params import Frozen
from vigil.features.flow.motion_statistics import measure_step
from vigil.footage.video.images import grey_square

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

    fps: Annotated[float, Field(gt=0)]  # frames per second between which flow is estimated, at most
    size: Annotated[int, Field(ge=32, le=512)]  # px, side of the square
    method: Literal["dis", "farneback"]
    clip: Annotated[float, Field(gt=0)]  # px per second; faster motion is written as this
    stabilise: bool  # estimate the camera's own motion and take it out


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from frame to frame."""

    grey: np.ndarray  # (size, size) uint8, the newest frame
    pace: Pace  # of the frames
    take_pace: Pace  # of the frames at which motion was taken
    way: np.ndarray  # (size, size, 2) px, how far the pixels of the newest frame have come since the last take
    lasted_s: float = 0.0  # for which `way` is known
    velocity: np.ndarray | None = None  # (size, size, 2) sides/s, of the newest step
    whole: np.ndarray | None = None  # (size, size, 2) sides/s, at the last take
    steps: tuple[tuple[float, np.ndarray], ...] = ()  # since the last take: how long, and its statistics


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion from one stored frame to the next."""

    flow: np.ndarray  # (2, size, size) float32 px/s, x to the right and y down, of the pixels of the newer frame
    statistics: np.ndarray | None  # (3 len(STEP_NAMES),) float32; None at the first frame of a piece


def update(
    state: State | None, frame: np.ndarray, time_s: float, settings: Settings, aspect: float | None = None
) -> State:
    """Returns the state after `frame`, (H, W, 3) uint8 RGB or its grey square; the state is None before the first.

    `aspect` is the width / height of the video, which a square does not tell.
    """
    grey = frame if frame.ndim == 2 else grey_square(frame, settings.size)
    aspect = frame.shape[1] / frame.shape[0] if aspect is None else aspect
    still = np.zeros((*grey.shape, 2), np.float32)
    if state is None:
        return State(grey, update_pace(START, time_s)[0], START, still)
    pace, is_paused = update_pace(state.pace, time_s)
    if is_paused:
        return State(grey, pace, state.take_pace, still)
    flow = estimate_flow(state.grey, grey, settings.method)
    if settings.stabilise:
        flow = _stabilise(state.grey, grey, flow, settings.method, aspect)
    step_s = pace.recent[-1]
    velocity = flow / np.float32(settings.size * step_s)
    measured = measure_step(velocity, state.velocity, step_s)
    way = flow + _carry(state.way, flow) if state.lasted_s else flow
    lasted_s, steps = state.lasted_s + step_s, (*state.steps, (step_s, measured))
    return State(grey, pace, state.take_pace, way, lasted_s, velocity, state.whole, steps)


def take(state: State, settings: Settings) -> tuple[State, Motion]:
    """Returns the motion since the last take, up to the newest frame, and the state from which the next begins."""
    assert state.pace.time_s is not None
    take_pace, is_paused = update_pace(state.take_pace, state.pace.time_s)
    still = np.zeros_like(state.way)
    if is_paused or len(take_pace.recent) == 0 or not state.steps:
        flow = np.ascontiguousarray(still.transpose(2, 0, 1))
        return replace(state, take_pace=take_pace, way=still, lasted_s=0.0, whole=None, steps=()), Motion(flow, None)
    flow = state.way / np.float32(state.lasted_s)
    whole = flow / np.float32(settings.size)
    lasted = np.array([step_s for step_s, _ in state.steps])
    steps = np.stack([measured for _, measured in state.steps])
    statistics = [
        measure_step(whole, state.whole, take_pace.recent[-1]),
        np.average(steps, axis=0, weights=lasted).astype(np.float32),
        steps.max(axis=0),
    ]
    state = replace(state, take_pace=take_pace, way=still, lasted_s=0.0, whole=whole, steps=())
    return state, Motion(np.ascontiguousarray(flow.transpose(2, 0, 1)), np.concatenate(statistics))


def estimate_flow(before: np.ndarray, after: np.ndarray, method: str) -> np.ndarray:
    """Returns (H, W, 2) float32: the way that each pixel of `after` has come since `before`; both (H, W) uint8."""
    if method == "dis":
        return -_ENGINES.dis.calc(after, before, None)
    blank = np.zeros((*before.shape, 2), np.float32)
    return -cv2.calcOpticalFlowFarneback(after, before, blank, 0.5, 3, 7, 3, 5, 1.1, 0)


def quantise(flow: np.ndarray, heat: np.ndarray, clip: float) -> np.ndarray:
    """Returns (3, H, W) int8: dx and dy with `clip` px/s as 127, and people with 1 as 127."""
    planes = np.concatenate([flow * (LEVELS / clip), heat[None] * LEVELS])
    return np.clip(np.rint(planes), -LEVELS, LEVELS).astype(np.int8)


def dequantise(planes: np.ndarray, clip: float) -> np.ndarray:
    """Returns (..., 3, H, W) float32 of int8: dx and dy in px/s, people 0..1."""
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


def _carry(way: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Returns the way (H, W, 2) that each pixel had come before it came here by `flow`."""
    height, width = way.shape[:2]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    origin = (across - flow[..., 0], down - flow[..., 1])
    return cv2.remap(way, *origin, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


class _Engines(threading.local):
    """An engine for each thread, since it keeps its buffers from call to call and computes without the GIL.

    Patches of 8 px every 3 px, at full resolution: at 64 px the presets' coarser scales miss limbs.
    """

    def __init__(self) -> None:
        self.dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.dis.setFinestScale(0)
        self.dis.setPatchStride(3)


_ENGINES = _Engines()
