"""The landmarks stage on a photograph that moves: every backend, bad input, reuse, and the same rows live."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bodies import pan, settings
from detectors import detector
from live_pictures import group_by_person
from scenes import entry

from vigil.core.errors import VigilError
from vigil.core.lineage import record
from vigil.core.params import load
from vigil.core.skipping import skip_folder
from vigil.core.storage import read_json, sha256_file, write_json, write_table
from vigil.engine.per_video import Runtime
from vigil.features.frames import FrameArchive, encode_jpeg, save_frames
from vigil.features.landmarks import choices, estimators, pose_table
from vigil.footage import video_table
from vigil.stages.landmarks import Params, main, track_people

SERIAL = Runtime(executor="serial", workers=1, timeout_s=120, address=None)
FRAMES, OUT, VIDEOS, RAW = Path("data/frames"), Path("data/landmarks"), Path("data/videos.csv"), Path("data/raw")
TILED = settings(tile=0.8, every_s=0.25)


def archive(name: str, images: Iterable[np.ndarray], source: tuple[int, int] = (800, 960)) -> Path:
    path = FRAMES / f"{name}.npz"
    save_frames(path, ((3 * n, Fraction(n, 8), encode_jpeg(image, 95)) for n, image in enumerate(images)), source)
    return path


def run(pretrained: Path, params: Params = TILED, runtime: Runtime = SERIAL, videos: Iterable[Any] = ()) -> list[str]:
    video_table.write(VIDEOS, list(videos))
    record(FRAMES, "frames", {"fps": 8.0})
    main(
        videos=VIDEOS, raw=RAW, frames=FRAMES, person=Path("models/person"), pretrained=pretrained, out=OUT,
        params=params, runtime=runtime,
    )  # fmt: skip
    tables = sorted(path.relative_to(OUT).as_posix() for path in OUT.glob("*/*.csv"))
    boxes = {path.relative_to(OUT).as_posix() for path in OUT.glob("*/*.npz")}
    filmed = {path.relative_to(FRAMES).with_suffix("").as_posix() for path in FRAMES.glob("*/*.npz")}
    assert boxes == {f"{name.removesuffix('.csv')}.boxes.npz" for name in tables if name.removesuffix(".csv") in filmed}
    return tables


def test_people_keep_their_numbers_in_pixels_of_the_video(pretrained: Path) -> None:
    archive("a/one", pan(6))
    assert run(pretrained) == ["a/one.csv"]
    rows = pose_table.read_poses(OUT / "a/one.csv")
    assert {row.frame for row in rows} == {0, 3, 6, 9, 12, 15}
    by_person = group_by_person(rows)
    assert 2 <= len(by_person) <= 4
    man = by_person[min(by_person, key=lambda number: by_person[number][0].joints[12, 0])]
    assert len(man) == 6
    heads = np.array([row.joints[12] for row in man])
    assert heads[0] == pytest.approx((168, 304), abs=24)  # the video is twice the size of its frames
    assert np.diff(heads[:, 0]).mean() == pytest.approx(-8, abs=2)  # and the camera turns by 4 px of them
    assert all(0 < row.coverage <= 1 and row.score >= 0.5 for row in rows)


def test_the_rows_of_a_stream_are_those_of_the_stage_however_it_comes(pretrained: Path) -> None:
    path = archive("a/one", pan(7))
    run(pretrained)
    stored = pose_table.read_poses(OUT / "a/one.csv")
    frames = FrameArchive(path)
    pictures = list(zip(frames.index.tolist(), frames.times, frames.images(), strict=True))
    for size in (1, 3, 7):
        state, live = estimators.START, []
        for begin in range(0, len(pictures), size):
            with estimators.open_people(TILED, Path("models/person"), pretrained) as finder:
                for index, time_s, image in pictures[begin : begin + size]:
                    state, people, _ = estimators.find_people(state, image, float(time_s), finder)
                    live += estimators.poses_of_frame(people, index, time_s, frames.source_size[0] / image.shape[1])
        pose_table.write_poses(Path("live.csv"), live)
        assert sha256_file(Path("live.csv")) == sha256_file(OUT / "a/one.csv")
    assert stored


def test_bad_pictures_give_a_defined_result(pretrained: Path) -> None:
    moving = pan(4)
    archive("a/empty", [np.full((120, 160, 3), 128, np.uint8)] * 4, (160, 120))
    archive("a/grey", [np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, 2) for image in moving])
    archive("a/over", [image[::-1] for image in moving])
    archive("a/short", moving[:1])
    archive("a/tiny", [image[::30, ::25] for image in moving], (16, 16))
    names = ("empty", "grey", "over", "short", "tiny")
    assert run(pretrained) == [f"a/{name}.csv" for name in names]
    count = {name: len(pose_table.read_poses(OUT / f"a/{name}.csv")) for name in names}
    assert count["empty"] == 0
    assert count["grey"] >= 4 and count["short"] >= 1
    assert (OUT / "a/empty.csv").read_text().startswith("frame,time_s,person,score,coverage,SHOULDER_LEFT_X")


def test_a_broken_archive_loses_itself_alone_and_what_is_known_is_not_computed_again(
    pretrained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("a/one", pan(2))
    (FRAMES / "a/two.npz").write_bytes(b"no archive")
    assert run(pretrained) == ["a/one.csv"]
    capsys.readouterr()
    (FRAMES / "a/two.npz").unlink()
    run(pretrained)
    assert "0 done, 1 reused" in capsys.readouterr().out
    run(pretrained, TILED.model_copy(update={"visibility": 0.9}))
    assert "1 done, 0 reused" in capsys.readouterr().out


def test_two_workers_write_the_bytes_of_none(pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name, changes in (("serial", {}), ("process", {"executor": "process", "workers": 2})):
        (tmp_path / name / ".dvc").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        archive("a/one", pan(3))
        archive("a/two", pan(2))
        digests.append([sha256_file(OUT / file) for file in run(pretrained, runtime=SERIAL.model_copy(update=changes))])
    assert digests[0] == digests[1]


def test_mediapipes_own_landmarker_has_the_same_shape(pretrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive("a/one", pan(4))
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    run(pretrained, settings(backend="landmarker", max_people=2))
    assert os.environ["https_proxy"] == "http://proxy.example:3128"
    rows = group_by_person(pose_table.read_poses(OUT / "a/one.csv"))
    assert rows and max(len(track) for track in rows.values()) == 4


def test_tables_of_landmarks_are_brought_into_the_same_shape(pretrained: Path) -> None:
    columns = [*pose_table.XY, "FRAME_NUM", "label"]
    cells = [dict.fromkeys(columns, str(n)) for n in range(3)]
    write_table(RAW / "b/clip.csv", cells, columns)
    table = entry("b/clip", path="data/raw/b/clip.csv", fps=Fraction(3), frames=3)
    assert run(pretrained, videos=[table]) == ["b/clip.csv"]
    rows = pose_table.read_poses(OUT / "b/clip.csv")
    assert [(row.frame, row.joints[4, 1]) for row in rows] == [(0, 0), (1, 1), (2, 2)]


def test_what_is_missing_is_named_before_anything_runs(pretrained: Path, tmp_path: Path) -> None:
    archive("a/one", pan(1))
    with pytest.raises(VigilError, match=r"pose_landmarks\.tflite: not found\. Run stage `weights`"):
        run(tmp_path)
    with pytest.raises(VigilError, match=r"Run stage `person`"):
        run(pretrained, settings(detector="yolo"))
    with pytest.raises(VigilError, match=r"weights\.yolo"):
        run(pretrained, settings(backend="yolo"))


def test_a_picture_of_one_channel_is_refused(pretrained: Path) -> None:
    with estimators.open_people(TILED, Path("models/person"), pretrained) as finder:
        with pytest.raises(VigilError, match=r"expected \(H, W, 3\) uint8 RGB"):
            estimators.find_people(estimators.START, np.zeros((60, 80), np.uint8), 0.0, finder)


def test_params_of_the_project_are_good(project: Path) -> None:
    section = load(project / "params.yaml").get("landmarks")
    if section is not None:
        assert Params.read(section, "params.yaml [landmarks]")
    with pytest.raises(VigilError, match="backend"):
        Params.read({**settings().model_dump(), "backend": "openpose"}, "params.yaml [landmarks]")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("backend", ["topdown", "landmarker"])
def test_five_hundred_videos_leave_neither_files_open_nor_memory_behind(pretrained: Path, backend: str) -> None:
    path = archive("a/one", [image[::2, ::2] for image in pan(2)])
    params = settings(backend=backend, max_people=2)
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc to see open files and memory")

    def held() -> tuple[int, int]:
        memory = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return len(list(Path("/proc/self/fd").iterdir())), int(memory.split()[1])

    counts = []
    for number in range(500):
        outputs = Path("one.csv"), Path("one.boxes.npz")
        track_people(path, Path("models/person"), pretrained, params.detector, *outputs, params=params)
        if number in (99, 499):
            counts.append(held())
    (files, kilobytes), (files_later, kilobytes_later) = counts
    assert files_later <= files
    assert kilobytes_later < kilobytes + 50_000


@pytest.mark.slow
def test_yolo_pose_weights_have_the_same_shape(tmp_path: Path, project: Path) -> None:
    from ultralytics import YOLO

    from vigil.core.storage import write_json

    folder = tmp_path / "pretrained"
    folder.mkdir()
    YOLO("yolov8n-pose.yaml").save(folder / "yolo.pt")  # untrained: it sees nobody, but speaks the language
    write_json(folder / "weights.json", {"yolo.pt": {"sha256": sha256_file(folder / "yolo.pt"), "origin": "test"}})
    archive("a/one", pan(2))
    params = settings(backend="yolo", presence=0.0, visibility=0.0)
    assert run(folder, params) == ["a/one.csv"]
    YOLO("yolov8n.yaml").save(folder / "yolo.pt")
    write_json(folder / "weights.json", {"yolo.pt": {"sha256": sha256_file(folder / "yolo.pt"), "origin": "test"}})
    with pytest.raises(VigilError, match=r"a network to 'detect', expected one to 'pose'"):
        with estimators.open_people(params, Path("models/person"), folder):
            pass
    (folder / "yolo.pt").write_bytes(b"another")
    with (
        pytest.raises(VigilError, match=r"not the file that weights\.json speaks of"),
        estimators.open_people(params, Path("models/person"), folder),
    ):
        pass


def test_who_finds_people_follows_from_whose_people_the_detector_knows(tmp_path: Path) -> None:
    person, pretrained = detector(tmp_path / "person", []), tmp_path / "pretrained"
    auto = settings(detector="auto")

    def choose(dataset: str, chosen: Params = auto) -> str:
        return choices.choose_detector(chosen, person, pretrained, dataset).detector

    assert choose("sample") == "mediapipe"
    card = read_json(person / "config.json")
    write_json(person / "config.json", card | {"sets": ["sample"]})
    assert (choose("sample"), choose("shop")) == ("yolo", "mediapipe")
    assert choose("") == "mediapipe", "a camera is of no set"
    write_json(person / "config.json", card | {"knows_real_people": True})
    assert choose("shop") == "yolo"
    assert choose("shop", settings(detector="yolo")) == "yolo"
    write_json(person / "config.json", card | {"knows_real_people": True, "people": []})
    assert choose("shop") == "mediapipe"
    pretrained.mkdir()
    for name in ("nanodet.onnx", "movenet_thunder.onnx"):
        (pretrained / name).write_bytes(b"network")
    assert choose("shop") == "nanodet"


def test_networks_that_know_people_serve_where_they_are_unless_blazepose_is_asked_for(tmp_path: Path) -> None:
    auto = settings(backend="auto", detector="auto")
    assert choices.choose_backend(auto, tmp_path).backend == "topdown"
    for name in ("nanodet.onnx", "movenet_thunder.onnx"):
        (tmp_path / name).write_bytes(b"network")
    assert choices.choose_backend(auto, tmp_path).backend == "networks"
    assert choices.choose_backend(auto.model_copy(update={"detector": "mediapipe"}), tmp_path).backend == "topdown"
    with pytest.raises(VigilError, match="mediapipe finds no boxes"):
        Params.read(auto.model_dump() | {"backend": "networks", "detector": "mediapipe"}, "params.yaml [landmarks]")


def test_without_those_networks_one_line_says_so_and_blazepose_serves(
    pretrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blazepose_alone = tmp_path / "pretrained"
    blazepose_alone.mkdir()
    for name in ("pose_detector.tflite", "pose_landmarks.tflite"):
        (blazepose_alone / name).symlink_to(pretrained / name)
    archive("a/one", pan(3))
    skip_folder(Path("models/person"), "person.enabled is false")
    assert run(blazepose_alone, settings(backend="auto", detector="auto", tile=0.8)) == ["a/one.csv"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "weights.people" in lines[0] and "BlazePose serves" in lines[0]
    assert pose_table.read_poses(OUT / "a/one.csv")
    assert read_json(OUT / "settings.json")["landmarks"]["backend"] == "topdown"


@pytest.mark.parametrize("backend", ["auto", "topdown"])
def test_networks_that_know_people_find_those_of_a_photograph(people_networks: Path, backend: str) -> None:
    archive("a/one", pan(6))
    skip_folder(Path("models/person"), "person.enabled is false")
    assert run(people_networks, settings(backend=backend, detector="auto", confidence=0.4)) == ["a/one.csv"]
    made_with = read_json(OUT / "settings.json")["landmarks"]
    assert made_with["backend"] == ("networks" if backend == "auto" else backend)
    people = group_by_person(pose_table.read_poses(OUT / "a/one.csv"))
    longest = [track for track in people.values() if len(track) == 6]
    man = min(longest, key=lambda track: track[0].joints[12, 0])
    heads = np.array([row.joints[12] for row in man])
    assert heads[0] == pytest.approx((168, 304), abs=24)
    assert np.diff(heads[:, 0]).mean() == pytest.approx(-8, abs=2)


def test_the_detector_of_stage_person_can_find_people_for_either_backend(people_networks: Path) -> None:
    archive("a/one", pan(3))
    detector(Path("models/person"), [[16.5, 38, 14.3, 40.4, 0.9]])  # the man in the coat, in a square of 64
    for backend in ("networks", "topdown"):
        run(people_networks, settings(backend=backend, detector="yolo"))
        rows = pose_table.read_poses(OUT / "a/one.csv")
        assert {row.frame for row in rows} == {0, 3, 6}, backend


def test_a_detector_without_a_class_of_people_is_not_used_and_that_is_said(
    pretrained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("a/one", pan(1))
    detector(Path("models/person"), [[20, 30, 10, 10, 0.9]], ("helmet",), ())
    assert run(pretrained, settings(detector="auto")) == ["a/one.csv"]
    assert "landmarks: models/person finds helmet, none counts as a person: published" in capsys.readouterr().err
    with pytest.raises(VigilError, match=r"finds helmet, and none counts as a person\. Name those that do"):
        run(pretrained, settings(detector="yolo"))
