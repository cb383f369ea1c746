"""Samples of frames: what a window is called, what moves in it, and that a sample depends on its number alone."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from live_pictures import picture_tensor
from torch.utils.data import DataLoader

from footage import FOLDER, FPS, TRUTH, filmed, frames, grey, levels, two, video
from vigil.clips import sampling
from vigil.clips.ticks import spread_frames
from vigil.core.errors import VigilError
from vigil.core.storage import save_arrays
from vigil.features import pictures
from vigil.features.frames import FrameArchive, encode_jpeg
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip


def test_a_window_is_called_by_what_it_shows() -> None:
    crime = filmed(video("crime", "Arson", [(2, 3)]), 40)  # frames 16 to 23
    samples = frames([filmed(video("still"), 40), crime], Clip(8, size=32), stride=4)
    mine = samples.videos == "a/crime"
    called = dict(zip(samples.spans[mine][:, 0].tolist(), samples.labels[mine].tolist(), strict=True))
    assert called == {0: 0, 4: 0, 8: 0, 12: 1, 16: 1, 20: 1, 24: 0, 28: 0, 32: 0}
    assert set(samples.labels[~mine].tolist()) == {0}
    finer = frames([filmed(video("still"), 40), crime], Clip(8, size=32), stride=2)
    starts = finer.spans[finer.videos == "a/crime"][:, 0].tolist()
    assert 10 not in starts and 22 not in starts  # a quarter of it: neither
    validation = frames([filmed(video("still"), 40), crime], Clip(8, size=32), stride=2, train=False)
    assert 10 in validation.spans[validation.videos == "a/crime"][:, 0].tolist()  # scores are wanted everywhere


def test_a_video_that_holds_the_whole_event_is_abnormal_as_a_whole() -> None:
    samples = frames([filmed(video("one"), 20), filmed(video("two", "Arson", [(1, 1.5)]), 20)], Clip(8, 20, size=32))
    assert samples.spans.tolist() == [[0, 20], [0, 20]]
    assert samples.labels.tolist() == [0, 1]


def test_pictures_come_in_order_and_normalised() -> None:
    samples = two(train=False, stride=4)
    sample = samples[1]
    assert sample["x"].shape == (4, 3, 32, 32) and sample["x"].dtype == torch.float32
    assert levels(sample["x"]) == [4, 5, 6, 7] == list(range(*samples.spans[1]))
    assert sample["y"] == 0 and sample["y"].dtype == torch.int64
    other = two(clip=Clip(4, size=32, layout="cthw"), train=False, stride=4)[1]["x"]
    assert torch.equal(other, sample["x"].transpose(0, 1)) and other.is_contiguous()
    white = picture_tensor([encode_jpeg(np.full((64, 64, 3), 255, np.uint8), 95)], 64)
    expected = [(1 - mean) / deviation for mean, deviation in zip(pictures.MEAN, pictures.DEVIATION, strict=True)]
    assert white.mean(dim=(0, 2, 3)).tolist() == pytest.approx(expected, abs=1e-5)


def test_a_live_source_makes_the_same_pictures() -> None:
    samples = two(train=False, clip=Clip(4, 8, size=32, layout="cthw"))
    archive = FrameArchive(FOLDER / "a/one.npz")
    live = picture_tensor(archive.jpegs(spread_frames((0, 8), 4)), 32, "cthw")
    assert torch.equal(samples[0]["x"], live)


def test_a_slow_camera_gives_windows_as_long_in_seconds() -> None:
    """3 s at 4 frames a second are 23 ticks of 8 a second; a window of 8 holds 4 or 5 frames, repeated."""
    times = [Fraction(number, 4) for number in range(12)]
    slow = filmed(video("slow"), 12, times=times)
    crime = filmed(video("two", "Arson", [(1, 2)]), 12, times=times)
    samples = frames([slow, crime], Clip(8, size=32), train=False)
    assert samples.spans[samples.videos == "a/slow"].tolist() == [[0, 8], [4, 12], [8, 16], [12, 20], [15, 23]]
    assert levels(samples[0]["x"]) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert levels(samples[4]["x"]) == [7, 8, 8, 9, 9, 10, 10, 11]
    assert samples.labels[samples.videos == "a/two"].tolist() == [0, 1, 1, 1, 0]  # it happens at 8 to 15


def test_pieces_of_a_recording_are_videos_of_their_own() -> None:
    times = [Fraction(number, 8) + (60 if number >= 7 else 0) for number in range(12)]
    samples = frames([filmed(video("one"), 12, times=times), filmed(video("two", "Arson", [(0, 90)]), 12)], train=False)
    assert samples.spans[samples.videos == "a/one"].tolist() == [[0, 4], [2, 6], [3, 7], [7, 11], [8, 12]]


def test_training_sees_slower_cameras_too() -> None:
    clip = Clip(8, size=32, slower=0.5)
    samples = two(clip=clip)
    seen = []
    for epoch in range(40):
        samples.epoch = epoch
        seen.append(tuple(levels(samples[0]["x"])))
    assert tuple(range(8)) in seen
    assert (0, 1, 1, 3, 3, 5, 5, 7) in seen and (0, 0, 0, 3, 3, 3, 6, 6) in seen
    assert len(set(seen)) == 6  # as it is, and at every phase of two and of three
    assert levels(two(clip=clip, train=False)[0]["x"]) == list(range(8))


def test_four_frames_are_enough() -> None:
    samples = frames(
        [filmed(video("one"), 4), filmed(video("two", "Arson", [(0, 9)]), 4)], Clip(16, size=32), train=False
    )
    assert samples.spans.tolist() == [[0, 4], [0, 4]]
    assert levels(samples[0]["x"]) == sorted([0, 1, 2, 3] * 4)


def test_training_sees_other_frames_of_a_window_in_every_epoch() -> None:
    samples = two(clip=Clip(4, 12, size=32))
    shown_frames = []
    for epoch in range(8):
        samples.epoch = epoch
        shown_frames.append(tuple(levels(samples[0]["x"])))
        assert shown_frames[-1] == tuple(levels(samples[0]["x"]))  # by epoch and number alone
    assert set(shown_frames) == {(0, 3, 6, 9), (1, 4, 7, 10), (2, 5, 8, 11)}
    assert two(clip=Clip(4, 12, size=32), seed=1)._seed == 1


def test_loader_processes_give_the_same() -> None:
    samples = two(clip=Clip(4, 8, size=32), stride=1)
    alone = [samples[number] for number in range(len(samples))]
    for item, other in zip(alone, DataLoader(samples, batch_size=None, num_workers=2), strict=True):
        assert all(torch.equal(item[key], other[key]) for key in item)


def walker(step: int, count: int = 30) -> list[np.ndarray]:
    """A white block of 40 px that goes `step` px a frame to the right over the upper half."""
    images = [grey(60) for _ in range(count)]
    for number, image in enumerate(images):
        image[10:50, number * step : number * step + 40] = 250
    return images


MAPS = Clip(10, 30, size=128, target="cells")
REGIONS = {"static": ["static"], "dynamic": ["normal", "Fighting"]}


def maps(videos: list[Video], train: bool = False, **more: object) -> sampling.ClipDataset:
    return sampling.make_dataset("frames", FOLDER, videos, REGIONS, MAPS, train=train, truth=TRUTH, fps=FPS, **more)  # type: ignore[arg-type]


def test_the_map_is_the_truth_at_the_newest_frame_shown() -> None:
    walk = filmed(video("one"), walker(3), skip=2)  # stored frame k is frame 2k of the video
    cells = np.zeros((60, 20, 20), np.uint8)
    cells[54, 19, 0] = 1  # the newest shown is stored frame 27
    cells[53, 0, 19] = 1  # also since the stored frame before
    cells[52, 7, 7] = cells[55, 8, 8] = 1  # before and after that
    save_arrays(TRUTH / f"{walk.video}.npz", cells=cells)
    sample = maps([walk, filmed(video("two", "static"), 30)])[0]
    assert sample["x"].shape == (10, 3, 128, 128)
    assert sample["y"].shape == (1, 4, 4) and sample["y"].dtype == torch.float32
    assert sample["y"][0].nonzero().tolist() == [[0, 3], [3, 0]]


def test_what_moved_is_what_moved_since_the_frame_before_of_a_slower_camera() -> None:
    """Of ticks 0 to 9 with a frame at every second or third, the newest frame comes at 9, 8 or 7."""
    walk = filmed(video("one"), walker(3))
    cells = np.zeros((30, 20, 20), np.uint8)
    cells[9, 19, 0] = cells[8, 0, 19] = cells[7, 0, 0] = 1
    save_arrays(TRUTH / f"{walk.video}.npz", cells=cells)
    videos, clip = [walk, filmed(video("two", "static"), 30)], replace(MAPS, window=None, slower=1.0)
    samples = sampling.make_dataset("frames", FOLDER, videos, REGIONS, clip, train=True, truth=TRUTH, fps=FPS)
    maps_seen = set()
    for epoch in range(60):
        samples.epoch = epoch
        maps_seen.add(tuple(map(tuple, samples[0]["y"][0].nonzero().tolist())))
    at_nine, at_eight, at_seven = (3, 0), (0, 3), (0, 0)
    assert maps_seen == {
        (at_eight, at_nine),  # frames at 7 and 9
        (at_seven, at_eight),  # at 6 and 8, or 5 and 8
        (at_seven, at_eight, at_nine),  # at 6 and 9
        (at_seven,),  # at 4 and 7
    }


def test_what_moved_in_a_pause_is_not_learnt_as_motion_of_the_frame_after_it() -> None:
    """Stored frame k is frame 4k of the video. Frame 12 is the first after a minute, and shown for six ticks."""
    times = [*(Fraction(number, 8) for number in range(3)), Fraction(60), Fraction(243, 4), Fraction(123, 2)]
    walk = filmed(video("one"), walker(3, 6), skip=4, times=times)
    cells = np.zeros((21, 20, 20), np.uint8)
    cells[10, 0, 0] = cells[12, 0, 19] = 1  # in the pause, and with the frame that ends it
    save_arrays(TRUTH / f"{walk.video}.npz", cells=cells)
    clip = replace(MAPS, frames=4, window=4)
    videos = [walk, filmed(video("two", "static"), 30)]
    samples = sampling.make_dataset("frames", FOLDER, videos, REGIONS, clip, train=False, truth=TRUTH, fps=FPS)
    after = samples.spans[samples.videos == "a/one"].tolist().index([3, 7])
    assert samples[after]["y"][0].nonzero().tolist() == [[0, 3]]


def test_without_truth_what_changes_moves_and_static_videos_do_not() -> None:
    samples = maps([filmed(video("one"), walker(3)), filmed(video("two", "static"), walker(3))])
    moved, still = samples[0], samples[1]
    assert moved["y"][0].nonzero().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]  # 72 to 81 and 112 to 121 of 160 px
    assert not still["y"].any() and samples.labels.tolist() == [1, 0]


def test_a_single_picture_gives_a_sample_that_does_not_move() -> None:
    videos = [filmed(video("one"), walker(3)), filmed(video("two", "Fighting"), walker(3))]
    samples = maps(videos, train=True, stride=1)
    assert len(samples) == 2
    shorter = sampling.make_dataset(
        "frames", FOLDER, videos, REGIONS, replace(MAPS, window=20), train=True, stride=1, fps=FPS
    )
    lone = np.flatnonzero(np.diff(shorter.spans, axis=1)[:, 0] == 1)
    assert len(lone) == 5 and not shorter.labels[lone].any()  # one for every four of 22
    noises = []
    for number in lone.tolist():
        sample = shorter[number]
        assert not sample["y"].any()
        noises.append(float((sample["x"][1:] - sample["x"][:-1]).std()))
        assert (sample["x"].mean(dim=0)[:, 60, 100] - sample["x"][0, :, 60, 100]).abs().max() < 0.2
    assert max(noises) > 2 * min(noises) > 0  # sensors differ


def test_truth_of_another_video() -> None:
    still = filmed(video("one"), 30)
    save_arrays(TRUTH / f"{still.video}.npz", cells=np.zeros((5, 20, 20), np.uint8))
    with pytest.raises(VigilError, match=r"maps \(5, 20, 20\), the video has 30 frames"):
        maps([still, filmed(video("two", "static"), 30)])
