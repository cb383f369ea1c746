"""Reads a camera until it is enough."""

import time
from collections.abc import Callable

from vigil.capture.frames import Event, Frame
from vigil.capture.live.camera import Camera

WAIT_S = 60.0


def watch(camera: Camera, is_enough: Callable[[list[Frame], list[Event]], bool]) -> tuple[list[Frame], list[Event]]:
    """Returns the frames and the events, each in order; fails where there is not enough in time."""
    frames: list[Frame] = []
    events: list[Event] = []
    until = time.monotonic() + WAIT_S
    while not is_enough(frames, events):
        assert time.monotonic() < until, f"{len(frames)} frames, {events}"
        item = camera.read(0.5)
        if isinstance(item, Frame):
            frames.append(item)
        elif item is not None:
            events.append(item)
    return frames, events
