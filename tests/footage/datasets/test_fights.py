"""Surveillance Camera Fight: labels by folder, sources by table."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from vigil.core.errors import VigilError
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import fights
from vigil.footage.listing.records import Listing

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
ROOT = Path("scf")
ORIGINAL = ["fight/fi001.mp4", "fight/fi002.mp4", "noFight/nofi001.mp4"]


def bring(paths: list[str], root: Path = ROOT, **keys: Any) -> Listing:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    params = fights.Params(path=str(root), **keys)
    return fights.videos("scf", params, fights.sources("scf", params), Path("raw"), Path("truth"), SERIAL)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("fight/fi001.mp4", "fight"),
        ("noFight/nofi001.mp4", "normal"),
        ("normal/nofi001.mp4", "normal"),
        ("fight/noFight/x.mp4", "normal"),  # the nearest folder counts
        ("fi001.mp4", "fight"),
        ("nofi001.mp4", "normal"),
        ("other/clip.mp4", ""),
    ],
)
def test_folder_or_name_tells_the_label(path: str, label: str) -> None:
    assert fights.label_of_path(path) == label


def test_without_a_list_of_sources_each_clip_is_its_own_and_that_is_said() -> None:
    listing = bring(ORIGINAL)
    assert [row.source for row in listing.rows] == ["scf/fi001", "scf/fi002", "scf/nofi001"]
    (warning,) = listing.warnings
    assert "which of its 3 clips come from one video is unknown" in warning


def test_a_list_of_sources_groups_the_clips() -> None:
    ROOT.mkdir()
    (ROOT / "groups.csv").write_text(
        "path,source\nfight/fi001.mp4,yt-a\nfight/fi002.mp4,yt-a\nnoFight/nofi001.mp4,yt-b\n"
    )
    listing = bring(ORIGINAL, sources="groups.csv")
    assert [(row.label, row.source) for row in listing.rows] == [
        ("fight", "yt-a"),
        ("fight", "yt-a"),
        ("normal", "yt-b"),
    ]
    assert listing.warnings == []


def test_a_list_of_sources_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(VigilError, match=r"^params.yaml \[datasets.scf\]: sources = 'groups.csv': no such file"):
        bring(ORIGINAL, sources="groups.csv")


def test_a_clip_that_the_list_does_not_name_is_rejected() -> None:
    ROOT.mkdir()
    (ROOT / "clips.csv").write_text("path,label,source\nfight/fi001.mp4,fight,yt-a\nfight/fi009.mp4,fight,yt-a\n")
    listing = bring(["fight/fi001.mp4", "fight/fi002.mp4", "other/x.mp4"])
    assert [row.video for row in listing.rows] == ["scf/fi001"]
    assert {reject.path: reject.reason for reject in listing.rejects} == {
        "scf/fight/fi002.mp4": "clips.csv names no source for it, so no split could keep it apart",
        "scf/other/x.mp4": "neither fight nor normal: expected it in fight/ or noFight/",
        "scf/clips.csv": "line 3: names 'fight/fi009.mp4', and there is no such video; run `vigil sync` if it is new",
    }


def test_the_real_clips(real_data: Path) -> None:
    """100 fights and 100 normal scenes out of 28 sources, most of which show both."""
    listing = bring([], real_data / "surveillance-fights")
    assert listing.rejects == listing.warnings == []
    assert Counter(row.label for row in listing.rows) == {"fight": 100, "normal": 100}
    labels = defaultdict(set)
    for row in listing.rows:
        labels[row.source].add(row.label)
    assert len(labels) == 28
