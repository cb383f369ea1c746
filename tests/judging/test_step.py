"""What `step` says: windows from one that is judged to the next, stored and live alike."""

import pytest
from toy_judges import assert_alike

import judging
from vigil.judging.items import Picture
from vigil.judging.judges import judge_stream, make_judge

FRAMES = 40  # crime_gate looks at windows of 8 of them


@pytest.mark.parametrize(("step", "apart"), [(1.0, 8), (0.5, 4), (0.25, 2), (0.01, 1)])
def test_a_window_is_judged_every_so_many_of_its_lengths_stored_and_live(step: float, apart: int) -> None:
    judge = make_judge(judging.load_model("crime_gate"), step)
    pictures = [Picture(jpeg) for jpeg in judging.store_frames(judging.video("one", frames=FRAMES))]
    judgements = list(judge.judge_all(pictures))
    assert [judgement.span for judgement in judgements] == [(k, k + 8) for k in range(0, FRAMES - 8 + 1, apart)]
    assert_alike(judge_stream(judge, pictures), judgements)
