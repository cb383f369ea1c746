"""Curves of what a detector says: a probability of 0 is drawn as one, and what is not known is not drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from vigil.detect.alerts import Score
from vigil.evidence import overlay
from vigil.evidence.recording import Moment, Recording

DETECTOR: Any = SimpleNamespace(alarming=("gate",), threshold_probability=lambda _name: 0.5)


def recording(probabilities: list[float | None]) -> Recording:
    """Ten moments a second."""
    moments = [Moment(k, k / 10, [], {"gate": Score(0.0, p)}, {}) for k, p in enumerate(probabilities)]
    return Recording("one", (320, 240), moments)


def lowest_row(drawn: np.ndarray) -> np.ndarray:
    """(W,) bool: where the curve runs at the bottom of the strip, which is a probability of 0."""
    return (drawn[-2] != np.array(overlay.PAPER)).any(axis=-1)


def test_a_probability_of_zero_is_drawn_as_zero() -> None:
    nothing = overlay._draw_curves(recording([0.0] * 10), 9, DETECTOR, 320)
    assert lowest_row(nothing)[5:280].all()
    unknown = overlay._draw_curves(recording([None] * 10), 9, DETECTOR, 320)
    assert not lowest_row(unknown).any()


def test_a_curve_has_a_value_for_every_moment() -> None:
    said = recording([0.0, None, 0.25])
    said.moments.append(Moment(3, 0.3, [], {}, {}))
    assert np.array_equal(said.curve("gate"), [0, np.nan, 0.25, np.nan], equal_nan=True)
    assert np.array_equal(said.curve("gate", slice(1, 3)), [np.nan, 0.25], equal_nan=True)
