"""Flow in numbers: each is what it says, of frames that are over, and as fast motion is more than slow motion."""

import numpy as np
import pytest

from vigil.features.flow.window_statistics import frame_statistics, trailing_windows


def test_a_tenth_of_the_picture_that_moves_is_in_the_mean_the_shares_and_the_maximum() -> None:
    planes = np.zeros((3, 3, 10, 10), np.int8)
    planes[1:, 0, 0], planes[1:, 1, 0] = 30, -40  # 50 long, in one row of ten
    planes[:, 2, 5:] = 127
    speed, change, people = np.split(frame_statistics(planes), [10, 20], axis=1)
    assert speed[0] == pytest.approx(np.zeros(10))
    # mean, median, 90 %, 99 %, maximum, then shares above 3, 6, 13, 25, 51 of 127
    assert speed[1] == pytest.approx([5 / 127, 0, 0, 50 / 127, 50 / 127, 0.1, 0.1, 0.1, 0.1, 0], abs=1e-6)
    assert change[1] == pytest.approx(speed[1]) and change[2] == pytest.approx(np.zeros(10))
    assert people[2] == pytest.approx([0.5, 0.5, 0, 0])


def test_a_long_video_is_read_in_pieces_without_a_seam() -> None:
    planes = np.random.default_rng(0).integers(-127, 128, (150, 3, 8, 8)).astype(np.int8)
    whole = frame_statistics(planes)
    assert whole[60:70] == pytest.approx(frame_statistics(planes[59:70])[1:])


def test_a_window_ends_with_its_frame_and_a_short_video_is_one_window() -> None:
    ramp = np.arange(6, dtype=np.float32)[:, None]
    windows = trailing_windows(ramp, 4)
    assert np.isnan(windows[:3]).all()
    assert windows[3].tolist() == pytest.approx([1.5, 3, np.sqrt(1.25)])
    assert np.array_equal(windows[:5], trailing_windows(ramp[:5], 4), equal_nan=True), "no later frame is looked at"
    assert trailing_windows(ramp[:2], 4)[1].tolist() == pytest.approx([0.5, 1, 0.5])
