"""`download` on all that can be wrong with files: each broken one has its reason, and nothing else is lost."""

import json
import os
import re
import shutil
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import videos
from web import Site

from vigil.core.errors import VigilError
from vigil.core.storage import POINTER, read_table
from vigil.engine.per_video import Runtime
from vigil.footage.sources import sync
from vigil.footage.video.measure import measure_video
from vigil.stages.download import Params, main, round_decimals

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)


def run(datasets: dict[str, Any], synced: bool = True, **changes: Any) -> dict[str, str]:
    """Sync and download; the reasons by rejected path."""
    if synced:
        sync(datasets, Path("data/sources.csv"))
    params = Params(**{"min_frames": 2, "max_reject_share": 1.0, **changes})
    paths = {name: Path("data") / name for name in ("raw", "truth")}
    tables = {name: Path(f"data/{name}.csv") for name in ("sources", "videos", "rejects")}
    main(**paths, **tables, params=params, datasets=datasets, runtime=SERIAL)
    return {row["path"]: row["reason"] for row in read_table(Path("data/rejects.csv"))}


def listed_videos() -> dict[str, dict[str, str]]:
    return {row["video"]: row for row in read_table(Path("data/videos.csv"))}


def section(root: Path = Path("mine"), **keys: Any) -> dict[str, Any]:
    return {"mine": {"kind": "folder", "path": str(root), "label": "normal", **keys}}


REASONS = {
    "empty": "empty",
    "text": "damaged or no video|no video",
    "cut at 10 %": "cut short",
    "cut at 50 %": "cut short",
    "cut at 90 %": "cut short",
    "random bytes inside": "damaged|broken",
    "no video stream": "no video stream|no picture",
    "1 frame": "1 frame",
    "1x1 px": "1x1 px",
}


def test_every_broken_file_has_a_reason_and_nothing_else_is_lost() -> None:
    root, elsewhere = Path("mine"), Path("elsewhere")
    broken = videos.broken(root)
    audio = broken["no video stream"].rename(root / "audio.mp4")
    broken["no video stream"] = audio
    odd = [
        "with spaces.mp4",
        'quote\'s "here".mp4',
        "-dash.mp4",
        "видео 監視.mp4",
        "a,b;c.mp4",
        "two\nlines.mp4",
        "e\u0301.mp4",
    ]
    for number, name in enumerate(odd):
        videos.film(root / name, frames=10 + number)
    videos.huge(root / "8K.mp4")
    twin = shutil.copyfile(root / "with spaces.mp4", root / "zwilling.mp4")
    outside = videos.film(elsewhere / "secret.mp4", frames=30)
    (root / "link.mp4").symlink_to(outside.absolute())
    (root / "nothing.mp4").symlink_to("no-such-file.mp4")
    (root / "linked").symlink_to(elsewhere.absolute())
    shutil.copyfile(root / "with spaces.mp4", root / "renamed.txt")
    (root / "photo.mp4").write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8)
    os.mkfifo(root / "pipe.mp4")
    Path(os.fsdecode(bytes(root) + b"/latin-\xe9.mp4")).write_bytes(b"1")

    reasons = run(section())

    salvaged = {"cut at 50 %": "cut50", "cut at 90 %": "cut90", "random bytes inside": "random"}
    for case, path in broken.items():
        name = salvaged.get(case, "")
        said = listed_videos()[f"mine/{name}"]["damage"] if name else reasons.pop(f"mine/{path.name}")
        assert re.search(REASONS[case], said), case
    assert reasons.pop("mine/link.mp4").startswith("a link that leads out of the dataset's folder")
    assert reasons.pop("mine/linked").startswith("a link that leads out of the dataset's folder")
    assert reasons.pop("mine/nothing.mp4").startswith("a link to nothing")
    assert reasons.pop(f"mine/{twin.name}") == "the same content as mine/with spaces.mp4"
    assert reasons.pop("mine/pipe.mp4") == "neither a file nor a folder; remove it"
    assert "not valid UTF-8" in reasons.pop(r"mine/latin-\xe9.mp4")
    assert reasons.pop("mine/photo.mp4")
    assert reasons == {}
    names = {"with-spaces", "quote-s-here", "dash", "видео-監視", "a-b-c", "two-lines", "é", "8K"}
    assert set(listed_videos()) == {f"mine/{name}" for name in names | set(salvaged.values())}
    assert listed_videos()["mine/8K"]["width"] == "7680"
    files = {path.name for path in Path("data/raw/mine").iterdir()}
    assert {name for name in files if name.split(".")[0] not in salvaged.values()} == {
        f"{name}.mp4{POINTER}" for name in names
    }


def test_a_file_that_may_not_be_read_is_rejected() -> None:
    videos.film(Path("mine/good.mp4"))
    locked = videos.film(Path("mine/locked.mp4"), frames=5)
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user may read everything")
    assert run(section()) == {"mine/locked.mp4": "cannot be read: permission denied; allow reading, or remove it"}
    assert set(listed_videos()) == {"mine/good"}


def test_a_refused_read_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for every user, by a file system that says no."""
    videos.film(Path("mine/good.mp4"))
    videos.film(Path("mine/locked.mp4"), frames=5)
    real_open = Path.open

    def guarded(self: Path, *arguments: Any, **keys: Any) -> Any:
        if self.name == "locked.mp4":
            raise PermissionError(13, "Permission denied")
        return real_open(self, *arguments, **keys)

    monkeypatch.setattr(Path, "open", guarded)
    assert run(section()) == {"mine/locked.mp4": "cannot be read: permission denied; allow reading, or remove it"}
    assert set(listed_videos()) == {"mine/good"}


def test_a_playlist_with_a_404_in_it_loses_that_video_alone(tmp_path: Path) -> None:
    for number, name in enumerate(("a/clip.mp4", "b/clip.mp4")):
        videos.film(tmp_path / "site" / name, frames=5 + number)
    videos.truncated(videos.film(tmp_path / "site/cut.mp4", frames=40), 0.5)
    with Site(tmp_path / "site") as site:
        page = site.page("list.html", ["a/clip.mp4", "gone.mp4", "cut.mp4", "b/clip.mp4"])
        reasons = run({"web": {"kind": "youtube", "sleep_s": 0, "videos": [{"playlist": page, "label": "normal"}]}})
        assert reasons.pop(f"web/{site.url('gone.mp4')} {page}").startswith("gone: ")
        assert reasons.pop(f"web/{site.url('cut.mp4')} {page}").startswith("what came is no sound video: ")
        assert reasons == {}
        assert sorted(row["url"] for row in listed_videos().values()) == [
            site.url("a/clip.mp4"),
            site.url("b/clip.mp4"),
        ]
        assert len({row["sha256"] for row in listed_videos().values()}) == 2


def test_too_many_rejects_stop_the_run_after_they_are_written() -> None:
    videos.film(Path("mine/good.mp4"))
    videos.empty(Path("mine/empty.mp4"))
    with pytest.raises(
        VigilError, match=r"^mine: 1 of 2 rejected; download.max_reject_share is 0.4. Most often: .*\(1\)"
    ):
        run(section(), max_reject_share=0.4)
    assert [row["path"] for row in read_table(Path("data/rejects.csv"))] == ["mine/empty.mp4"]
    assert run(section(), max_reject_share=0.5).keys() == {"mine/empty.mp4"}


def test_a_small_set_that_is_broken_does_not_hide_behind_a_large_one() -> None:
    for number in range(3):
        videos.film(Path(f"mine/{number}.mp4"), frames=5 + number)
    Path("other").mkdir()
    videos.empty(Path("other/empty.mp4"))
    sections = section() | {"other": {"kind": "folder", "path": "other", "label": "normal"}}
    with pytest.raises(VigilError, match=r"^other: not one video can be used, of 1. Most often: .*\(1\)"):
        run(sections, max_reject_share=0.9)


def test_a_video_that_is_too_short_says_how_short() -> None:
    videos.film(Path("mine/short.mp4"), frames=5)
    videos.film(Path("mine/long.mp4"), frames=6)
    assert run(section(), min_frames=6) == {"mine/short.mp4": "5 frames: too short (download.min_frames = 6)"}


def damaged_recording(path: Path) -> Path:
    """100 frames at 25 fps, of which about half are left."""
    film = videos.film(path, frames=100, fps=25, container={"movflags": "+faststart"}, options={"g": "20"})
    return videos.truncated(film, 0.6)


def test_a_damaged_recording_is_kept_up_to_its_last_good_frame_and_says_so() -> None:
    damaged_recording(Path("mine/cut.mp4"))
    assert run(section(), min_frames=16) == {}
    row = listed_videos()["mine/cut"]
    assert "the file is cut short" in row["damage"]
    assert 20 < int(row["frames"]) < 80
    assert f"{row['frames']} of 100 frames decode" in row["damage"]


def test_a_damaged_recording_of_which_too_little_is_left_is_rejected() -> None:
    damaged_recording(Path("mine/cut.mp4"))
    videos.film(Path("mine/whole.mp4"), frames=100)
    (reason,) = run(section(), min_frames=90).values()
    assert "too short (download.min_frames = 90)" in reason and "cut short" in reason and "fetch it again" in reason


def test_an_event_that_is_lost_with_the_end_rejects_the_recording_and_one_before_is_kept() -> None:
    for name, spans in (("before", "[[0.4, 1]]"), ("lost", "[[3.6, 3.9]]")):
        damaged_recording(Path(f"mine/fight/{name}.mp4"))
        with Path(f"mine/fight/{name}.mp4").open("r+b") as file:  # other bytes, same pictures: the writer's name
            data = file.read().replace(b"Lavf", name[:4].encode())
            file.seek(0)
            file.write(data)
        table = Path("mine/labels.csv")
        before = table.read_text() if table.exists() else "video,spans\n"
        table.write_text(before + f'fight/{name}.mp4,"{spans}"\n')
    reasons = run(section())
    assert reasons.keys() == {"mine/fight/lost.mp4"}
    assert reasons["mine/fight/lost.mp4"].startswith("what its annotation marks is lost")
    assert listed_videos()["mine/before"]["spans"] == "[[0.4, 1]]"


def test_pauses_are_in_the_table() -> None:
    times = [Fraction(n, 25) + (3600 if n >= 50 else 0) for n in range(100)]
    videos.film(Path("mine/jump.mkv"), frames=100, times=times)
    assert run(section()) == {}
    row = listed_videos()["mine/jump"]
    assert (row["fps"], row["duration_s"], row["pauses"]) == ("25", "3604", "[[2, 3602]]")


def test_of_twins_the_first_by_name_stays_and_a_clash_of_labels_is_told() -> None:
    videos.film(Path("mine/normal/b.mp4"))
    shutil.copytree("mine/normal", "mine/fight")
    Path("mine/fight/b.mp4").rename("mine/fight/a.mp4")
    clash = "there labelled fight and here normal: check which is right"
    assert run(section()) == {"mine/normal/b.mp4": f"the same content as mine/fight/a.mp4, {clash}"}


def test_raw_files_of_videos_that_are_gone_go_too() -> None:
    for number in range(2):
        videos.film(Path(f"mine/{number}.mp4"), frames=5 + number)
    run(section())
    Path("data/truth/mine").mkdir()
    Path("data/truth/mine/0.npz").write_bytes(b"of a video that goes")
    Path("mine/0.mp4").unlink()
    run(section())
    assert [path.name for path in Path("data/raw").rglob("*")] == ["mine", f"1.mp4{POINTER}"]
    assert list(Path("data/truth").rglob("*")) == []


def test_a_new_set_without_sync_is_said() -> None:
    videos.film(Path("mine/a.mp4"))
    sync(section(), Path("data/sources.csv"))
    with pytest.raises(VigilError, match=r"does not know more. Run `vigil sync`"):
        run(section() | {"more": section()["mine"]}, synced=False)
    sync(section() | {"more": section()["mine"]}, Path("data/sources.csv"))
    with pytest.raises(VigilError, match=r"still lists mine. Run `vigil sync`"):
        run({"more": section()["mine"]}, synced=False)
    Path("data/sources.csv").unlink()
    with pytest.raises(VigilError, match=r"data/sources.csv: not found. Run `vigil sync`"):
        run(section(), synced=False)


def test_spans_in_frames_become_seconds_and_end_with_the_video() -> None:
    videos.film(Path("mine/fight/a.mp4"), frames=20, fps=Fraction(30000, 1001))
    Path("mine/fight/a.json").write_text(json.dumps({"frame_annotations": [[3, 6], [15, 49]]}))
    assert run(section()) == {}
    row = listed_videos()["mine/a"]
    assert row["fps"] == "29.97002997"
    # frame 3 begins at 3 x 1001 / 30000 s, and so on; 20 frames last 0.667333333 s
    assert row["spans"] == "[[0.1001, 0.2002], [0.5005, 0.667333333]]"
    assert row["duration_s"] == "0.667333333"


def test_spans_in_frames_follow_the_clock_of_the_video_when_its_rate_varies() -> None:
    times = [Fraction(number, 20) for number in range(10)] + [Fraction(number) for number in range(1, 11)]
    videos.film(Path("mine/fight/a.mp4"), times=times)
    Path("mine/fight/a.json").write_text(json.dumps({"frame_annotations": [[2, 12]]}))
    assert run(section()) == {}
    assert listed_videos()["mine/a"]["spans"] == "[[0.1, 3]]"  # frame 2 begins at 2/20 s, frame 12 at 3 s


def test_an_annotation_of_another_length_is_not_believed() -> None:
    for name, count in (("same", 20), ("nearly", 21), ("other", 25)):
        videos.film(Path(f"mine/fight/{name}.mp4"), frames=20, size=(64, 48 + 2 * count))
        marks = [0] * (count - 1) + [1]
        Path(f"mine/fight/{name}.json").write_text(json.dumps({"frame_annotations": [1, *marks[1:]]}))
    videos.film(Path("mine/fight/late.mp4"), frames=20)
    Path("mine/labels.csv").write_text("video,start_s,stop_s\nfight/late.mp4,2,3\n")
    reasons = run(section())
    assert reasons.keys() == {"mine/fight/other.mp4", "mine/fight/late.mp4"}
    assert reasons["mine/fight/other.mp4"].startswith("its annotation has 25 frames and 20 decode")
    assert reasons["mine/fight/late.mp4"].startswith("its annotation marks a time after its end (2 s)")


@pytest.mark.parametrize(
    ("spans", "kept_spans"),
    [
        ("[[1, 3]]", "[[1, 2]]"),  # of a video of 2 s
        ("[[1, 3.01]]", None),
        ("[[0.25, 0.5], [1, 3.01]]", None),
        ("[[2, 2.5]]", None),
        ("[[1, 1.5], [0.25, 0.5], [0.5, 0.75], [1.25, 1.75], [1.3, 1.4]]", "[[0.25, 0.75], [1, 1.75]]"),
    ],
)
def test_spans_are_cut_and_merged_or_not_believed(spans: str, kept_spans: str | None) -> None:
    videos.film(Path("mine/fight/a.mp4"), frames=20)
    videos.film(Path("mine/fight/b.mp4"), frames=21)
    Path("mine/labels.csv").write_text(f'video,spans\nfight/a.mp4,"{spans}"\n')
    reason = "its annotation marks a time after its end (2 s): it belongs to another video"
    assert run(section()) == ({} if kept_spans else {"mine/fight/a.mp4": reason})
    assert listed_videos().get("mine/a", {}).get("spans") == kept_spans


def test_adding_one_video_decodes_one_video(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        videos.film(Path(f"mine/{number}.mp4"), frames=5 + number)
    run(section())
    videos.film(Path("mine/new.mp4"), frames=50)
    capsys.readouterr()
    run(section())
    assert "6 videos: 1 done, 5 reused, 0 rejected" in capsys.readouterr().out


@pytest.mark.slow
def test_adding_one_video_to_200_costs_that_video_and_two_seconds() -> None:
    first = videos.film(Path("mine/0.mp4"), frames=4)
    for number in range(1, 200):
        path = Path(f"mine/{number}.mp4")
        shutil.copyfile(first, path)
        with path.open("ab") as file:  # an empty box behind the video: other bytes, same pictures
            file.write((16).to_bytes(4) + b"free" + number.to_bytes(8))
    run(section())
    assert len(listed_videos()) == 200
    videos.film(Path("mine/new.mp4"), frames=900, size=(640, 360))
    began = time.monotonic()
    videos_alone = measure_video(Path("mine/new.mp4"), None)
    alone = time.monotonic() - began
    assert videos_alone["frames"] == 900
    began = time.monotonic()
    run(section())
    assert time.monotonic() - began < 1.5 * alone + 2
    assert len(listed_videos()) == 201


def test_decimals_are_short_and_exact_enough() -> None:
    assert [str(float(round_decimals(Fraction(text)))) for text in ("25", "30000/1001", "1/3", "0", "2.50")] == [
        "25.0",
        "29.97002997",
        "0.333333333",
        "0.0",
        "2.5",
    ]
