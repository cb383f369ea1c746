"""The flow stage: one array per video, equal to the live twin's, whatever the people in it and the videos around it."""

import resource
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vigil.core.lineage import read, record
from vigil.core.storage import load_arrays, read_table, write_table
from vigil.engine.per_video import Runtime
from vigil.features.flow import dense, heatmap
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.landmarks import people_boxes
from vigil.features.times import read_times
from vigil.footage.video.reading import read_frames
from vigil.stages.flow import main, write_planes

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
SETTINGS = dense.Settings(fps=30, size=32, method="dis", clip=32.0, stabilise=False)
FRAMES, LANDMARKS, OUT = Path("data/frames"), Path("data/landmarks"), Path("data/flow")
VIDEOS, RAW = Path("data/videos.csv"), Path("data/raw")
SOURCE = (160, 120)
WORLD = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 400, 3), dtype=np.uint8), (0, 0), 3)
WORLD = cv2.normalize(WORLD, None, 0, 255, cv2.NORM_MINMAX)


def picture(number: float) -> np.ndarray:
    """The world moves to the right by 5 px from a whole number to the next."""
    matrix = np.array([[1, 0, 5 * number - 100], [0, 1, 0]], np.float64)
    return cv2.warpAffine(WORLD, matrix, SOURCE, flags=cv2.INTER_CUBIC)


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def video(
    name: str,
    pictures: list[np.ndarray],
    people: dict[int, np.ndarray] | None = None,
    fps: Fraction | int = 8,
    every: int = 1,
) -> str:
    """A folder of images, `fps` a second, of which every `every`-th is stored."""
    for place, image in enumerate(pictures):
        write_image(RAW / name / f"{place:03d}.png", image)
    rows = (
        (place, place / Fraction(fps), encode_jpeg(image, 90))
        for place, image in enumerate(pictures)
        if place % every == 0
    )
    save_frames(FRAMES / f"{name}.npz", rows, SOURCE)
    others = read_table(VIDEOS) if VIDEOS.exists() else []
    row = {"video": name, "path": f"data/raw/{name}", "sha256": "0" * 64, "fps": str(fps)}
    write_table(VIDEOS, [*(other for other in others if other["video"] != name), row], list(row))
    if people is not None:
        stored = [people.get(place, people_boxes.NOBODY) for place in range(0, len(pictures), every)]
        people_boxes.write_boxes(LANDMARKS / f"{name}.boxes.npz", stored)
    return name


def person(x: float = 80.0) -> np.ndarray:
    """The box of somebody upright."""
    return np.array([[x - 15, 20, x + 15, 100, 0.9]], np.float32)


def run(settings: dense.Settings = SETTINGS, runtime: Runtime = SERIAL) -> list[str]:
    record(LANDMARKS, "landmarks", {"every": 2})
    paths = {"videos": VIDEOS, "raw": RAW, "frames": FRAMES, "landmarks": LANDMARKS, "out": OUT}
    main(**paths, params=settings, runtime=runtime)
    assert read(OUT) == {"landmarks": {"every": 2}, "flow": settings.model_dump(mode="json")}
    return sorted(path.relative_to(OUT).as_posix() for path in OUT.glob("*/*"))


def load(name: str) -> np.ndarray:
    return np.load(OUT / f"{name}.npy")


def live(name: str, settings: dense.Settings) -> np.ndarray:
    """Frame by frame, as a camera gives them."""
    archive = FrameArchive(FRAMES / f"{name}.npz")
    people = people_boxes.read_boxes(LANDMARKS / f"{name}.boxes.npz")
    state, planes = None, []
    [row] = [row for row in read_table(VIDEOS) if row["video"] == name]
    for frame in read_frames(RAW / name, fps=Fraction(row["fps"])):
        state = dense.update(state, frame.image, float(frame.time_s), settings)
        if frame.index in archive.index:
            state, motion = dense.take(state, settings)
            heat = heatmap.people_density(next(people), archive.source_size, settings.size)
            planes.append(dense.quantise(motion.flow, heat, settings.clip))
    return np.stack(planes)


def test_motion_and_people_of_every_frame() -> None:
    video("a/one", [picture(number) for number in range(6)], {3: person()})
    assert run() == ["a/one.npy", "a/one.npz"]
    planes = load("a/one")
    assert read_times(OUT / "a/one.npz", "flow") == [Fraction(number, 8) for number in range(6)]
    assert planes.shape == (6, 3, 32, 32) and planes.dtype == np.int8
    assert not planes[0, :2].any()
    assert np.median(planes[1:, 0]) == pytest.approx(
        127 / 4, abs=2
    )  # 5 of 160 px: 1 of 32, eight times a second; clip 32
    assert [bool(frame[2].any()) for frame in planes] == [False, False, False, True, False, False]
    down, across = np.unravel_index(planes[3, 2].argmax(), (32, 32))
    assert across in (15, 16)
    assert 5 <= down <= 27


@pytest.mark.parametrize("stabilise", [False, True])
def test_the_stage_folds_what_a_live_source_is_given(stabilise: bool) -> None:
    settings = SETTINGS.model_copy(update={"stabilise": stabilise})
    name = video(
        "a/one",
        [picture(number / 2) for number in range(14)],
        {frame: person() for frame in range(0, 14, 2)},
        fps=16,
        every=2,
    )
    run(settings)
    assert np.array_equal(load(name), live(name, settings))


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(25, 2), Fraction(6)])
def test_the_same_motion_has_the_same_flow_per_second_at_every_rate(fps: Fraction) -> None:
    """20 px of 160 a second are 8 of 64; within 8 % at every rate, and twice that at twice the speed."""
    settings = SETTINGS.model_copy(update={"size": 64, "clip": 64.0})
    medians = []
    for speed in (8, 16):
        every = 4 if fps == 25 else 1
        pictures = [picture(float(speed * place / fps) / 2) for place in range(13)]
        name = video(f"a/{speed}", pictures, {}, fps, every)
        run(settings)
        medians.append(float(np.median(load(name)[1:, 0]) * settings.clip / dense.LEVELS))
        statistics = load_arrays(OUT / f"{name}.npz")
        column = statistics["names"].tolist().index("mean_speed_q50")
        assert np.median(statistics["statistics"][1:, column]) == pytest.approx(speed / 64, rel=0.08)
    assert medians == pytest.approx([8.0, 16.0], rel=0.08)


def test_nothing_is_remembered_across_a_pause() -> None:
    """Images 8 to 39 are missing: four seconds."""
    name = video("a/paused", [picture(number) for number in range(8)], {})
    for number in range(8):
        write_image(RAW / name / f"{40 + number:03d}.png", picture(number))
    rows = [(place, Fraction(place + 32 * (place > 7), 8), encode_jpeg(picture(0), 90)) for place in range(16)]
    save_frames(FRAMES / f"{name}.npz", rows, SOURCE)
    people_boxes.write_boxes(LANDMARKS / f"{name}.boxes.npz", [people_boxes.NOBODY] * 16)
    run()
    planes, unknown = load(name), np.isnan(load_arrays(OUT / f"{name}.npz")["statistics"]).all(axis=1)
    assert np.flatnonzero(unknown).tolist() == [0, 8]
    assert not planes[8].any()
    assert np.array_equal(planes[:8], planes[8:])


def test_a_longer_video_begins_like_a_shorter_one() -> None:
    pictures = [picture(number) for number in range(8)]
    long = video("a/long", pictures, dict.fromkeys(range(8), person()))
    short = video("a/short", pictures[:5], dict.fromkeys(range(5), person()))
    run()
    assert np.array_equal(load(long)[:5], load(short))


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_short_videos_have_one_plane_per_frame(count: int) -> None:
    name = video("a/short", [picture(number) for number in range(count)], {})
    run()
    assert load(name).shape == (count, 3, 32, 32)
    assert not load(name)[:1].any()


def test_grey_frames_and_people_outside() -> None:
    grey = np.repeat(picture(1)[..., :1], 3, axis=2)
    odd = [picture(0), picture(1), picture(2), grey, grey]
    name = video("a/odd", odd, {0: person(x=-900), 2: person(x=9000)})
    run()
    planes = load(name)
    assert planes.shape == (5, 3, 32, 32)
    assert not planes[:, 2].any()
    assert not planes[4].any()


def test_a_video_without_landmarks_is_left_out_and_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    video("a/one", [picture(0)] * 3, {})
    video("a/two", [picture(0)] * 3)
    video("b/three", [picture(0)] * 3)
    write_table(
        LANDMARKS / "rejects.csv", [{"video": "a/two", "reason": "the pose network crashed"}], ["video", "reason"]
    )
    assert run() == ["a/one.npy", "a/one.npz"]
    said = capsys.readouterr().err
    assert "flow: warning: a/two is left out: it has no landmarks: the pose network crashed" in said
    assert "b/three is left out: it has no landmarks: run stage `landmarks` for it" in said


def test_a_broken_archive_loses_one_video() -> None:
    video("a/one", [picture(0)] * 3, {})
    video("a/two", [picture(0)] * 3, {})
    (FRAMES / "a/two.npz").write_bytes(b"PK, or so")
    assert run() == ["a/one.npy", "a/one.npz"]
    [reject] = read_table(OUT / "rejects.csv")
    assert reject["video"] == "a/two"
    assert "not an archive of frames" in reject["reason"]


def test_only_what_changed_is_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    video("a/one", [picture(number) for number in range(3)], {})
    video("a/two", [picture(number) for number in range(4)], {})
    run()
    before = (OUT / "a/one.npy").read_bytes()
    boxes = [people_boxes.NOBODY, person(), *[people_boxes.NOBODY] * 2]
    people_boxes.write_boxes(LANDMARKS / "a/two.boxes.npz", boxes)
    run()
    assert "2 videos: 1 done, 1 reused" in capsys.readouterr().out
    assert load("a/two")[1, 2].any()
    assert (OUT / "a/one.npy").read_bytes() == before
    run(SETTINGS.model_copy(update={"clip": 64.0}))
    assert "2 videos: 2 done, 0 reused" in capsys.readouterr().out


def test_workers_change_no_byte() -> None:
    names = [video(f"a/{number}", [picture(place) for place in range(number, 6)], {3: person()}) for number in range(3)]
    run()
    before = [(OUT / f"{name}.npy").read_bytes() for name in names]
    for name in names:
        (OUT / f"{name}.npy").unlink()
    shutil.rmtree(".vigil")
    run(runtime=Runtime(executor="process", workers=2, timeout_s=60, address=None))
    assert [(OUT / f"{name}.npy").read_bytes() for name in names] == before


@pytest.mark.slow
def test_many_videos_leave_no_file_open_and_no_memory_behind() -> None:
    name = video("a/one", [picture(number) for number in range(12)], dict.fromkeys(range(12), person()))
    source = (
        RAW / name,
        "8",
        FRAMES / f"{name}.npz",
        LANDMARKS / f"{name}.boxes.npz",
        Path("one.npy"),
        Path("one.npz"),
    )

    def used() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(50):
        write_planes(*source, params=SETTINGS)
    files, memory = used()
    for _ in range(500):
        write_planes(*source, params=SETTINGS)
    assert used()[0] <= files
    assert used()[1] < memory + 20_000  # kB
