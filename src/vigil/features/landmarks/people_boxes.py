"""Boxes of the people in a frame, for what needs to know where they are and not how they stand.

A detector looks at every few frames, in the very ones in which the tracks of boxes.py are matched anew, so that one
look serves both; in the frames between, the newest boxes hold. No pose is estimated and nobody is followed. Where a
backend finds people by their poses, their boxes are those of their joints.

On disk, data/landmarks/<set>/<video>.boxes.npz, of the T stored frames of a video: boxes (M, 5) float32, x0 y0 x1 y1 px
of the video and score, and offsets (T + 1,) int64: those of frame t are boxes[offsets[t]:offsets[t + 1]].
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vigil.core import clock
from vigil.core.clock import Pace, update_pace
from vigil.core.storage import load_arrays, save_arrays
from vigil.features.landmarks.tracks import Person, is_look_due

SUFFIX = ".boxes.npz"
NOBODY = np.zeros((0, 5), np.float32)
Finder = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 RGB to boxes (N, 5) x0 y0 x1 y1 score


@dataclass(frozen=True, eq=False)
class State:
    """What is known after a frame."""

    boxes: np.ndarray = field(default_factory=lambda: NOBODY)  # (N, 5) px of the frame
    looked_s: float | None = None
    shape: tuple[int, ...] = ()
    pace: Pace = clock.START


START = State()


class SharedLook:
    """A finder that two ask about one frame, and that looks once. Not to be shared between threads."""

    def __init__(self, find: Finder) -> None:
        self._find, self._image, self._boxes = find, np.zeros(0), NOBODY

    def __call__(self, image: np.ndarray) -> np.ndarray:
        if image is not self._image:
            self._image, self._boxes = image, self._find(image)
        return self._boxes


def update(
    state: State, image: np.ndarray, time_s: float, find: Finder, every_s: float, confidence: float
) -> tuple[State, np.ndarray]:
    """Returns the boxes (N, 5) of the next frame, (H, W, 3) uint8 RGB, that are at least so sure."""
    pace, paused = update_pace(state.pace, time_s)
    if paused or image.shape != state.shape:
        state = State(shape=image.shape)
    state = replace(state, pace=pace)
    if is_look_due(pace, state.looked_s, time_s, every_s):
        boxes = np.asarray(find(image), np.float32).reshape(-1, 5)
        state = replace(state, boxes=boxes[boxes[:, 4] >= confidence], looked_s=time_s)
    return state, state.boxes


def boxes_of_people(people: Sequence[Person]) -> np.ndarray:
    """Returns the boxes (N, 5) around the joints of those who have any."""
    boxes = []
    for person in people:
        joints = person.pose[np.isfinite(person.pose[:, 0]), :2]
        if len(joints):
            boxes.append((*joints.min(axis=0), *joints.max(axis=0), person.score))
    return np.array(boxes, np.float32).reshape(-1, 5)


def scale_boxes(boxes: np.ndarray, scale: float) -> np.ndarray:
    """Returns boxes as a file has them; `scale` is px of the video per px of the frame."""
    return boxes * np.array([scale, scale, scale, scale, 1.0], np.float32)


def write_boxes(path: Path, boxes: Sequence[np.ndarray]) -> None:
    """Writes the boxes of each stored frame."""
    offsets = np.append(0, np.cumsum([len(of_frame) for of_frame in boxes], dtype=np.int64))
    save_arrays(path, boxes=np.concatenate([NOBODY, *boxes]).astype(np.float32), offsets=offsets)


def read_boxes(path: Path) -> Iterator[np.ndarray]:
    """Yields the boxes (N, 5) of each stored frame."""
    arrays = load_arrays(path)
    yield from np.split(arrays["boxes"], arrays["offsets"][1:-1]) if len(arrays["offsets"]) > 1 else ()
