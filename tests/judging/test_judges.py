"""One way to look at a video: stored or live, in any pieces, the same judgements, and none that knows what comes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import judging
from vigil.clips import sampling, windows
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.features.frames import Archive
from vigil.judging import attention, judges
from vigil.judging.judgements import UNKNOWN, Judgement, causal, in_hindsight, known
from vigil.judging.judges import Judge, Picture, Segment
from vigil.models import checkpoint
from vigil.models.blocks.layers import Clip, Judged
from vigil.models.checkpoint import Card, Loaded

STEP = 0.5


def noise(count: int) -> list[bytes]:
    return judging.filmed(judging.video("one", frames=count))


def items(model: str, count: int) -> list[Any]:
    """What the model is fed of a video of so many frames."""
    one = judging.video("one", frames=count)
    return list(judging.flow(one)) if model == "panic" else [Picture(jpeg) for jpeg in judging.filmed(one)]


def fold(judge: Judge, items: Iterable[Any]) -> list[Judgement]:
    state, found = judge.start(), []
    for item in items:
        state, more = judge.update(state, item)
        found += more
    return found + judge.finish(state)


def alike(one: list[Judgement], other: list[Judgement]) -> None:
    assert [(a.start, a.stop, a.person, a.shown) for a in one] == [(b.start, b.stop, b.person, b.shown) for b in other]
    for a, b in zip(one, other, strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-5)
        assert a.newest == pytest.approx(b.newest, abs=1e-5)
        for key in ("frames", "classes", "cells", "attention"):
            left, right = getattr(a, key), getattr(b, key)
            assert (left is None) == (right is None)
            assert left is None or np.allclose(left, right, atol=1e-5)


class Wanderer(torch.nn.Module):
    """A stream model: what it says is the mean of all planes so far."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.clip = None, Clip(4, size=8, target="itself")
        self.factor = torch.nn.Parameter(torch.ones(()))

    def step(self, frame: torch.Tensor, state: Any) -> tuple[Judged, Any]:
        count, total = state or (0, torch.zeros(len(frame)))
        total = total + frame.mean(dim=(1, 2, 3)) * self.factor
        return {"window": total / (count + 1)}, (count + 1, total)


def loaded(model: torch.nn.Module, kind: str = "flow") -> Loaded:
    card = Card("wanderer", Frozen(), {}, model.clip, kind, {"frames": {"fps": 8.0}}, "", 0, [], [])
    return Loaded(model.eval().requires_grad_(False), card, "0" * 64)


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity"])
@pytest.mark.parametrize("count", [1, 5, 8, 12, 13, 29, 40])
def test_a_whole_video_is_judged_as_its_frames_one_by_one(model: str, count: int) -> None:
    fed = items(model, count)
    judge = judges.opened(judging.opened(model), STEP)
    found = fold(judge, fed)
    alike(list(judge.whole(fed)), found)
    assert found[-1].stop == count, "what is left is judged when the source ends"
    times = np.arange(count) / 8
    scores = causal(found, times, judge.hold_s)
    ready = min(judge.ready, count)
    assert np.isfinite(scores[ready - 1 :]).all() and np.isnan(scores[: ready - 1]).all()
    assert np.isfinite(in_hindsight(found, count)[0 if model != "panic" else ready - 1 :]).all()


@pytest.mark.parametrize("members", [1, 2])
def test_a_model_with_a_memory_is_stepped_and_warms_up(members: int) -> None:
    model = Wanderer() if members == 1 else checkpoint.Members([Wanderer(), Wanderer()])
    planes = np.random.default_rng(0).integers(-90, 90, (10, 3, 8, 8)).astype(np.int8)
    judge = judges.opened(loaded(model), STEP)
    found = list(judge.whole(planes))
    assert [(one.start, one.stop) for one in found] == [(place, place + 1) for place in range(3, 10)]
    assert found[-1].score == pytest.approx(planes.mean() / 127, abs=1e-5)
    alike(fold(judge, planes), found)
    short = list(judge.whole(planes[:2]))
    assert [one.stop for one in short] == [2], "a video shorter than the warm-up is judged by its last frame"


def test_panic_is_the_error_of_the_newest_frame_with_all_before_in_mind() -> None:
    model, fed = judging.opened("panic"), items("panic", 12)
    (*_, last) = judges.opened(model, STEP).whole(fed)
    x = torch.from_numpy(np.stack(fed)).float().div(127)[None]
    with torch.no_grad():
        whole = model.model.judge(model.model(x), x)
    assert last.newest == pytest.approx(float(whole["frames"][0, -1]), abs=1e-6)
    assert np.allclose(last.cells, whole["cells"][0], atol=1e-6)


def test_the_state_can_be_set_down_and_taken_up_anywhere() -> None:
    jpegs = noise(20)
    judge = judges.opened(judging.opened("crime_gate"), STEP)
    whole = list(judge.whole(map(Picture, jpegs)))
    for cut in (1, 7, 8, 19):
        state, found = judge.start(), []
        for jpeg in jpegs[:cut]:
            state, more = judge.update(state, Picture(jpeg))
            found += more
        before = state
        judge.update(state, Picture(jpegs[0]))  # an update changes nothing that others hold
        state = before
        for jpeg in jpegs[cut:]:
            state, more = judge.update(state, Picture(jpeg))
            found += more
        alike(found + judge.finish(state), whole)


@pytest.mark.parametrize("model", ["i3d", "crime_gate", "panic", "activity"])
def test_no_score_knows_a_later_frame(model: str) -> None:
    fed = items(model, 40)
    judge = judges.opened(judging.opened(model), STEP)
    times = np.arange(40) / 8
    whole = causal(list(judge.whole(fed)), times, judge.hold_s)
    for cut in (13, 30):
        part = causal(list(judge.whole(fed[:cut])), times[:cut], judge.hold_s)
        assert np.allclose(part[:-1], whole[: cut - 1], atol=1e-5, equal_nan=True)


def test_a_window_is_what_training_shows() -> None:
    one = judging.video("one", frames=24)
    jpegs = judging.filmed(one)
    given = []

    class Watcher(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.clip = Clip(4, window=8, size=32)
            self.factor = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            given.extend(x)
            return x

        def judge(self, output: torch.Tensor, x: torch.Tensor) -> Judged:
            return {"window": output.mean(dim=(1, 2, 3, 4))}

    model = Watcher()
    found = list(judges.opened(loaded(model, "frames"), STEP).whole(map(Picture, jpegs)))
    samples = sampling.dataset(
        "frames", judging.DATA / "frames", [one], {"normal": ["normal"]}, model.clip, train=False
    )
    assert [(a.start, a.stop) for a in found] == [tuple(place) for place in samples.places.tolist()]
    for number, x in enumerate(given):
        assert torch.equal(x, samples[number]["x"])


def test_people_are_judged_each_and_the_worst_of_those_who_are_there_counts() -> None:
    judge = judges.opened(judging.opened("pose_lstm"), STEP)
    x = np.random.default_rng(0).normal(size=(5, 4, 26)).astype(np.float32)
    items: list[list[Segment]] = [[] for _ in range(20)]
    for number, (person, stop) in enumerate([(1, 4), (1, 6), (2, 6), (2, 8), (1, 14)]):
        items[stop - 1].append(Segment(person, stop - 4, stop, x[number]))
    found = fold(judge, items)
    alike(sorted(judge.whole(items), key=lambda one: one.stop), found)
    times = np.arange(20) / 8
    scores = causal(found, times, judge.hold_s)
    assert judge.hold_s == 0.5
    assert np.isnan(scores[:3]).all()
    assert scores[3] == scores[4] == pytest.approx(found[0].score)
    assert scores[5] == max(found[1].score, found[2].score)
    assert scores[7] == max(found[1].score, found[3].score)
    assert scores[10] == pytest.approx(found[3].score), "the first person was last judged more than half a second ago"
    assert np.isnan(scores[12]), "nobody has been there for half a second"
    later = in_hindsight(found, 20)
    assert later[0] == pytest.approx(found[0].score)
    assert later[5] == pytest.approx(max(found[1].score, (found[2].score + found[3].score) / 2))
    assert np.isnan(later[8:10]).all()


def test_crime_is_named_in_what_the_gate_attends_to() -> None:
    one = judging.video("one", "Arson", frames=40)
    jpegs = judging.filmed(one, (20, 28))
    gate = judging.opened("crime_gate")
    named = judging.opened("crime_type", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    judge = judges.opened(named, 1.0, gate)
    found = fold(judge, map(Picture, jpegs))
    alike(list(judge.whole(map(Picture, jpegs))), found)
    looks = attention.looks(Archive(judging.DATA / f"frames/{one.video}.npz"), gate.model, 8.0, 0.5)
    assert [look.place for look in looks] == [(each.start, each.stop) for each in found]
    assert np.allclose([look.odds for look in looks], [each.score for each in found], atol=1e-5)
    assert all(each.classes is not None and each.classes.shape == (2,) for each in found)
    other = checkpoint.load(judging.trained("crime_gate", seed=1))
    with pytest.raises(VigilError, match="crime_gate it was trained behind"):
        judges.opened(named, 1.0, other)


def test_a_score_that_is_no_number_stops_in_one_line() -> None:
    model = judging.opened("crime_gate")
    with torch.no_grad():
        model.model.head[1].bias.fill_(float("nan"))
    with pytest.raises(VigilError, match=r"crime_gate: its score of frames 0 to 8 is not a number"):
        list(judges.opened(model, STEP).whole(map(Picture, noise(8))))


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 10), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_scores_of_frames_are_those_of_windows_held_or_blended(count: int, length: int, stride: int, data: Any) -> None:
    places = windows.spans(count, length, stride)
    scores = data.draw(st.lists(st.floats(-9, 9), min_size=len(places), max_size=len(places)))
    found = [Judgement(start, stop, score, score) for (start, stop), score in zip(places, scores, strict=True)]
    times = np.arange(count) / 8
    assert np.allclose(causal(found, times, None), windows.hold(scores, places, count), equal_nan=True)
    assert np.allclose(in_hindsight(found, count), windows.blend(scores, places, count), equal_nan=True)


def test_nothing_is_known_before_the_first_judgement() -> None:
    state, score = known(UNKNOWN, 0.0, [], None)
    assert np.isnan(score) and not state
