"""Where the people are: 1 in the middle of who is certainly seen, fading towards the edges of the box."""

import numpy as np

SPREAD = 0.25  # of a box's sides: standard deviation around its middle
SMALLEST_PX = 0.7  # of the map; a body far away keeps a peak
REACH = 3.0  # standard deviations


def people_density(boxes: np.ndarray, source_size: tuple[int, int], size: int) -> np.ndarray:
    """Returns (size, size) float32, 0..1: the people in a frame of `source_size` (width, height) px, stretched.

    `boxes` (N, 5) are x0 y0 x1 y1 px and how sure each is, which is how high its bell is. Two people side by side add
    up as chances do: 1 - (1 - a)(1 - b).
    """
    scale = size / np.array(source_size, np.float64)
    low, high = boxes[:, :2] * scale, boxes[:, 2:4] * scale
    spread = np.maximum(SPREAD * (high - low), SMALLEST_PX)
    middle, heights = (low + high) / 2, np.clip(boxes[:, 4], 0, 1).astype(np.float32)
    first = np.clip(middle - REACH * spread, 0, size).astype(int).tolist()
    after = np.clip(middle + REACH * spread + 1, 0, size).astype(int).tolist()
    cells = np.arange(size) + 0.5
    offsets = ((cells - middle[..., None]) / spread[..., None]).astype(np.float32)
    bells = np.exp(-0.5 * offsets * offsets)
    empty = np.ones((size, size), np.float32)
    for body, ((left, top), (right, bottom)) in enumerate(zip(first, after, strict=True)):
        down = heights[body] * bells[body, 1, top:bottom, None]
        empty[top:bottom, left:right] *= 1 - down * bells[body, 0, None, left:right]
    return 1 - empty
