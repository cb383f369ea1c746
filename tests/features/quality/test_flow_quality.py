"""The figures of metrics/flow.json: promises kept, and a flow that is wrong is seen to be."""

from dataclasses import replace

import numpy as np
import pytest

from vigil.features.flow.dense import Motion, Settings, State, quantise
from vigil.features.quality import flow_quality
from vigil.features.quality.flow_quality import draw_pair, measure_flow, motion_at_joints, round_trip

SETTINGS = Settings(fps=30, size=64, method="dis", clip=64.0, stabilise=False)


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_the_promises_of_the_default_size_are_kept(method: str) -> None:
    figures = measure_flow(SETTINGS.model_copy(update={"method": method}))
    assert figures["end_point_error_median_px"] < 0.15
    assert figures["round_trip_share_of_clip"] < 0.01
    assert figures["shake_left_median_px"] < 0.2 * figures["shake_px"]


def test_the_same_settings_give_the_same_figures() -> None:
    assert measure_flow(SETTINGS) == measure_flow(SETTINGS)


def test_flow_with_its_sign_turned_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = flow_quality.take

    def turned(state: State, settings: Settings) -> tuple[State, Motion]:
        state, motion = real(state, settings)
        return state, replace(motion, flow=-motion.flow)

    monkeypatch.setattr(flow_quality, "take", turned)
    assert measure_flow(SETTINGS)["end_point_error_median_px"] > 1


def test_drawn_motion_is_what_was_asked_for() -> None:
    drawn = draw_pair(64, 3.0, seed=1, turn=0.0, zoom=0.0)
    assert np.hypot(*drawn.flow) == pytest.approx(np.full((64, 64), 3.0), abs=1e-3)
    assert np.array_equal(draw_pair(64, 3.0, seed=1).before, draw_pair(64, 3.0, seed=1).before)


def test_a_coarse_scale_is_seen_in_the_round_trip() -> None:
    flow = np.linspace(-8, 8, 2 * 64 * 64, dtype=np.float32).reshape(2, 64, 64)
    assert round_trip(flow, 8.0) == pytest.approx(0.5 / 127, rel=0.02)


def test_a_video_s_flow_is_compared_with_its_joints() -> None:
    """One person moves 20 px of 640 to the right from frame 3 to 7: 2 px of the square, in a quarter of a second."""
    joints = np.zeros((3, 13, 3), np.float32)
    joints[:, 12] = [320, 240, 1]
    joints[1, 12, 0] += 20
    truth = {
        "frame": np.array([3, 7, 7], np.int32),
        "person": np.array([0, 0, 1], np.int32),
        "class": np.array(["person", "person", "bag"]),
        "joints": joints,
    }
    flow = np.zeros((2, 64, 64), np.float32)
    flow[0, 32, 34] = 6.0
    still = np.zeros((3, 64, 64), np.int8)
    planes = np.stack([still, quantise(flow, np.zeros((64, 64), np.float32), 64.0)])
    times = np.array([0.5, 0.75])
    true, estimated = motion_at_joints(planes, np.array([3, 7]), times, truth, (640, 480), 64.0)
    assert true == pytest.approx(np.array([[8.0, 0.0]]))
    assert estimated == pytest.approx(np.array([[6.0, 0.0]]), abs=0.3)
    assert motion_at_joints(planes[:1], np.array([3]), times[:1], truth, (640, 480), 64.0)[0].shape == (0, 2)
