"""Samples for training out of every kind of features, and what cannot be learned from."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import torch

from footage import CLASSES, FIRE, FOLDER, filmed, frames, video
from vigil.clips import sampling
from vigil.core.errors import VigilError
from vigil.core.storage import save_arrays, write_json, write_table
from vigil.features import pictures
from vigil.features.times import write_times
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

# ---- flow


def flowing(video_row: Video, frames: int = 20, size: int = 8, times: Sequence[Fraction] | None = None) -> Video:
    planes = np.zeros((frames, 3, size, size), np.int8)
    planes[:, 0] = np.arange(frames)[:, None, None]
    planes[:, 1], planes[:, 2] = -127, 127
    (FOLDER / video_row.video).parent.mkdir(parents=True, exist_ok=True)
    np.save(FOLDER / f"{video_row.video}.npy", planes)
    write_times(FOLDER / f"{video_row.video}.npz", times or [Fraction(number, 8) for number in range(frames)])
    return video_row


def test_flow_is_scaled_and_in_order() -> None:
    clip = Clip(4, size=8, target="itself")
    samples = sampling.make_dataset(
        "flow", FOLDER, [flowing(video("one")), flowing(video("two"))], CLASSES, clip, train=True, fps=8.0
    )
    x = samples[3]["x"]
    assert x.shape == (4, 3, 8, 8) and x.dtype == torch.float32
    assert (x[:, 0, 0, 0] * 127).round().tolist() == [3, 4, 5, 6] == list(range(*samples.spans[3]))
    assert (x[:, 1] == -1).all() and (x[:, 2] == 1).all()


@pytest.mark.parametrize("train", [True, False])
def test_what_is_to_be_rebuilt_is_normal(train: bool) -> None:
    """In validation too: weights that draw the abnormal well are no better."""
    videos = [flowing(video("one")), flowing(video("two")), flowing(video("bad", "Arson", [(0, 9)]))]
    samples = sampling.make_dataset("flow", FOLDER, videos, CLASSES, Clip(16, target="itself"), train=train, fps=8.0)
    assert set(samples.videos) == {"a/one", "a/two"} and not samples.labels.any()


def test_fewer_samples_are_spread_over_all() -> None:
    videos = [flowing(video("one")), flowing(video("two"))]
    samples = sampling.make_dataset(
        "flow", FOLDER, videos, CLASSES, Clip(4, target="itself"), train=False, samples=4, stride=4, fps=8.0
    )
    assert len(samples) == 4 and samples.videos.tolist() == ["a/one", "a/one", "a/two", "a/two"]
    assert samples.groups.tolist() == ["of-one", "of-one", "of-two", "of-two"]
    assert (samples[3]["x"][:, 0, 0, 0] * 127).round().tolist() == list(range(*samples.spans[3]))


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        (np.zeros((9, 3, 8, 8), np.float32), r"expected \(T, 3, H, W\) int8, found \(9, 3, 8, 8\) float32"),
        (np.zeros((9, 2, 8, 8), np.int8), r"found \(9, 2, 8, 8\) int8"),
        (np.zeros((9, 3, 16, 16), np.int8), "flow of 16x16 px, the model looks at 8"),
    ],
)
def test_flow_of_another_shape(planes: np.ndarray, message: str) -> None:
    videos = [flowing(video("one")), flowing(video("two"))]
    np.save(FOLDER / "a/two.npy", planes)
    with pytest.raises(VigilError, match=message):
        sampling.make_dataset("flow", FOLDER, videos, CLASSES, Clip(4, size=8, target="itself"), train=True, fps=8.0)


def test_a_truncated_file() -> None:
    videos = [flowing(video("one")), flowing(video("two"))]
    (FOLDER / "a/two.npy").write_bytes((FOLDER / "a/two.npy").read_bytes()[:200])
    with pytest.raises(VigilError, match=r"a/two.npy: not a readable array .*run stage `flow`"):
        sampling.make_dataset("flow", FOLDER, videos, CLASSES, Clip(4, target="itself"), train=True, fps=8.0)


def test_flow_without_the_rate_of_the_clock_or_with_other_times() -> None:
    videos, clip = [flowing(video("one")), flowing(video("two"))], Clip(4, target="itself")
    with pytest.raises(VigilError, match="give `fps`"):
        sampling.make_dataset("flow", FOLDER, videos, CLASSES, clip, train=True)
    write_times(FOLDER / "a/two.npz", [Fraction(number, 8) for number in range(19)])
    with pytest.raises(VigilError, match=r"a/two.npy: \d+ rows and \d+ times"):
        sampling.make_dataset("flow", FOLDER, videos, CLASSES, clip, train=True, fps=8.0)


def test_flow_of_a_slow_camera_is_that_of_all_ticks_since() -> None:
    times = [Fraction(number, 4) for number in range(5)] + [60 + Fraction(number, 4) for number in range(5)]
    videos = [flowing(video(name), 10, times=times) for name in ("one", "two")]
    samples = sampling.make_dataset("flow", FOLDER, videos, CLASSES, Clip(8, target="itself"), train=False, fps=8.0)
    assert samples.spans[:4].tolist() == [[0, 8], [1, 9], [9, 17], [10, 18]]  # none crosses the pause
    assert (samples[0]["x"][:, 0, 0, 0] * 127).round().tolist() == [0, 1, 1, 2, 2, 3, 3, 4]
    assert (samples[3]["x"][:, 0, 0, 0] * 127).round().tolist() == [6, 6, 7, 7, 8, 8, 9, 9]


def test_training_sees_flow_of_slower_cameras_too() -> None:
    """Frame k of the video moves by k, so two ticks as one move by their mean, and people are those of the second."""
    videos = [flowing(video("one")), flowing(video("two"))]
    planes = np.load(FOLDER / "a/one.npy")
    planes[:, 2] = np.arange(20)[:, None, None]
    np.save(FOLDER / "a/one.npy", planes)
    clip = Clip(4, target="itself", slower=0.5)
    samples = sampling.make_dataset("flow", FOLDER, videos, CLASSES, clip, train=True, fps=8.0)
    seen = set()
    for epoch in range(60):
        samples.epoch = epoch
        x = samples[4]["x"]
        assert (x[:, 1] == -1).all()
        motion, people_seen = ((x[:, plane, 0, 0] * 127).mul(2).round().div(2).tolist() for plane in (0, 2))
        seen.add((tuple(motion), tuple(people_seen)))
    assert ((4, 5, 6, 7), (4, 5, 6, 7)) in seen
    assert ((4, 5.5, 5.5, 7), (4, 6, 6, 7)) in seen and ((4.5, 4.5, 6.5, 6.5), (5, 5, 7, 7)) in seen
    assert ((4, 6, 6, 6), (4, 7, 7, 7)) in seen and ((5, 5, 5, 7), (6, 6, 6, 7)) in seen
    assert len(seen) == 5


# ---- segments


def store_segments(rows: list[tuple[Video, str, str, float]], split: str = "train", length: int = 16) -> list[Video]:
    """Rows of (video, label of the segment, role, second at which it starts); x counts up in every column."""
    count = len(rows)
    x = np.arange(count * length * 26, dtype=np.float32).reshape(count, length, 26)
    save_arrays(
        FOLDER / f"{split}.npz",
        x=x,
        label=np.array([row[1] for row in rows], np.str_),
        video=np.array([row[0].video for row in rows], np.str_),
        role=np.array([row[2] for row in rows], np.str_),
        start=np.arange(count, dtype=np.int32),
        stop=np.arange(count, dtype=np.int32) + length,
        start_s=np.array([row[3] for row in rows]),
        stop_s=np.array([row[3] for row in rows]) + 2,
    )
    return list({row[0].video: row[0] for row in rows}.values())


def people(videos: list[Video], train: bool = True, length: int = 16) -> sampling.ClipDataset:
    return sampling.make_dataset("segments", FOLDER, videos, CLASSES, Clip(length), train=train)


def test_segments_are_those_of_the_split_and_of_named_labels() -> None:
    crime = video("crime", "Fighting", [(5, 9)])
    videos = store_segments(
        [(video("one"), "normal", "", 0), (crime, "Fighting", "", 5), (video("other", "theft"), "theft", "", 0)]
    )
    samples = people(videos)
    assert samples.labels.tolist() == [0, 1] and samples.videos.tolist() == ["a/one", "a/crime"]
    assert samples[1]["x"].shape == (16, 26)
    assert torch.equal(samples[1]["x"][:, 3], 16 * 26 + 3 + 26 * torch.arange(16.0))  # a joint stays in its column
    assert samples.spans.tolist() == [[0, 16], [1, 17]]


def test_who_is_part_of_the_deed_is_no_example_of_normal_behaviour() -> None:
    crime = video("crime", "Fighting", [(5, 9)])
    rows = [
        (crime, "Fighting", "attacker", 6.0),
        (crime, "normal", "victim", 6.0),
        (crime, "normal", "victim", 1.0),  # before
        (crime, "normal", "attacker", 4.0),  # about to
        (crime, "normal", "bystander", 6.0),
        (crime, "normal", "", 6.0),
        (video("one"), "normal", "victim", 6.0),  # nothing happens here
    ]
    videos = store_segments(rows)
    assert people(videos).spans[:, 0].tolist() == [0, 2, 4, 5, 6]
    assert len(people(videos, train=False)) == 7


def test_segments_of_another_length() -> None:
    videos = store_segments([(video("one"), "normal", "", 0), (video("two", "Arson"), "Arson", "", 0)])
    with pytest.raises(VigilError, match=r"segments of 16 frames, the model looks at 8: set segments.frames"):
        people(videos, length=8)


def test_no_segments() -> None:
    with pytest.raises(VigilError, match=r"train.npz: not found. Run `dvc repro segments`"):
        people([video("one"), video("two", "Arson")])


# ---- attended clips


def attended(videos: list[Video], classes: dict[str, list[str]], size: int = 8) -> sampling.ClipDataset:
    clips_of_video = {}
    for video_row in videos:
        (FOLDER / video_row.video).parent.mkdir(parents=True, exist_ok=True)
        np.save(FOLDER / f"{video_row.video}.npy", np.full((2, 4, 8, 8, 3), [[[[[51]]]], [[[[102]]]]], np.uint8))
        clips_of_video[video_row.video] = {"clips": [{"start": 8, "stop": 24}, {"start": 0, "stop": 16}]}
    write_json(FOLDER / "anomalies.json", {"videos": clips_of_video})
    clip = Clip(4, size=size, layout="cthw")
    return sampling.make_dataset("attended", FOLDER, videos, classes, clip, train=True)


def test_attended_clips() -> None:
    samples = attended(
        [video("one", "Fighting"), video("two", "Arson")], {"Arson": ["Arson"], "Fighting": ["Fighting"]}
    )
    assert samples.labels.tolist() == [1, 1, 0, 0]
    assert samples.spans.tolist() == [[8, 24], [0, 16]] * 2
    assert samples[1]["x"].shape == (3, 4, 8, 8)
    assert samples[1]["x"][0].mean() == pytest.approx((0.4 - pictures.MEAN[0]) / pictures.DEVIATION[0], abs=1e-5)


def test_clips_of_a_gate_with_another_size() -> None:
    samples = attended(
        [video("one", "Fighting"), video("two", "Arson")], CLASSES | {"normal": ["Fighting"]} | {"crime": ["Arson"]}, 9
    )
    with pytest.raises(VigilError, match=r"clips \(4, 8, 8, 3\) uint8, the model looks at \(4, 9, 9, 3\)"):
        samples[0]


# ---- what cannot be learned from


def test_no_videos() -> None:
    with pytest.raises(VigilError, match="the training split is empty"):
        frames([])


def test_no_video_with_a_wanted_label() -> None:
    with pytest.raises(
        VigilError, match=r"no video with a label that is wanted \(normal, static, Arson, Fighting\); it has: theft"
    ):
        frames([video("one", "theft"), video("two", "theft")])
    with pytest.raises(VigilError, match=r"wanted \(normal, static\); it has: Arson"):
        frames([video("one", "Arson"), video("two", "Arson")], Clip(4, size=32, target="itself"))


def test_one_single_video() -> None:
    with pytest.raises(VigilError, match=r"one single video \(a/one\)"):
        frames([filmed(video("one"), 8)])


def test_all_labels_equal() -> None:
    with pytest.raises(VigilError, match=r"samples of one class alone \(normal\)"):
        frames([filmed(video("one"), 8), filmed(video("two"), 8)])


def test_a_class_without_examples() -> None:
    videos = [filmed(video("one"), 8), filmed(video("two", "Arson", [(0, 9)]), 8)]
    with pytest.raises(VigilError, match=r"has no sample of fight. Add such videos, or take the class out"):
        sampling.make_dataset(
            "frames",
            FOLDER,
            videos,
            {"a": ["normal"], "b": ["Arson"], "fight": ["Fighting"]},
            FIRE,
            train=True,
            fps=8.0,
        )


def test_an_unknown_input() -> None:
    with pytest.raises(VigilError, match=r"unknown input 'flows'.*Did you mean 'flow'"):
        sampling.make_dataset("flows", FOLDER, [video("one")], CLASSES, FIRE, train=True)


def test_a_video_without_features(capsys: pytest.CaptureFixture[str]) -> None:
    videos = [filmed(video("one"), 8), filmed(video("two", "Arson", [(0, 9)]), 8), video("lost")]
    with pytest.raises(VigilError, match=r"a/lost.npz: not found. Run `dvc repro frames`"):
        frames(videos)
    write_table(FOLDER / "rejects.csv", [{"video": "a/lost", "reason": "broken"}], ["video", "reason"])
    assert set(frames(videos).videos) == {"a/one", "a/two"}
    assert "a/lost is left out: not in data/input: broken" in capsys.readouterr().err
