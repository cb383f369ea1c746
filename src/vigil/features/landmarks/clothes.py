"""How somebody's clothes look: the colours of the upper and the lower body, by which people who meet are told apart."""

from collections.abc import Sequence

import numpy as np

LEVELS = 6  # of each of red, green and blue
MIDDLE = 0.5  # of a box's width: little of what is behind
HALVES = ((0.15, 0.5), (0.5, 0.9))  # of a box's height, from its top: trunk and legs


def describe_clothes(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns (432,) square roots of the shares of each colour, of both halves; `image` is (H, W, 3) uint8 RGB."""
    height, width = image.shape[:2]
    left, top, right, bottom = (float(value) for value in box[:4])
    margin = (1 - MIDDLE) / 2 * (right - left)
    columns = _span(left + margin, right - margin, width)
    shares = []
    for begin, end in HALVES:
        rows = _span(top + begin * (bottom - top), top + end * (bottom - top), height)
        levels = image[rows, columns].reshape(-1, 3).astype(np.int64) * LEVELS // 256
        colours = levels @ (LEVELS**2, LEVELS, 1)
        shares.append(np.bincount(colours, minlength=LEVELS**3) / len(colours))
    return np.sqrt(np.concatenate(shares) / len(HALVES))


def clothes_distances(clothes: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> np.ndarray:
    """Returns (N, M): 0 of the same colours in the same shares, 1 of none in common."""
    if not len(clothes) or not len(others):
        return np.zeros((len(clothes), len(others)))
    return 1 - np.stack(clothes) @ np.stack(others).T


def _span(start: float, stop: float, length: int) -> slice:
    """Returns the pixels from `start` to `stop` that lie in a picture of `length`; one at least."""
    first = int(np.clip(start, 0, length - 1))
    return slice(first, int(np.clip(stop, first, length - 1)) + 1)
