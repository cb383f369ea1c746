"""How far the flow is from motion that is known: of drawn texture, exactly, and of a drawn video's people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vigil.core.clock import piece_starts
from vigil.features.flow.dense import Settings, State, dequantise, quantise, take, update

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


def draw_texture(side: int, seed: int) -> np.ndarray:
    """Draws (side, side) float32, 25..225: random structure of all scales."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side), np.float32)
    for grain, weight in ((4, 0.4), (8, 0.8), (16, 1.0), (32, 0.8), (64, 0.6)):
        noise = random.standard_normal((side // grain + 1, side // grain + 1)).astype(np.float32)
        total = total + weight * cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    return 25 + 200 * (total - total.min()) / np.ptp(total)


def draw_pair(size: int, speed_px: float, seed: int, turn: float = 0.01, zoom: float = 0.01) -> Pair:
    """Draws two frames: all is shifted by `speed_px` of the square, turned (radians) and zoomed about its middle."""
    random = np.random.default_rng(seed)
    side = size * FINE
    world = draw_texture(2 * side, seed)
    heading = random.uniform(0, 2 * np.pi)
    angle = np.degrees(turn) * random.choice([-1, 1])
    matrix = np.array(cv2.getRotationMatrix2D((side, side), angle, 1 + zoom), np.float64)
    matrix[:, 2] += FINE * speed_px * np.array([np.cos(heading), np.sin(heading)])
    moved = cv2.warpAffine(world, matrix, (2 * side, 2 * side), flags=cv2.INTER_CUBIC)
    half = slice(side // 2, side // 2 + side)
    before, after = (_frame(image[half, half], size, random) for image in (world, moved))
    centres = (np.arange(size) + 0.5) * FINE - 0.5 + side // 2
    x, y = np.meshgrid(centres, centres)
    back = np.array(cv2.invertAffineTransform(matrix))
    flow = np.stack(
        [coordinate - (row[0] * x + row[1] * y + row[2]) for row, coordinate in zip(back, (x, y), strict=True)]
    )
    return Pair(before, after, flow / FINE)


def draw_half_moving(size: int, shake_px: float, seed: int, share: float = 0.4) -> tuple[Pair, np.ndarray]:
    """Draws a camera that jumps by `shake_px`, while a block, `share` of the picture, moves otherwise; and its mask."""
    whole, other = draw_pair(size, shake_px, seed, 0.01, 0.0), draw_pair(size, 1.5 * shake_px, seed + 1, 0.0, 0.0)
    moving = np.zeros((size, size), bool)
    moving[:, : round(size * share)] = True
    fine = cv2.resize(moving.astype(np.uint8), whole.before.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    mixed = [np.where(fine[..., None], b, a) for a, b in zip(_images(whole), _images(other), strict=True)]
    return Pair(mixed[0], mixed[1], np.where(moving, other.flow, whole.flow)), moving


def measure_flow(settings: Settings) -> dict[str, float]:
    """Returns the numbers of metrics/flow.json that need no video."""
    plain = settings.model_copy(update={"stabilise": False})
    steady = settings.model_copy(update={"stabilise": True})
    unit = settings.size / 64
    errors, rounding = [], []
    for speed in SPEEDS_PX:
        for seed in range(PAIRS):
            drawn = draw_pair(settings.size, speed * unit, seed)
            flow = _flow(drawn, plain)
            errors.append(end_point_error(flow, drawn.flow))
            rounding.append(round_trip(flow, settings.clip))
    residuals = []
    for seed in range(PAIRS):
        drawn, moving = draw_half_moving(settings.size, SHAKE_PX * unit, seed)
        residuals.append(np.hypot(*_flow(drawn, steady))[~moving])
    all_errors = np.concatenate([error.ravel() for error in errors])
    return {
        "end_point_error_median_px": round(float(np.median(all_errors)), 4),
        "end_point_error_p90_px": round(float(np.percentile(all_errors, 90)), 4),
        "round_trip_share_of_clip": round(max(rounding), 5),
        "shake_left_median_px": round(float(np.median(np.concatenate(residuals))), 4),
        "shake_px": SHAKE_PX * unit,
    }


def end_point_error(flow: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Returns (H, W) px, of (2, H, W)."""
    return np.hypot(*(flow - truth))


def round_trip(flow: np.ndarray, clip: float) -> float:
    """Returns the largest error of writing as int8 and reading back, within `clip`, as a share of `clip`."""
    within = np.clip(flow, -clip, clip)
    back = dequantise(quantise(within, np.zeros(flow.shape[1:], np.float32), clip), clip)[:2]
    return float(np.abs(back - within).max() / clip)


def motion_at_joints(
    planes: np.ndarray,
    index: np.ndarray,
    times: np.ndarray,
    truth: Mapping[str, np.ndarray],
    source_size: tuple[int, int],
    clip: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (N, 2) true and estimated motion, px/s of the square, of the seen trunk joints of a drawn video's people.

    `planes` (T, 3, H, W) int8 of the frames numbered `index` at `times` s, and data/truth/<set>/<video>.npz. There is
    no motion from one piece of the recording to the next.
    """
    size = planes.shape[-1]
    scale = size / np.array(source_size, np.float64)
    person = np.char.equal(truth["class"], "person")
    rows = {(int(truth["frame"][row]), int(truth["person"][row])): row for row in np.flatnonzero(person).tolist()}
    true, estimated = [], []
    begins = set(piece_starts(times).tolist())
    for position, (before, after) in enumerate(zip(index[:-1].tolist(), index[1:].tolist(), strict=True), 1):
        if position in begins:
            continue
        step_s = float(times[position] - times[position - 1])
        flow = dequantise(planes[position], clip)[:2]
        for (frame, person_id), row in rows.items():
            if frame == before and (after, person_id) in rows:
                for start, stop in _joints(truth["joints"], row, rows[after, person_id], scale, size):
                    true.append((stop - start) / step_s)
                    estimated.append(flow[:, int(stop[1]), int(stop[0])])
    return np.array(true).reshape(-1, 2), np.array(estimated).reshape(-1, 2)


def _joints(
    joints: np.ndarray, row: int, later_row: int, scale: np.ndarray, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields where a joint was and is, of those seen both times and not at the very border."""
    for joint in TRUNK:
        start, stop = joints[row, joint], joints[later_row, joint]
        end = stop[:2] * scale
        if start[2] and stop[2] and (end >= 1).all() and (end < size - 1).all():
            yield start[:2] * scale, end


def _flow(drawn: Pair, settings: Settings) -> np.ndarray:
    """Returns (2, size, size) px: the two frames are a second apart, so that a pixel per second is a pixel."""
    state: State | None = None
    for second, image in enumerate(_images(drawn)):
        state, motion = take(update(state, image, float(second), settings), settings)
    return motion.flow


def _images(drawn: Pair) -> tuple[np.ndarray, np.ndarray]:
    return drawn.before, drawn.after


def _frame(fine: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    small = cv2.resize(fine, (3 * size, 3 * size), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + random.normal(0, NOISE, small.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)
