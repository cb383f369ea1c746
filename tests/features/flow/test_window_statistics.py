"""Windows of motion: in seconds, of frames that are over, and never across a pause."""

import numpy as np
import pytest

from vigil.features.flow.window_statistics import trailing_spans, trailing_windows


def test_a_window_ends_with_its_frame_and_a_short_video_is_one_window() -> None:
    ramp, times = np.arange(9, dtype=np.float32)[:, None], np.arange(9) / 8
    windows = trailing_windows(ramp, times, 0.5)
    assert np.isnan(windows[:4]).all()
    assert windows[4].tolist() == pytest.approx([2.5, np.sqrt(1.25)]), "frames 1 to 4; the first has no motion"
    assert np.array_equal(windows[:6], trailing_windows(ramp[:6], times[:6], 0.5), equal_nan=True), "no later frame"
    assert trailing_windows(ramp[:3], times[:3], 0.5)[2].tolist() == pytest.approx([1.5, 0.5])


@pytest.mark.parametrize("rate", [4, 8, 25])
def test_a_window_holds_its_seconds_at_every_rate(rate: int) -> None:
    spans = trailing_spans(np.arange(5 * rate) / rate, 2.0)
    start, stop = spans[-1] or (0, 0)
    assert stop - start == 2 * rate
    assert [span is None for span in spans] == [True] * (2 * rate) + [False] * (3 * rate)


def test_no_window_reaches_across_a_pause() -> None:
    times = np.append(np.arange(20) / 8, 60 + np.arange(20) / 8)
    for frame, span in enumerate(trailing_spans(times, 1.0)):
        assert span is None or (span[0] > 20) == (frame > 20)
    assert trailing_spans(times, 1.0)[20:28] == [None] * 8


@pytest.mark.parametrize("frames", [0, 1])
def test_a_video_without_motion_has_no_window_and_no_error(frames: int) -> None:
    windows = trailing_windows(np.full((frames, 3), np.nan, np.float32), np.arange(frames), 2.0)
    assert windows.shape == (frames, 6) and np.isnan(windows).all()


def test_a_window_shorter_than_a_frame_is_that_frame() -> None:
    assert trailing_spans([0.0, 0.5, 1.0], 0.01) == [None, (1, 2), (2, 3)]
