"""The segments stage: who did what, by split, with a scaler that has never seen validation or test."""

import dataclasses
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigil.core.lineage import read, record
from vigil.core.storage import load_arrays, read_json, save_arrays, write_table
from vigil.engine.per_video import Runtime
from vigil.features.frames import save_frames
from vigil.features.landmarks import pose_table
from vigil.features.landmarks.pose_table import XY, Pose
from vigil.features.segments.columns import Scaler, feature_names, segment_features
from vigil.features.segments.segments import Settings
from vigil.footage import video_table
from vigil.footage.video_table import SPLITS, Video
from vigil.stages.segments import main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
SETTINGS = Settings(span_s=0.5, frames=4, stride_s=0.5, gap_s=0.5, normalise="both")
FRAMES, LANDMARKS, TRUTH, OUT = (Path("data", name) for name in ("frames", "landmarks", "truth", "segments"))
EVERY = 3  # stored frame k is frame 3 k of the video, at k / 8 s
BODY = np.stack([np.linspace(0, 30, 13), np.linspace(0, 100, 13)], axis=1)
SHAPES = {
    "x": (4, 93),
    "mask": (4,),
    "near": (4, 2),
    "seen": (4, 13),
    "poses": (4, 13, 2),
    "frame": (4,),
    "time_s": (4,),
} | dict.fromkeys(("label", "video", "person", "role", "start", "stop", "start_s", "stop_s"), ())


def video(
    name: str,
    label: str = "normal",
    split: str = "train",
    spans: Sequence[tuple[int, int]] = (),
    size: tuple[int, int] = (640, 480),
    suffix: str = ".mp4",
) -> Video:
    seconds = tuple((Fraction(start), Fraction(stop)) for start, stop in spans)
    path = f"data/raw/{name}{suffix}"
    return Video(name, path, "camera", label, seconds, split, Fraction(24), 99, *size, Fraction(9), "00")


def person(place: int, number: int = 0, left: float = 100.0) -> Pose:
    """In stored frame `place`."""
    return Pose(EVERY * place, Fraction(place, 8), number, 1.0, 1.0, BODY + [left + place, 50], np.ones(13))


def stored(video_row: Video, count: int, people: list[Pose], truth: dict[str, np.ndarray] | None = None) -> Video:
    if video_row.pictures:
        save_frames(
            FRAMES / f"{video_row.video}.npz", ((EVERY * k, Fraction(k, 8), b"-") for k in range(count)), (640, 480)
        )
    pose_table.write_poses(LANDMARKS / f"{video_row.video}.csv", people)
    if truth is not None:
        TRUTH.joinpath(video_row.set).mkdir(parents=True, exist_ok=True)
        save_arrays(TRUTH / f"{video_row.video}.npz", **truth)
    return video_row


def run(*videos: Video, settings: Settings = SETTINGS, runtime: Runtime = SERIAL) -> dict[str, dict[str, np.ndarray]]:
    tables = {split: Path(f"data/manifest/{split}.csv") for split in SPLITS}
    for split, path in tables.items():
        video_table.write(path, [video_row for video_row in videos if video_row.split == split])
    record(LANDMARKS, "landmarks", {"every": 2})
    main(**tables, frames=FRAMES, landmarks=LANDMARKS, truth=TRUTH, out=OUT, params=settings, runtime=runtime)
    return {split: load_arrays(OUT / f"{split}.npz") for split in SPLITS}


def crowd(count: int, *lefts: float) -> list[Pose]:
    return [person(place, who, left) for place in range(count) for who, left in enumerate(lefts)]


def deed(people: list[tuple[int, str, float, range]], frames: int) -> dict[str, np.ndarray]:
    """Truth of (id, role, left, source frames of the deed)."""
    rows = [(frame, *who) for frame in range(frames) for who in people]
    joints = np.ones((len(rows), 13, 3), np.float32)
    for number, (frame, _, _, left, _) in enumerate(rows):
        joints[number, :, :2] = BODY + [left + frame / EVERY, 50]
    return {
        "frame": np.array([row[0] for row in rows], np.int32),
        "person": np.array([row[1] for row in rows], np.int32),
        "role": np.array([row[2] for row in rows]),
        "active": np.array([row[0] in row[4] for row in rows]),
        "class": np.array(["person"] * len(rows)),
        "joints": joints,
    }


def test_every_split_has_every_array_and_names_what_is_in_it() -> None:
    arrays_of_split = run(
        stored(video("a/one"), 8, crowd(8, 100, 300)),
        stored(video("a/two", split="test"), 4, crowd(4, 100)),
    )
    assert [len(arrays_of_split[split]["label"]) for split in SPLITS] == [4, 0, 1]
    for arrays in arrays_of_split.values():
        count = len(arrays["label"])
        assert {name: arrays[name].shape for name in SHAPES} == {
            name: (count, *shape) for name, shape in SHAPES.items()
        }
        assert arrays["names"].tolist() == list(feature_names(SETTINGS))
        assert arrays["source_size"].shape == (count, 2)
    train = arrays_of_split["train"]
    assert train["video"].tolist() == ["a/one"] * 4
    assert train["person"].tolist() == [0, 0, 1, 1]
    assert train["start"].tolist() == [0, 12, 0, 12]
    assert train["stop"].tolist() == [10, 22, 10, 22]
    assert train["stop_s"].tolist() == [3 / 8, 7 / 8, 3 / 8, 7 / 8]
    assert train["x"].dtype == np.float32


def test_the_scaler_knows_the_training_split_alone() -> None:
    train = stored(video("a/one"), 8, crowd(8, 100))
    test = stored(video("a/two", split="test"), 8, crowd(8, 100))
    before, ranges = run(train, test), read_json(OUT / "scaler.json")
    stored(test, 8, crowd(8, 300))
    after = run(train, test)
    assert read_json(OUT / "scaler.json") == ranges == read(OUT)["segments"]["scaler"]
    moved = after["test"]["x"][..., :26:2] - before["test"]["x"][..., :26:2]
    widths = np.array([ranges[name][1] - ranges[name][0] for name in XY[::2]])
    assert moved * widths == pytest.approx(np.broadcast_to(200 / 640, moved.shape), rel=1e-3)
    assert after["test"]["x"][..., 0].min() > 1  # beyond what training has seen
    assert np.array_equal(before["train"]["x"], after["train"]["x"])
    assert before["train"]["x"][..., :26].min() == pytest.approx(0, abs=1e-4)
    assert before["train"]["x"][..., :26].max() == pytest.approx(1, abs=1e-3)


def test_features_can_be_made_again_from_what_is_stored() -> None:
    train = run(stored(video("a/one"), 8, crowd(8, 100, 300)))["train"]
    scaler = Scaler.of(read_json(OUT / "scaler.json"))
    again = segment_features(train, SETTINGS, scaler)
    assert np.array_equal(again, train["x"])


def test_only_the_one_who_does_it_is_abnormal_and_only_then() -> None:
    """The deed fills stored frames 4 to 7 (source 12 to 23): the second of four segments, of the thief alone."""
    truth = deed([(7, "thief", 300, range(12, 24)), (8, "bystander", 100, range(0))], 48)
    theft = stored(video("a/one", "theft", spans=[(0, 9)]), 16, crowd(16, 100, 300), truth)
    train = run(theft)["train"]
    labels = dict(zip(zip(train["person"].tolist(), train["start"].tolist(), strict=True), train["label"], strict=True))
    assert [str(labels[1, 12 * k]) for k in range(4)] == ["normal", "theft", "normal", "normal"]
    assert [str(labels[0, 12 * k]) for k in range(4)] == ["normal"] * 4
    assert dict(zip(train["person"].tolist(), train["role"].tolist(), strict=True)) == {0: "bystander", 1: "thief"}


def test_labels_go_by_majority() -> None:
    truth = deed([(7, "thief", 100, range(6, 15))], 24)  # stored frames 2, 3, 4: half of one segment, a quarter of next
    assert run(stored(video("a/one", "theft"), 8, crowd(8, 100), truth))["train"]["label"].tolist() == ["normal"] * 2
    truth = deed([(7, "thief", 100, range(3, 15))], 24)  # 1, 2, 3, 4: three of four
    labels = run(stored(video("a/one", "theft"), 8, crowd(8, 100), truth))["train"]["label"].tolist()
    assert labels == ["theft", "normal"]


def test_without_truth_everybody_is_abnormal_within_the_spans_or_throughout() -> None:
    timed = stored(video("a/one", "assault", spans=[(1, 2)]), 16, crowd(16, 100, 300))
    untimed = stored(video("a/two", "assault"), 8, crowd(8, 100))
    normal = stored(video("a/three"), 8, crowd(8, 100))
    train = run(timed, untimed, normal)["train"]
    labels = {name: train["label"][train["video"] == name].tolist() for name in ("a/one", "a/two", "a/three")}
    assert labels["a/one"] == ["normal", "normal", "assault", "assault"] * 2
    assert labels["a/two"] == ["assault"] * 2
    assert labels["a/three"] == ["normal"] * 2
    assert not train["role"].astype(bool).any()


def test_a_table_of_landmarks_needs_no_frames() -> None:
    table_video = stored(video("a/one", "theft", suffix=".csv"), 0, crowd(8, 100))
    assert run(table_video)["train"]["label"].tolist() == ["theft"] * 2


def test_frames_without_anybody_count_for_gaps() -> None:
    """Nobody in stored frames 4 to 9, 0.75 s: the run is over, and the file of landmarks alone could not tell."""
    people = [person(place) for place in (*range(4), *range(10, 14))]
    train = run(stored(video("a/one"), 16, people))["train"]
    assert train["frame"].tolist() == [[0, 3, 6, 9], [12, 15, 18, 21], [30, 33, 36, 39]]
    assert train["mask"].tolist() == [[True] * 4, [False] * 4, [True] * 4]


def test_pictures_of_other_sizes_are_compared_by_their_share() -> None:
    small = stored(video("a/one"), 4, crowd(4, 100))
    large = stored(video("a/two", size=(1280, 960)), 4, [])
    doubled = [dataclasses.replace(row, joints=row.joints * 2) for row in crowd(4, 100)]
    pose_table.write_poses(LANDMARKS / "a/two.csv", doubled)
    train = run(small, large)["train"]
    assert train["x"][0] == pytest.approx(train["x"][1], abs=1e-4)


def test_a_video_that_was_lost_on_the_way_is_left_out_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    complete = stored(video("a/one"), 8, crowd(8, 100))
    crashed, unread, missing = (
        stored(video(f"a/{name}"), 8, crowd(8, 100)) for name in ("crashed", "unread", "missing")
    )
    (LANDMARKS / "a/crashed.csv").unlink()
    write_table(LANDMARKS / "rejects.csv", [{"video": "a/crashed", "reason": "a crash"}], ["video", "reason"])
    for gone in (FRAMES / "a/unread.npz", LANDMARKS / "a/unread.csv", FRAMES / "a/missing.npz"):
        gone.unlink()
    write_table(FRAMES / "rejects.csv", [{"video": "a/unread", "reason": "no codec"}], ["video", "reason"])
    assert set(run(complete, crashed, unread, missing)["train"]["video"].tolist()) == {"a/one"}
    said = capsys.readouterr().err
    assert "segments: warning: a/crashed is left out: not in data/landmarks: a crash" in said
    assert "segments: warning: a/unread is left out: not in data/frames: no codec" in said
    assert "segments: warning: a/missing is left out: not in data/frames: run that stage" in said


def test_few_segments_are_said_and_enough_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = stored(video("a/one"), 8, crowd(8, 100))
    run(short)
    printed = capsys.readouterr()
    assert "segments: warning: 2 segments to train on; a pose model needs 500 or more" in printed.err
    assert "segments: train: 2 of 4 ticks: normal 2" in printed.out
    assert "segments: test: 0 of 4 ticks: none" in printed.out
    monkeypatch.setattr("vigil.stages.segments.FEW", 2)
    run(short)
    assert "warning" not in capsys.readouterr().err


def test_nobody_at_all_and_short_videos_give_empty_arrays() -> None:
    videos = [stored(video(f"a/{count}"), count, crowd(count, 100)) for count in range(4)]
    arrays_of_split = run(*videos, stored(video("a/nobody"), 20, []))
    assert arrays_of_split["train"]["x"].shape == (0, 4, 93)
    assert arrays_of_split["train"]["label"].tolist() == []


def test_the_same_bytes_again_by_workers_and_nothing_left_behind() -> None:
    videos = [stored(video(f"a/{k}", split=SPLITS[k % 3]), 12, crowd(12, 100, 300 + k)) for k in range(5)]
    run(*videos)
    files = sorted(path.relative_to(OUT).as_posix() for path in OUT.rglob("*"))
    assert files == ["scaler.json", "settings.json", "test.npz", "train.npz", "val.npz"]
    before = [(OUT / name).read_bytes() for name in files]
    shutil.rmtree(".vigil")
    run(*reversed(videos), runtime=Runtime(executor="process", workers=2, timeout_s=60, address=None))
    assert [(OUT / name).read_bytes() for name in files] == before
    assert sorted(path.name for path in Path(".vigil").iterdir()) == ["store"]
