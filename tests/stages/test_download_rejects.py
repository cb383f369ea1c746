"""When `download` stops for what it had to refuse, and what it says then."""

from pathlib import Path
from typing import Any

import pytest
import videos

from vigil.core.errors import VigilError
from vigil.core.storage import read_table
from vigil.engine.per_video import Runtime
from vigil.footage.sources import sync
from vigil.stages.download import Params, main

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)


def run(max_reject_share: float = 0.0, **keys: Any) -> set[str]:
    """Sync and download the folder `mine`; the rejected paths."""
    datasets = {"mine": {"kind": "folder", "path": "mine", **keys}}
    sync(datasets, Path("data/sources.csv"))
    paths = {name: Path("data") / name for name in ("raw", "truth")}
    tables = {name: Path(f"data/{name}.csv") for name in ("sources", "videos", "rejects")}
    params = Params(min_frames=2, max_reject_share=max_reject_share)
    main(**paths, **tables, params=params, datasets=datasets, runtime=SERIAL)
    return {row["path"] for row in read_table(Path("data/rejects.csv"))}


def test_what_is_refused_of_annotations_is_told_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    videos.film(Path("mine/normal/a.mp4"))
    Path("mine/labels.csv").write_text("video,label\n" + "".join(f"gone{n}.mp4,normal\n" for n in range(4)))
    Path("mine/lonely.json").write_text('{"label": "normal"}')
    Path("mine/nothing.json").symlink_to("no-such-file.json")
    assert run() == {"mine/labels.csv", "mine/lonely.json", "mine/nothing.json"}
    out = capsys.readouterr().out
    assert "download: 1 videos: 1 done, 0 reused, 0 rejected in " in out
    assert out.strip().endswith(" s, 6 annotation lines refused")


def test_reasons_are_counted_whatever_line_and_name_they_tell() -> None:
    for number in range(3):
        videos.film(Path(f"mine/normal/{number}.mp4"), frames=5 + number)
    Path("mine/labels.csv").write_text("video,split\nnormal/1.mp4,odd\nnormal/2.mp4,strange\n")
    reason = r"split '\.\.\.' is none of train, val, test\. \(2\)\."
    with pytest.raises(VigilError, match=rf"^mine: 2 of 3 rejected; .* is 0\.5\. Most often: {reason}"):
        run(max_reject_share=0.5)


def test_a_set_of_which_nothing_is_left_says_so() -> None:
    for number in range(2):
        videos.film(Path(f"mine/{number}.mp4"), frames=5 + number)
    with pytest.raises(VigilError, match=r"^mine: not one video can be used, of 2\. Most often: no label.*\(2\)\. See"):
        run(max_reject_share=1.0)
