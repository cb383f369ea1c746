"""Training sees time run faster and slower: other moments, and motion to match."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from footage import CLASSES, FOLDER, video
from vigil.clips import sampling
from vigil.clips.sampling import ClipDataset
from vigil.clips.ticks import change_pace, draw_pace, draw_sample
from vigil.features.times import write_times
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip
from vigil.models.panic import Config, Model

CLIP = Clip(4, size=8, target="itself", pace=0.5)
PAUSE = 10  # the frame before which the recording pauses


def flowing(row: Video) -> Video:
    """Frame k moves by k to the right, and has k people; 20 frames of the clock's own rate, with a pause."""
    planes = np.zeros((20, 3, 8, 8), np.int8)
    planes[:, 0] = planes[:, 2] = np.arange(20)[:, None, None]
    (FOLDER / row.video).parent.mkdir(parents=True, exist_ok=True)
    np.save(FOLDER / f"{row.video}.npy", planes)
    write_times(FOLDER / f"{row.video}.npz", [Fraction(k, 8) + 60 * (k >= PAUSE) for k in range(20)])
    return row


def dataset(clip: Clip = CLIP, train: bool = True) -> ClipDataset:
    videos = [flowing(video(name)) for name in ("one", "two")]
    return sampling.make_dataset("flow", FOLDER, videos, CLASSES, clip, train=train, fps=8.0)


def shown(samples: ClipDataset, number: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Motion and people of each frame shown, in units of the planes."""
    samples.epoch = epoch
    x = samples[number]["x"][:, :, 0, 0].double().numpy() * 127
    return x[:, 0], x[:, 2]


def test_other_moments_are_shown_and_they_move_as_much_faster() -> None:
    samples = dataset()
    assert samples.spans[1].tolist() == [1, 5]
    paces, last = [], []
    for epoch in range(60):
        motion, people = shown(samples, 1, epoch)
        pace = people[1] - people[0]
        np.testing.assert_allclose(people, 1 + pace * np.arange(4), atol=1e-3)  # moments between two frames, too
        np.testing.assert_allclose(motion, pace * people, atol=1e-3)
        paces.append(pace)
        last.append(people[-1])
    assert 0.5 <= min(paces) < 0.6 and 1.4 < max(paces) <= 1.5
    assert max(last) > 5, "faster shows what comes after the window"


def test_no_moment_lies_beyond_a_pause_or_the_end() -> None:
    samples = dataset()
    for number, end in ((6, PAUSE), (13, 20)):
        assert samples.spans[number].tolist() == [end - 4, end]
        paces = [np.diff(shown(samples, number, epoch)[1])[0] for epoch in range(40)]
        assert max(paces) == pytest.approx(1, abs=1e-3) and min(paces) < 0.6
        assert all(shown(samples, number, epoch)[1].max() <= end - 1 + 1e-3 for epoch in range(40))


def test_without_it_and_in_validation_samples_are_as_they_were() -> None:
    off, validation = dataset(replace(CLIP, pace=0.0)), dataset(train=False)
    for number in (1, 6):
        assert shown(off, number, 3)[1].tolist() == pytest.approx(list(range(*off.spans[number])))
    assert shown(validation, 0, 3)[1].tolist() == pytest.approx([0, 1, 2, 3])
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    assert draw_pace(Clip(4), (0, 4), (0, 20), generator) == 1.0
    assert torch.equal(generator.get_state(), before), "nothing is drawn, so what is drawn after it stays"


@given(st.integers(1, 20), st.integers(0, 20), st.integers(1, 20), st.integers(0, 2**31))
def test_moments_are_in_order_and_within_the_piece(length: int, rest: int, count: int, seed: int) -> None:
    clip, generator = Clip(count, window=length, pace=0.9), torch.Generator().manual_seed(seed)
    sample = draw_sample(np.array([7, 7 + length]), clip, generator)
    pace = draw_pace(clip, sample.window, (3, 7 + length + rest), generator)
    before, after, share = change_pace(sample, pace)
    moments = before.ticks + share
    assert 0.1 - 1e-9 <= pace <= 1.9
    assert (np.diff(moments) >= 0).all() and moments[0] >= 7 and after.ticks[-1] < 7 + length + rest
    assert set(np.subtract(after.ticks, before.ticks).tolist()) <= {0, 1}


def test_a_slower_camera_that_runs_faster_tells_the_mean_motion_since_its_frame_before() -> None:
    samples = dataset(replace(CLIP, slower=1.0))
    for epoch in range(20):
        motion, people = shown(samples, 1, epoch)
        assert (np.diff(people) >= -1e-3).all() and (motion <= 1.5 * people + 1e-3).all()


def test_panic_hands_its_pace_to_its_samples() -> None:
    assert Model(Config(pace=0.2, hidden=(4,), size=8)).clip.pace == 0.2
    assert Model(Config(hidden=(4,), size=8)).clip.pace == 0.0
