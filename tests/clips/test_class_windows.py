"""What is learnt from films of which only the label is known: bags of the very windows that are judged."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from footage import CLASSES, FOLDER, filmed, frames, levels, video
from vigil.clips import sampling
from vigil.clips.windows import draw_snippets
from vigil.core.errors import VigilError
from vigil.features.frames import FrameArchive
from vigil.features.times import write_times
from vigil.footage.video_table import Video
from vigil.judging.items import Picture
from vigil.judging.judges import WindowJudge
from vigil.judging.pieces import PieceJudge
from vigil.models.blocks.layers import Clip

TIMES = [*(Fraction(number, 6) for number in range(20)), *(90 + Fraction(number, 4) for number in range(12))]
EVERY = 10**6  # snippets: all of a film


class Listener(torch.nn.Module):
    """Remembers what it is shown, and says nothing of it."""

    def __init__(self, clip: Clip) -> None:
        super().__init__()
        self.clip, self.nothing = clip, torch.nn.Parameter(torch.zeros(1))
        self.heard: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.heard += list(x)
        return torch.zeros(len(x))

    def judge(self, output: torch.Tensor, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"window": output}


def shown_when_judged(clip: Clip, kind: str, items: Any) -> torch.Tensor:
    """All that a judge shows a model, at the step of a quarter of a window that params.yaml ships."""
    model = Listener(clip)
    judge = PieceJudge(
        WindowJudge(model, "listener", kind, 8.0, 0.25), "held" if kind == "frames" else "newest", Fraction(8)
    )
    list(judge.judge_all(items, TIMES))
    return torch.stack(model.heard)


@pytest.mark.parametrize("clip", [Clip(4, 6, size=32), Clip(6, size=32), Clip(5, window_s=0.8, size=32)])
@pytest.mark.parametrize("name", ["one", "two"])
def test_a_bag_is_what_is_judged_of_pictures(clip: Clip, name: str) -> None:
    """In training too, where nothing but which of them are drawn is left to chance: 6 of 6 frames have no phase."""
    videos = [filmed(video("one"), len(TIMES), times=TIMES), filmed(video("two", "Arson"), len(TIMES), times=TIMES)]
    judged = shown_when_judged(clip, "frames", map(Picture, FrameArchive(FOLDER / f"a/{name}.npz").jpegs()))
    for train in (False, True) if clip.window is clip.window_s is None else (False,):
        samples = frames(videos, clip, train=train, snippets=EVERY)
        bag = bag_of(samples, f"a/{name}")
        assert samples[bag]["snippets"] == len(judged) > 10
        assert torch.equal(samples[bag]["x"], judged)
        assert samples[bag]["y"] == (name == "two")


def bag_of(samples: sampling.ClipDataset, name: str = "a/two") -> int:
    """The number of the sample that is the bag of a video."""
    (number,) = np.flatnonzero(samples.bags & (samples.videos == name)).tolist()
    return int(number)


def changed(video_row: Video, changes: np.ndarray) -> Video:
    FOLDER.joinpath("a").mkdir(parents=True, exist_ok=True)
    np.save(FOLDER / f"{video_row.video}.npy", changes)
    write_times(FOLDER / f"{video_row.video}.npz", TIMES)
    return video_row


def test_a_bag_is_what_is_judged_of_changes() -> None:
    clip = Clip(8)
    changes = np.random.default_rng(1).gamma(2.0, size=(len(TIMES), 2, 3)).astype(np.float16)
    videos = [changed(video("one"), changes), changed(video("two", "Arson"), changes)]
    samples = sampling.make_dataset("trunk", FOLDER, videos, CLASSES, clip, train=False, fps=8.0, snippets=EVERY)
    assert torch.equal(samples[bag_of(samples)]["x"], shown_when_judged(clip, "trunk", changes))


@given(st.integers(1, 400), st.integers(1, 40), st.integers(0, 99))
def test_snippets_are_spread_over_the_film(total: int, count: int, seed: int) -> None:
    drawn = draw_snippets(total, count, torch.Generator().manual_seed(seed))
    assert len(drawn) == min(total, count) == len(set(drawn.tolist()))
    firsts = draw_snippets(total, count, None).tolist()
    assert firsts == [number * total // len(drawn) for number in range(len(drawn))]
    nexts = [*firsts[1:], total]
    assert all(first <= number < next_first for first, number, next_first in zip(firsts, drawn, nexts, strict=True))


def test_other_snippets_are_drawn_in_every_epoch_and_all_are_some_day() -> None:
    film = filmed(video("two", "Arson"), 50)
    samples = frames([filmed(video("one"), 50), film], Clip(4, size=32), snippets=4)
    seen = set()
    for epoch in range(60):
        samples.epoch = epoch
        x = samples[bag_of(samples)]["x"]
        firsts = [levels(snippet)[0] for snippet in x]
        assert firsts == sorted(firsts) and len(firsts) == 4
        assert all(levels(snippet) == list(range(first, first + 4)) for snippet, first in zip(x, firsts, strict=True))
        seen |= set(firsts)
    assert seen == set(range(47))


def test_one_camera_sees_all_snippets_of_a_bag() -> None:
    clip = Clip(8, size=32, slower=1.0)
    samples = frames([filmed(video("one"), 50), filmed(video("two", "Arson"), 50)], clip, snippets=3)
    for epoch in range(8):
        samples.epoch = epoch
        shown = [levels(snippet) for snippet in samples[bag_of(samples)]["x"]]
        assert len({tuple(frame - first for frame in snippet) for snippet in shown for first in snippet[:1]}) == 1


def test_every_film_is_one_bag_where_no_time_is_known() -> None:
    """Normal ones too, or being a bag would tell the class; and their windows are drawn as often as their bags."""
    samples = frames([filmed(video("one"), 20), filmed(video("two", "Arson"), 50)], Clip(4, size=32))
    assert samples.spans[samples.bags].tolist() == [[0, 20], [0, 50]] and samples.labels[samples.bags].tolist() == [
        0,
        1,
    ]
    assert set(samples.videos[~samples.bags]) == {"a/one"}
    assert Counter(map(tuple, samples.strata.tolist())) == {
        ("0", "True", "of-one", "a/one"): 1,
        ("0", "False", "of-one", "a/one"): 17,
        ("1", "True", "of-two", "a/two"): 1,
    }


def test_known_times_give_windows_beside_the_bags_of_other_films() -> None:
    known = filmed(video("three", "Arson", [(0, 1)]), 20)
    samples = frames([filmed(video("one"), 20), filmed(video("two", "Arson"), 50), known], Clip(4, size=32), stride=4)
    rows = zip(samples.videos.tolist(), samples.bags.tolist(), samples.labels.tolist(), strict=True)
    assert Counter(rows) == {
        ("a/one", True, 0): 1,
        ("a/one", False, 0): 5,
        ("a/two", True, 1): 1,
        ("a/three", False, 1): 2,
        ("a/three", False, 0): 3,
    }


def test_a_clip_that_is_trimmed_to_its_event_is_called_by_its_label() -> None:
    """5 s at 8 ticks a second, or one window."""
    for clip, ticks, windows in ((Clip(8, size=32), 40, 5), (Clip(8, 48, size=32), 48, 1)):
        trimmed = frames([filmed(video("one"), 60), filmed(video("two", "Arson"), ticks)], clip, stride=8)
        assert not trimmed.bags.any() and trimmed.strata.shape[1] == 3
        assert trimmed.labels[trimmed.videos == "a/two"].tolist() == [1] * windows
        film = frames([filmed(video("one"), 60), filmed(video("two", "Arson"), ticks + 1)], clip, stride=8)
        assert film.bags[film.videos == "a/two"].tolist() == [True]


@pytest.mark.parametrize("train", [False, True])
def test_a_set_of_trimmed_clips_gives_a_sample_of_each_whole_clip(train: bool) -> None:
    """One more second of normal video, or times of one of them, and there are windows as of any recordings."""
    clip = Clip(8, size=32)
    short, long = filmed(video("one"), 40), filmed(video("three"), 48)
    fight = filmed(video("two", "Arson"), 20)
    samples = frames([short, fight], clip, train=train)
    assert not samples.bags.any() and samples.spans.tolist() == [[0, 40], [0, 20]] and samples.labels.tolist() == [0, 1]
    if not train:
        assert levels(samples[0]["x"]) == [0, 5, 10, 15, 20, 25, 30, 35]
    for others in ([long], [filmed(video("four", "Arson", [(0, 2)]), 20)]):
        samples = frames([short, fight, *others], clip, train=train)
        assert np.ptp(samples.spans, axis=1).max() == 8


def test_without_a_normal_class_nothing_tells_which_snippets_show_it() -> None:
    videos = [filmed(video("one", "Fighting"), 50), filmed(video("two", "Arson"), 50)]
    with pytest.raises(VigilError, match=r"a/one: nobody says when it is abnormal, and none of the classes is normal"):
        sampling.make_dataset(
            "frames", FOLDER, videos, {"fire": ["Arson"], "fight": ["Fighting"]}, Clip(4, size=32), train=True, fps=8.0
        )


def test_loader_processes_draw_the_same_snippets() -> None:
    samples = frames([filmed(video("one"), 50), filmed(video("two", "Arson"), 50)], Clip(4, size=32), snippets=4)
    alone = [samples[number] for number in range(len(samples))]
    loader = torch.utils.data.DataLoader(samples, batch_size=None, num_workers=2)
    for item, other in zip(alone, loader, strict=True):
        assert all(torch.equal(item[key], other[key]) for key in item)


def test_validation_has_the_same_snippets_every_time() -> None:
    videos = [filmed(video("one"), 50), filmed(video("two", "Arson"), 50)]
    samples = frames(videos, replace(Clip(4, size=32), slower=1.0), train=False, snippets=5)
    first = samples[bag_of(samples)]["x"]
    samples.epoch = 3
    assert torch.equal(samples[bag_of(samples)]["x"], first) and [levels(x)[0] for x in first] == [0, 9, 18, 28, 37]
