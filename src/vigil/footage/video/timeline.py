"""When the frames of a video are: its rate, how long it lasts, and where the recording pauses."""

from collections.abc import Sequence
from fractions import Fraction

from vigil.core.clock import PAUSE_S, START, update_pace

RATES = [*map(Fraction, range(1, 241)), *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))]
LONG_STEP = 1.5  # usual steps; what is longer in a damaged recording lacks a picture
Pauses = tuple[tuple[Fraction, Fraction], ...]  # seconds, half-open: nothing was recorded, and nobody watched


class Timeline:
    """The times of a video's frames, as far as they have come. Constant memory, save for the pauses."""

    def __init__(self) -> None:
        self.frames = 0
        self.last_s = Fraction(0)
        self._pace = START
        self._steps = 0  # that tell the rate: neither over a pause nor over lost frames
        self._steps_s = Fraction(0)  # that they last, together
        self._has_losses = False
        self._gaps: list[tuple[Fraction, Fraction, float | None]] = []  # frame before, frame after, usual step in s

    def add(self, time_s: Fraction, after_loss: bool = False) -> None:
        """Adds a frame. `after_loss`: pictures are lost before this one, or will be missing soon after it."""
        usual_s = self._pace.usual_s
        self._pace, is_after_pause = update_pace(self._pace, float(time_s))
        step_s = time_s - self.last_s
        self._has_losses |= after_loss
        if not self.frames and step_s > PAUSE_S:
            self._gaps.append((Fraction(0), time_s, 0.0))  # the beginning is lost
        if self.frames and is_after_pause:
            self._gaps.append((self.last_s, time_s, usual_s))
        elif self.frames and not (self._has_losses and usual_s and step_s > LONG_STEP * usual_s):
            self._steps += 1
            self._steps_s += step_s
        self.frames += 1
        self.last_s = time_s

    def rate(self, tick: Fraction, named: Sequence[Fraction]) -> Fraction:
        """Returns the average rate within the pieces; a `named` or usual one where stamps of `tick` s allow it."""
        steps, lasting_s = (self._steps, self._steps_s) if self._steps else (self.frames - 1, self.last_s)
        mean = steps / lasting_s
        slack = 2 * tick * mean * (1 + len(self._gaps))
        near = [rate for rate in [*named, *RATES] if abs(rate - mean) * lasting_s <= slack]
        return min(near, key=lambda rate: abs(rate - mean), default=Fraction(round(mean * 1000), 1000))

    def pauses(self, rate: Fraction) -> Pauses:
        """Returns the pauses. The frame before one lasts as long as usual; where nothing is usual, 1 / `rate`."""
        gaps = [(start, stop, 1 / rate if usual_s is None else _exact(usual_s)) for start, stop, usual_s in self._gaps]
        return tuple((start + step_s, stop) for start, stop, step_s in gaps if start + step_s < stop)


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * 10**9), 10**9)
