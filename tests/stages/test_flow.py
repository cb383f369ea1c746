"""The flow stage: one array per video, equal to the live twin's, whatever the people in it and the videos around it."""

import resource
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vigil.core.lineage import read, record
from vigil.core.storage import read_table, write_table
from vigil.engine.per_video import Runtime
from vigil.features.flow import dense, heatmap
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.landmarks import pose_table
from vigil.features.landmarks.pose_table import Pose
from vigil.stages.flow import main, write_planes

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
SETTINGS = dense.Settings(size=32, method="dis", clip=4.0, stabilise=False)
FRAMES, LANDMARKS, OUT = Path("data/frames"), Path("data/landmarks"), Path("data/flow")
SOURCE = (160, 120)
WORLD = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 400, 3), dtype=np.uint8), (0, 0), 3)
WORLD = cv2.normalize(WORLD, None, 0, 255, cv2.NORM_MINMAX)


def picture(number: int) -> np.ndarray:
    return WORLD[:, 100 - 5 * number :][:, :160]


def video(name: str, pictures: list[np.ndarray], people: list[Pose] | None = None) -> str:
    rows = ((3 * place, Fraction(place, 8), encode_jpeg(image, 90)) for place, image in enumerate(pictures))
    save_frames(FRAMES / f"{name}.npz", rows, SOURCE)
    if people is not None:
        pose_table.write_poses(LANDMARKS / f"{name}.csv", people)
    return name


def person(frame: int, x: float = 80.0) -> Pose:
    joints = np.stack([np.full(13, x), np.linspace(20, 100, 13)], axis=1)
    return Pose(frame, Fraction(frame, 24), 0, 0.9, 1.0, joints, np.full(13, 0.8))


def run(settings: dense.Settings = SETTINGS, runtime: Runtime = SERIAL) -> list[str]:
    record(LANDMARKS, "landmarks", {"every": 2})
    main(FRAMES, LANDMARKS, OUT, settings, runtime)
    assert read(OUT) == {"landmarks": {"every": 2}, "flow": settings.model_dump(mode="json")}
    return sorted(path.relative_to(OUT).as_posix() for path in OUT.glob("*/*"))


def load(name: str) -> np.ndarray:
    return np.load(OUT / f"{name}.npy")


def live(name: str, settings: dense.Settings) -> np.ndarray:
    """Frame by frame, as a camera gives them."""
    archive = FrameArchive(FRAMES / f"{name}.npz")
    people = pose_table.group_by_frame(pose_table.read_poses(LANDMARKS / f"{name}.csv"))
    state, planes_found = None, []
    for number, image in zip(archive.index.tolist(), archive.images(), strict=True):
        state, motion = dense.update(state, image, settings)
        heat = heatmap.people_density(people.get(number, []), archive.source_size, settings.size)
        planes_found.append(dense.quantise(motion, heat, settings.clip))
    return np.stack(planes_found)


def test_motion_and_people_of_every_frame() -> None:
    video("a/one", [picture(number) for number in range(6)], [person(9)])
    assert run() == ["a/one.npy"]
    planes = load("a/one")
    assert planes.shape == (6, 3, 32, 32) and planes.dtype == np.int8
    assert not planes[0, :2].any()
    assert np.median(planes[1:, 0]) == pytest.approx(127 / 4, abs=2)  # 5 of 160 px: 1 of 32; clip 4
    assert [bool(frame[2].any()) for frame in planes] == [False, False, False, True, False, False]  # frame 9 is the 4th
    down, across = np.unravel_index(planes[3, 2].argmax(), (32, 32))
    assert across in (15, 16)
    assert 5 <= down <= 27


@pytest.mark.parametrize("stabilise", [False, True])
def test_the_stage_folds_what_a_live_source_is_given(stabilise: bool) -> None:
    settings = SETTINGS.model_copy(update={"stabilise": stabilise})
    name = video("a/one", [picture(number) for number in range(7)], [person(frame) for frame in range(0, 21, 3)])
    run(settings)
    assert np.array_equal(load(name), live(name, settings))


def test_a_longer_video_begins_like_a_shorter_one() -> None:
    pictures = [picture(number) for number in range(8)]
    long = video("a/long", pictures, [person(3 * number) for number in range(8)])
    short = video("a/short", pictures[:5], [person(3 * number) for number in range(5)])
    run()
    assert np.array_equal(load(long)[:5], load(short))


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_short_videos_have_one_plane_per_frame(count: int) -> None:
    name = video("a/short", [picture(number) for number in range(count)], [])
    run()
    assert load(name).shape == (count, 3, 32, 32)
    assert not load(name)[:1].any()


def test_frames_of_changing_size_grey_ones_and_people_outside_or_without_joints() -> None:
    grey = np.repeat(picture(1)[..., :1], 3, axis=2)
    odd = [picture(0), picture(1)[:60], picture(2)[:, :31], grey, grey]
    lost = Pose(3, Fraction(1, 8), 1, 0.9, 0.0, np.full((13, 2), np.nan), np.full(13, np.nan))
    name = video("a/odd", odd, [person(0, x=-900), lost, person(6, x=9000)])
    run()
    planes = load(name)
    assert planes.shape == (5, 3, 32, 32)
    assert not planes[:, 2].any()
    assert not planes[4].any()


def test_a_video_without_landmarks_is_left_out_and_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    video("a/one", [picture(0)] * 3, [])
    video("a/two", [picture(0)] * 3)
    video("b/three", [picture(0)] * 3)
    write_table(
        LANDMARKS / "rejects.csv", [{"video": "a/two", "reason": "the pose network crashed"}], ["video", "reason"]
    )
    assert run() == ["a/one.npy"]
    said = capsys.readouterr().err
    assert "flow: warning: a/two is left out: it has no landmarks: the pose network crashed" in said
    assert "b/three is left out: it has no landmarks: run stage `landmarks` for it" in said


def test_a_broken_archive_loses_one_video() -> None:
    video("a/one", [picture(0)] * 3, [])
    video("a/two", [picture(0)] * 3, [])
    (FRAMES / "a/two.npz").write_bytes(b"PK, or so")
    assert run() == ["a/one.npy"]
    [reject] = read_table(OUT / "rejects.csv")
    assert reject["video"] == "a/two"
    assert "not an archive of frames" in reject["reason"]


def test_only_what_changed_is_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    video("a/one", [picture(number) for number in range(3)], [])
    video("a/two", [picture(number) for number in range(4)], [])
    run()
    before = (OUT / "a/one.npy").read_bytes()
    pose_table.write_poses(LANDMARKS / "a/two.csv", [person(3)])
    run()
    assert "2 videos: 1 done, 1 reused" in capsys.readouterr().out
    assert load("a/two")[1, 2].any()
    assert (OUT / "a/one.npy").read_bytes() == before
    run(SETTINGS.model_copy(update={"clip": 8.0}))
    assert "2 videos: 2 done, 0 reused" in capsys.readouterr().out


def test_workers_change_no_byte() -> None:
    names = [video(f"a/{number}", [picture(place) for place in range(number, 6)], [person(3)]) for number in range(3)]
    run()
    before = [(OUT / f"{name}.npy").read_bytes() for name in names]
    for name in names:
        (OUT / f"{name}.npy").unlink()
    shutil.rmtree(".vigil")
    run(runtime=Runtime(executor="process", workers=2, timeout_s=60, address=None))
    assert [(OUT / f"{name}.npy").read_bytes() for name in names] == before


@pytest.mark.slow
def test_many_videos_leave_no_file_open_and_no_memory_behind() -> None:
    name = video("a/one", [picture(number) for number in range(12)], [person(3 * number) for number in range(12)])
    source = (FRAMES / f"{name}.npz", LANDMARKS / f"{name}.csv", Path("one.npy"))

    def used() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(50):
        write_planes(*source, params=SETTINGS)
    files, memory = used()
    for _ in range(500):
        write_planes(*source, params=SETTINGS)
    assert used()[0] <= files
    assert used()[1] < memory + 20_000  # kB
