"""The records of a scene: what is there at one moment, in world metres.

World: X right, Y up, Z towards the camera. A scene function gives a Script; film.py calls it once per frame.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vigil_city.bodies.anatomy import Pose, Skeleton, mix, solve
from vigil_city.bodies.look import Capsule, Look
from vigil_city.lens.camera import Camera

GRAVITY = 9.81  # m/s2


@dataclass(frozen=True)
class Polygon:
    """A flat convex shape, seen from both sides."""

    points: np.ndarray  # (K, 3) world metres, in order around the edge
    rgb: np.ndarray  # (3,) 0..255
    shade: bool = True  # lit by the place's light; False: flat colour (signs, glass, lamps)


Part = Capsule | Polygon


@dataclass(frozen=True)
class State:
    """One body: pose, floor point of its hips and heading (0 looks along +Z, to the camera; 90 along +X)."""

    pose: Pose
    x: float
    z: float
    yaw: float

    def moved(self, to: "State", share: float, pose: Pose | None = None) -> "State":
        """A share of the way to another state; in `pose`, if that is not to be mixed, too."""
        between = mix(self.pose, to.pose, share) if pose is None else pose
        x, z = self.x + (to.x - self.x) * share, self.z + (to.z - self.z) * share
        return State(between, x, z, self.yaw + (to.yaw - self.yaw) * share)


@dataclass(frozen=True)
class Figure:
    """A person at one moment."""

    state: State
    look: Look
    role: str = "bystander"
    active: bool = False  # does the abnormal act now
    person: int = 0  # stable id within the video, from 0
    extra: list[Part] = field(default_factory=list)  # what it holds or wears; not part of its box

    @cached_property
    def skeleton(self) -> Skeleton:
        s = self.state
        return solve(s.pose, s.x, s.z, s.yaw, self.look.height)


@dataclass(frozen=True, eq=False)
class Thing:
    """An object. Return the same instance every frame while it stands still: it is then drawn only once."""

    parts: list[Part]
    kind: str = "prop"  # "bag" gets a box in the truth, anything else does not
    moving: bool = False
    shadow: np.ndarray | None = None  # (K, 2) convex footprint x, z on the floor

    @property
    def redrawn(self) -> bool:
        """Drawn anew in every frame: what moves, and what has a box of its own."""
        return self.moving or self.kind == "bag"


Effect = Callable[[np.ndarray, Camera, np.ndarray], np.ndarray]
"""image (H, W, 3) uint8 RGB, camera, depth (H, W) float32 metres -> image; painted after people and things."""


@dataclass(frozen=True)
class Moment:
    """All that is before the camera at one instant."""

    figures: list[Figure]
    things: list[Thing] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    jolt: tuple[float, float] = (0.0, 0.0)  # px by which the camera shakes
    gain: float = 1.0  # exposure: above 1 for a flash
    without: frozenset[str] = frozenset()  # fixtures of the place that the scene draws itself, as things


Script = Callable[[float], Moment]
"""Seconds since the start -> what is there: a pure function of time."""
