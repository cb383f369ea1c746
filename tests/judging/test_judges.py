"""One way to look at a video: stored or live, in any pieces, the same judgements, and none that knows what comes."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_judges import STEP, Wanderer, assert_alike, checkpoint_of

import judging
from vigil.clips import sampling, windows
from vigil.core.errors import VigilError
from vigil.judging.items import Picture, Segment
from vigil.judging.judgements import NOTHING, Judgement, causal_scores, hindsight_scores, update_score
from vigil.judging.judges import BATCH, judge_stream, make_judge
from vigil.models.blocks.layers import Clip, Predictions
from vigil.models.checkpoint import Members, load_checkpoint


def noise(count: int) -> list[bytes]:
    return judging.store_frames(judging.video("one", frames=count))


def items(model: str, count: int) -> list[Any]:
    """What the model is fed of a video of so many frames."""
    clip_video = judging.video("one", frames=count)
    if model in ("panic", "trunk"):
        return list(judging.flow(clip_video) if model == "panic" else judging.changes(clip_video))
    return [Picture(jpeg) for jpeg in judging.store_frames(clip_video)]


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity", "trunk"])
@pytest.mark.parametrize("count", [1, 5, 8, 12, 13, 29, 40])
def test_a_whole_video_is_judged_as_its_frames_one_by_one(model: str, count: int) -> None:
    frames_fed = items(model, count)
    judge = make_judge(judging.load_model(model), STEP)
    judgements = list(judge_stream(judge, frames_fed))
    assert_alike(judge.judge_all(frames_fed), judgements)
    assert judgements[-1].stop == count, "what is left is judged when the source ends"
    times = np.arange(count) / 8
    scores = causal_scores(judgements, times, judge.hold_s)
    ready = min(judge.ready, count)
    assert np.isfinite(scores[ready - 1 :]).all() and np.isnan(scores[: ready - 1]).all()
    assert np.isfinite(hindsight_scores(judgements, count)[0 if model != "panic" else ready - 1 :]).all()


@pytest.mark.parametrize("members", [1, 2])
def test_a_model_with_a_memory_is_stepped_and_warms_up(members: int) -> None:
    model = Wanderer() if members == 1 else Members([Wanderer(), Wanderer()])
    planes = np.random.default_rng(0).integers(-90, 90, (10, 3, 8, 8)).astype(np.int8)
    judge = make_judge(checkpoint_of(model), STEP)
    judgements = list(judge.judge_all(planes))
    assert [judgement.span for judgement in judgements] == [(span, span + 1) for span in range(3, 10)]
    assert judgements[-1].score == pytest.approx(planes.mean() / 127, abs=1e-5)
    assert_alike(judge_stream(judge, planes), judgements)
    short = list(judge.judge_all(planes[:2]))
    assert [judgement.stop for judgement in short] == [2], (
        "a video shorter than the warm-up is judged by its last frame"
    )


def test_panic_is_the_error_of_the_newest_frame_with_all_before_in_mind() -> None:
    model, frames_fed = judging.load_model("panic"), items("panic", 12)
    (*_, last) = make_judge(model, STEP).judge_all(frames_fed)
    x = torch.from_numpy(np.stack(frames_fed)).float().div(127)[None]
    with torch.no_grad():
        all_at_once = model.model.judge(model.model(x), x)
    assert last.newest == pytest.approx(float(all_at_once["frames"][0, -1]), abs=1e-6)
    assert np.allclose(last.cells, all_at_once["cells"][0], atol=1e-6)


def test_the_state_can_be_set_down_and_taken_up_anywhere() -> None:
    jpegs = noise(20)
    judge = make_judge(judging.load_model("crime_gate"), STEP)
    all_at_once = list(judge.judge_all(map(Picture, jpegs)))
    for cut in (1, 7, 8, 19):
        state, judgements = judge.start(), []
        for jpeg in jpegs[:cut]:
            state, newest = judge.update(state, Picture(jpeg))
            judgements += newest
        before = state
        judge.update(state, Picture(jpegs[0]))  # an update changes nothing that others hold
        state = before
        for jpeg in jpegs[cut:]:
            state, newest = judge.update(state, Picture(jpeg))
            judgements += newest
        assert_alike(judgements + judge.finish(state), all_at_once)


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity", "trunk"])
def test_no_score_knows_a_later_frame(model: str) -> None:
    frames_fed = items(model, 40)
    judge = make_judge(judging.load_model(model), STEP)
    times = np.arange(40) / 8
    all_at_once = causal_scores(list(judge.judge_all(frames_fed)), times, judge.hold_s)
    for cut in (13, 30):
        first_part = causal_scores(list(judge.judge_all(frames_fed[:cut])), times[:cut], judge.hold_s)
        assert np.allclose(first_part[:-1], all_at_once[: cut - 1], atol=1e-5, equal_nan=True)


def test_a_window_is_what_training_shows() -> None:
    clip_video = judging.video("one", frames=24)
    jpegs = judging.store_frames(clip_video)
    seen_by_model = []

    class Watcher(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.clip = Clip(4, window=8, size=32)
            self.factor = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen_by_model.extend(x)
            return x

        def judge(self, output: torch.Tensor, x: torch.Tensor) -> Predictions:
            return {"window": output.mean(dim=(1, 2, 3, 4))}

    model = Watcher()
    judgements = list(make_judge(checkpoint_of(model, "frames"), STEP).judge_all(map(Picture, jpegs)))
    samples = sampling.make_dataset(
        "frames", judging.DATA / "frames", [clip_video], {"normal": ["normal"]}, model.clip, fps=8.0, train=False
    )
    assert [judgement.span for judgement in judgements] == [tuple(span) for span in samples.spans.tolist()]
    for number, x in enumerate(seen_by_model):
        assert torch.equal(x, samples[number]["x"])


@pytest.mark.parametrize("model", ["pose_lstm", "pose_cnn"])
@pytest.mark.parametrize("sizes", [(201,), (64, 64), (30, 0, 40, 200, 1), (0,), ()])
def test_however_many_segments_come_together_a_batch_has_room_for_so_many(model: str, sizes: tuple[int, ...]) -> None:
    judge = make_judge(judging.load_model(model), STEP)
    random, batches = np.random.default_rng(0), list[int]()
    judge.model.register_forward_pre_hook(lambda _model, inputs: batches.append(len(inputs[0])))
    items = [
        [Segment(person, 0, 4, x) for person, x in enumerate(random.normal(size=(size, 4, 26)).astype(np.float32))]
        for size in sizes
    ]
    judgements = list(judge.judge_all(items))
    assert sum(batches) == sum(sizes) and max(batches, default=0) <= BATCH
    assert all(size == BATCH for size in batches[:-1])
    assert_alike(judgements, judge_stream(judge, items))  # all of an item in one batch
    assert [judgement.person for judgement in judgements] == [person for size in sizes for person in range(size)]


def test_people_are_judged_each_and_the_worst_of_those_who_are_there_counts() -> None:
    judge = make_judge(judging.load_model("pose_lstm"), STEP)
    x = np.random.default_rng(0).normal(size=(5, 4, 26)).astype(np.float32)
    items: list[list[Segment]] = [[] for _ in range(20)]
    for number, (person, stop) in enumerate([(1, 4), (1, 6), (2, 6), (2, 8), (1, 14)]):
        items[stop - 1].append(Segment(person, stop - 4, stop, x[number]))
    judgements = list(judge_stream(judge, items))
    assert_alike(sorted(judge.judge_all(items), key=lambda judgement: judgement.stop), judgements)
    times = np.arange(20) / 8
    scores = causal_scores(judgements, times, judge.hold_s)
    assert judge.hold_s == 0.5
    assert np.isnan(scores[:3]).all()
    assert scores[3] == scores[4] == pytest.approx(judgements[0].score)
    assert scores[5] == max(judgements[1].score, judgements[2].score)
    assert scores[7] == max(judgements[1].score, judgements[3].score)
    assert scores[10] == pytest.approx(judgements[3].score), (
        "the first person was last judged more than half a second ago"
    )
    assert np.isnan(scores[12]), "nobody has been there for half a second"
    later = hindsight_scores(judgements, 20)
    assert later[0] == pytest.approx(judgements[0].score)
    assert later[5] == pytest.approx(max(judgements[1].score, (judgements[2].score + judgements[3].score) / 2))
    assert np.isnan(later[8:10]).all()


def test_crime_is_named_in_what_the_gate_attends_to() -> None:
    clip_video = judging.video("one", "Arson", frames=40)
    jpegs = judging.store_frames(clip_video, (20, 28))
    gate = judging.load_model("crime_gate")
    named = judging.load_model("crime_type", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    judge = make_judge(named, 1.0, gate)
    judgements = list(judge_stream(judge, map(Picture, jpegs)))
    assert_alike(judge.judge_all(map(Picture, jpegs)), judgements)
    of_gate = list(make_judge(gate, 0.5).judge_all(map(Picture, jpegs)))
    assert [judgement.span for judgement in of_gate] == [judgement.span for judgement in judgements]
    assert np.allclose(
        [judgement.score for judgement in of_gate], [judgement.score for judgement in judgements], atol=1e-5
    )
    assert all(judgement.classes is not None and judgement.classes.shape == (2,) for judgement in judgements)
    other = load_checkpoint(judging.save_model("crime_gate", seed=1))
    with pytest.raises(VigilError, match="crime_gate it was trained behind"):
        make_judge(named, 1.0, other)


def test_a_score_that_is_no_number_stops_in_one_line() -> None:
    model = judging.load_model("crime_gate")
    with torch.no_grad():
        model.model.head[1].bias.fill_(float("nan"))
    with pytest.raises(VigilError, match=r"crime_gate: its score of frames 0 to 8 is not a number"):
        list(make_judge(model, STEP).judge_all(map(Picture, noise(8))))


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 10), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_scores_of_frames_are_those_of_windows_held_or_blended(count: int, length: int, stride: int, data: Any) -> None:
    spans = windows.slide_windows(count, length, stride)
    scores = data.draw(st.lists(st.floats(-9, 9), min_size=len(spans), max_size=len(spans)))
    judgements = [Judgement(start, stop, score, score) for (start, stop), score in zip(spans, scores, strict=True)]
    causal = causal_scores(judgements, np.arange(count) / 8, None)
    hindsight = hindsight_scores(judgements, count)
    for frame in range(count):
        ended = [score for score, (_, stop) in zip(scores, spans, strict=True) if stop <= frame + 1]
        around = [score for score, (start, stop) in zip(scores, spans, strict=True) if start <= frame < stop]
        assert np.isclose(causal[frame], ended[-1] if ended else np.nan, equal_nan=True)
        assert np.isclose(hindsight[frame], np.mean(around) if around else np.nan, equal_nan=True)


def test_nothing_is_known_before_the_first_judgement() -> None:
    standing, score = update_score(NOTHING, 0.0, [], None)
    assert np.isnan(score) and not standing.scores


def test_nothing_stands_across_a_pause() -> None:
    times = np.append(np.arange(4) / 8, 60 + np.arange(4) / 8)
    judgements = [Judgement(0, 2, 5.0, 5.0), Judgement(2, 4, 7.0, 7.0), Judgement(4, 7, 1.0, 1.0)]
    nan = float("nan")
    expected = [nan, 5, 5, 7, nan, nan, 1, 1]
    assert np.array_equal(causal_scores(judgements, times, None), expected, equal_nan=True)
    standing, scores = NOTHING, []
    for index, time_s in enumerate(times.tolist()):  # what is left of a piece comes with the first frame after a pause
        with_frame = {1: judgements[:1], 4: judgements[1:2], 6: judgements[2:]}.get(index, [])
        standing, score = update_score(standing, time_s, with_frame, None)
        scores.append(score)
    assert np.array_equal(scores, [nan, 5, 5, 5, nan, nan, 1, 1], equal_nan=True)


def test_of_judgements_that_end_with_the_same_frame_the_later_counts() -> None:
    judgements = [Judgement(0, 3, 5.0, 5.0), Judgement(1, 3, 2.0, 2.0), Judgement(0, 3, 4.0, 4.0, person=1)]
    assert causal_scores(judgements[:2], np.arange(4), None)[2] == 2
    assert causal_scores(judgements, np.arange(4), None)[2] == 4, "the later of each person"
