"""How far the flow is from motion that is known: of drawn texture, exactly, and of a drawn video's people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vigil.features.flow.dense import Settings, State, dequantise, quantise, update

FINE = 6  # texture is drawn this much finer than the square at which flow is estimated
SPEEDS_PX = (0.25, 0.5, 1, 2, 4)  # at 64 px; in proportion at other sizes
PAIRS = 4  # of each speed
NOISE = 2.0  # grey levels, of each pixel of a frame three times as fine as the square
SHAKE_PX = 2.0  # at 64 px
TRUNK = (0, 3, 6, 9, 12)  # shoulders, hips and head: joints that lie within the body's outline


@dataclass(frozen=True, eq=False)
class Pair:
    """Two frames and the motion from the one to the other."""

    before: np.ndarray  # (H, W, 3) uint8 RGB
    after: np.ndarray
    flow: np.ndarray  # (2, size, size) px of the square: the way that each pixel of `after` has come


def texture(side: int, seed: int) -> np.ndarray:
    """(side, side) float32, 25..225: random structure of all scales."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side), np.float32)
    for grain, weight in ((4, 0.4), (8, 0.8), (16, 1.0), (32, 0.8), (64, 0.6)):
        noise = random.standard_normal((side // grain + 1, side // grain + 1)).astype(np.float32)
        total = total + weight * cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    return 25 + 200 * (total - total.min()) / np.ptp(total)


def pair(size: int, speed_px: float, seed: int, turn: float = 0.01, zoom: float = 0.01) -> Pair:
    """All of the picture moves: shifted by `speed_px` of the square, turned (radians) and zoomed about its middle."""
    random = np.random.default_rng(seed)
    side = size * FINE
    world = texture(2 * side, seed)
    heading = random.uniform(0, 2 * np.pi)
    angle = np.degrees(turn) * random.choice([-1, 1])
    matrix = np.array(cv2.getRotationMatrix2D((side, side), angle, 1 + zoom), np.float64)
    matrix[:, 2] += FINE * speed_px * np.array([np.cos(heading), np.sin(heading)])
    moved = cv2.warpAffine(world, matrix, (2 * side, 2 * side), flags=cv2.INTER_CUBIC)
    half = slice(side // 2, side // 2 + side)
    before, after = (_frame(image[half, half], size, random) for image in (world, moved))
    places = (np.arange(size) + 0.5) * FINE - 0.5 + side // 2
    x, y = np.meshgrid(places, places)
    back = np.array(cv2.invertAffineTransform(matrix))
    flow = np.stack([own - (row[0] * x + row[1] * y + row[2]) for row, own in zip(back, (x, y), strict=True)])
    return Pair(before, after, flow / FINE)


def half_moving(size: int, shake_px: float, seed: int, share: float = 0.4) -> tuple[Pair, np.ndarray]:
    """A camera that jumps by `shake_px`, while `share` of the picture, a block, moves otherwise; that block's mask."""
    whole, other = pair(size, shake_px, seed, 0.01, 0.0), pair(size, 1.5 * shake_px, seed + 1, 0.0, 0.0)
    moving = np.zeros((size, size), bool)
    moving[:, : round(size * share)] = True
    fine = cv2.resize(moving.astype(np.uint8), whole.before.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    mixed = [np.where(fine[..., None], b, a) for a, b in zip(_images(whole), _images(other), strict=True)]
    return Pair(mixed[0], mixed[1], np.where(moving, other.flow, whole.flow)), moving


def measure(settings: Settings) -> dict[str, float]:
    """The numbers of metrics/flow.json that need no video."""
    plain = settings.model_copy(update={"stabilise": False})
    steady = settings.model_copy(update={"stabilise": True})
    unit = settings.size / 64
    errors, rounding = [], []
    for speed in SPEEDS_PX:
        for seed in range(PAIRS):
            drawn = pair(settings.size, speed * unit, seed)
            flow = _flow(drawn, plain)
            errors.append(end_point_error(flow, drawn.flow))
            rounding.append(round_trip(flow, settings.clip))
    left = []
    for seed in range(PAIRS):
        drawn, moving = half_moving(settings.size, SHAKE_PX * unit, seed)
        left.append(np.hypot(*_flow(drawn, steady))[~moving])
    every = np.concatenate([error.ravel() for error in errors])
    return {
        "end_point_error_median_px": round(float(np.median(every)), 4),
        "end_point_error_p90_px": round(float(np.percentile(every, 90)), 4),
        "round_trip_share_of_clip": round(max(rounding), 5),
        "shake_left_median_px": round(float(np.median(np.concatenate(left))), 4),
        "shake_px": SHAKE_PX * unit,
    }


def end_point_error(flow: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(H, W) px, of (2, H, W)."""
    return np.hypot(*(flow - truth))


def round_trip(flow: np.ndarray, clip: float) -> float:
    """The largest error of writing as int8 and reading back, of all that `clip` lets through, as a share of `clip`."""
    within = np.clip(flow, -clip, clip)
    back = dequantise(quantise(within, np.zeros(flow.shape[1:], np.float32), clip), clip)[:2]
    return float(np.abs(back - within).max() / clip)


def at_joints(
    planes: np.ndarray, index: np.ndarray, truth: Mapping[str, np.ndarray], source_size: tuple[int, int], clip: float
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) true and estimated motion, px of the square, of the seen trunk joints of a drawn video's people.

    `planes` (T, 3, H, W) int8 of the frames numbered `index`, and data/truth/<set>/<video>.npz.
    """
    size = planes.shape[-1]
    scale = size / np.array(source_size, np.float64)
    person = np.char.equal(truth["class"], "person")
    rows = {(int(truth["frame"][row]), int(truth["person"][row])): row for row in np.flatnonzero(person).tolist()}
    told, found = [], []
    for place, (before, after) in enumerate(zip(index[:-1].tolist(), index[1:].tolist(), strict=True), 1):
        flow = dequantise(planes[place], clip)[:2]
        for (frame, who), row in rows.items():
            if frame == before and (after, who) in rows:
                for start, stop in _joints(truth["joints"], row, rows[after, who], scale, size):
                    told.append(stop - start)
                    found.append(flow[:, int(stop[1]), int(stop[0])])
    return np.array(told).reshape(-1, 2), np.array(found).reshape(-1, 2)


def _joints(
    joints: np.ndarray, row: int, then: int, scale: np.ndarray, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Where a joint was and is, of those seen both times and not at the very border."""
    for joint in TRUNK:
        start, stop = joints[row, joint], joints[then, joint]
        place = stop[:2] * scale
        if start[2] and stop[2] and (place >= 1).all() and (place < size - 1).all():
            yield start[:2] * scale, place


def _flow(drawn: Pair, settings: Settings) -> np.ndarray:
    state: State | None = None
    for image in _images(drawn):
        state, flow = update(state, image, settings)
    return flow


def _images(drawn: Pair) -> tuple[np.ndarray, np.ndarray]:
    return drawn.before, drawn.after


def _frame(fine: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    small = cv2.resize(fine, (3 * size, 3 * size), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + random.normal(0, NOISE, small.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)
