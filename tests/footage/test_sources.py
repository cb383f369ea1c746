"""`vigil sync`: what is listed, when the list is written, and what is said about mistakes in `datasets`."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from vigil.core.errors import VigilError
from vigil.footage.listing.records import Source
from vigil.footage.sources import index, kinds, read_datasets, read_sources, sync

OUT = Path("data/sources.csv")


def mine(*names: str, path: str = "mine", **keys: Any) -> dict[str, Any]:
    for name in names:
        (Path(path) / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(path) / name).write_text(name)
    return {"kind": "folder", "path": path, **keys}


def test_every_kind_of_the_design_is_there() -> None:
    found = {"folder", "ucf_crime", "fights", "youtube", "frame_folders", "landmark_csv"}
    assert found <= set(kinds()) <= found | {"sample"}


def test_the_table_is_sorted_and_relative_and_has_digests() -> None:
    sync({"b": mine("normal/z.mp4", "normal/a.mp4"), "a": mine("normal/z.mp4", path="other")}, OUT)
    z, a = (hashlib.sha256(f"normal/{name}.mp4".encode()).hexdigest() for name in "za")
    assert OUT.read_text().splitlines() == [
        "set,path,size,sha256",
        f"a,normal/z.mp4,12,{z}",
        f"b,normal/a.mp4,12,{a}",
        f"b,normal/z.mp4,12,{z}",
    ]


def test_sync_says_what_is_new_gone_and_changed() -> None:
    section = {"cam": mine("normal/a.mp4", "normal/b.mp4")}
    assert str(sync(section, OUT)) == "cam: 2 sources, 2 new"
    assert str(sync(section, OUT)) == "cam: 2 sources"
    mine("normal/c.mp4", "normal/d.mp4")
    Path("mine/normal/a.mp4").unlink()
    Path("mine/normal/b.mp4").write_text("other")
    summary = sync(section, OUT)
    assert str(summary) == "cam: 3 sources, 2 new, 1 gone, 1 changed"
    assert summary == {"cam": {"sources": 3, "new": 2, "gone": 1, "changed": 1}}
    assert (
        str(sync({"shop": mine("normal/x.mp4", path="shop")}, OUT)) == "cam: 0 sources, 3 gone\nshop: 1 source, 1 new"
    )


def test_the_table_is_left_alone_when_nothing_changed() -> None:
    section = {"cam": mine("normal/a.mp4")}
    sync(section, OUT)
    before = OUT.stat()
    sync(section, OUT)
    after = OUT.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_table_does_not_depend_on_where_a_dataset_lies() -> None:
    sync({"cam": mine("normal/a.mp4", path="here")}, OUT)
    before = OUT.read_bytes()
    Path("far/away").mkdir(parents=True)
    shutil.move("here", "far/away/there")
    sync({"cam": mine(path=str(Path("far/away/there").absolute()))}, OUT)
    assert OUT.read_bytes() == before


@pytest.mark.parametrize(
    "text", ["", "set,path,size,sha256\n<<<<<<< HEAD\n", "set,path\na,b\n", "set,path,size,sha256\na,b,many,c\n"]
)
def test_a_damaged_table_is_said_by_download_and_mended_by_sync(text: str) -> None:
    OUT.parent.mkdir()
    OUT.write_text(text)
    with pytest.raises(VigilError, match=r"^data/sources.csv: "):
        read_sources(OUT)
    sync({"cam": mine("normal/a.mp4")}, OUT)
    assert [source.path for source in read_sources(OUT)["cam"]] == ["normal/a.mp4"]


def test_names_with_commas_quotes_and_newlines_come_back() -> None:
    names = ["normal/a,b.mp4", 'normal/say "hi".mp4', "normal/two\nlines.mp4", "normal/видео.mp4"]
    sync({"cam": mine(*names)}, OUT)
    assert sorted(source.path for source in read_sources(OUT)["cam"]) == sorted(names)


def test_what_cannot_be_read_is_listed_without_a_digest() -> None:
    section = {"cam": mine("normal/a.mp4")}
    Path("mine/normal/link.mp4").symlink_to("/etc/hostname")
    sync(section, OUT)
    assert read_sources(OUT)["cam"][1] == Source("cam", "normal/link.mp4", None, "")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (None, "params.yaml [datasets]: expected sets by name"),
        ({}, "params.yaml [datasets]: expected sets by name"),
        (["folder"], "params.yaml [datasets]: expected sets by name"),
        ({"cam": None}, "params.yaml [datasets.cam]: missing key 'kind'. Known kinds: fights, folder, "),
        ({"cam": {"path": "x"}}, "params.yaml [datasets.cam]: missing key 'kind'. Known kinds: fights, folder, "),
        ({"cam": {"kind": "foldr"}}, "kind = 'foldr': there is no such kind."),
        ({"cam": {"kind": "foldr"}}, "Did you mean 'folder'?"),
        ({"cam": {"kind": "listing"}}, "kind = 'listing': there is no such kind."),
        ({"cam": {"kind": "../x"}}, "there is no such kind."),
        ({"cam": {"kind": ["folder"]}}, "there is no such kind."),
        ({"cam": {"kind": "folder"}}, "params.yaml [datasets.cam]: missing key 'path'."),
        (
            {"cam": {"kind": "folder", "paht": "x"}},
            "unknown key 'paht'. Known: label, licence, path, source, track. Did you mean 'path'?",
        ),
        ({"cam": {"kind": "folder", "path": 3}}, "path = 3: "),
        (
            {"../cam": {"kind": "folder", "path": "x"}},
            "params.yaml [datasets.../cam]: a set's name is that of its folder",
        ),
        ({"": {"kind": "folder", "path": "x"}}, "a set's name is that of its folder"),
        ({"-x": {"kind": "folder", "path": "x"}}, "a set's name is that of its folder"),
        ({3: {"kind": "folder", "path": "x"}}, "a set's name is that of its folder"),
        ({"Cam": {"kind": "folder", "path": "x"}, "cam": {"kind": "folder", "path": "x"}}, "there is 'Cam' too"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(section: object, told: str) -> None:
    with pytest.raises(VigilError) as caught:
        read_datasets(section)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_root_that_is_not_there_names_set_and_path() -> None:
    with pytest.raises(VigilError) as caught:
        sync({"cam": {"kind": "folder", "path": "~/no/such"}}, OUT)
    assert str(caught.value) == (
        "params.yaml [datasets.cam]: path = '~/no/such': expected a folder, found nothing. "
        "Bring the data there, correct the path, or take the set out of `datasets`."
    )
    assert not OUT.exists()


def test_the_index_of_a_folder_tree_is_written_on_request_only() -> None:
    folder = Path("scenes/train/static/yard")
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"")
    section = {"scenes": {"kind": "frame_folders", "path": "scenes"}, "cam": mine("normal/a.mp4")}
    sync(section, OUT)
    assert not Path("scenes/data.csv").exists()
    assert index(section, "scenes").read_text() == "folder_name,type,split\ntrain/static/yard,static,train\n"
    with pytest.raises(VigilError, match="is there already"):
        index(section, "scenes")
    with pytest.raises(VigilError, match="only sets of kind frame_folders"):
        index(section, "cam")
    with pytest.raises(VigilError, match="Did you mean 'scenes'"):
        index(section, "scens")
