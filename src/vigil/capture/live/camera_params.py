"""How cameras are captured and watched over: the numbers, with their units and reasons."""

import random
from typing import Annotated

from pydantic import Field

from vigil.core.params import Frozen

Positive = Annotated[float, Field(gt=0)]


class CameraParams(Frozen):
    """A camera's settings, the same for all."""

    size_px: Annotated[int, Field(ge=16)] | None = None  # shorter side of frames; None: as the camera sends them
    square_px: Annotated[int, Field(ge=16)] | None = None  # side of the grey square that comes with a frame; None: none
    timeout_s: Positive = 10.0  # without a packet the camera is gone
    hang_s: Positive = (
        30.0  # without a sign of life the process is killed; more than timeout_s, as connecting is silent
    )
    max_lag_s: Positive = 1.0  # what waits longer than this to be decoded is passed over
    packet_mib: Annotated[int, Field(ge=1)] = 32  # for packets, of which clips are cut: 30 s back at 8 Mbit/s
    first_pause_s: Positive = 0.5  # before the second try to connect; twice as long before each further one
    longest_pause_s: Positive = 30.0

    def pause_s(self, failures: int) -> float:
        """Returns how long to wait after so many failures in a row; by chance, so that cameras do not come at once."""
        longest = min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(failures, 30))
        return random.uniform(longest / 2, longest)
