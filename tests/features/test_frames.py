"""Sampling is causal and complete, and the archive gives back what went in."""

import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import videos
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.clock import SLACK_S
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.features.frames import (
    START,
    FrameArchive,
    advance_tick,
    decode_jpeg,
    encode_jpeg,
    make_sampler,
    save_frames,
)

rates = st.fractions(Fraction(1, 2), 60, max_denominator=1001)
gaps = st.lists(st.fractions(Fraction(1, 240), 2, max_denominator=1000), max_size=60)  # between one frame and the next


def sampled(times: list[Fraction], fps: Fraction) -> list[int]:
    is_due = make_sampler(fps)
    return [index for index, time in enumerate(times) if is_due(time)]


def clock(gaps: list[Fraction]) -> list[Fraction]:
    return [sum(gaps[:count], Fraction(0)) for count in range(len(gaps) + 1)]


def test_ten_frames_per_second_at_five_gives_every_other() -> None:
    assert sampled([Fraction(n, 10) for n in range(7)], Fraction(5)) == [0, 2, 4, 6]


def test_ntsc_at_ten_gives_every_third_and_never_falls_behind() -> None:
    times = [Fraction(n * 1001, 30000) for n in range(30000)]
    indices = sampled(times, Fraction(10))
    assert indices[:4] == [0, 3, 6, 9]  # 0, 0.1001, 0.2002, 0.3003 s: the first frames at or after 0, 0.1, 0.2, 0.3 s
    assert len(indices) == 10010  # one for each tick up to 30000 * 1001 / 30000 = 1001 s


def test_twenty_five_at_ten_takes_the_first_frame_after_each_tick() -> None:
    times = [Fraction(n, 25) for n in range(11)]
    assert sampled(times, Fraction(10)) == [0, 3, 5, 8, 10]  # 0, 0.12, 0.2, 0.32, 0.4 s


def test_a_video_slower_than_the_rate_keeps_every_frame_once() -> None:
    assert sampled([Fraction(n, 7) for n in range(20)], Fraction(10)) == list(range(20))


def test_millisecond_stamps_lose_no_frame() -> None:
    times = [Fraction(round(n * 1000 / 30), 1000) for n in range(300)]  # 0, 0.033, 0.067: before and after their ticks
    assert sampled(times, Fraction(30)) == list(range(300))
    assert sampled(times, Fraction(10)) == list(range(0, 300, 3))


def test_after_a_gap_one_frame_serves_all_the_ticks_that_passed() -> None:
    times = [Fraction(n, 10) for n in (0, 1, 2, 30, 31, 32)]
    assert sampled(times, Fraction(5)) == [0, 2, 3, 5]


@given(gaps, rates)
def test_every_tick_is_served_by_the_first_frame_at_or_after_it(gaps: list[Fraction], fps: Fraction) -> None:
    times = clock(gaps)
    served = set()
    tick = 0
    while tick / fps <= times[-1] + SLACK_S:
        served.add(next(index for index, time in enumerate(times) if time + SLACK_S >= tick / fps))
        tick += 1
    assert sampled(times, fps) == sorted(served)


@given(gaps, rates, st.integers(0, 60))
def test_chunks_of_any_size_give_the_frames_of_the_whole(gaps: list[Fraction], fps: Fraction, cut: int) -> None:
    times = clock(gaps)
    state, indices = START, []
    for index, time in [*enumerate(times)][:cut]:
        state, take = advance_tick(state, time, fps)
        indices += [index] * take
    state = pickle.loads(pickle.dumps(state))
    for index, time in [*enumerate(times)][cut:]:
        state, take = advance_tick(state, time, fps)
        indices += [index] * take
    assert indices == sampled(times, fps)


@given(gaps, rates)
def test_no_frame_is_decided_by_a_later_one(gaps: list[Fraction], fps: Fraction) -> None:
    times = clock(gaps)
    whole = sampled(times, fps)
    for count in range(0, len(times), 7):
        assert sampled(times[:count], fps) == [index for index in whole if index < count]


def test_a_picture_survives_the_jpeg() -> None:
    image = videos.picture(9, (160, 120))
    again = decode_jpeg(encode_jpeg(image, 95))
    assert np.abs(again.astype(int) - image).mean() < 3
    assert encode_jpeg(image, 95) == encode_jpeg(image, 95)
    assert len(encode_jpeg(image, 40)) < len(encode_jpeg(image, 95))
    red = decode_jpeg(encode_jpeg(np.full((32, 32, 3), (250, 10, 10), np.uint8), 90))
    assert red.reshape(-1, 3).mean(0).round(-1).tolist() == [250, 10, 10]


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9).map(lambda n: Fraction(n, 90000)), st.binary(min_size=1, max_size=50)),
        min_size=1,
    )
)
def test_the_archive_gives_back_exactly_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, frames: list[tuple[Fraction, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("archive") / "a.npz"
    assert save_frames(path, ((3 * number, *frame) for number, frame in enumerate(frames)), (640, 360)) == len(frames)
    archive = FrameArchive(path)
    assert len(archive) == len(frames)
    assert archive.times == [time for time, _ in frames]
    assert archive.index.tolist() == [3 * number for number in range(len(frames))]
    assert list(archive.jpegs()) == [jpeg for _, jpeg in frames]
    assert list(archive.jpegs([len(frames) - 1, 0])) == [frames[-1][1], frames[0][1]]
    assert archive.source_size == (640, 360)
    assert list(pickle.loads(pickle.dumps(archive)).jpegs()) == [jpeg for _, jpeg in frames]


def test_the_archive_is_the_documented_npz(tmp_path: Path) -> None:
    jpegs = [encode_jpeg(videos.picture(number), 90) for number in range(3)]
    save_frames(
        tmp_path / "a.npz", [(n * 2, Fraction(1001 * n, 15000), jpeg) for n, jpeg in enumerate(jpegs)], (64, 48)
    )
    arrays = load_arrays(tmp_path / "a.npz")
    assert {name: (array.dtype.name, array.shape) for name, array in arrays.items()} == {
        "jpeg": ("uint8", (sum(map(len, jpegs)),)),
        "offsets": ("int64", (4,)),
        "index": ("int32", (3,)),
        "pts": ("int64", (3,)),
        "time_base": ("int64", (2,)),
        "source_size": ("int32", (2,)),
    }
    assert arrays["index"].tolist() == [0, 2, 4]
    assert arrays["pts"].tolist() == [0, 1001, 2002]
    assert arrays["time_base"].tolist() == [1, 15000]
    start, stop = arrays["offsets"][1:3]
    assert videos.number(decode_jpeg(arrays["jpeg"][start:stop].tobytes())) == 1
    assert [videos.number(image) for image in FrameArchive(tmp_path / "a.npz").images([2, 1])] == [2, 1]


def test_the_same_frames_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_frames(
            tmp_path / name, [(n, Fraction(n, 10), encode_jpeg(videos.picture(n), 90)) for n in range(5)], (64, 48)
        )
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["a.npz", "b.npz"]


def test_a_reader_holds_no_file_open(tmp_path: Path) -> None:
    save_frames(tmp_path / "a.npz", [(0, Fraction(0), b"x")], (64, 48))
    before = len(list(Path("/proc/self/fd").iterdir()))
    archives = [FrameArchive(tmp_path / "a.npz") for _ in range(50)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(archives) == 50


def test_a_file_that_is_no_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match="not found"):
        FrameArchive(tmp_path / "none.npz")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(VigilError, match="not an archive of frames"):
        FrameArchive(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", other=np.zeros(3))
    with pytest.raises(VigilError, match="not an archive of frames"):
        FrameArchive(tmp_path / "b.npz")


def test_a_frame_beyond_the_last_is_an_error(tmp_path: Path) -> None:
    save_frames(tmp_path / "a.npz", [(0, Fraction(0), b"x")], (64, 48))
    for place in (1, -1):
        with pytest.raises(IndexError, match="of 1"):
            list(FrameArchive(tmp_path / "a.npz").jpegs([place]))
