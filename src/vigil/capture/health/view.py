"""What a camera usually looks at, and whether it looks elsewhere now.

The usual view is the mean of the edges, which light hardly changes, over the last minute or so; a picture unlike it
is not learned. Another view agrees with it in nothing; one that has shifted agrees when it is shifted back.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from vigil.capture.health.looks import EDGE_SIZE

ALIEN = 0.35  # correlation; fixed cameras keep above 0.4, the pictures of two cameras are at 0.1 (median)
SHIFTED = 0.5  # correlation after shifting back, from which a shift is believed
GAIN = 0.15  # by which shifting back must raise the correlation
SHIFT = 0.025  # of the width; less is a swaying pole
OVERLAP = 0.1  # of the picture, that two views must share for a shift to be measured


@dataclass(frozen=True, eq=False)
class View:
    """The usual view, `looks` of which it is learned, and its usual detail."""

    edges: np.ndarray | None = None
    detail: float = 0.0
    looks: int = 0


@dataclass(frozen=True)
class Comparison:
    """How a look compares with the usual view. `shift` is shares of the width and height, None for another view."""

    is_elsewhere: bool
    shift: tuple[float, float] | None = None


def learn_view(view: View, edges: np.ndarray, detail: float, usual_looks: float) -> View:
    """Learns from a look; one of `usual_looks` counts as much as all before it together, in the long run."""
    if view.edges is None:
        return View(edges, detail, 1)
    rate = max(1 / (view.looks + 1), 1 / usual_looks)
    return View(
        view.edges + np.float32(rate) * (edges - view.edges),
        view.detail + rate * (detail - view.detail),
        view.looks + 1,
    )


def compare_view(view: View, edges: np.ndarray) -> Comparison:
    """Compares a look with the usual view."""
    if view.edges is None:
        return Comparison(is_elsewhere=False)
    usual = view.edges - view.edges.mean()
    agreement = _correlate(usual, edges)
    # the window is multiplied into what is handed over, so copies are
    (right, down), _ = cv2.phaseCorrelate(usual.copy(), edges.copy(), cv2.createHanningWindow(EDGE_SIZE, cv2.CV_32F))
    width, height = EDGE_SIZE
    if abs(right) < width and abs(down) < height and max(abs(right), abs(down)) >= SHIFT * width:
        back = np.array([[1, 0, -right], [0, 1, -down]], np.float32)
        shared = cv2.warpAffine(np.ones_like(edges), back, EDGE_SIZE) > 0.99
        if shared.mean() > OVERLAP:
            shifted_back = _correlate(usual[shared], cv2.warpAffine(edges, back, EDGE_SIZE)[shared])
            if shifted_back > SHIFTED and shifted_back > agreement + GAIN:
                return Comparison(is_elsewhere=True, shift=(right / width, down / height))
    return Comparison(is_elsewhere=agreement < ALIEN)


def _correlate(look: np.ndarray, other: np.ndarray) -> float:
    look, other = look - look.mean(), other - other.mean()
    return float((look * other).sum() / np.sqrt((look * look).sum() * (other * other).sum() + 1e-9))
