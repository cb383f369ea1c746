"""What is read of a user's folder, and what is remembered of it."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.footage.datasets import fights, folder, frame_folders, landmark_csv, ucf_crime
from vigil.footage.listing import hashes, local
from vigil.footage.listing.hashes import Hashes
from vigil.footage.listing.names import shortest_names, slug


def test_hidden_files_are_not_listed_and_deep_ones_are(tmp_path: Path) -> None:
    for name in ("a.mp4", "deep/er/b.mp4", ".hidden.mp4", "._a.mp4", ".git/c.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert local.list_visible(tmp_path) == ["a.mp4", "deep/er/b.mp4"]


def test_a_link_within_the_folder_is_no_second_copy_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.mp4").write_text("a")
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "b.mp4").symlink_to("real/a.mp4")
    assert local.list_visible(tmp_path) == ["b.mp4", "real/a.mp4"]
    assert local.find_problem(tmp_path, "b.mp4") is None


def test_the_place_tells_split_class_and_what_is_below() -> None:
    assert local.parse_folders("Training/Fight/cam/1/a.mp4") == ("train", "Fight", "cam/1")
    assert local.parse_folders("Fight/a.mp4") == ("", "Fight", "")
    assert local.parse_folders("a.mp4") == ("", "", "")


@pytest.mark.parametrize("kind", [fights, folder, frame_folders, landmark_csv, ucf_crime])
def test_an_empty_path_is_no_dataset(kind: Any) -> None:
    more = {"classes": {}, "fps": 1, "size": [1, 1]} if kind is landmark_csv else {}
    with pytest.raises(VigilError, match=r"^here: path = ''"):
        kind.Params.read({"path": "", **more}, "here")


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.mp4").write_text("a")
    (tmp_path / "root").symlink_to("real")
    root = local.dataset_root("mine", str(tmp_path / "root"))
    assert local.find_problem(root, "a.mp4") is None
    assert local.resolve_reference(root, root, "a.mp4") == "a.mp4"


def test_the_home_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/cctv").mkdir(parents=True)
    assert local.dataset_root("mine", "~/cctv") == tmp_path / "home/cctv"


def test_a_path_in_a_file_cannot_lead_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "link.mp4").symlink_to(tmp_path / "x.mp4")
    for text in (
        "../x.mp4",
        "/etc/passwd",
        "sub/../../x.mp4",
        "out/x.mp4",
        "link.mp4",
        "a\0b",
        "x" * 5000 + "/../../..",
    ):
        assert local.resolve_reference(root, root, text) is None, text
    assert local.resolve_reference(root, root, "sub/../a.mp4") == "a.mp4"
    assert local.resolve_reference(root, root / "sub", "../a.mp4") == "a.mp4"
    assert local.resolve_reference(root, root, str(root / "a.mp4")) == "a.mp4"


def test_a_digest_is_read_once_and_again_when_the_file_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return path.read_text()

    monkeypatch.setattr(hashes, "sha256_file", counted)
    file = tmp_path / "a.mp4"

    def digest() -> str:
        with Hashes() as hashes:
            return hashes.file_digest(file)

    file.write_text("one")
    assert [digest(), digest()] == ["one", "one"]
    assert read == ["a.mp4"]
    file.write_text("two")
    os.utime(file, ns=(1, 1))  # same size
    assert digest() == "two"
    os.utime(file, ns=(2, 2))
    assert digest() == "two"
    assert len(read) == 3
    (tmp_path / ".vigil/hashes.json").write_text("{broken")
    assert digest() == "two"


def test_the_digest_of_a_folder_holds_the_names_of_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "seq").mkdir()
    for name in ("1.png", "2.png", "notes.txt"):
        (tmp_path / "seq" / name).write_text(name)
    with Hashes() as hashes:
        first = hashes.fingerprint(tmp_path / "seq")
        (tmp_path / "seq/notes.txt").write_text("other notes")
        assert hashes.fingerprint(tmp_path / "seq") == first
        (tmp_path / "seq/2.png").rename(tmp_path / "seq/3.png")
        assert hashes.fingerprint(tmp_path / "seq") != first
    assert first[0] == len("1.png") + len("2.png")


def test_a_name_is_as_short_as_it_can_be() -> None:
    assert shortest_names(["x/a.mp4", "x/b.mp4", "y/b.avi"]) == {"x/a.mp4": "a", "x/b.mp4": "x__b", "y/b.avi": "y__b"}


def test_names_that_differ_in_case_or_extension_alone_stay_apart() -> None:
    names = shortest_names(["A.mp4", "a.mp4", "b.mp4", "b.avi", "x/c d.mp4", "x/c-d.mp4"])
    assert len({name.casefold() for name in names.values()}) == 6
    assert all(
        names[path].startswith(start) for path, start in (("a.mp4", "a-"), ("b.avi", "b-"), ("x/c d.mp4", "x__c-d-"))
    )


def test_slugs_stay_readable() -> None:
    slug_of = {
        "-dash": "dash",
        "a b": "a-b",
        "it's": "it-s",
        "v1.2": "v1-2",
        "видео": "видео",
        "con": "video-con",
        "??": "video",
    }
    assert {text: slug(text) for text in slug_of} == slug_of
    assert slug("e\u0301") == "\u00e9"
    assert slug("हिन्दी") == "हिन्दी"
    assert len(slug("監" * 200).encode()) <= 100


PART = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda part: part not in (".", "..")
)


@given(st.sets(st.lists(PART, min_size=1, max_size=3).map("/".join), max_size=8))
def test_names_are_unique_and_safe_whatever_files_are_called(paths: set[str]) -> None:
    names = shortest_names(sorted(paths))
    assert names.keys() == paths
    assert len({name.casefold() for name in names.values()}) == len(paths)
    for name in names.values():
        assert name == name.strip("-. ")
        assert not set(name) & set('<>:"/\\|?*. \n\t')
    assert shortest_names(sorted(paths)) == names
