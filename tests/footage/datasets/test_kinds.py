"""What holds for every kind of dataset, tried on a miniature of each."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import corpora
import pytest
from web import Site

from vigil.core.errors import VigilError
from vigil.core.storage import raw_file, read_table
from vigil.engine.per_video import Runtime
from vigil.footage.listing.records import Listing, Source
from vigil.footage.sources import read_datasets, read_sources, sync
from vigil.footage.video_table import COLUMNS
from vigil.stages.download import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
LOCAL = sorted(corpora.make)
KINDS = [*LOCAL, "youtube"]


@pytest.fixture
def section(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The set `mini` of the parameter's kind, in a folder that is not the project's."""
    root = tmp_path / "user's own/data"
    if request.param != "youtube":
        yield {"mini": corpora.make[request.param](root)}
        return
    for number, name in enumerate(("a/clip.mp4", "b/clip.mp4", "c.mp4")):
        corpora.clip(root / name, number)
    with Site(root) as site:
        page = site.page("list.html", ["a/clip.mp4", "b/clip.mp4"])
        videos = [
            {"playlist": page, "label": "normal"},
            {"url": site.url("c.mp4"), "label": "fight", "spans": [[0, 0.2]]},
        ]
        yield {"mini": {"kind": "youtube", "sleep_s": 0, "videos": videos}}


def bring(section: dict[str, Any]) -> tuple[list[Source], Listing]:
    ((kind, params),) = read_datasets(section).values()
    listed = kind.sources("mini", params)
    return listed, kind.videos("mini", params, listed, Path("data/raw"), Path("data/truth"), SERIAL)


def download(section: dict[str, Any], **changes: Any) -> None:
    params = Params(**{"min_frames": 2, "max_reject_share": 0.0, **changes})
    paths = {name: Path("data") / name for name in ("raw", "truth")}
    tables = {name: Path(f"data/{name}.csv") for name in ("sources", "videos", "rejects")}
    main(**paths, **tables, params=params, datasets=section, runtime=SERIAL)


def tree(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All that could be seen of a folder, times of reading apart."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        seen[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, status.st_nlink, status.st_uid, content)
    return seen


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("section", KINDS, indirect=True)
def test_sources_are_sorted_and_the_same_every_time(section: dict[str, Any]) -> None:
    first, _ = bring(section)
    again, _ = bring(section)
    assert first == again == sorted(first)
    assert all(source.set == "mini" and re.fullmatch("[0-9a-f]{64}", source.sha256) for source in first)
    assert not any(source.path.startswith("/") or ".." in source.path for source in first)


@pytest.mark.parametrize("section", KINDS, indirect=True)
def test_listings_are_the_same_every_time_and_so_are_the_bytes(section: dict[str, Any]) -> None:
    _, first = bring(section)
    before = contents(Path("data"))
    _, again = bring(section)
    assert first == again
    assert contents(Path("data")) == before != {}


@pytest.mark.parametrize("section", KINDS, indirect=True)
def test_ids_are_unique_and_safe_and_their_files_are_there(section: dict[str, Any]) -> None:
    _, listing = bring(section)
    ids = [row.video for row in listing.rows]
    assert len({name.casefold() for name in ids}) == len(ids) > 1
    for row in listing.rows:
        assert re.fullmatch(r"mini/[\w-]+", row.video)
        assert row.path.startswith(f"data/raw/{row.video}")
        assert raw_file(Path(row.path)).exists()
        assert row.label and row.source
    assert listing.rejects == []


@pytest.mark.parametrize(("kind", "section"), [(kind, kind) for kind in LOCAL], indirect=["section"])
def test_labels_are_those_of_the_corpus(kind: str, section: dict[str, Any]) -> None:
    _, listing = bring(section)
    assert {row.video.removeprefix("mini/"): row.label for row in listing.rows} == corpora.labels[kind]


@pytest.mark.parametrize("section", LOCAL, indirect=True)
def test_the_users_files_stay_as_they_were(section: dict[str, Any], tmp_path: Path) -> None:
    before = tree(tmp_path / "user's own")
    sync(section, Path("data/sources.csv"))
    download(section)
    assert tree(tmp_path / "user's own") == before
    for file in (path for path in Path("data/raw").rglob("*") if path.is_file()):
        assert not any(str(tmp_path) in line for line in file.read_text(errors="replace").splitlines())


@pytest.mark.parametrize("section", KINDS, indirect=True)
def test_download_writes_the_table_of_videos(section: dict[str, Any]) -> None:
    sync(section, Path("data/sources.csv"))
    download(section)
    _, listing = bring(section)
    table = read_table(Path("data/videos.csv"))
    assert tuple(table[0]) == tuple(COLUMNS)
    assert [row["video"] for row in table] == sorted(row.video for row in listing.rows)
    for row in table:
        seconds = Fraction(row["duration_s"])
        assert abs(Fraction(row["frames"]) / Fraction(row["fps"]) - seconds) < Fraction(1, 10)
        assert all(0 <= start < stop <= seconds for start, stop in json.loads(row["spans"]))
        assert min(int(row["width"]), int(row["height"])) >= 32
        assert re.fullmatch("[0-9a-f]{64}", row["sha256"])
    assert read_table(Path("data/rejects.csv")) == []
    before = contents(Path("data"))
    download(section)
    assert contents(Path("data")) == before


@pytest.mark.parametrize("section", LOCAL, indirect=True)
def test_a_file_that_changed_since_sync_is_said(section: dict[str, Any]) -> None:
    sync(section, Path("data/sources.csv"))
    path = section["mini"]["path"]
    first = read_sources(Path("data/sources.csv"))["mini"][0].path
    file = Path(path) / first if Path(path).is_dir() else Path(path)
    file = next(iter(sorted(file.iterdir()))) if file.is_dir() else file
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(VigilError, match=r"1 of \d files changed or went away.*Run `vigil sync`"):
        download(section)


@pytest.mark.parametrize("section", LOCAL, indirect=True)
def test_a_file_that_went_away_since_sync_is_said(section: dict[str, Any]) -> None:
    sync(section, Path("data/sources.csv"))
    path = Path(section["mini"]["path"])
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(VigilError, match=r"params.yaml \[datasets.mini\]: path = .*found nothing"):
        download(section)


@pytest.mark.parametrize("kind", LOCAL)
def test_a_folder_without_videos_is_a_mistake(kind: str, tmp_path: Path) -> None:
    section = corpora.make[kind](tmp_path / "full")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(VigilError, match=r"^params.yaml \[datasets.mini\]: "):
        sync({"mini": {**section, "path": str(empty)}}, Path("data/sources.csv"))
    assert not Path("data/sources.csv").exists()
