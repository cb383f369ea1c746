"""The columns of a segment: what the pose models read of T ticks of one person.

    minmax    26  places in the picture, each scaled to its range in the training split
    body      67  places from the middle of the hips (26) and speeds (26) in torso lengths, which joints were seen (13),
                  how far away the nearest other person is and how fast they close in (2)
    both      93  the 26, then the 67

The body columns know neither where in the picture somebody is nor how large, so no camera can be told by them. All are
pure functions of stored arrays, so that live and stored segments have the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from vigil.features.landmarks.pose_table import JOINTS, XY
from vigil.features.segments.segments import HIPS, Settings

SHOULDERS = [JOINTS.index("SHOULDER_LEFT"), JOINTS.index("SHOULDER_RIGHT")]
SMALLEST_TORSO = 0.1  # of the body's extent: a torso seen end-on must not blow the rest up
FLAT = 1e-4  # of the picture; a coordinate with a smaller range never changed
FASTEST = 20.0  # torso lengths per second; a glitch is no faster
FARTHEST = 10.0  # torso lengths; who is farther away, or nobody, counts as that far
BODY = (
    *(f"{name[:-2]}_BODY{name[-2:]}" for name in XY),
    *(f"{name[:-2]}_SPEED{name[-2:]}" for name in XY),
    *(f"{joint}_SEEN" for joint in JOINTS),
    "NEAREST_DISTANCE",
    "NEAREST_CLOSING",
)
Arrays = Mapping[str, np.ndarray]  # of N segments, as stage `segments` stores them


@dataclass(frozen=True)
class Scaler:
    """The range of each of the 26 coordinates, as shares of the picture, over the training split alone."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, ranges: Mapping[str, Sequence[float]]) -> Self:
        """Makes the scaler from what scaler.json holds."""
        return cls(tuple(ranges[name][0] for name in XY), tuple(ranges[name][1] for name in XY))

    @property
    def ranges(self) -> dict[str, list[float]]:
        """What scaler.json holds: smallest and largest by the name of the coordinate."""
        return {name: [low, high] for name, low, high in zip(XY, self.low, self.high, strict=True)}

    def __call__(self, shares: np.ndarray) -> np.ndarray:
        """Scales (..., 26) so that the training range is 0..1; what lies beyond it stays beyond."""
        low, span = np.array(self.low), np.array(self.high) - np.array(self.low)
        return (shares - low) / np.where(span > FLAT, span, 1.0)


def fit_scaler(shares: np.ndarray) -> Scaler:
    """Fits the scaler to (N, T, 26) shares of the picture; without any it changes nothing."""
    flat = shares.reshape(-1, len(XY))
    if not len(flat):
        return Scaler((0.0,) * len(XY), (1.0,) * len(XY))
    low, high = (np.round(edge.astype(np.float64), 6).tolist() for edge in (flat.min(axis=0), flat.max(axis=0)))
    return Scaler(tuple(low), tuple(high))


def picture_shares(poses: np.ndarray, source_size: np.ndarray) -> np.ndarray:
    """Returns (N, T, 26): `poses` (N, T, 13, 2) px as shares of width and height, `source_size` (N, 2)."""
    scaled = poses / source_size[:, None, None, :]
    return scaled.reshape(*poses.shape[:2], len(XY))


def body_features(poses: np.ndarray, seen: np.ndarray, near: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Returns (N, T, 67), the columns of BODY.

    `poses` is (N, T, 13, 2) px, `seen` (N, T, 13) bool, `near` (N, T, 2) px and px per second, `time_s` (N, T). Places
    are from the middle of the hips, upright as in the picture; speeds are those in the picture, the body's own way
    included. A torso is as long as it mostly was in the segment, so that bending does not enlarge legs.
    """
    middle, top = poses[:, :, HIPS].mean(axis=2), poses[:, :, SHOULDERS].mean(axis=2)
    extent = np.ptp(poses, axis=2).max(axis=-1)
    torso = np.maximum(np.hypot(*(top - middle).transpose(2, 0, 1)), SMALLEST_TORSO * extent)
    unit = np.maximum(np.median(torso, axis=1), 1e-6)[:, None, None, None]
    places = (poses - middle[:, :, None]) / unit
    speeds = np.clip(speeds_since_seen(poses, seen, time_s) / unit, -FASTEST, FASTEST)
    distance = np.minimum(near[..., :1] / unit[:, :, 0], FARTHEST)
    closing = np.clip(near[..., 1:] / unit[:, :, 0], -FASTEST, FASTEST)
    blocks = [block.reshape(*poses.shape[:2], len(XY)) for block in (places, speeds)]
    return np.concatenate([*blocks, seen, distance, closing], axis=-1)


def speeds_since_seen(poses: np.ndarray, seen: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Returns (N, T, 13, 2) px per second: the way of each joint since it was last seen, over the time since then.

    Who was hidden for a second and comes out elsewhere has walked there in that second, and not in the last tick. A
    joint that is not seen goes along with those that are. Nothing moves before a joint was seen a first time, nor while
    none is seen.
    """
    speeds = np.zeros(poses.shape)
    last_seen, seen_s = poses[:, 0].copy(), np.where(seen[:, 0], time_s[:, :1], np.nan)  # (N, 13, 2), (N, 13)
    for tick in range(1, poses.shape[1]):
        now = seen[:, tick]
        moved = now & np.isfinite(seen_s)
        elapsed_s = np.maximum(np.where(moved, time_s[:, tick, None] - seen_s, 1.0), 1e-6)[..., None]
        speed = np.where(moved[..., None], (poses[:, tick] - last_seen) / elapsed_s, np.nan)
        some = moved.any(axis=1)
        along = np.nanmedian(speed[some], axis=1, keepdims=True)
        speeds[some, tick] = np.where(moved[some, :, None], speed[some], along)
        last_seen = np.where(now[..., None], poses[:, tick], last_seen)
        seen_s = np.where(now, time_s[:, tick, None], seen_s)
    return speeds


def segment_features(arrays: Arrays, settings: Settings, scaler: Scaler) -> np.ndarray:
    """Returns (N, T, F) float32, the columns of `feature_names`."""
    poses, blocks = arrays["poses"].astype(np.float64), []
    if settings.normalise != "body":
        blocks.append(scaler(picture_shares(poses, arrays["source_size"])))
    if settings.normalise != "minmax":
        blocks.append(body_features(poses, arrays["seen"], arrays["near"].astype(np.float64), arrays["time_s"]))
    return np.concatenate(blocks, axis=-1).astype(np.float32)


def feature_names(settings: Settings) -> tuple[str, ...]:
    """Returns the names of the features, in order."""
    return (XY if settings.normalise != "body" else ()) + (BODY if settings.normalise != "minmax" else ())
