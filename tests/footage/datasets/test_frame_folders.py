"""Folders of numbered images."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import corpora
import pytest
import videos
import yaml

from vigil.core.errors import VigilError
from vigil.core.storage import raw_file, read_table
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import frame_folders
from vigil.footage.listing.records import Listing, Row
from vigil.footage.sources import sync
from vigil.footage.video.reading import probe
from vigil.stages.download import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
ROOT = Path("seqs")


def bring(**keys: Any) -> Listing:
    params = frame_folders.Params(path=str(ROOT), **keys)
    return frame_folders.videos("s", params, frame_folders.sources("s", params), Path("raw"), Path("truth"), SERIAL)


def rows(listing: Listing) -> dict[str, Row]:
    return {row.origin.removeprefix("s/"): row for row in listing.rows}


def test_a_bare_tree_tells_split_class_and_sequence() -> None:
    videos.images(ROOT / "train/dynamic/one", range(3))
    videos.images(ROOT / "walking/cam1/two", range(4))
    row_of = rows(bring(fps=4))
    assert {path: (row.split, row.label) for path, row in row_of.items()} == {
        "train/dynamic/one": ("train", "dynamic"),
        "walking/cam1/two": ("", "walking"),
    }
    assert {row.fps for row in row_of.values()} == {Fraction(4)}
    assert raw_file(Path(row_of["walking/cam1/two"].path)).resolve() == (ROOT / "walking/cam1/two").resolve()


def test_a_single_image_becomes_a_sequence_in_which_nothing_moves() -> None:
    videos.images(ROOT / "static", [5, 6])
    videos.images(ROOT / "test/static", [7])
    row_of = rows(bring(static_frames=6))
    assert {path: (row.split, row.label) for path, row in row_of.items()} == {
        "static/frame_5.png": ("", "static"),
        "static/frame_6.png": ("", "static"),
        "test/static/frame_7.png": ("test", "static"),
    }
    for path, row in row_of.items():
        copies = sorted(Path(row.path).iterdir())
        assert len(copies) == 6 == probe(Path(row.path), Fraction(10)).frames
        assert {copy.read_bytes() for copy in copies} == {(ROOT / path).read_bytes()}


def test_a_single_image_becomes_long_enough_for_the_default_of_download() -> None:
    chosen = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())["download"]
    assert frame_folders.Params(path="x").static_frames >= chosen["min_frames"]


def test_data_csv_names_the_classes() -> None:
    videos.images(ROOT / "a", range(3))
    videos.images(ROOT / "b", range(4))
    videos.images(ROOT / "unnamed", range(5))
    videos.images(ROOT / "stills", [9])
    (ROOT / "data.csv").write_text(
        "folder_name,type,split,source\na,dynamic,train,gate\nb,normal,,\nstills/frame_9.png,static,,\nc,normal,,\n../x,normal,,\n"
    )
    listing = bring()
    row_of = rows(listing)
    assert {path: (row.label, row.split, row.source) for path, row in row_of.items()} == {
        "a": ("dynamic", "train", "gate"),
        "b": ("normal", "", "s/b"),
        "stills/frame_9.png": ("static", "", "s/frame_9"),
    }
    assert {(reject.path, reject.reason) for reject in listing.rejects} == {
        ("s/unnamed", "data.csv does not name it"),
        ("s/stills", "data.csv does not name it"),
        ("s/data.csv", "line 5: names 'c', and there is no such video; run `vigil sync` if it is new"),
        ("s/data.csv", "line 6: names a path outside the dataset's folder ('x'): refused"),
    }


def test_the_index_of_a_bare_tree_says_what_the_folders_say() -> None:
    videos.images(ROOT / "train/dynamic/one", range(3))
    videos.images(ROOT / "static", [5])
    bare = rows(bring())
    table = frame_folders.write_index(ROOT)
    assert table.read_text() == "folder_name,type,split\nstatic/frame_5.png,static,\ntrain/dynamic/one,dynamic,train\n"
    assert rows(bring()) == bare
    with pytest.raises(VigilError, match="is there already"):
        frame_folders.write_index(ROOT)


def test_listing_writes_nothing_into_the_users_folder() -> None:
    videos.images(ROOT / "dynamic/one", range(3))
    before = sorted(ROOT.rglob("*"))
    bring()
    assert sorted(ROOT.rglob("*")) == before


def test_images_without_a_class_are_rejected() -> None:
    videos.images(ROOT / "loose", range(3))
    videos.images(ROOT / "dynamic/one", range(4))
    listing = bring()
    assert rows(listing).keys() == {"dynamic/one"}
    assert [reject.path for reject in listing.rejects] == ["s/loose"]


def test_a_corrupt_image_rejects_its_sequence_by_name_and_no_other() -> None:
    for name in ("good", "bad", "linked"):
        videos.images(ROOT / f"dynamic/{name}", range(6 + len(name)))
    corpora.corrupt_image(ROOT / "dynamic/bad/frame_3.png")
    (ROOT / "dynamic/linked/frame_99.png").symlink_to(Path("/etc/hostname"))
    section = {"s": {"kind": "frame_folders", "path": str(ROOT)}}
    sync(section, Path("sources.csv"))
    main(
        sources=Path("sources.csv"),
        raw=Path("raw"),
        truth=Path("truth"),
        videos=Path("videos.csv"),
        rejects=Path("rejects.csv"),
        params=Params(min_frames=2, max_reject_share=0.9),
        datasets=section,
        runtime=SERIAL,
    )
    assert [row["video"] for row in read_table(Path("videos.csv"))] == ["s/good"]
    reasons = {row["path"]: row["reason"] for row in read_table(Path("rejects.csv"))}
    assert reasons.pop("s/dynamic/bad").startswith("frame_3.png: ")
    assert reasons.pop("s/dynamic/linked").startswith("frame_99.png: a link that leads out")
    assert reasons == {}


def test_a_replaced_image_is_a_change_for_sync() -> None:
    videos.images(ROOT / "dynamic/one", range(3))
    params = frame_folders.Params(path=str(ROOT))
    before = frame_folders.sources("s", params)
    videos.images(ROOT / "dynamic/one", [700], name="frame_1.png")
    assert frame_folders.sources("s", params) != before
