"""Flow: a known motion comes out, speed is kept, a shaking camera is steadied, and every frame gives a result."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vigil.features.flow.dense import (
    LEVELS,
    Settings,
    camera_motion,
    dequantise,
    estimate_flow,
    quantise,
    take,
    update,
)
from vigil.features.flow.motion_statistics import STEP_NAMES
from vigil.features.quality.flow_quality import draw_half_moving, draw_pair, end_point_error

DIS = Settings(fps=30, size=64, method="dis", clip=64.0, stabilise=False)
FARNEBACK = DIS.model_copy(update={"method": "farneback"})
STEADY = DIS.model_copy(update={"stabilise": True})
CLOUDS = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (240, 640, 3), dtype=np.uint8), (0, 0), 3)
CLOUDS = cv2.normalize(CLOUDS, None, 0, 255, cv2.NORM_MINMAX)


def fold(frames: list[np.ndarray], settings: Settings = DIS) -> list[np.ndarray]:
    """Flow of frames that are a second apart, so that pixels per second are pixels."""
    state, flows = None, []
    for second, frame in enumerate(frames):
        state, motion = take(update(state, frame, float(second), settings), settings)
        flows.append(motion.flow)
    return flows


def gliding(step: int, count: int = 2) -> list[np.ndarray]:
    """320x240: the world moves to the right by `step` px of the frame."""
    return [CLOUDS[:, 160 - step * number :][:, :320] for number in range(count)]


@pytest.mark.parametrize("settings", [DIS, FARNEBACK])
def test_flow_is_in_pixels_of_the_square_to_the_right_and_down(settings: Settings) -> None:
    flow = fold(gliding(10), settings)[1]  # 10 of 320 px are 2 of 64
    assert np.median(flow[0]) == pytest.approx(2, abs=0.1)
    assert np.median(flow[1]) == pytest.approx(0, abs=0.1)
    down = fold([frame.transpose(1, 0, 2) for frame in gliding(10)], settings)[1]
    assert np.median(down[1]) == pytest.approx(2, abs=0.1)


def test_twice_the_speed_is_twice_the_flow_and_not_the_same() -> None:
    slow, fast = fold(gliding(5))[1], fold(gliding(10))[1]
    assert np.median(fast[0]) == pytest.approx(2 * np.median(slow[0]), rel=0.1)
    written = [quantise(flow, np.zeros((64, 64), np.float32), DIS.clip)[0] for flow in (slow, fast)]
    assert np.median(written[1]) == pytest.approx(2 * np.median(written[0]), rel=0.1)


@pytest.mark.parametrize("settings", [DIS, FARNEBACK])
@pytest.mark.parametrize("speed_px", [0.5, 2, 4])
def test_a_known_motion_is_found_to_a_fraction_of_a_pixel(settings: Settings, speed_px: float) -> None:
    drawn = draw_pair(64, speed_px, seed=3)
    flow = fold([drawn.before, drawn.after], settings)[1]
    assert np.median(end_point_error(flow, drawn.flow)) < 0.15
    assert np.median(np.hypot(*drawn.flow)) == pytest.approx(speed_px, abs=0.3)


@pytest.mark.parametrize("settings", [DIS, FARNEBACK, STEADY])
def test_the_first_frame_and_a_picture_that_stands_still_have_no_flow(settings: Settings) -> None:
    first, second = fold([gliding(0)[0]] * 2, settings)
    assert not first.any()
    assert np.percentile(np.abs(second), 90) < 0.02  # Farneback makes up a little at the border
    assert settings.method == "farneback" or not second.any()
    assert first.shape == second.shape == (2, 64, 64)
    assert first.dtype == second.dtype == np.float32


@pytest.mark.parametrize("settings", [DIS, FARNEBACK, STEADY])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_any_texture_gives_no_flow_and_no_error(settings: Settings, level: int) -> None:
    flow = fold([np.full((48, 64, 3), level, np.uint8)] * 3, settings)[2]
    assert np.isfinite(flow).all()
    assert np.abs(flow).max() < 0.02


@pytest.mark.parametrize("settings", [DIS, FARNEBACK, STEADY])
def test_frames_of_any_and_of_changing_size_give_flow_of_one_shape(settings: Settings) -> None:
    random = np.random.default_rng(1)
    sizes = [(240, 320), (16, 20), (1, 1), (720, 405), (64, 64), (33, 500)]
    flows = fold([random.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes], settings)
    assert {flow.shape for flow in flows} == {(2, 64, 64)}
    assert all(np.isfinite(flow).all() for flow in flows)


def test_the_same_view_at_another_size_has_the_same_flow() -> None:
    frames = gliding(10)
    doubled = [cv2.resize(frame, (640, 480), interpolation=cv2.INTER_NEAREST) for frame in frames]
    assert np.median(np.abs(fold(frames)[1] - fold(doubled)[1])) < 0.05


def test_update_and_take_leave_their_state_as_it_was() -> None:
    frames = gliding(6, 3)
    state, _ = take(update(None, frames[0], 0.0, DIS), DIS)
    before = state.grey.copy(), state.way.copy()
    motions = [take(update(state, frames[1], 1.0, DIS), DIS)[1] for _ in range(2)]
    assert np.array_equal(motions[0].flow, motions[1].flow)
    assert np.array_equal(motions[0].statistics, motions[1].statistics)  # type: ignore[arg-type]
    assert np.array_equal(state.grey, before[0]) and np.array_equal(state.way, before[1])


def test_a_pixel_is_followed_over_the_frames_between_two_takes() -> None:
    """3 px of 64 in each of four steps of 0.25 s are 12 px/s, everywhere but where the world comes in."""
    state = None
    for step, frame in enumerate(gliding(15, 5)):
        state = update(state, frame, step / 4, DIS)
        if step in (0, 4):
            state, motion = take(state, DIS)
    assert np.median(motion.flow[0]) == pytest.approx(12, abs=0.5)
    assert motion.statistics is not None and len(motion.statistics) == 3 * len(STEP_NAMES)


@pytest.mark.parametrize("shake_px", [0.5, 1, 2, 4])
def test_a_shake_is_taken_out_though_two_fifths_of_the_picture_move(shake_px: float) -> None:
    left, without = [], []
    for seed in range(5):
        drawn, moving = draw_half_moving(64, shake_px, seed)
        frames = [drawn.before, drawn.after]
        left.append(np.median(np.hypot(*fold(frames, STEADY)[1])[~moving]))
        without.append(np.median(np.hypot(*fold(frames, DIS)[1])[~moving]))
    assert np.mean(without) > 0.8 * shake_px
    assert np.max(left) < 0.2


def test_somebody_who_walks_is_not_taken_out() -> None:
    frames = []
    for step in (0, 15):
        frame = CLOUDS[:, :320].copy()
        frame[60:200, 100 + step : 160 + step] = CLOUDS[60:200, 400:460]
        frames.append(frame)
    plain, steady = fold(frames, DIS)[1], fold(frames, STEADY)[1]
    assert np.median(plain[0, 20:50, 25:33]) == pytest.approx(3, abs=0.4)
    assert np.array_equal(plain, steady)


def test_flow_is_where_the_moving_thing_is_now() -> None:
    frames = [CLOUDS[:, :320].copy() for _ in range(2)]
    for frame, left in zip(frames, (100, 110), strict=True):
        frame[80:180, left : left + 60] = CLOUDS[80:180, 400:460]
    flow = fold(frames)[1]
    assert np.median(flow[0, 24:46, 24:33]) == pytest.approx(2, abs=0.3)  # 120 to 165 of 320
    assert np.abs(flow[0, 24:46, :18]).max() < 0.5
    assert np.abs(flow[0, 24:46, 37:]).max() < 0.5


def test_a_picture_in_which_nothing_agrees_has_no_camera_motion() -> None:
    random = np.random.default_rng(2)
    grey = random.integers(0, 255, (64, 64), dtype=np.uint8)
    wild = random.uniform(-5, 5, (64, 64, 2)).astype(np.float32)
    assert camera_motion(grey, wild, 4 / 3) is None
    assert camera_motion(np.zeros_like(grey), wild, 4 / 3) is None


def test_a_turn_is_a_turn_on_a_stretched_square() -> None:
    """A picture twice as wide as high, turned by 0.05 about its middle: x' - x = -0.05 y, of px twice as wide."""
    turn = np.array([[np.cos(0.05), -np.sin(0.05) / 2], [2 * np.sin(0.05), np.cos(0.05)]])
    grey = np.random.default_rng(3).integers(0, 255, (64, 64), dtype=np.uint8)
    places = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0)), axis=-1) - 32
    flow = places - places @ np.linalg.inv(turn).T
    model = camera_motion(grey, flow.astype(np.float32), aspect=2.0)
    assert model is not None
    assert model[:, :2] == pytest.approx(turn, abs=1e-3)


@examples(max_examples=50, deadline=None)
@given(arrays(np.float32, (2, 3, 3), elements=st.floats(-8, 8, width=32)), st.floats(0.5, 20))
def test_writing_as_int8_errs_by_less_than_a_hundredth_of_the_clip(flow: np.ndarray, clip: float) -> None:
    heat = np.abs(flow[0]) / 8
    back = dequantise(quantise(flow, heat, clip), clip)
    assert np.abs(back[:2] - np.clip(flow, -clip, clip)).max() < 0.01 * clip
    assert np.abs(back[2] - heat).max() < 0.01


def test_what_is_faster_than_the_clip_is_written_as_the_clip() -> None:
    flow = np.full((2, 1, 1), 100, np.float32)
    flow[1] = -100
    assert quantise(flow, np.ones((1, 1), np.float32), 8.0).ravel().tolist() == [LEVELS, -LEVELS, LEVELS]


def test_quantised_planes_survive_another_round() -> None:
    planes = np.arange(-127, 128, dtype=np.int8)
    planes = np.stack([planes, planes[::-1], np.abs(planes)])[:, None]
    back = dequantise(planes, 8.0)
    assert np.array_equal(quantise(back[:2], back[2], 8.0), planes)


def test_a_whole_video_is_dequantised_like_its_frames() -> None:
    video = np.random.default_rng(4).integers(-127, 128, (5, 3, 4, 4), dtype=np.int8)
    assert np.array_equal(dequantise(video, 8.0)[3], dequantise(video[3], 8.0))


def test_threads_change_nothing() -> None:
    before, after = (cv2.resize(frame[..., 0], (128, 128), interpolation=cv2.INTER_AREA) for frame in gliding(10))
    usual, flows = cv2.getNumThreads(), []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        flows.append([estimate_flow(before, after, method) for method in ("dis", "farneback")])
    cv2.setNumThreads(usual)
    assert np.array_equal(flows[0], flows[1])


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_cameras_that_are_judged_side_by_side_do_not_disturb_each_other(method: str) -> None:
    """What computes flow keeps buffers and lets other threads run meanwhile."""
    pairs = [(grey(CLOUDS[:, at : at + 240]), grey(CLOUDS[:, at + 3 : at + 243])) for at in range(0, 160, 2)]
    alone = [estimate_flow(*pair, method) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        side_by_side = list(pool.map(lambda pair: estimate_flow(*pair, method), pairs * 4))
    assert all(np.array_equal(flow, alone[number % len(pairs)]) for number, flow in enumerate(side_by_side))


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
