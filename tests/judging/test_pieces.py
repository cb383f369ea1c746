"""Recordings with pauses and rates of their own: models see the same seconds, and nothing of before a pause."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_judges import STEP, Wanderer, assert_alike, checkpoint_of

import judging
from vigil.core.clock import arrival_frames, held_frames, pieces, tick_counts
from vigil.judging.items import Picture, Segment
from vigil.judging.judgements import NOTHING, Judgement, causal_scores, update_score
from vigil.judging.judges import make_judge
from vigil.judging.pieces import FEEDS, PieceJudge, judge_recording, make_piece_judge
from vigil.judging.stored import JudgingParams, judge_video, read_judgements
from vigil.judging.truth import mask_warm_up
from vigil.models.blocks.layers import Clip, Predictions

FPS = Fraction(8)


class Brightness(torch.nn.Module):
    """What it says of each frame of a window is how bright that is: so it tells which pictures it was shown."""

    def __init__(self, frames: int = 4) -> None:
        super().__init__()
        self.config, self.clip = None, Clip(frames, window=frames, size=4)
        self.factor = torch.nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor

    def judge(self, output: torch.Tensor, x: torch.Tensor) -> Predictions:
        return {"frames": output.mean(dim=(2, 3, 4)) * 127}


def numbered_planes(count: int) -> np.ndarray:
    """Flow whose every value is the number of its frame."""
    return np.broadcast_to(np.arange(count, dtype=np.int8)[:, None, None, None], (count, 3, 4, 4))


def steady(count: int, fps: float, start_s: float = 0) -> list[Fraction]:
    return [Fraction(start_s) + Fraction(number) / Fraction(fps) for number in range(count)]


MIXED = [*steady(20, 8), *steady(13, 4, 100), *steady(17, 6, 200), *steady(3, 8, 300), *steady(9, 30, 400)]


def items_of(model: str, times: Sequence[Fraction]) -> tuple[list[Any], Path]:
    """What a model is fed of each stored frame, and the file that holds it."""
    video = judging.video("one", frames=len(times))
    if model == "panic":
        return list(judging.flow(video, times=times)), judging.DATA / f"flow/{video.video}.npy"
    if model == "trunk":
        return list(judging.changes(video, times=times)), judging.DATA / f"trunk/{video.video}.npy"
    jpegs = judging.store_frames(video, times=times)
    return [Picture(jpeg) for jpeg in jpegs], judging.DATA / f"frames/{video.video}.npz"


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity", "trunk"])
def test_in_one_go_frame_by_frame_and_from_a_file_it_is_the_same(model: str) -> None:
    items, path = items_of(model, MIXED)
    folder = judging.save_model(model)
    judge = make_piece_judge(judging.load_model(model), STEP)
    judgements = list(judge_recording(judge, items, MIXED))
    assert_alike(judge.judge_all(items, MIXED), judgements)
    judge_video(path, None, folder, None, Path("judged.npz"), params=JudgingParams(step=STEP))
    stored = judgements if model == "activity" else [replace(judgement, cells=None) for judgement in judgements]
    assert_alike(read_judgements(Path("judged.npz")), stored)
    for judgement in judgements:
        piece = [(start, stop) for start, stop in pieces(np.array(MIXED, float)) if start < judgement.stop <= stop]
        assert judgement.start >= piece[0][0], "it crosses no pause"
        assert all(judgement.start <= index < judgement.stop for index in judgement.shown)
        assert judgement.frames is None or len(judgement.frames) == judgement.stop - judgement.start
    assert {judgement.stop for judgement in judgements} >= {20, 33, 50, 53, 62}, "each piece is judged to its end"


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity", "trunk"])
def test_each_piece_is_judged_as_a_video_of_its_own(model: str) -> None:
    times = [*steady(20, 8), *steady(9, 8, 500)]
    items, _ = items_of(model, times)
    checkpoint = judging.load_model(model)
    plain, judge = make_judge(checkpoint, STEP), make_piece_judge(checkpoint, STEP)
    first, second = list(plain.judge_all(items[:20])), list(plain.judge_all(items[20:]))
    judgements = list(judge.judge_all(items, times))
    assert_alike(judgements[: len(first)], first)
    assert [judgement.span for judgement in judgements[len(first) :]] == [
        (judgement.start + 20, judgement.stop + 20) for judgement in second
    ]
    later = [judgement.score for judgement in judgements[len(first) :]]
    assert later == pytest.approx([judgement.score for judgement in second], abs=1e-5)


@given(st.lists(st.sampled_from([1, 2, 3, 5, 8, 30, 1000]), min_size=0, max_size=40), st.integers(1, 6), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
def test_whatever_the_steps_both_ways_agree_and_map_back_to_stored_frames(
    steps: list[int], frames: int, is_picture: bool
) -> None:
    times = [Fraction(0), *accumulate(Fraction(step, 24) for step in steps)]
    feed = "held" if is_picture else "newest"
    judge = PieceJudge(make_judge(checkpoint_of(Brightness(frames)), STEP), feed, FPS)
    planes = numbered_planes(len(times))
    judgements = list(judge_recording(judge, planes, times))
    assert_alike(judge.judge_all(planes, times), judgements)
    assert judgements[-1].stop == len(times) or tick_counts(times, FPS)[-1] == 0
    arrivals = arrival_frames(tick_counts(times, FPS)).tolist()
    assert {judgement.stop - 1 for judgement in judgements} <= set(arrivals)
    for judgement in judgements:
        assert judgement.frames is not None and judgement.newest == pytest.approx(judgement.shown[-1], abs=1e-4)
        if judgement.shown[-1] == judgement.stop - 1:
            assert judgement.frames[-1] == pytest.approx(judgement.stop - 1, abs=1e-4)


def test_a_picture_is_held_and_flow_is_of_what_came_since() -> None:
    times, planes = steady(5, 4), numbered_planes(5)  # ticks are fed with frames 0, 1, 1, 2, 2, 3, 3, 4, 4
    pictures = PieceJudge(make_judge(checkpoint_of(Brightness()), 1.0), "held", FPS)
    flow = PieceJudge(make_judge(checkpoint_of(Brightness()), 1.0), "newest", FPS)
    assert [(held.shown, held.span) for held in judge_recording(pictures, planes, times)] == [
        ((0, 0, 1, 1), (0, 3)),
        ((2, 2, 3, 3), (2, 5)),
        ((2, 3, 3, 4), (2, 5)),
    ]
    judgements = list(judge_recording(flow, planes, times))
    assert [judgement.shown for judgement in judgements] == [(0, 1, 1, 2), (2, 3, 3, 4), (3, 3, 4, 4)]
    assert [judgement.span for judgement in judgements] == [(0, 3), (2, 5), (3, 5)]
    assert judgements[1].frames is not None and judgements[1].frames.round().tolist() == [2, 3, 4]


def test_a_memory_is_stepped_once_a_tick_and_starts_anew_after_a_pause() -> None:
    times = [*steady(4, 4), *steady(4, 8, 60)]
    planes = numbered_planes(8)
    judge = PieceJudge(make_judge(checkpoint_of(Wanderer()), STEP), FEEDS["flow"], FPS)
    judgements = list(judge_recording(judge, planes, times))
    fed = [0, 1, 1, 2, 2, 3, 3]
    means = [np.mean(fed[: count + 1]) for count in range(3, 7)] + [np.mean([4, 5, 6, 7])]
    assert [judgement.score * 127 for judgement in judgements] == pytest.approx(means, abs=1e-3)
    assert [judgement.span for judgement in judgements] == [(2, 3), (2, 3), (3, 4), (3, 4), (7, 8)]
    scores = causal_scores(judgements, [float(time_s) for time_s in times], None) * 127
    assert np.isnan(scores[[0, 1, 4, 5, 6]]).all()
    assert scores[[2, 3, 7]] == pytest.approx([np.mean(fed[:5]), np.mean(fed), 5.5], abs=1e-3)


def test_the_state_can_be_set_down_and_taken_up_anywhere() -> None:
    items, _ = items_of("crime_gate", MIXED)
    judge = make_piece_judge(judging.load_model("crime_gate"), STEP)
    expected = list(judge.judge_all(items, MIXED))
    for cut in (1, 19, 20, 21, 40):
        state, judgements = judge.start(), []
        for item, time_s in zip(items[:cut], MIXED, strict=False):
            state, with_frame = judge.update(state, item, time_s)
            judgements += with_frame
        before = state
        judge.update(state, items[0], MIXED[cut] + 500)  # an update changes nothing that others hold
        state = before
        for item, time_s in zip(items[cut:], MIXED[cut:], strict=True):
            state, with_frame = judge.update(state, item, time_s)
            judgements += with_frame
        assert_alike(judgements + judge.finish(state), expected)


def test_what_is_left_of_a_piece_is_not_said_of_the_frame_after_the_pause() -> None:
    times = [*steady(13, 8), *steady(13, 8, 60)]
    items, _ = items_of("crime_gate", times)
    judge = make_piece_judge(judging.load_model("crime_gate"), STEP)
    state, standing, scores = judge.start(), NOTHING, []
    for item, time_s in zip(items, times, strict=True):
        state, judgements = judge.update(state, item, time_s)
        standing, score = update_score(standing, float(time_s), judgements, judge.judge.hold_s)
        scores.append(score)
    stored = causal_scores(list(judge.judge_all(items, times)), [float(time_s) for time_s in times], None)
    assert np.isnan(stored[13:20]).all() and np.isfinite(stored[7:13]).all() and np.isfinite(stored[20:]).all()
    ends = [12, 25]  # the last windows of the pieces are known only when these have ended
    assert np.allclose(np.delete(scores, ends), np.delete(stored, ends), atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity", "trunk"])
@pytest.mark.parametrize("every", [2, 4, 8])
def test_a_camera_of_half_the_rate_is_judged_over_the_same_seconds(model: str, every: int) -> None:
    times = steady(81, 8)
    items, _ = items_of(model, times)
    judge = make_piece_judge(judging.load_model(model), STEP)
    fine = list(judge.judge_all(items, times))
    slow_items, slow_times = items[::every], times[::every]
    slow = list(judge.judge_all(slow_items, slow_times))
    assert len(slow) == len(fine), "as many windows, of the same ticks"
    step_s = every / 8
    for fine_one, slow_one in zip(fine, slow, strict=True):
        for edge in (lambda span: span[0], lambda span: span[1] - 1):
            assert abs(times[edge(fine_one.span)] - slow_times[edge(slow_one.span)]) < step_s
    scores = causal_scores(slow, [float(time_s) for time_s in slow_times], judge.judge.hold_s)
    ready_s = (judge.judge.ready - 1) / 8
    assert np.isfinite(scores[np.array(slow_times, float) >= ready_s]).all()
    assert np.isnan(scores[np.array(slow_times, float) < ready_s]).all()


@pytest.mark.parametrize("fps", [1, 2, 3, 4, 6, 8])
def test_people_seen_by_a_slow_camera_are_judged_in_every_frame_and_held_no_longer(fps: int) -> None:
    from vigil.features.landmarks.pose_table import Pose
    from vigil.features.segments import segments

    cut = segments.Settings.read(judging.SEGMENTS, "test")
    judge = make_piece_judge(judging.load_model("pose_lstm"), STEP)
    times, gone_s = steady(10 * fps, fps), 5
    joints = np.random.default_rng(0).uniform(0, 60, (13, 2))
    cutting, state, standing, scores = segments.START, judge.start(), NOTHING, []
    for frame, time_s in enumerate(times):
        people = [Pose(frame, time_s, 1, 1.0, 1.0, joints, np.ones(13))] if time_s < gone_s else []
        cutting, complete = segments.update(cutting, frame, time_s, people, cut)
        x = np.zeros((cut.frames, 26), np.float32)
        fed = [Segment(1, int(segment.frame[0]), int(segment.frame[-1]) + 1, x) for segment in complete]
        state, judgements = judge.update(state, fed, time_s)
        standing, score = update_score(standing, float(time_s), judgements, judge.judge.hold_s)
        scores.append(score)
    scored = [float(time_s) for time_s, score in zip(times, scores, strict=True) if np.isfinite(score)]
    ready_s = (cut.frames - 1) / float(cut.rate)
    expected = [float(time_s) for time_s in times if ready_s <= time_s < gone_s]
    assert set(scored) >= set(expected), "no frame is without a score because the camera is slow"
    assert max(scored) <= gone_s + cut.gap_s + (judge.judge.hold_s or 0)


def test_the_warm_up_is_in_ticks_and_of_each_piece() -> None:
    times = [*steady(6, 4), *steady(5, 8, 60), *steady(1, 8, 90)]
    assert tick_counts(times, FPS).tolist() == [1, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]
    masked = mask_warm_up(np.zeros(12, np.int8), times, 4, FPS)
    assert masked.tolist() == [-1, -1, 0, 0, 0, 0, -1, -1, -1, 0, 0, 0]
    judge = PieceJudge(make_judge(checkpoint_of(Brightness()), STEP), "newest", FPS)
    judgements: list[Judgement] = list(judge.judge_all(numbered_planes(12), times))
    scores = causal_scores(judgements, [float(time_s) for time_s in times], None)
    assert (np.isfinite(scores) == (masked == 0)).all()
    assert held_frames(tick_counts(times, FPS))[-1] == 11
