"""The manifest stage on small films: splits, planted leaks, the card, the same bytes; and on real footage."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scenes import entry, film, walk

from vigil.core.errors import VigilError
from vigil.core.params import load
from vigil.core.storage import raw_file, read_json, sha256_file, write_pointer, write_table
from vigil.engine.per_video import Runtime
from vigil.footage.video import reading
from vigil.footage.video_table import Video, read, write
from vigil.stages.manifest import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
PARAMS = Params(val_share=0.2, test_share=0.2, seed=7, carve_val=True, allow_leaks=(), same_source=())
RAW, TABLE, REJECTS, OUT = Path("data/raw"), Path("data/videos.csv"), Path("data/rejects.csv"), Path("data/manifest")
CARD = Path("metrics/data.json")


def run(
    videos: Sequence[Video], params: Params = PARAMS, runtime: Runtime = SERIAL, rejects: Iterable[str] = ()
) -> Any:
    """The card; the splits lie in OUT."""
    write(TABLE, videos)
    write_table(REJECTS, [{"path": path, "reason": "broken"} for path in rejects], ["path", "reason"])
    paths = {split: OUT / f"{split}.csv" for split in ("train", "val", "test")}
    main(videos=TABLE, rejects=REJECTS, raw=RAW, card=CARD, params=params, runtime=runtime, **paths)
    return read_json(CARD)


def city(count: int = 6) -> list[Video]:
    """One film of each of so many places."""
    return [film(RAW / f"s/cam{seed}.mp4", walk(seed)) for seed in range(count)]


def split_of_video() -> dict[str, str]:
    return {video.video: video.split for split in ("train", "val", "test") for video in read(OUT / f"{split}.csv")}


def in_splits(videos: Sequence[Video], **splits: str) -> list[Video]:
    """Those named get the split, all others are train."""
    return [replace(video, split=splits.get(video.stem, "train")) for video in videos]


def test_every_video_is_in_one_split_with_all_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    videos = city()
    card = run(videos, rejects=["s/broken.mp4"])
    assert {video.video for video in videos} == set(split_of_video())
    for split in ("train", "val", "test"):
        rows = read(OUT / f"{split}.csv")
        assert rows == sorted(rows, key=lambda video: video.video) != []
        assert {replace(video, split="") for video in rows} <= set(videos)
        assert card["splits"][split]["videos"] == len(rows)
    assert card["rejects"] == 1
    assert card["leaks"] == {"found": 0, "allowed": 0, "not_compared": 0, "pairs": []}
    out, err = capsys.readouterr()
    assert out == "manifest: 6 videos from 6 sources (6 by unknown): train 4, val 1, test 1; no leaks\n"
    assert "manifest: warning: 6 videos in all" in err
    assert card["shortcuts"]["s"].startswith("not measured: 6 videos")


def worse(frames: Iterable[np.ndarray]) -> list[np.ndarray]:
    """What an upload does: smaller, darker, cropped a little, another rate, the first second gone."""
    return [cv2.resize(cv2.convertScaleAbs(frame[3:-3, 4:-4], alpha=0.8), (120, 90)) for frame in list(frames)[10::2]]


def test_a_copy_under_another_name_in_another_split_stops_the_run() -> None:
    videos = [*city(), film(RAW / "s/copy.mp4", worse(walk(2, 40)), fps=5)]
    with pytest.raises(VigilError) as caught:
        run(in_splits(videos, cam0="val", copy="test"))
    text = str(caught.value)
    assert "1 pair of videos" in text and "s/cam2 (train) and s/copy (test): frames alike" in text
    assert "same_source" in text and "metrics/data.json" in text
    assert not OUT.exists()
    (pair,) = read_json(CARD)["leaks"]["pairs"]
    assert (pair["a"], pair["b"], pair["kind"], pair["allowed"]) == ("s/cam2", "s/copy", "frames", False)
    assert pair["distance"] < 48


def test_a_mirrored_copy_is_found_too() -> None:
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in walk(2)]
    videos = [*city(), film(RAW / "s/copy.mp4", mirrored)]
    with pytest.raises(VigilError, match=r"s/cam2 .* and s/copy"):
        run(in_splits(videos, cam0="val", copy="test"))


def test_what_is_said_to_do_mends_it() -> None:
    videos = [*city(), film(RAW / "s/copy.mp4", worse(walk(2)), fps=5)]
    same = PARAMS.model_copy(update={"same_source": (("of-s/cam2", "of-s/copy"),)})
    assert run(videos, same)["leaks"]["found"] == 0
    assert split_of_video()["s/copy"] == split_of_video()["s/cam2"]
    allowed = PARAMS.model_copy(update={"allow_leaks": (("s/copy", "of-s/cam2"),)})
    card = run(in_splits(videos, cam0="val", copy="test"), allowed)
    assert (card["leaks"]["found"], card["leaks"]["allowed"]) == (1, 1)
    assert card["leaks"]["pairs"][0]["allowed"]


def test_an_allowed_leak_that_is_none_is_said() -> None:
    card = run(city(), PARAMS.model_copy(update={"allow_leaks": (("s/cam1", "s/cam2"),)}))
    assert "manifest.allow_leaks: s/cam1 and s/cam2 are not alike; take the pair out" in card["warnings"]


def test_a_source_given_in_two_splits_stops_the_run() -> None:
    videos = [replace(video, source="x") if video.stem in ("cam1", "cam2") else video for video in city()]
    with pytest.raises(VigilError, match=r"s/cam1 \(train\) and s/cam2 \(test\): one source"):
        run(in_splits(videos, cam0="val", cam2="test"))


def test_landmarks_and_black_videos_are_not_compared() -> None:
    black = film(RAW / "s/black.mp4", [np.zeros((90, 120, 3), np.uint8)] * 20)
    table = entry("s/table", path="data/raw/s/table.csv")
    card = run([*city(), black, table])
    assert card["leaks"]["not_compared"] == 1
    assert "s/black is not compared with other videos: no frame has enough texture" in card["warnings"]


def test_a_pointer_is_followed_and_a_folder_of_images_is_a_video() -> None:
    videos = city()
    moved_file = Path("elsewhere.mp4")
    Path(videos[2].path).rename(moved_file)
    write_pointer(Path(videos[2].path), moved_file, moved_file.stat().st_size, videos[2].sha256)
    folder = RAW / "s/images"
    folder.mkdir()
    for number, frame in enumerate(walk(2)):
        cv2.imwrite(str(folder / f"{number:03d}.png"), frame[:, :, ::-1])
    images = entry("s/images", path=folder.as_posix(), fps=Fraction(10), duration_s=Fraction(2))
    with pytest.raises(VigilError, match=r"s/cam2 .* and s/images"):
        run(in_splits([*videos, images], cam0="val", images="test"))


def test_the_order_of_rows_and_the_workers_change_no_byte() -> None:
    videos = city()
    run(videos)
    files = [*sorted(OUT.iterdir()), CARD]
    before = [file.read_bytes() for file in files]
    shutil.rmtree(".vigil")
    run(videos[::-1], runtime=Runtime(executor="process", workers=2, timeout_s=60, address=None))
    assert [file.read_bytes() for file in files] == before


def test_hashes_are_kept_between_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    videos = city()
    run(videos)
    monkeypatch.setattr(reading, "read_frames", None)  # whoever reads a frame now, fails
    assert run(videos, PARAMS.model_copy(update={"seed": 8}))["leaks"]["not_compared"] == 0


def test_shares_must_leave_something_to_train() -> None:
    with pytest.raises(VigilError, match=r"test_share = 0.6: with val_share = 0.4 nothing is left to train"):
        Params.read(PARAMS.model_dump() | {"val_share": 0.4, "test_share": 0.6}, "params.yaml [manifest]")


def test_the_section_of_the_project_is_valid(project: Path) -> None:
    Params.read(load(project / "params.yaml")["manifest"], "params.yaml [manifest]")


@pytest.fixture
def fights(real_data: Path) -> list[Video]:
    """200 real clips; set-up as download does it."""
    folder = real_data / "surveillance-fights"
    videos = []
    with (folder / "clips.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            clip = folder / row["path"]
            write_pointer(RAW / "fights" / clip.name, clip, clip.stat().st_size, "")
            probed = reading.probe(clip)
            facts = {"fps": probed.fps, "frames": probed.frames, "width": probed.width, "height": probed.height}
            columns = {"path": f"data/raw/fights/{clip.name}", "source": row["source"], "label": row["label"]}
            name = f"fights/{clip.stem}"
            videos.append(entry(name, duration_s=probed.duration_s, sha256=sha256_file(clip), **columns, **facts))
    return videos


@pytest.mark.slow
def test_real_cameras_are_not_mistaken_for_each_other_and_real_copies_are_found(fights: list[Video]) -> None:
    workers = Runtime(executor="process", workers=2, timeout_s=60, address=None)
    assert run(fights, runtime=workers)["leaks"]["found"] == 0
    own = [replace(video, source=video.video) for video in fights]  # as if nobody knew the sources
    with pytest.raises(VigilError, match="same_source"):
        run(own, runtime=workers)
    by_id = {video.video: video for video in fights}
    pairs = read_json(CARD)["leaks"]["pairs"]
    assert len(pairs) > 50
    assert all(by_id[pair["a"]].source == by_id[pair["b"]].source for pair in pairs)
    copies = []
    for video in fights[::10]:
        frames = [frame.image for frame in reading.read_frames(raw_file(Path(video.path)), size_px=200)]
        small = [cv2.resize(frame, (frame.shape[1] // 4 * 2, frame.shape[0] // 4 * 2)) for frame in frames[8:]]
        copies.append(film(RAW / f"fights/copy-{video.stem}.mp4", small, fps=15, source=f"copy-{video.stem}"))
    train, test = (
        [replace(video, split=split) for video in some] for split, some in (("train", fights), ("test", copies))
    )
    with pytest.raises(VigilError, match="frames alike"):
        run([*train, *test, film(RAW / "fights/val.mp4", walk(0), split="val")], runtime=workers)
    leaking = {pair["b"] for pair in read_json(CARD)["leaks"]["pairs"]}
    assert {video.video for video in copies} <= leaking
