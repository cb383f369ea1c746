"""The frames stage on a tiny table of videos: rate, size, times, pointers, rejects, reuse, and the same bytes."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import videos

from vigil.core.clock import exact_fraction
from vigil.core.errors import VigilError
from vigil.core.params import load
from vigil.core.storage import read_table, sha256_file, write_pointer, write_table
from vigil.engine.per_video import Runtime
from vigil.features.frames import FrameArchive
from vigil.stages.frames import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
PARAMS = Params(fps=5, size=24, quality=90)
RAW, OUT, TABLE = Path("data/raw"), Path("data/frames"), Path("data/videos.csv")
COLUMNS = ["video", "path", "fps", "width", "height", "sha256"]


def row(path: Path, **changes: Any) -> dict[str, Any]:
    name = path.relative_to(RAW).with_suffix("").as_posix()
    digest = sha256_file(path) if path.is_file() else "-"
    columns = {"video": name, "path": path.as_posix(), "fps": "10", "width": 64, "height": 48, "sha256": digest}
    return {**columns, **changes}


def run(rows: list[dict[str, Any]], params: Params = PARAMS, runtime: Runtime = SERIAL) -> list[str]:
    """The files that the stage leaves, by name."""
    write_table(TABLE, rows, COLUMNS)
    main(TABLE, RAW, OUT, params, runtime)
    return sorted(path.relative_to(OUT).as_posix() for path in OUT.rglob("*") if path.suffix in {".npz", ".csv"})


def test_every_other_frame_of_ten_per_second_at_five_with_its_exact_time() -> None:
    assert run([row(videos.film(RAW / "a/one.mp4", size=(128, 96)), width=128, height=96)]) == ["a/one.npz"]
    archive = FrameArchive(OUT / "a/one.npz")
    assert archive.index.tolist() == [videos.number(image) for image in archive.images()] == list(range(0, 20, 2))
    assert archive.times == [Fraction(number, 5) for number in range(10)]
    assert next(archive.images()).shape == (24, 32, 3)
    assert archive.source_size == (128, 96)


def test_ntsc_times_are_exact() -> None:
    run([row(videos.film(RAW / "a/one.mp4", fps=Fraction(30000, 1001)))])
    assert FrameArchive(OUT / "a/one.npz").times == [Fraction(1001 * number, 30000) for number in (0, 6, 12, 18)]


def test_turned_pictures_are_stored_as_shown() -> None:
    run([row(videos.film(RAW / "a/one.mp4", size=(96, 48), turn=90), width=48, height=96)])
    assert next(FrameArchive(OUT / "a/one.npz").images()).shape == (48, 24, 3)


def test_small_videos_are_not_enlarged() -> None:
    run([row(videos.film(RAW / "a/one.mp4"))], Params(fps=5, size=500, quality=90))
    assert next(FrameArchive(OUT / "a/one.npz").images()).shape == (48, 64, 3)


def test_pointers_are_followed_and_folders_of_images_have_their_own_rate() -> None:
    film = videos.film(Path("mine/far away.mp4"))
    write_pointer(RAW / "a/one.mp4", film.absolute(), film.stat().st_size, sha256_file(film))
    videos.images(RAW / "a/two")
    rows = [row(RAW / "a/one.mp4", sha256="1"), row(RAW / "a/two", fps="20", sha256="2")]
    assert run(rows) == ["a/one.npz", "a/two.npz"]
    assert FrameArchive(OUT / "a/one.npz").index.tolist() == list(range(0, 20, 2))
    assert FrameArchive(OUT / "a/two.npz").index.tolist() == list(range(0, 20, 4))  # 20 images per second
    assert run([rows[0], rows[1] | {"fps": "5"}]) == ["a/one.npz", "a/two.npz"]
    assert FrameArchive(OUT / "a/two.npz").index.tolist() == list(range(20))


def test_landmarks_have_no_pictures_and_are_left_alone() -> None:
    (RAW / "b").mkdir(parents=True)
    (RAW / "b/poses.csv").write_text("x\n1\n")
    assert run([row(videos.film(RAW / "a/one.mp4")), row(RAW / "b/poses.csv")]) == ["a/one.npz"]


def test_a_video_that_broke_since_it_was_downloaded_is_rejected_and_loses_nothing_else() -> None:
    rows = [row(videos.film(RAW / "a/one.mp4")), row(videos.film(RAW / "a/two.mp4", frames=30))]
    videos.truncated(RAW / "a/two.mp4", 0.2)
    assert run(rows) == ["a/one.npz", "rejects.csv"]
    (reject,) = read_table(OUT / "rejects.csv")
    assert reject["video"] == "a/two"
    assert "moov" in reject["reason"]


def test_what_is_known_is_not_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(videos.film(RAW / f"a/{name}.mp4", frames=frames)) for name, frames in (("one", 20), ("two", 30))]
    run(rows)
    assert "2 done, 0 reused" in capsys.readouterr().out
    run([*rows, row(videos.film(RAW / "b/three.mp4", frames=40))])
    assert "1 done, 2 reused" in capsys.readouterr().out
    run(rows, Params(fps=4, size=24, quality=90))
    assert "2 done, 0 reused" in capsys.readouterr().out
    assert run(rows[:1]) == ["a/one.npz"]  # and the frames of a video that is gone go too
    assert "0 done, 1 reused" in capsys.readouterr().out


def test_the_same_bytes_come_out_of_two_workers_as_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name, runtime in (("serial", SERIAL), ("two", SERIAL.model_copy(update={"executor": "process", "workers": 2}))):
        (tmp_path / name / ".dvc").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        rows = [row(videos.film(RAW / f"a/{count}.mp4", frames=count, size=(66, 50))) for count in (20, 30)]
        digests.append([(file, sha256_file(OUT / file)) for file in run(rows, runtime=runtime)])
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2


def test_params_are_checked_and_those_of_the_project_are_good() -> None:
    section = load(Path(__file__).resolve().parents[2] / "params.yaml")["frames"]
    assert Params.read(section, "params.yaml [frames]").size >= 112  # the gate looks at 112 px
    for key, bad in (("fps", 0), ("size", 8), ("quality", 101), ("sise", 1)):
        with pytest.raises(VigilError, match=key):
            Params.read(section | {key: bad}, "params.yaml [frames]")


def test_a_rate_means_what_it_says() -> None:
    assert exact_fraction(29.97) == Fraction(2997, 100)
    assert exact_fraction(8) == 8
